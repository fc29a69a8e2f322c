"""T from one step of training to the next."""

import math

from heatbath.control.holding import check_start, check_target
from heatbath.control.seeing import as_plain, per_row, rows_like, told
from heatbath.core import namespace
from heatbath.core.arrays import known
from heatbath.core.numbers import check_whole
from heatbath.errors import InputError, while_doing
from heatbath.made import maker, show
from heatbath.thermostat import Thermostat
from heatbath.types import Outcome, Seen, State, Temperature


@maker("thermostat")
def e3(
    target: float,
    options: int,
    start: float = 1.0,
    *,
    coldest: float | None = None,
    hottest: float | None = None,
) -> Thermostat:
    """T that keeps a policy's entropy while it is trained: ``T <- T (1 + T ln(H* / H) / (ln V + ln ln V))``.

    One decision is one step of training. T is that of its rollouts; afterwards ``learn`` is told H, the mean entropy of
    their tokens at that T, and T moves for the next step. It looks at no scores, and in a chain it stays what it is
    until it is told. The correction is a guess of how T acts that needs nothing but V: a distance from the target is
    halved in about ten steps at T near 1 (``dH / d ln T`` being about H), faster at a higher T.

    Arguments:
        target: H*, in nats, > 0; the mean entropy of the first steps, in the paper.
        options: V, the size of the vocabulary, >= 3.
        start: T of the first step, > 0.
        coldest: T never falls below; ``start / 20`` where not given.
        hottest: T never rises above; ``5 start`` where not given.

    Raises:
        InputError: an argument outside its range; an entropy that is not above 0, or of other rows.

    >>> import heatbath as hb
    >>> thermostat = hb.control.e3(0.3, options=151936)
    >>> temperature, state = thermostat.step(thermostat.init(), hb.Seen())
    >>> state = thermostat.learn(state, hb.Outcome(context={"entropy": 0.2}))
    >>> temperature, round(thermostat.step(state, hb.Seen())[0], 7)
    (1.0, 1.028137)

    How to choose: for reinforcement learning on rollouts, where entropy falls as the policy gets sure of itself and
    exploration ends with it; what is known after a step is one mean, from a log. To hold the entropy of a text while it
    is written, :func:`heatbath.hold_entropy` looks at each row and measures how T acts instead of guessing it. T heats
    the rollouts only: the policy goes on getting surer, so watch T rise to its bound. Where rollouts are drawn at T,
    the log-probabilities of the importance ratio need the same T.

    Reference: Liao et al., "Enhancing efficiency and exploration in reinforcement learning for LLMs", EMNLP 2025, arXiv
    2505.18573 (E3-RL4LLMs). In its code T has no bounds, H* is the mean of the first steps, and can be lowered to nine
    tenths over the last two fifths of the training.
    """
    with while_doing("making e3", f"target={show(target)}, options={show(options)}"):
        wanted = check_target(target, "nats, a finite number > 0", "e3(0.3, options=151936)", above=True)
        vocabulary = check_whole(options, "options", least=3, example=151936)
        first, low, high = check_start(start, coldest, hottest)
        spread = math.log(vocabulary) + math.log(math.log(vocabulary))

    def learn(state: State, outcome: Outcome) -> State:
        if outcome.context.get("entropy") is None:
            return state
        with while_doing("learning the entropy of a step of training"):
            nats = told(outcome.context["entropy"], "entropy")
            xp = namespace(nats)
            if known(xp.all(nats > 0)) is False:
                raise InputError(
                    "an entropy of 0 says nothing of how far T is off",
                    instead="tell the mean entropy of all tokens of the step, in nats",
                    field="entropy",
                )
            rows = nats[..., None]  # of one option each
            temperature, aim = rows_like(state, rows, "state"), rows_like(wanted, rows, "target")
            moved = temperature * (1 + temperature * xp.log(aim / nats) / spread)
            return as_plain(xp.clip(moved, low, high))

    def step(state: State, seen: Seen) -> tuple[Temperature, State]:
        with while_doing("setting T of a step of training"):
            return per_row(state, seen), state

    return Thermostat(init=lambda: first, step=step, learn=learn, looks=False, hears=())
