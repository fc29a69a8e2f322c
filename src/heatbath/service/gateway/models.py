"""``/v1/models``: the routes as models, each with what is known of its temperature."""

from collections.abc import Iterator
from typing import Any

from heatbath.service.gateway.inside import Inside
from heatbath.service.gateway.live import Live
from heatbath.service.gateway.providers import Rule
from heatbath.service.gateway.routes import Route, is_pattern


def described(live: Live) -> Iterator[dict[str, Any]]:
    """Every route, patterns included."""
    for route in live.routes:
        yield _described(live, route, route.name)


def one_model(live: Live, name: str) -> dict[str, Any]:
    """The route of one model name.

    Raises:
        ApiError: there is none.
    """
    return _described(live, live.routes.find(name), name)


def _described(live: Live, route: Route, name: str) -> dict[str, Any]:
    upstream = live.upstreams[route.upstream]
    model = upstream.model if isinstance(upstream, Inside) else route.model or name
    return {
        "id": name,
        "object": "model",
        "created": 0,
        "owned_by": upstream.name,
        "heatbath": {"pattern": is_pattern(name), "model": model, **_told(route.rule(model, "unsaid"))},
    }


def _told(rule: Rule) -> dict[str, Any]:
    span = rule.range
    return {
        "temperature": rule.state,
        "range": str(span) if span else None,
        "default": rule.default,
        "advice": rule.advice or None,
        "source": rule.source or None,
    }
