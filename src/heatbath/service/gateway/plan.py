"""What is to be done with a request: which upstream, which model, which temperature, and what the body becomes."""

from typing import NamedTuple

import msgspec

from heatbath.service.gateway.effects import Effect, effect
from heatbath.service.gateway.headers import Raw, number
from heatbath.service.gateway.inside import Inside
from heatbath.service.gateway.live import Live
from heatbath.service.gateway.policies import Asked, Decided
from heatbath.service.gateway.providers import Mode, Rule
from heatbath.service.gateway.reading import Wanted
from heatbath.service.gateway.routes import Route
from heatbath.service.gateway.scan import REMOVED, edited
from heatbath.service.gateway.upstream import Upstream


class Plan(NamedTuple):
    """What was decided about a request."""

    route: Route
    upstream: Upstream | Inside
    model: str
    """The upstream's name of the model."""
    mode: Mode
    rule: Rule
    decided: Decided
    effect: Effect

    def body(self, wanted: Wanted) -> bytes:
        """The request's body with what was decided, every other byte as it was."""
        changes = {}
        if self.effect.change is not None:
            changes["temperature"] = self.effect.change
        if self.model != wanted.model:
            changes["model"] = msgspec.json.encode(self.model)
        if wanted.extension is not None:
            changes["heatbath"] = REMOVED
        return edited(wanted.scanned, changes)

    def without_temperature(self) -> "Plan":
        """The same, now that the upstream has rejected the temperature; the route remembers."""
        self.route.remember(self.model, self.mode, self.rule)
        rule = self.route.rule(self.model, self.mode)
        return self._replace(rule=rule, effect=effect(self.effect.requested, "leave out", rule, written=True))

    def headers(self) -> list[Raw]:
        """What the answer says of its temperature; nothing of what there is nothing to say of."""
        said = [
            (b"heatbath-state", self.effect.state.encode()),
            (b"heatbath-policy", _ascii(self.decided.policy)),
        ]
        if self.effect.sent is not None:
            said.append((b"heatbath-sent", number(self.effect.sent)))
        if self.effect.effective is not None:
            said.append((b"heatbath-effective", number(self.effect.effective)))
        if self.decided.experiment is not None:
            said.append((b"heatbath-experiment", _ascii(self.decided.experiment)))
        if self.decided.arm is not None:
            said.append((b"heatbath-arm", _ascii(self.decided.arm)))
        return said


def make_plan(
    live: Live, wanted: Wanted, requested: float | None, task: str | None, sticks_to: tuple[str | None, ...]
) -> Plan:
    """Decide.

    Arguments:
        live: the configuration.
        wanted: what the body says.
        requested: the client's temperature.
        task: the request's task.
        sticks_to: the user and the conversation, where the client names them.

    Raises:
        ApiError: no route leads to the model, or the temperature is not in its range.
    """
    route = live.routes.find(wanted.model)
    upstream = live.upstreams[route.upstream]
    model = upstream.model if isinstance(upstream, Inside) else route.model or wanted.model
    mode = route.mode(wanted.scanned)
    rule = route.rule(model, mode)
    decided = live.policies.decide(Asked(route, model, task, requested, rule, *sticks_to))
    written = wanted.scanned.raw("temperature") is not None
    return Plan(route, upstream, model, mode, rule, decided, effect(requested, decided.setting, rule, written=written))


def _ascii(text: str) -> bytes:
    return text.encode("ascii", "backslashreplace")
