"""Before the start: how many units, how many days, and which effect can be found at all."""

from math import ceil
from typing import NamedTuple

from heatbath.errors import InputError
from heatbath.experiments.experiment import Experiment
from heatbath.experiments.metrics import number
from heatbath.stats import Plan, minimum_effect, sample_size


class Planned(NamedTuple):
    """An experiment that is ready to start, and what it will take."""

    experiment: Experiment
    """Tuned for the size of the plan."""
    plan: Plan
    days: float | None
    """Until the planned end, where the traffic is known."""
    expected_days: float | None
    """On average, if the effect is there and the experiment ends once it is shown."""

    def __str__(self) -> str:
        if self.days is None or self.expected_days is None:
            return str(self.plan)
        return f"{self.plan} That is {_days(self.days)}, and {_days(self.expected_days)} on average."


def planned(
    experiment: Experiment,
    *,
    effect: float | None = None,
    days: float | None = None,
    rate: float | None = None,
    sd: float | None = None,
    power: float = 0.8,
    per_day: float | None = None,
) -> Planned:
    """Plan an experiment for an effect, or for a time.

    Arguments:
        experiment: planned, and not yet started.
        effect: the least difference in the metric that would change what you do; or
        days: how long it may take; the plan then says which effect can be found.
        rate: the control's share, of a boolean; or
        sd: the standard deviation of the mean of a unit, of a number.
        power: the chance to find the effect.
        per_day: units that come in a day.

    Returns:
        :class:`Planned`.

    Raises:
        InputError: not exactly one of effect and days, days without traffic, or numbers out of their ranges.

    >>> from heatbath.experiments import Experiment
    >>> from heatbath.experiments.planning import planned
    >>> poem = Experiment.define("poem", task="poem", arms={"cool": "fixed(0.7)", "warm": "fixed(1.2)"}, metric="liked")
    >>> print(planned(poem, effect=0.05, rate=0.5, per_day=500))
    5038 units in 2 arms find an effect of 0.05 with power 80 %. Looking all the time costs 61 % over the 3124 of a
    single look at the end; but it stops after 3092 on average if the effect is there. That is 11 days, and 7 days on
    average.

    How to choose: the effect first. If the days that come out are too many, fewer arms, a covariate, or a bolder
    difference of temperatures help; more patience is what remains.
    """
    doing = "planning an experiment"
    if experiment.status != "planned":
        raise InputError(
            "it has begun, and a plan made now would depend on what it has shown",
            doing=doing,
            on=experiment.name,
            instead="plan the next one",
        )
    if (effect is None) == (days is None):
        raise InputError(
            "it needs exactly one of effect and days", doing=doing, on=experiment.name, instead="write effect=0.03"
        )
    weights = [arm.weight for arm in experiment.arms]
    traffic = None if per_day is None else number(per_day, "per_day", doing, above=0.0)
    if effect is not None:
        plan = sample_size(effect, sd=sd, rate=rate, power=power, alpha=experiment.alpha, weights=weights)
    elif traffic is None:
        raise InputError(
            "days say nothing without traffic", doing=doing, on=f"days={days!r}", instead="add per_day=500"
        )
    else:
        units = traffic * number(days, "days", doing, above=0.0)
        plan = minimum_effect(units, sd=sd, rate=rate, power=power, alpha=experiment.alpha, weights=weights)
    tuned = experiment._replace(tuned_for=float(plan.tuned_for))
    if traffic is None:
        return Planned(tuned, plan, None, None)
    return Planned(tuned, plan, plan.units / traffic, plan.expected_units / traffic)


def _days(days: float) -> str:
    whole = max(ceil(days - 1e-9), 1)
    return f"{whole} day{'s' * (whole != 1)}"
