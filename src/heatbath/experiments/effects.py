"""Effects of arms: units compared with those of the control, with intervals that agree with Holm's procedure."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from heatbath.experiments.experiment import Experiment
from heatbath.stats import (
    Interval,
    Moments,
    adjusted_difference,
    asymptotic,
    difference,
    holm,
    joint,
    mixture_rho,
    moments,
    rate_difference,
)

Floats = npt.NDArray[np.float64]


class Compared(NamedTuple):
    """One arm against the control."""

    basis: Moments
    control: Moments
    treatment: Moments


def compare(values: Floats, arm: npt.NDArray[np.int64], arms: int, covariates: Sequence[Floats] = ()) -> list[Compared]:
    """Every arm but the first against the first.

    Arguments:
        values: of each unit that has one.
        arm: the arm of each.
        arms: how many there are.
        covariates: what was known of each before.
    """
    inside = [arm == place for place in range(arms)]
    each = [moments(values[mask]) for mask in inside]
    if not covariates:
        return [Compared(difference(each[0], other), each[0], other) for other in each[1:]]
    together = [joint(values[mask], *(column[mask] for column in covariates)) for mask in inside]
    return [
        Compared(adjusted_difference(together[0], other), each[0], plain)
        for other, plain in zip(together[1:], each[1:], strict=True)
    ]


def intervals(compared: Sequence[Compared], experiment: Experiment) -> tuple[list[Interval], Floats]:
    """The interval of each effect at the level at which Holm's procedure tests it, and p-values adjusted by it.

    The smallest p-value is tested at ``alpha / K``, the next one at ``alpha / (K - 1)``, as long as each before was
    claimed; so an interval lies beside 0 exactly if its adjusted p-value is at most alpha.
    """
    number, alpha = len(compared), experiment.alpha
    first = [interval_at(each, experiment, alpha / number) for each in compared]
    p = np.array([float(each.p_value) for each in first])
    adjusted = holm(p)
    shown = list(first)
    for rank, place in enumerate(np.argsort(p, kind="stable")):
        shown[place] = interval_at(compared[place], experiment, alpha / (number - rank))
        if adjusted[place] > alpha:
            for other in np.argsort(p, kind="stable")[rank:]:
                shown[other] = interval_at(compared[other], experiment, alpha / (number - rank))
            break
    return shown, adjusted


def interval_at(each: Compared, experiment: Experiment, alpha: float) -> Interval:
    """The interval of an effect, at any alpha by the same bet, so that those of different levels lie in each other."""
    if experiment.method == "exact":
        return rate_difference(each.control, each.treatment, alpha=alpha)
    size, alone = experiment.tuned_for, experiment.alpha / (len(experiment.arms) - 1)
    same = size * (mixture_rho(size, alpha) / mixture_rho(size, alone)) ** 2
    return asymptotic(each.basis, alpha=alpha, tuned_for=same)
