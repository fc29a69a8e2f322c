"""A configuration at work: everything that is made anew when the file changes, and replaced at once."""

from collections.abc import Callable, Iterable, Iterator, Mapping

from heatbath.errors import HeatbathError
from heatbath.service.gateway.config import Config, Secret
from heatbath.service.gateway.inside import Inside, LoadModel
from heatbath.service.gateway.keys import Keys
from heatbath.service.gateway.policies import Policies, WrittenPolicies
from heatbath.service.gateway.routes import Routes, Tasks
from heatbath.service.gateway.upstream import Upstream

MakePolicies = Callable[[Config, Routes], Policies]
"""Whoever decides, for a configuration."""


class Live:
    """What answers requests.

    Arguments:
        config: the configuration.
        before: what answered until now; upstreams that have not changed keep their connections, models and breakers.
        load_model: loads an embedded model.
        hosts: names by which clients call the gateway.
        make_policies: makes whoever decides.

    Raises:
        InputError: the parts of the configuration do not go together; nothing has changed then.
    """

    def __init__(
        self,
        config: Config,
        before: "Live | None" = None,
        *,
        load_model: LoadModel,
        hosts: Iterable[str] = (),
        make_policies: MakePolicies = WrittenPolicies,
    ) -> None:
        self.config = config
        self.routes = Routes(config)
        self.tasks = Tasks(config.tasks)
        self.keys = Keys(config.keys)
        self.policies = make_policies(config, self.routes)
        self.upstreams: Mapping[str, Upstream | Inside] = {
            name: self._kept(name, before) or self._made(name, load_model, hosts) for name in config.upstreams
        }

    @property
    def inside(self) -> Inside | None:
        """The first embedded model, whose studio is shown."""
        return next((each for each in self.upstreams.values() if isinstance(each, Inside)), None)

    def outside(self) -> Iterator[Upstream]:
        """The upstreams with addresses."""
        return (each for each in self.upstreams.values() if isinstance(each, Upstream))

    def _kept(self, name: str, before: "Live | None") -> "Upstream | Inside | None":
        found = before.upstreams.get(name) if before else None
        if found is None or found.table != self.config.upstreams[name]:
            return None
        if isinstance(found, Upstream) and _text(found.secret) != _text(self.config.secrets.get(name)):
            return None
        return found

    def _made(self, name: str, load_model: LoadModel, hosts: Iterable[str]) -> Upstream | Inside:
        table = self.config.upstreams[name]
        if not table.embedded:
            return Upstream(name, table, self.config.secrets.get(name))
        try:
            return Inside(name, table, load_model, hosts)
        except HeatbathError as error:
            raise self.config.wrong(
                str(error), table=f"upstreams.{name}", field="model", instead='write a folder, "toy", or leave it out'
            ) from None


def _text(secret: Secret | None) -> str | None:
    return secret.reveal() if secret else None
