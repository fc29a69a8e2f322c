"""``heatbath.toml``: what it may say, and what is wrong with one that says something else.

Every table is a struct whose unknown fields are errors. An error names the file, the line where it is known, the table
and the field. A provider's key is never part of the file: the file says where it is, and only :class:`Secret` holds it.
"""

import difflib
import hashlib
import os
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import msgspec
from msgspec import Struct

from heatbath.errors import InputError
from heatbath.service.gateway.lines import Lines
from heatbath.service.gateway.providers import PROVIDERS, Range, State

NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")
SCOPES = ("call", "feedback", "admin")


class Server(Struct, frozen=True, forbid_unknown_fields=True):
    """``[server]``: limits of the gateway itself."""

    max_body: int = 32 * 1024 * 1024
    """The longest request body, in bytes."""
    body_seconds: float = 30
    """How long a request body may take to arrive."""
    drain_seconds: float = 30
    """How long running answers may take to finish when the gateway is asked to stop."""
    log: bool = True
    """Whether a JSON line is written for each request."""


class Store(Struct, frozen=True, forbid_unknown_fields=True):
    """``[store]``: where decisions, answers and feedback are kept."""

    url: str = "sqlite:///heatbath.db"
    """The database."""
    prompts: bool = False
    """Whether prompts and answers are kept, too."""
    retention_days: float | None = 90
    """How long rows are kept."""


class Upstream(Struct, frozen=True, forbid_unknown_fields=True):
    """``[upstreams.NAME]``: somebody who answers."""

    url: str | None = None
    """The address up to and with ``/v1``."""
    key: str | None = None
    """Where the provider's key is: ``env:NAME`` or ``file:PATH``."""
    provider: str = "openai-compatible"
    """Whose rules for temperature hold."""
    embedded: bool = False
    """Whether it is a model in this process."""
    model: str | None = None
    """The embedded model: a folder, or ``toy``; left out, the one that comes with heatbath."""
    timeout: float = 60
    """How long it may be silent, in seconds."""
    connect_timeout: float = 5
    """How long a connection may take, in seconds."""
    retries: int = 2
    """How often a request is tried again."""
    retry_seconds: float = 0.5
    """The scale of the random wait before another try, which doubles with each."""
    max_connections: int = 100
    """Requests under way at once."""
    breaker_failures: int = 5
    """After so many failures in a row nothing is sent for ``breaker_seconds``; 0 always sends."""
    breaker_seconds: float = 10
    """How long, in seconds."""


class Route(Struct, frozen=True, forbid_unknown_fields=True):
    """``[routes."MODEL"]``: where requests for a model go; the name may be a pattern."""

    upstream: str
    """The upstream's name."""
    model: str | None = None
    """The upstream's name of the model; left out, the one that the client wrote."""
    policy: str | None = None
    """Which temperature requests get whose task has no policy."""
    temperature: State | None = None
    """The state, in place of what the table of providers says."""
    range: list[float] | str | None = None
    """``[0, 2]``, or as a text ``"[0, 2)"`` where 2 itself is refused."""
    default: float | None = None
    """What the upstream samples with when it is sent none."""
    scale: float | None = None
    """What the upstream multiplies a temperature with."""


class Task(Struct, frozen=True, forbid_unknown_fields=True):
    """``[[tasks]]``: a kind of request, and its policy."""

    name: str
    """What requests call it."""
    policy: str = "inherit"
    """A thermostat in the text form, ``inherit`` or ``leave out``."""
    models: tuple[str, ...] = ()
    """Patterns of model names whose requests are of this task."""


class Key(Struct, frozen=True, forbid_unknown_fields=True):
    """``[keys.NAME]``: who may call."""

    hash: str
    """What ``heatbath key`` prints."""
    scopes: tuple[str, ...] = ("call", "feedback")
    """What it may do: of ``call``, ``feedback`` and ``admin``."""
    rate: float | None = None
    """Requests per minute."""


TABLES: Mapping[str, type[Struct]] = {
    "[server]": Server,
    "[store]": Store,
    "[upstreams.NAME]": Upstream,
    '[routes."MODEL"]': Route,
    "[[tasks]]": Task,
    "[keys.NAME]": Key,
}
"""Every table, as it is written."""


class Config(NamedTuple):
    """A configuration that holds together."""

    path: Path
    digest: str
    """Of the file's bytes."""
    server: Server
    store: Store
    upstreams: Mapping[str, Upstream]
    secrets: Mapping[str, "Secret"]
    """The providers' keys, by upstream."""
    routes: Mapping[str, Route]
    tasks: Mapping[str, Task]
    keys: Mapping[str, Key]
    experiments: Mapping[str, Any]
    learners: Mapping[str, Any]
    lines: Lines

    def wrong(self, why: str, *, table: str, field: str | None = None, instead: str) -> InputError:
        """An error of this file, found when its parts were put together."""
        return self.lines.wrong(why, table=table, field=field, instead=instead)


class Secret:
    """A text that does not show itself: ``repr``, ``str`` and errors say nothing of it."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """The text, for the one header it is meant for."""
        return self._text

    def __repr__(self) -> str:
        return "Secret(...)"

    def __reduce__(self) -> Any:
        raise TypeError("a secret is not written anywhere")


def load(path: Path | str, environment: Mapping[str, str] = os.environ) -> Config:
    """Read a configuration.

    Arguments:
        path: the file.
        environment: where ``env:`` keys are looked up.

    Raises:
        InputError: it cannot be read, says something unknown, or does not hold together.
    """
    path = Path(path)
    try:
        content = path.read_bytes()
        text = content.decode()
        tables = tomllib.loads(text)
    except OSError as error:
        raise InputError(
            error.strerror or str(error),
            doing="reading the configuration",
            on=str(path),
            instead="write for example --config heatbath.toml",
            field="config",
        ) from None
    except ValueError as error:  # of TOML, and of UTF-8
        raise InputError(f"it is no TOML: {error}", doing="reading the configuration", on=str(path)) from None
    lines = Lines(path, text)
    known = ("server", "store", "upstreams", "routes", "tasks", "keys", "experiments", "learners")
    for name, value in tables.items():
        if name not in known:
            raise lines.wrong("there is no such table", table=name, instead=_nearest(name, known))
        if name == "tasks" and not isinstance(value, list):
            raise lines.wrong("tasks are a list", table=name, instead="write [[tasks]]")
        if name != "tasks" and not isinstance(value, dict):
            raise lines.wrong(f"{name} is a table", table=name, instead=f"write [{name}] on a line of its own")
    upstreams = _named(lines, tables, "upstreams", Upstream)
    config = Config(
        path,
        hashlib.sha256(content).hexdigest()[:12],
        _struct(lines, "server", tables.get("server", {}), Server),
        _struct(lines, "store", tables.get("store", {}), Store),
        upstreams,
        {
            name: _secret(lines, f"upstreams.{name}", table.key, path, environment)
            for name, table in upstreams.items()
            if table.key is not None
        },
        _named(lines, tables, "routes", Route, any_name=True),
        _tasks(lines, tables.get("tasks", [])),
        _named(lines, tables, "keys", Key),
        tables.get("experiments", {}),
        tables.get("learners", {}),
        lines,
    )
    _check(config)
    return config


StructT = TypeVar("StructT", bound=Struct)


def _struct(lines: Lines, table: str, value: Any, kind: type[StructT]) -> StructT:
    try:
        made = msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        said = str(error)
        field = re.search(r"`\$\.(\w+)", said) or re.search(r"field `(\w+)`", said)
        instead = _nearest(field[1], kind.__struct_fields__) if field and "unknown" in said else ""
        raise lines.wrong(
            said.split(" - at")[0], table=table, field=field[1] if field else None, instead=instead
        ) from None
    for field_name in kind.__struct_fields__:
        held = getattr(made, field_name)
        if isinstance(held, int | float) and not 0 <= held < float("inf"):
            raise lines.wrong(
                f"{held:g} is out of range", table=table, field=field_name, instead="write a number from 0"
            )
    return made


def _named(lines: Lines, tables: Any, room: str, kind: type[StructT], *, any_name: bool = False) -> dict[str, StructT]:
    made = {}
    for name, value in tables.get(room, {}).items():
        table = f'{room}."{name}"' if any_name else f"{room}.{name}"
        if not any_name and not NAME.fullmatch(name):
            raise lines.wrong("a name has letters, digits, -, _ and .", table=table, instead=f"write [{room}.name]")
        made[name] = _struct(lines, table, value, kind)
    return made


def _tasks(lines: Lines, listed: list[Any]) -> dict[str, Task]:
    tasks: dict[str, Task] = {}
    for number, value in enumerate(listed, 1):
        task = _struct(lines, f"tasks {number}", value, Task)
        if not NAME.fullmatch(task.name):
            raise lines.wrong(
                f"{task.name!r} cannot stand in a header",
                table=f"tasks {number}",
                field="name",
                instead="write letters, digits, -, _ and .",
            )
        if task.name in tasks:
            raise lines.wrong(
                f"there are two tasks {task.name!r}", table=f"tasks {number}", field="name", instead="rename one"
            )
        tasks[task.name] = task
    return tasks


def _secret(lines: Lines, table: str, said: str, path: Path, environment: Mapping[str, str]) -> Secret:
    kind, _, where = said.partition(":")
    if kind == "env" and where:
        found = environment.get(where, "").strip()
        if not found:
            raise lines.wrong(
                f"the environment has no {where}", table=table, field="key", instead=f"start with {where}=... set"
            )
    elif kind == "file" and where:
        try:
            found = (path.parent / where).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError):
            found = ""
        if not found:
            raise lines.wrong(
                f"{where} holds no key", table=table, field="key", instead="name a file with the key alone"
            )
    else:
        raise lines.wrong(
            "a key is not written into this file", table=table, field="key", instead='write "env:NAME" or "file:PATH"'
        )
    if not found.isascii() or not found.isprintable():
        raise lines.wrong(
            "the key has characters that no header carries", table=table, field="key", instead="copy it anew"
        )
    return Secret(found)


def _check(config: Config) -> None:
    for name, upstream in config.upstreams.items():
        table = f"upstreams.{name}"
        if upstream.provider not in PROVIDERS:
            raise config.wrong(
                f"no rules are known for the provider {upstream.provider!r}",
                table=table,
                field="provider",
                instead=_nearest(upstream.provider, PROVIDERS),
            )
        if upstream.embedded == (upstream.url is not None):
            raise config.wrong(
                "an upstream has an address or is embedded", table=table, instead='write url = "..." or embedded = true'
            )
        if upstream.url is not None and not re.fullmatch(r"https?://[^\s/?#@]+(/[^\s?#]*)?", upstream.url):
            raise config.wrong(
                "it is no address",
                table=table,
                field="url",
                instead='write for example "https://api.openai.com/v1", without a key, a query or a fragment',
            )
        if not upstream.timeout or not upstream.connect_timeout or not upstream.max_connections:
            raise config.wrong("a limit of 0 lets nothing through", table=table, instead="leave it out, or raise it")
    for name, route in config.routes.items():
        table = f'routes."{name}"'
        if route.upstream not in config.upstreams:
            raise config.wrong(
                f"there is no upstream {route.upstream!r}",
                table=table,
                field="upstream",
                instead=_nearest(route.upstream, config.upstreams),
            )
        if route.range is not None:
            read_range(config, table, route.range)
    for name, key in config.keys.items():
        unknown = set(key.scopes) - set(SCOPES)
        if unknown:
            raise config.wrong(
                f"there is no scope {min(unknown)!r}",
                table=f"keys.{name}",
                field="scopes",
                instead=f"write of {SCOPES}",
            )
        if not re.fullmatch(r"sha256:[0-9a-f]{32}:[0-9a-f]{64}", key.hash):
            raise config.wrong(
                "it is no hash of a key", table=f"keys.{name}", field="hash", instead="write what heatbath key prints"
            )


def read_range(config: Config, table: str, said: list[float] | str) -> Range:
    """The range that a route's table names.

    Raises:
        InputError: it is none.
    """
    open_above = isinstance(said, str) and said.rstrip().endswith(")")
    try:
        low, high = (float(each) for each in (said.strip(" [])").split(",") if isinstance(said, str) else said))
        if 0 <= low <= high:
            return Range(low, high, open_above)
    except (TypeError, ValueError):
        pass
    raise config.wrong(
        "it is no range", table=table, field="range", instead='write [0, 2], or "[0, 2)" without 2 itself'
    )


def _nearest(name: str, known: Any) -> str:
    close = difflib.get_close_matches(name, [*known], 1, cutoff=0.5)
    return f"did you mean {close[0]}?" if close else f"there are {', '.join(known) or 'none'}"
