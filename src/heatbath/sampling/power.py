"""Sampling whole continuations from a power of the model, by moves that regenerate the end of a text.

The target
    With p(x) the probability of a continuation x (:mod:`heatbath.sampling.continuation`), the target is
    ``pi(x) = p(x)**alpha / Z``, ``Z = sum over all x of p(x)**alpha``: softmax of ln p(x) at T = 1 / alpha, where the
    options are whole continuations. Dividing the scores of each *token* by the same T is another distribution. It
    multiplies ``p(x_t | x_<t)**alpha / Z(x_<t)``, with a sum Z over the next token alone, and so does not see what a
    token leads to.

A move
    Let x have L tokens. Choose k uniformly from 1..L, keep the k - 1 tokens before it, and let the proposal q, any
    chain, write on from there until it stops or has ``max_tokens``. Of the result x', with L' tokens, accept with
    probability ``min(1, r)``::

        r = [p(x')**alpha q(x_k.. | x_<k) / L'] / [p(x)**alpha q(x'_k.. | x_<k) / L]

    Why L and L': the move from x to x' that keeps k - 1 tokens happens with probability ``q(x'_k.. | x_<k) / L``, and
    its reverse with ``q(x_k.. | x_<k) / L'``, because x' has L' places to choose from; k <= L', as one token is
    always drawn. With r as above ``pi(x) P_k(x, x') = pi(x') P_k(x', x)`` holds for each k, therefore for their sum P,
    and pi is what the moves leave as it is. k = 1 redraws everything, so every continuation that q can write is
    reached from every other: the chain forgets where it began. Without L and L' it would sample from
    ``L(x) p(x)**alpha``. The code published with the method has no need of them where every text has the full length;
    it redraws up to the length that a text had, so that one that ended early gets no longer again.

Blocks
    With several blocks the first moves are made on the first ``max_tokens / blocks`` tokens, the text is then written
    on for as many, and so on. It only decides where the last block's moves, those over the whole length, begin. A text
    that had stopped can be taken up again by any later move.
"""

import math
from typing import Any

import numpy as np

from heatbath.core.numbers import check_whole
from heatbath.errors import InputError, while_doing
from heatbath.made import show
from heatbath.sampling.chain import Sampler, chain
from heatbath.sampling.continuation import Continuation, Continuations, read_asked
from heatbath.sampling.draw import categorical, gumbel
from heatbath.sampling.growing import Cost, Text, grow
from heatbath.sampling.random import as_seeds, branch, uniforms
from heatbath.sampling.temper import temperature as temperature_step
from heatbath.types import Model

PLACE, ACCEPT, ANEW = 1, 2, 3
"""Parts of a stream that no step of the proposal uses, as none of them draws."""

FAITHFUL = (categorical().made, gumbel().made)
"""The draws whose probabilities are those of the scores that they are shown."""


def power(
    model: Model,
    prompts: Any,
    *,
    temperature: Any = None,
    alpha: Any = None,
    max_tokens: int,
    moves: int = 10,
    blocks: int = 1,
    proposal: Sampler | None = None,
    seed: Any,
) -> Continuations:
    """Sample continuations with the temperature of the whole text: ``pi(x) = p(x)**alpha / Z``, ``alpha = 1 / T``.

    Metropolis-Hastings: a text is drawn token by token, and then each move redraws its end from a random place on and
    accepts or refuses the new one. The longer the moves go on, the nearer the samples come to the target; without
    any they are the proposal's. What is accepted is derived at the top of ``heatbath/sampling/power.py``.

    Why not a low temperature per token? Let "a" have probability 0.6 and lead to four equally likely endings, and "b"
    have 0.4 and lead to one. Of the five texts "b" is the likeliest (0.4 against 0.15), and a temperature should
    prefer it the more, the lower it is. Per token, T = 1/2 prefers "a":

    >>> 0.6**2 / (0.6**2 + 0.4**2)                       # probability of "a": T = 1/2 per token
    0.6923076923076923
    >>> 4 * 0.15**2 / (4 * 0.15**2 + 0.4**2)             # T = 1/2 for whole texts
    0.36

    Arguments:
        model: any that follows :class:`heatbath.types.Model`.
        prompts: token ids, one sequence per row; each row is a chain of its own. An empty one means the beginning of
            a text.
        temperature: T of the whole continuation, 1e-300 to 1e300. Give this or ``alpha``, not both.
        alpha: 1 / T.
        max_tokens: how many tokens a continuation may have, >= 1. It is part of the target: a text ends with a stop
            token or has this many.
        moves: how many per block, >= 0.
        blocks: into how many parts the text is divided, each of which gets its moves before the next begins; from 1 to
            ``max_tokens``.
        proposal: the chain that draws, categorical or Gumbel; ``temperature(1 / alpha)`` where none is given. Its steps
            may look back and learn, but not draw, as the probability of what they do would not be known. Where it
            forbids what the model allows, such as ``top_k(40)``, the target is p**alpha restricted to what it can
            write.
        seed: an integer, or one per row; row i of several uses ``seed + i`` where one is given. What a row draws does
            not depend on the rows beside it, and before the moves it is what the proposal draws with this seed.

    Returns:
        ``(rows, calls)``; of each row tokens, ln p, which moves were accepted and the cost.

    Raises:
        InputError: prompts that are no token ids or leave no room for ``max_tokens``; an illegal T
            or alpha, or both; a proposal that draws otherwise.

    >>> import heatbath as hb
    >>> from heatbath.embedded import load
    >>> model = load("toy")
    >>> rows, calls = hb.sampling.power(model, [[]] * 3, temperature=0.5, max_tokens=6, moves=20, seed=7)
    >>> [model.tokenizer.decode(row.tokens) for row in rows]
    [' sun sun sun sun sun sun', ' sun rain sun sun sun sun', ' sun sun sun sun sun sun']
    >>> round(rows[0].log_p, 3), rows[0].drawn
    (-3.205, 74)

    How to choose: when a text must be likely as a whole (an answer, a derivation), and many times its cost is fair. A
    row whose texts have ``max_tokens`` draws about ``max_tokens * (1 + moves * (blocks + 1) / 4)`` tokens, and reads
    about as many again. Look at ``trace``: the samples are not those of the target before it has come to rest, and a
    long text needs many moves, because a new end of many tokens is seldom as good as the old one. Blocks get there
    sooner: with texts of 32 tokens of the shipped model at T = 1/2, 4 blocks of 8 moves were 2 to 3 nats likelier than
    20 moves without blocks, which draw as many tokens. :func:`look_ahead` costs a fixed amount per token and is an
    approximation.

    Reference: Karan and Du, "Reasoning with sampling: your base model is smarter than you think", ICLR 2026,
    arXiv:2510.14901; Metropolis et al., Journal of Chemical Physics 21, 1953; Hastings, Biometrika 57, 1970.
    """
    with while_doing("sampling from a power of the model"):
        given, exponent, limit = read_asked(model, prompts, temperature, alpha, max_tokens)
        number = check_whole(moves, "moves", least=0, example=10)
        parts = check_whole(blocks, "blocks", example=4)
        if parts > limit:
            raise InputError(
                f"{limit} tokens cannot be divided into {parts} blocks",
                instead=f"write blocks={limit} at most",
                field="blocks",
            )
        writer = chain(temperature_step(1 / exponent)) if proposal is None else _read_proposal(proposal)
        seeds = as_seeds(seed, len(given))
        cost = Cost([0] * len(given), [0] * len(given))
        traces: list[list[float]] = [[] for _ in given]
        accepted: list[list[bool]] = [[] for _ in given]
        texts = [Text((), (), (), (writer.init(prompt),)) for prompt in given]
        for block in range(1, parts + 1):
            length = math.ceil(limit * block / parts)
            texts = grow(model, writer, given, texts, seeds, length, cost)
            for move in range((block - 1) * number, block * number):
                at = np.array(move, dtype=np.uint64)
                chances = uniforms(seeds, at, PLACE)
                places = [int(u * len(text.tokens)) for u, text in zip(chances, texts, strict=True)]
                kept = [text.until(place) for text, place in zip(texts, places, strict=True)]
                tried = grow(model, writer, given, kept, branch(seeds, move, ANEW), length, cost)
                for row, u in enumerate(uniforms(seeds, at, ACCEPT)):
                    yes = bool(u < math.exp(log_acceptance(exponent, places[row], texts[row], tried[row])))
                    texts[row] = tried[row] if yes else texts[row]
                    accepted[row].append(yes)
                    traces[row].append(math.fsum(texts[row].log_p))
        rows = (
            Continuation(text.tokens, math.fsum(text.log_p), drawn, read, tuple(trace), tuple(yes))
            for text, drawn, read, trace, yes in zip(texts, cost.drawn, cost.read, traces, accepted, strict=True)
        )
        return Continuations(tuple(rows), cost.calls)


def log_acceptance(alpha: float, place: int, old: Text, new: Text) -> float:
    """``min(0, ln r)`` of the move from one text to the other, which has the same ``place`` first tokens."""

    def weight(text: Text) -> float:
        return math.log(len(text.tokens)) + math.fsum(text.log_q[place:])

    better = alpha * (math.fsum(new.log_p[place:]) - math.fsum(old.log_p[place:]))
    return min(0.0, better + weight(old) - weight(new))


def _read_proposal(proposal: Any) -> Sampler:
    """A chain whose probabilities are known."""
    why = ""
    if not isinstance(proposal, Sampler):
        why = "it is no chain"
    elif random := next((step for step in proposal.steps if step.random), None):
        why = f"{random} draws random numbers of its own, so that the probability of a token is not known"
    elif proposal.draw.made not in FAITHFUL:
        why = f"it ends in {proposal.draw}; only categorical() and gumbel() draw with the probabilities of their scores"
    if why:
        raise InputError(
            why,
            on=f"proposal={show(proposal):.80}",
            instead="write for example proposal=hb.chain(hb.temperature(0.25), hb.top_k(40))",
            field="proposal",
        )
    return proposal  # type: ignore[no-any-return]
