import numpy as np
import pytest

from heatbath.errors import InputError
from heatbath.stats import by_unit


def test_every_unit_of_the_roster_counts_in_its_order():
    found = by_unit(["bob", "ann", "bob"], [1.0, 5.0, 2.0], roster=["zoe", "bob", "ann"])
    assert found.total.tolist() == [0.0, 3.0, 5.0]
    assert found.rows.tolist() == [0.0, 2.0, 1.0]


def test_no_rows_at_all():
    found = by_unit(np.array([], dtype=int), [], roster=[3, 1])
    assert found.total.tolist() == [0.0, 0.0]


def test_against_a_slow_count(rng):
    roster = rng.permutation(1000)[:50]
    unit, values = rng.choice(roster, size=400), rng.normal(size=400)
    found = by_unit(unit, values, roster=roster)
    np.testing.assert_allclose(found.total, [values[unit == each].sum() for each in roster])
    np.testing.assert_allclose(found.rows, [(unit == each).sum() for each in roster])


@pytest.mark.parametrize(
    ("unit", "roster", "said"),
    [(["eve"], ["ann", "bob"], "'eve' has rows"), (["ann"], ["ann", "bob", "ann"], "'ann' is on the roster twice"),
     (["ann"], [], "'ann' has rows")],
)  # fmt: skip
def test_units_that_do_not_fit_are_named(unit, roster, said):
    with pytest.raises(InputError, match=said):
        by_unit(unit, [1.0] * len(unit), roster=np.array(roster, dtype=str))
