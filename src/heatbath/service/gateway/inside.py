"""The embedded model as an upstream: the service of this package, called in this process."""

import asyncio
from collections.abc import Callable, Iterable

from starlette.applications import Starlette

from heatbath.control import Profile
from heatbath.service.app import create_app
from heatbath.service.gateway import config as tables
from heatbath.service.run import PATIENCE
from heatbath.types import Model

LoadModel = Callable[[str | None], tuple[Model, Profile | None]]
"""The model, and its profile if it has one, that a ``model`` field means."""


class Inside:
    """An upstream in this process.

    Arguments:
        name: what the configuration calls it.
        table: what the configuration says of it.
        load: loads the model.
        hosts: names by which clients call the gateway.
    """

    patience = PATIENCE

    def __init__(self, name: str, table: tables.Upstream, load: LoadModel, hosts: Iterable[str]) -> None:
        model, profile = load(table.model)
        self.name, self.table = name, table
        self.model = model.name
        self.users = 0
        self.app: Starlette = create_app(model, hosts=hosts, profile=profile)

    def left(self) -> None:
        """An exchange is over."""
        self.users -= 1

    def retire(self) -> None:
        """Let the model go when nothing runs on it any more."""
        self._closing = asyncio.ensure_future(self._close_later())

    async def _close_later(self) -> None:
        while self.users:
            await asyncio.sleep(0.1)
        await self.close()

    async def close(self) -> None:
        """Let the model go."""
        await self.app.state.engine.close()
