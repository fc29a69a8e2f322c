import numpy as np
import pytest
from scipy.interpolate import CubicSpline

from heatbath.control.axis import CELLS, Axis


@pytest.mark.parametrize("knots", [3, 4, 9, 20])
def test_a_curve_is_the_natural_cubic_spline_through_its_values(knots):
    axis, values = Axis(0.3, 1.7, knots), np.random.default_rng(knots).normal(size=knots)
    at = np.linspace(0.3, 1.7, 201)
    wanted = CubicSpline(np.linspace(0.3, 1.7, knots), values, bc_type="natural")(at)
    np.testing.assert_allclose(axis.at(at) @ values, wanted, atol=1e-12)
    assert np.abs(axis.at(at[50]) @ (values * 1.05) - wanted[50]) > 1e-9


def test_at_its_knots_it_has_its_values():
    axis = Axis(0.0, 2.0, 9, steps=9)
    np.testing.assert_allclose(axis.basis, np.eye(9), atol=1e-12)


@pytest.mark.parametrize("steps", [None, 2, 7, 64])
def test_each_temperature_lies_in_its_cell(steps):
    axis = Axis(0.2, 1.9, 5, steps)
    assert axis.temperatures.size == (steps or CELLS)
    assert axis.cell(axis.temperatures).tolist() == list(range(axis.temperatures.size))
    assert axis.cell([0.2, 1.9]).tolist() == [0, axis.temperatures.size - 1]


def test_the_cells_of_a_continuous_axis_fill_it():
    axis = Axis(0.0, 2.0, 5)
    assert axis.temperatures[0] - axis.width / 2 == pytest.approx(0)
    assert axis.temperatures[-1] + axis.width / 2 == pytest.approx(2)
