import os
from pathlib import Path

import pytest
from hypothesis import settings

# No test times anything, examples of Hypothesis included; in CI the same examples run every time.
settings.register_profile("here", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "here")

DATA = Path(__file__).parents[2] / "shared" / "data"


@pytest.fixture(scope="session")
def data():
    """The folder of real data beside the checkout; tests that need it skip where it is missing."""
    if not DATA.is_dir():
        pytest.skip("the folder with real data is not beside the checkout")
    return DATA
