import asyncio

import pytest

pytest.importorskip("sqlalchemy", reason="the extra heatbath[gateway] is not installed")

from heatbath.experiments import Store
from tests.postgresql import running


@pytest.fixture(scope="session")
def postgres():
    with running() as server:
        yield server


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request, tmp_path):
    """The address of an empty database of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/heatbath.db"
    return request.getfixturevalue("postgres").database()


@pytest.fixture
def store(url):
    with Store.open(url) as opened:
        yield opened


@pytest.fixture
def do():
    """Run a coroutine, or several at once, and give what they returned."""

    def run(*coroutines):
        async def together():
            return await asyncio.gather(*coroutines)

        results = asyncio.run(together())
        return results[0] if len(results) == 1 else results

    return run
