"""Sampling whole continuations from a power of the model in one pass, approximately, by looking ahead.

The exact rule
    Under ``pi(x) = p(x)**alpha / Z``, the target of :func:`power`, the next token has probability ::

        pi(x_t | x_<t) ~ p(x_t | x_<t)**alpha * zeta(x_<=t),   zeta(y) = sum over endings z of y of p(z | y)**alpha

    The tempered token, times what can be made of it; zeta of a text that has ended is 1.

The estimate
    The paper takes the mean of ``p(z | y)**(alpha - 1)`` over endings z drawn from the model. Here they are drawn token
    by token at T = 1 / alpha. With ``Z(y) = sum over tokens of p(token | y)**alpha`` such an ending has probability
    ``q(z | y) = prod_j p(z_j | y z_<j)**alpha / Z(y z_<j)``, hence ::

        zeta(y) = E_q[prod_j Z(y z_<j)]

    The first factor is known without drawing, the last drawn token does not matter, and endings that hardly count are
    hardly drawn: a few rollouts are enough where the paper's estimate needs many.

What is biased
    1. ``horizon``: only the H tokens behind a candidate count, ``prod_{j < H} Z``. Horizon 0 is T per token; at
       ``max_tokens - 1`` nothing is cut off.
    2. ``candidates``: all but the most likely tokens are left out, at every token.
    3. ``rollouts``: the share of a candidate is a ratio of estimates, which is biased in the order of 1 / M. The paper
       corrects that by a jackknife, which can make shares negative; with these rollouts it is small, and left.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from heatbath.core import free_energy, log_softmax
from heatbath.core.numbers import check_whole
from heatbath.core.philox import Words
from heatbath.errors import while_doing
from heatbath.sampling.chain import Sampler, chain
from heatbath.sampling.continuation import Continuation, Continuations, read_asked
from heatbath.sampling.growing import Cost
from heatbath.sampling.numbers import read_rows
from heatbath.sampling.random import as_seeds, branch
from heatbath.sampling.temper import temperature as temperature_step
from heatbath.types import Model

AHEAD = 4
"""The part of a stream from which rollouts branch off."""

Numbers = npt.NDArray[np.float64]


def look_ahead(
    model: Model,
    prompts: Any,
    *,
    temperature: Any = None,
    alpha: Any = None,
    max_tokens: int,
    horizon: int = 4,
    candidates: int = 8,
    rollouts: int = 2,
    seed: Any,
) -> Continuations:
    """Sample continuations with the temperature of the whole text, approximately: each token by what it leads to.

    ``p(x_t | x_<t)**alpha`` times an estimate, from short rollouts, of the sum of ``p**alpha`` over what may follow;
    ``heatbath/sampling/lookahead.py`` derives it at its top and says what is biased.

    Arguments:
        model: any that follows :class:`heatbath.types.Model`.
        prompts: token ids, one sequence per row. An empty one means the beginning of a text.
        temperature: T of the whole continuation, 1e-300 to 1e300. Give this or ``alpha``, not both.
        alpha: 1 / T.
        max_tokens: how many tokens a continuation may have, >= 1.
        horizon: how many tokens ahead count, >= 0.
        candidates: how many of the most likely tokens are looked at, >= 1.
        rollouts: how many per candidate, >= 1; without effect at a horizon of 0 and 1, which draw none.
        seed: an integer, or one per row; row i of several uses ``seed + i`` where one is given. With one seed, T per
            token and this have their random numbers in common.

    Returns:
        ``(rows, calls)``, as :func:`power` does, without moves.

    Raises:
        InputError: as for :func:`power`; a horizon, candidates or rollouts that are no such whole numbers.

    >>> import heatbath as hb
    >>> from heatbath.embedded import load
    >>> model = load("toy")
    >>> rows, calls = hb.sampling.look_ahead(model, [[]] * 3, temperature=0.5, max_tokens=6, seed=7)
    >>> [model.tokenizer.decode(row.tokens) for row in rows]
    [' rain sun', ' sun sun sun sun sun sun', ' rain sun sun rain rain sun']

    How to choose: where texts must come token by token, or :func:`power` would need too many moves. A token costs
    ``candidates * (1 + rollouts * (horizon - 1))`` tokens, in ``horizon`` calls that all rows share; horizon 1 needs no
    rollout and is cheap. A longer horizon needs more rollouts, or it adds noise: with one each, texts of the shipped
    model were less likely with 8 tokens ahead than with 4. For samples that are right, take :func:`power`.

    Reference: Ji, Tutunov, Zimmer and Bou Ammar, "Scalable power sampling: unlocking efficient, training-free reasoning
    for LLMs via distribution sharpening", arXiv:2601.21590, 2026.
    """
    with while_doing("sampling from a power of the model"):
        given, alpha, limit = read_asked(model, prompts, temperature, alpha, max_tokens)
        ahead = check_whole(horizon, "horizon", least=0, example=4)
        most = check_whole(candidates, "candidates", example=8)
        scout = _Scout(model, alpha, check_whole(rollouts, "rollouts", example=2), chain(temperature_step(1 / alpha)))
        seeds = as_seeds(seed, len(given))
        cost = Cost([0] * len(given), [len(prompt) for prompt in given], calls=1)
        tokens: list[list[int]] = [[] for _ in given]
        log_p = [0.0] * len(given)
        writing = list(range(len(given)))
        scores, cache = model.start(given)
        draw = chain()
        for place in range(limit):
            log_ps, wanted = _shares(scores, alpha, most)
            fork = np.argwhere(wanted > -np.inf)
            fork = fork[[token not in model.stop_tokens for _, token in fork.tolist()]]
            branches, further = fork[:, 0].tolist(), fork[:, 1].tolist()
            reach = min(ahead, limit - place - 1)
            if reach and branches:
                owners = [writing[row] for row in branches]
                scores, cache = model.step(cache.rows(branches), further)
                numbers = np.array(further, np.uint64) + np.uint64(place * model.vocabulary)
                wanted[branches, further] += scout.worth(scores, cache, reach, numbers, seeds[owners], owners, cost)
                cost.calls += 1
                for row in owners:
                    cost.read[row] += 1
            chosen = draw.step((place, ()), wanted, seed=seeds[writing]).choice.tolist()
            for row, (number, token) in enumerate(zip(writing, chosen, strict=True)):
                tokens[number].append(token)
                log_p[number] += float(log_ps[row, token])
                cost.drawn[number] += 1
            keep = [row for row, token in enumerate(chosen) if token not in model.stop_tokens]
            if not keep or place + 1 == limit:
                break
            if reach:  # the model has read every candidate; go on from those that were chosen
                at = {pair: index for index, pair in enumerate(zip(branches, further, strict=True))}
                taken = [at[row, chosen[row]] for row in keep]
                scores, cache = scores[taken], cache.rows(taken)
            else:
                scores, cache = model.step(cache.rows(keep), [chosen[row] for row in keep])
                cost.calls += 1
            writing = [writing[row] for row in keep]
        rows = zip(tokens, log_p, cost.drawn, cost.read, strict=True)
        done = (Continuation(tuple(own), total, drawn, read) for own, total, drawn, read in rows)
        return Continuations(tuple(done), cost.calls)


def _shares(scores: Any, alpha: float, most: int) -> tuple[Numbers, Numbers]:
    """The ln p of the next token, and ``alpha ln (p / max p)`` of the likeliest, -inf for the others; ``(B, V)``."""
    log_p: Numbers = log_softmax(read_rows(scores)[0])
    behind = np.argsort(-log_p, axis=-1, kind="stable")[:, most:]
    wanted = alpha * (log_p - log_p.max(axis=-1, keepdims=True))
    np.put_along_axis(wanted, behind, -np.inf, axis=-1)
    return log_p, wanted


class _Scout(NamedTuple):
    """How the future of a token is estimated."""

    model: Model
    alpha: float
    rollouts: int
    sampler: Sampler

    def worth(
        self,
        scores: Any,
        cache: Any,
        horizon: int,
        numbers: Words,
        seeds: Words,
        owners: Sequence[int],
        cost: Cost,
    ) -> Numbers:
        """The estimate of ln zeta behind each text, ``(n,)``.

        Arguments:
            scores: behind each text, ``(n, V)``.
            cache: of the n texts.
            horizon: how many tokens count, >= 1.
            numbers: of each text within its stream, ``(n,)``.
            seeds: of the stream of each text, ``(n,)``.
            owners: the row to which each text belongs.
            cost: where the tokens are counted.
        """
        first = self._log_sum(scores)
        if horizon == 1:
            return first
        each = np.arange(len(first)).repeat(self.rollouts)
        tries = np.tile(np.arange(self.rollouts, dtype=np.uint64), len(first))
        streams = branch(seeds[each], numbers[each] * np.uint64(self.rollouts) + tries, AHEAD)
        sums, live = first[each], np.arange(len(each))
        scores, cache, state = scores[each], cache.rows(each.tolist()), self.sampler.init()
        for _ in range(horizon - 1):
            choice, state, _ = self.sampler.step(state, scores, seed=streams[live])
            for place in live:
                cost.drawn[owners[each[place]]] += 1
            keep = [row for row, token in enumerate(choice.tolist()) if token not in self.model.stop_tokens]
            if not keep:
                break
            live = live[keep]
            scores, cache = self.model.step(cache.rows(keep), choice[keep].tolist())
            cost.calls += 1
            sums[live] += self._log_sum(scores)
        several = sums.reshape(-1, self.rollouts)
        mean: Numbers = -free_energy(several) - np.log(self.rollouts)
        return mean

    def _log_sum(self, scores: Any) -> Numbers:
        """``ln Z``, the logarithm of the sum of ``p**alpha`` over the next token: ``alpha (F(1) - F(1 / alpha))``."""
        wide, _ = read_rows(scores)
        log_z: Numbers = self.alpha * (free_energy(wide) - free_energy(wide, 1 / self.alpha))
        return log_z
