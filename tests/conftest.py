import os
from pathlib import Path

import pytest
from _pytest.doctest import DoctestModule
from hypothesis import settings

# No test times anything, examples of Hypothesis included; in CI the same examples run every time.
settings.register_profile("here", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "here")

DATA = Path(os.environ.get("HEATBATH_DATA", Path(__file__).parents[2] / "shared" / "data"))


@pytest.hookimpl(wrapper=True)
def pytest_collect_file():
    """Look for doctests in the library alone. What could not be imported while looking for them in a file of tests
    counts as imported afterwards, and its tests would be missing without a word.
    """
    return [collector for collector in (yield) if not isinstance(collector, DoctestModule)]


@pytest.fixture(scope="session")
def data():
    """The folder of real data; tests that need it skip where it is missing."""
    if not DATA.is_dir():
        pytest.skip("the folder with real data (HEATBATH_DATA; training/README.md says what it holds) is not there")
    return DATA
