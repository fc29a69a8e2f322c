"""What another policy would have earned, from the log of the one that ran.

Each row of the log has an action, its reward, and the probability (for temperatures: the density) with which it was
chosen. Weighted by ``w = target / logged`` the rows speak for the target policy. Every estimator here gives
:class:`Moments` whose ``fewest`` is the effective sample size, so that :func:`asymptotic` gives no bounds where a
handful of rows carries everything.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from heatbath.errors import InputError
from heatbath.stats.betting import bet_above
from heatbath.stats.checks import Numbers, as_numbers, as_one_of, as_positive, as_share, same_shape
from heatbath.stats.interval import Interval
from heatbath.stats.joint import joint, ratio
from heatbath.stats.moments import Moments, moments

KERNELS = {"epanechnikov": 1 / 5, "uniform": 1 / 3}
"""Kernels on [-1, 1], and their second moments."""


def importance_weights(target: Any, logged: Any) -> npt.NDArray[np.float64]:
    """``w = target / logged``: how much more often the target policy would have taken the logged action.

    Arguments:
        target: probability or density of the logged action under the policy to evaluate, >= 0.
        logged: the same under the policy that ran, > 0, as it was logged at the decision.

    Returns:
        w >= 0, of the same shape.

    Raises:
        InputError: a logged probability of 0, or shapes that differ.

    >>> from heatbath.stats import importance_weights
    >>> importance_weights([1.0, 0.0, 0.5], [0.5, 0.25, 0.5]).tolist()
    [2.0, 0.0, 1.0]

    How to choose: discrete arms, and continuous actions if the target policy is random, with a density of its own. A
    target that plays one temperature has none: :func:`kernel_weights`. Where the target acts and the log never did
    (probability 0), the log cannot tell; no weight shows it, but the mean of w falls short of 1.

    Reference: Horvitz and Thompson, "A generalization of sampling without replacement from a finite universe", JASA
    1952.
    """
    doing = "weighting a log"
    above, below = as_numbers(target, "target", doing, low=0), as_numbers(logged, "logged", doing, above=0)
    same_shape(doing, target=above, logged=below)
    return above / below


def kernel_weights(
    target: Any,
    action: Any,
    density: Any,
    *,
    bandwidth: float,
    low: float = -np.inf,
    high: float = np.inf,
    kernel: str = "epanechnikov",
) -> npt.NDArray[np.float64]:
    """Weights for a policy that plays one action, from a log of densities: kernel smoothing.

    ``w = K((action - target) / h) / (h c density)``, where c is the part of the kernel within [low, high]. They are the
    exact weights of the *smoothed* policy, which plays the target plus noise of width h cut off at the ends; for the
    target itself the bias is :func:`kernel_bias`, and the variance grows as 1 / h.

    Arguments:
        target: the action of the policy to evaluate, per row.
        action: what was played, per row.
        density: with which it was played, > 0, as it was logged, per unit of the action.
        bandwidth: h > 0, in units of the action.
        low: the least action that is possible.
        high: the greatest.
        kernel: "epanechnikov", ``K(u) = 3/4 (1 - u^2)``, or "uniform", ``K(u) = 1/2``, on [-1, 1].

    Returns:
        w >= 0, one per row.

    Raises:
        InputError: actions or targets outside the range, shapes that differ, or arguments out of their ranges.

    >>> import numpy as np
    >>> from heatbath.stats import asymptotic, kernel_weights, self_normalised
    >>> rng = np.random.default_rng(0)
    >>> played = rng.uniform(0, 2, 20_000)
    >>> reward = rng.random(20_000) < 0.8 - 0.4 * (played - 0.7) ** 2
    >>> w = kernel_weights(np.full(20_000, 0.7), played, np.full(20_000, 0.5), bandwidth=0.1, low=0, high=2)
    >>> print(asymptotic(self_normalised(reward, w)))
    0.8074 (0.7771 to 0.8376)

    How to choose: h as wide as the curvature of the reward allows: state it, and report the bias with the interval.
    Halve and double it and see that nothing moves by more than the interval. Within h of an end the bias is of first
    order in h.

    Reference: Kallus and Zhou, "Policy evaluation and optimization with continuous treatments", AISTATS 2018; as the
    exact value of a smoothed policy: Krishnamurthy, Langford, Slivkins and Zhang, "Contextual bandits with continuous
    actions: smoothing, zooming, and adapting", COLT 2019.
    """
    doing = "weighting a log of densities"
    h, kernel = as_positive(bandwidth, "bandwidth", doing, 0.1), as_one_of(kernel, "kernel", doing, tuple(KERNELS))
    goal = as_numbers(target, "target", doing, low=low, high=high)
    played = as_numbers(action, "action", doing, low=low, high=high)
    p = as_numbers(density, "density", doing, above=0)
    same_shape(doing, target=goal, action=played, density=p)
    within = _kernel_part(kernel, (high - goal) / h) - _kernel_part(kernel, (low - goal) / h)
    u = (played - goal) / h
    inside = np.abs(u) <= 1
    weight = np.where(inside, 0.75 * (1 - u**2) if kernel == "epanechnikov" else 0.5, 0.0)
    return np.asarray(weight / (h * within * p))


def _kernel_part(kernel: str, u: Numbers) -> Numbers:
    """The part of the kernel below u."""
    u = np.clip(u, -1.0, 1.0)
    return 0.5 + (0.75 * (u - u**3 / 3) if kernel == "epanechnikov" else 0.5 * u)


def kernel_bias(bandwidth: float, curvature: float, *, kernel: str = "epanechnikov") -> float:
    """The most that smoothing can move a value: ``h^2 m2 |r''| / 2``, m2 the second moment of the kernel.

    Arguments:
        bandwidth: h > 0.
        curvature: the largest second derivative of the mean reward by the action near the target, >= 0, as an absolute
            value.
        kernel: "epanechnikov" (m2 = 1/5) or "uniform" (m2 = 1/3).

    Returns:
        The bound, to be added to both ends of an interval; for targets at least h away from the ends of the range.

    Raises:
        InputError: arguments out of their ranges.

    >>> from heatbath.stats import kernel_bias
    >>> round(kernel_bias(0.1, curvature=0.8), 5)
    0.0008

    How to choose: the curvature from a fitted curve, or from the largest swing that is plausible: a reward that falls
    by 0.1 within 0.5 of its best temperature has a curvature of ``2 * 0.1 / 0.5^2 = 0.8``.

    Reference: Kallus and Zhou, 2018, theorem on bias and variance.
    """
    doing = "bounding the bias of smoothing"
    h, bend = as_positive(bandwidth, "bandwidth", doing, 0.1), as_positive(curvature, "curvature", doing, zero=True)
    return 0.5 * h * h * KERNELS[as_one_of(kernel, "kernel", doing, tuple(KERNELS))] * bend


def effective_sample_size(weights: Any, *, running: bool = False) -> Numbers:
    """How many equally weighted rows would be worth as much: ``(sum w)^2 / sum w^2``.

    Arguments:
        weights: w >= 0, ``(..., n)``.
        running: whether to give it after each row.

    Returns:
        From 0 (all weights 0) to n.

    Raises:
        InputError: negative weights.

    >>> from heatbath.stats import effective_sample_size
    >>> float(effective_sample_size([1, 1, 1, 1])), float(effective_sample_size([100, 1, 1, 1]).round(2))
    (4.0, 1.06)

    How to choose: look at it before any estimate. Below a hundred the estimate is that of a few rows, and its standard
    error is wrong in the optimistic direction.

    Reference: Kish, "Survey sampling", 1965.
    """
    w = _list(as_numbers(weights, "weights", "computing an effective sample size", low=0), "weights")
    total, squares = (np.cumsum(part, axis=-1) if running else part.sum(axis=-1) for part in (w, w**2))
    return np.where(squares > 0, total**2 / np.where(squares > 0, squares, 1.0), 0.0)[()]


def ips(rewards: Any, weights: Any, *, running: bool = False) -> Moments:
    """Value of the target policy by inverse propensity scores: the mean of ``w r``, without bias.

    Arguments:
        rewards: r of each row, ``(..., n)``.
        weights: w of each row (:func:`importance_weights`, :func:`kernel_weights`).
        running: whether to give the moments after each row.

    Returns:
        :class:`Moments`; ``fewest`` is the effective sample size.

    Raises:
        InputError: shapes that differ, or negative weights.

    >>> from heatbath.stats import ips
    >>> float(ips([1, 0, 1, 1], [2.0, 0.0, 1.0, 1.0]).mean)
    1.0

    How to choose: the reference that has no bias; :func:`self_normalised` almost always has the smaller error, and
    :func:`doubly_robust` if there is a model of the reward.

    Reference: Horvitz and Thompson, 1952; Dudík, Langford and Li, "Doubly robust policy evaluation and learning", ICML
    2011.
    """
    r, w = _rows(rewards, weights, "evaluating a policy")
    return moments(r * w, running=running)._replace(fewest=effective_sample_size(w, running=running))


def self_normalised(rewards: Any, weights: Any, *, running: bool = False) -> Moments:
    """Value of the target policy by self-normalised weights: ``sum(w r) / sum(w)``.

    The weights have mean 1, and dividing by what they happened to sum to takes out their common error; the variance is
    that of the ratio, ``w (r - value) / mean(w)``. The bias is of order 1 / n.

    Arguments:
        rewards: r of each row, ``(..., n)``.
        weights: w of each row; a constant factor in all of them does not matter.
        running: whether to give the moments after each row.

    Returns:
        :class:`Moments`; ``fewest`` is the effective sample size. It stays within the range of the rewards.

    Raises:
        InputError: shapes that differ, or negative weights.

    >>> from heatbath.stats import self_normalised
    >>> float(self_normalised([1, 0, 1, 1], [2.0, 0.0, 1.0, 1.0]).mean), float(self_normalised([1, 0], [9, 1]).mean)
    (1.0, 0.9)

    How to choose: the default. It does not change when a constant is added to all rewards, which :func:`ips` does.

    Reference: Swaminathan and Joachims, "The self-normalized estimator for counterfactual learning", NeurIPS 2015.
    """
    r, w = _rows(rewards, weights, "evaluating a policy")
    value = ratio(joint(r * w, w, running=running))
    return value._replace(fewest=effective_sample_size(w, running=running))


def doubly_robust(
    rewards: Any, weights: Any, predicted: Any, predicted_target: Any, *, running: bool = False
) -> Moments:
    """Value of the target policy from a model of the reward, corrected by the log: ``v + w (r - q)``.

    q is the model's prediction for the logged action, v its mean over what the target policy would do. Without bias if
    the weights are right, whatever the model; nearly so if the model is right, whatever the weights; and the better the
    model, the less the weights amplify.

    Arguments:
        rewards: r of each row, ``(..., n)``.
        weights: w of each row.
        predicted: q, the predicted reward of the logged action. From a model that has not seen the row: fitted on
            earlier rows, or on other folds.
        predicted_target: v, the predicted reward under the target policy in the same context.
        running: whether to give the moments after each row.

    Returns:
        :class:`Moments`; ``fewest`` is the effective sample size.

    Raises:
        InputError: shapes that differ, or negative weights.

    >>> from heatbath.stats import doubly_robust
    >>> float(doubly_robust([1, 0, 1, 1], [2.0, 0.0, 1.0, 1.0], [0.8] * 4, [0.9] * 4).mean)
    1.1

    How to choose: whenever the reward can be predicted at all; a curve over temperature is enough of a model.

    Reference: Dudík, Langford and Li, "Doubly robust policy evaluation and learning", ICML 2011.
    """
    doing = "evaluating a policy"
    r, w = _rows(rewards, weights, doing)
    q, v = as_numbers(predicted, "predicted", doing), as_numbers(predicted_target, "predicted_target", doing)
    same_shape(doing, rewards=r, predicted=q, predicted_target=v)
    return moments(v + w * (r - q), running=running)._replace(fewest=effective_sample_size(w, running=running))


def off_policy_bounds(rewards: Any, weights: Any, *, alpha: float = 0.05, resolution: int = 500) -> Interval:
    """Exact confidence sequence for the value of the target policy, however heavy the weights: by betting.

    ``w r`` has the value as its mean and is never negative; ``w (1 - r)`` has one minus the value. A bettor on "more
    than m" (:func:`bet_above`) for each gives a lower and an upper bound, at alpha / 2.

    Arguments:
        rewards: within [0, 1], in the order of the log, ``(..., n)``.
        weights: w of each row, with mean 1 given the past: the target policy must be fixed, or depend on earlier rows
            only.
        alpha: the chance of ever missing the truth, between 0 and 1.
        resolution: points of the grid that bounds are rounded outwards to.

    Returns:
        :class:`Interval` after each row, ``(..., n)``; the estimate is :func:`ips`. It has no null, p-value 1 and no
        e-value.

    Raises:
        InputError: rewards outside [0, 1], shapes that differ, or arguments out of their ranges.

    >>> from heatbath.stats import off_policy_bounds
    >>> print(off_policy_bounds([1, 0, 1, 1] * 100, [2.0, 0.0, 1.0, 1.0] * 100))
    1 (0.88 to 1)

    How to choose: when the answer must hold without "asymptotically", or the effective sample size is small; it is
    wider than :func:`asymptotic` of :func:`self_normalised`. With :func:`kernel_weights` it holds for the smoothed
    policy.

    Reference: Karampatziakis, Mineiro and Ramdas, "Off-policy confidence sequences", ICML 2021; Waudby-Smith, Wu,
    Ramdas, Karampatziakis and Mineiro, "Anytime-valid off-policy inference for contextual bandits", 2022.
    """
    doing = "evaluating a policy"
    r, w = _rows(as_numbers(rewards, "rewards", doing, low=0, high=1), weights, doing)
    share = as_share(alpha, "alpha", doing)
    low = bet_above(w * r, alpha=share / 2, resolution=resolution)
    high = 1 - bet_above(w * (1 - r), alpha=share / 2, resolution=resolution)
    nothing = np.full(r.shape, np.nan)
    return Interval(moments(w * r, running=True).mean, low, high, nothing, np.ones(r.shape), share)


def _rows(rewards: Any, weights: Any, doing: str) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    r, w = as_numbers(rewards, "rewards", doing), as_numbers(weights, "weights", doing, low=0)
    same_shape(doing, rewards=r, weights=w)
    return _list(r, "rewards"), w


def _list(array: npt.NDArray[np.float64], name: str) -> npt.NDArray[np.float64]:
    if array.ndim == 0:
        raise InputError(
            f"{name} is a list, one entry per row of the log",
            doing="evaluating a policy",
            on=f"{name}={array!r:.60}",
            instead="write for example ips([1, 0, 1], [2.0, 0.0, 1.0])",
            field=name,
        )
    return array
