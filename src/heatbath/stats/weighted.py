"""Two arms whose probabilities change or learn: outcomes weighted by the probability with which their arm was
assigned.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from heatbath.errors import InputError
from heatbath.stats.checks import as_numbers, same_shape


def aipw(
    outcomes: Any,
    assigned: Any,
    probability: Any,
    *,
    treatment: Any = 1,
    control: Any = 0,
    augmented: bool = True,
) -> npt.NDArray[np.float64]:
    """The effect seen in each row of a log: augmented inverse-probability weighting.

    ``x_t = f1 - f0 + 1[arm = 1] (y - f1) / p - 1[arm = 0] (y - f0) / p``, where f are the means of the arms in the rows
    *before* t. Given the past, each x has the effect as its mean, whatever f is and however p was chosen: so their mean
    estimates it without bias, and every interval of this room applies to them.

    Arguments:
        outcomes: y in the order of assignment, ``(..., n)``.
        assigned: the arm of each row, same shape: names or numbers.
        probability: with which *this* arm was assigned to the row, 0 < p <= 1, as it was logged then.
        treatment: the arm of interest.
        control: the arm to compare with.
        augmented: False for f = 0, plain inverse-probability weighting.

    Returns:
        x, ``(..., n)``: one per row, rows of other arms included (they carry f1 - f0, and keep the mean right).

    Raises:
        InputError: shapes that differ, a probability out of range, or an arm that nobody was assigned to.

    >>> import numpy as np
    >>> from heatbath.stats import aipw, asymptotic, moments
    >>> rng = np.random.default_rng(0)
    >>> hour = np.linspace(0, 1, 4000)
    >>> p_new = 0.1 + 0.8 * hour  # the new arm gets more and more, while outcomes rise for everybody
    >>> new = rng.random(4000) < p_new
    >>> outcome = hour + rng.normal(0, 0.2, 4000)  # no effect at all
    >>> bool(outcome[new].mean() - outcome[~new].mean() > 0.2)  # what plain means say
    True
    >>> print(asymptotic(moments(aipw(outcome, new, np.where(new, p_new, 1 - p_new)))))
    0.028 (-0.01343 to 0.06944)

    How to choose: whenever weights were changed during the experiment or a bandit assigned. Probabilities near 0 make
    rows heavy; keep a floor of exploration. With fixed probabilities :func:`difference` says the same. Rows stand in
    the order of assignment, each once its outcome is settled.

    Reference: Robins, Rotnitzky and Zhao, "Estimation of regression coefficients when some regressors are not always
    observed", JASA 1994; for bandits' data Hadad, Hirshberg, Zhan, Wager and Athey, "Confidence intervals for policy
    evaluation in adaptive experiments", PNAS 2021. That plain means are biased there: Nie, Tian, Taylor and Zou, "Why
    adaptively collected data have negative bias and how to correct for it", AISTATS 2018.
    """
    doing = "weighting rows by their probability"
    y, p = as_numbers(outcomes, "outcomes", doing), as_numbers(probability, "probability", doing, above=0, high=1)
    arms = np.asarray(assigned)
    same_shape(doing, outcomes=y, assigned=arms, probability=p)
    one, zero = arms == treatment, arms == control
    for name, arm, rows in (("treatment", treatment, one), ("control", control, zero)):
        if not np.any(rows):
            raise InputError(
                f"no row was assigned to the {name} {arm!r}",
                doing=doing,
                on=f"assigned={assigned!r:.60}",
                instead=f"write {name}=... with one of the arms in assigned",
                field=name,
            )
    f1, f0 = (_mean_before(y, rows) if augmented else np.zeros(y.shape) for rows in (one, zero))
    return f1 - f0 + (np.where(one, y - f1, 0.0) - np.where(zero, y - f0, 0.0)) / p


def _mean_before(y: npt.NDArray[np.float64], rows: npt.NDArray[np.bool_]) -> npt.NDArray[np.float64]:
    """The mean of these rows before each row; 0 before the first."""
    total, count = np.cumsum(np.where(rows, y, 0.0), axis=-1), np.cumsum(rows, axis=-1)
    after = total / np.maximum(count, 1)
    return np.concatenate([np.zeros((*y.shape[:-1], 1)), after[..., :-1]], axis=-1)
