"""From the model name of a request to an upstream, its name of the model, and its rule for temperature."""

from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase

from heatbath.service.errors import ApiError
from heatbath.service.gateway import config as tables
from heatbath.service.gateway.providers import PROVIDERS, Mode, Piece, Range, Rule, rule_for
from heatbath.service.gateway.scan import Scanned

MANY = 1024


class Route:
    """One ``[routes]`` table, and what was learned while it was used.

    Arguments:
        name: what stands in the configuration, a pattern perhaps.
        table: what the configuration says of it.
        provider: the provider's name in the table of rules.
        span: the range that the configuration names, if it names one.
    """

    def __init__(self, name: str, table: tables.Route, provider: str, span: Range | None) -> None:
        self.name = name
        self.upstream = table.upstream
        self.model = table.model
        self._table = table
        self._provider = provider
        self._range = span
        self._rules: dict[tuple[str, Mode], Rule] = {}
        self.learned: dict[tuple[str, Mode], Rule] = {}

    def mode(self, scanned: Scanned) -> Mode:
        """Whether a request asks for reasoning, in the provider's words."""
        return PROVIDERS[self._provider].mode(scanned)

    def rule(self, model: str, mode: Mode) -> Rule:
        """What holds for an upstream's model in a mode: what was learned, what the configuration says, the table."""
        key = (model, mode)
        found = self.learned.get(key) or self._rules.get(key)
        if found is None:
            if len(self._rules) > MANY:  # a pattern lets clients invent names
                self._rules.clear()
            found = self._rules[key] = self._overridden(rule_for(self._provider, model, mode))
        return found

    def remember(self, model: str, mode: Mode, rule: Rule) -> None:
        """Keep that the upstream rejected a temperature."""
        if len(self.learned) <= MANY:
            self.learned[model, mode] = rule._replace(state="rejected", pieces=(), greedy=None)

    def _overridden(self, rule: Rule) -> Rule:
        table = self._table
        if table.temperature is not None:
            rule = rule._replace(state=table.temperature, greedy=None, source="the configuration")
        if self._range is not None:
            rule = rule._replace(range=self._range, source="the configuration")
        if table.default is not None:
            rule = rule._replace(default=table.default)
        if table.scale is not None:
            rule = rule._replace(pieces=(Piece(float("inf"), table.scale),))
        return rule


class Routes:
    """All routes of a configuration: exact names first, then patterns as they are listed."""

    def __init__(self, config: tables.Config) -> None:
        self._exact: dict[str, Route] = {}
        self._patterns: list[Route] = []
        self._found: dict[str, Route] = {}
        """Names that fitted a pattern; forgotten when clients invent too many."""
        for name, table in config.routes.items():
            span = None if table.range is None else tables.read_range(config, f'routes."{name}"', table.range)
            route = Route(name, table, _provider(config.upstreams[table.upstream]), span)
            if is_pattern(name):
                self._patterns.append(route)
            else:
                self._exact[name] = route

    def __iter__(self) -> Iterator[Route]:
        yield from self._exact.values()
        yield from self._patterns

    def find(self, model: str) -> Route:
        """The route of a model name.

        Raises:
            ApiError: there is none.
        """
        found = self._exact.get(model) or self._found.get(model)
        if found is not None:
            return found
        for route in self._patterns:
            if fnmatchcase(model, route.name):
                if len(self._found) > MANY:
                    self._found.clear()
                self._found[model] = route
                return route
        raise ApiError(
            f"reading the request on model={model[:80]!r}: no route leads there; GET /v1/models lists those that do",
            code="model_not_found",
            status=404,
            param="model",
        )


def is_pattern(name: str) -> bool:
    """Whether a route's name stands for several models."""
    return any(letter in name for letter in "*?[")


class Tasks:
    """Which task a request is of: the one it names, or the first whose patterns fit the model."""

    def __init__(self, listed: Mapping[str, tables.Task]) -> None:
        self._listed = listed
        self._patterns = [(pattern, task.name) for task in listed.values() for pattern in task.models]
        self._by_model: dict[str, str | None] = {}

    def find(self, named: str | None, model: str) -> str | None:
        """The task's name; None where there is none.

        Raises:
            ApiError: the request names one that is not configured.
        """
        if named is not None:
            if named not in self._listed:
                raise ApiError(
                    f"reading the request on task {named[:80]!r}: there is no such task; there are "
                    f"{', '.join(self._listed) or 'none'}",
                    code="task_not_found",
                    param="heatbath.task",
                )
            return named
        if not self._patterns:
            return None
        if model not in self._by_model:
            if len(self._by_model) > MANY:
                self._by_model.clear()
            fitting = (name for pattern, name in self._patterns if fnmatchcase(model, pattern))
            self._by_model[model] = next(fitting, None)
        return self._by_model[model]


def _provider(upstream: tables.Upstream) -> str:
    return "heatbath" if upstream.embedded else upstream.provider
