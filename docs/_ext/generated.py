"""Parts of the pages that are made from the program itself, so that they cannot disagree with it.

Each function below gives reStructuredText; the directive of the same name puts it into a page.
"""

import ast
import inspect
import itertools
import json
import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import msgspec
import typer.main
from docutils import nodes
from sphinx.util.docutils import SphinxDirective

import heatbath
from heatbath.cli import app as command_line
from heatbath.made import MAKERS, UNWRITTEN
from heatbath.sampling.orders import ENGINES, engine
from heatbath.sampling.orders.apart import Reason
from heatbath.sampling.orders.functions import default_order
from heatbath.service import errors, unsupported
from heatbath.service.gateway import config as gateway_config
from heatbath.service.gateway import providers as gateway_providers
from heatbath.spec import OPTIONS, Option

ROOMS = {"thermostat": "control", "schedule": "schedules", "step": "sampling", "draw": "sampling"}
RESULTS = Path(__file__).parents[2] / "training" / "results.json"


def options() -> str:
    """Every row of the one table of options."""
    return "\n".join(map(_option, OPTIONS.values()))


def _option(option: Option) -> str:
    facts = [
        ("Range", option.range if option.high < 2**32 or option.range.startswith(">") else ""),
        ("Unit", option.unit),
        ("Switched off by", ", ".join(f"``{value:g}``" for value in option.off)),
        ("Command line", f"``--{option.name.replace('_', '-')}``"),
        ("Request field", f"``{'heatbath' if option.name == 'chain' else option.name}``"),
    ]
    lines = [
        f".. confval:: {option.name}",
        f"   :type: {option.kind.__name__}",
        f"   :default: {'not set' if option.default is None else f'``{option.default:g}``'}",
        "",
        f"   {option.help}",
        "",
        *(f"   | {name}: {value}" for name, value in facts if value),
        "",
    ]
    return "\n".join(lines)


def verb(name: str) -> str:
    """The arguments and options of a verb of the command line, as ``--help`` has them; of "experiment plan", too."""
    command: Any = typer.main.get_command(command_line)
    for word in name.split() if name != "heatbath" else ():
        command = command.commands[word]
    program = f"heatbath {name}" if name != "heatbath" else name
    lines = [f".. program:: {program}", ""]
    for parameter in command.params:
        if parameter.name in ("install_completion", "show_completion", "help"):
            continue
        if parameter.param_type_name == "argument":
            spelled = parameter.metavar or parameter.name.upper()
        else:
            value = (parameter.metavar or "").strip()
            spelled = ", ".join(f"{flag} {value}".strip() for flag in parameter.opts)
        lines += [f".. option:: {spelled}", "", f"   {_plain(parameter.help)}", ""]
    return "\n".join(lines)


def _plain(text: str | None) -> str:
    """The help without the terminal's markup; what stands in quotes becomes code."""
    bare = re.sub(r"\[/?(?:dim|bold)?\]", "", text or "")
    return re.sub(r"'([^']+)'", r"``\1``", bare)


def error_codes() -> str:
    """Every code of an error of the service."""
    return _table(("code", "meaning"), ((f"``{code}``", meaning) for code, meaning in errors.CODES.items()), (30, 70))


def error_types() -> str:
    """The error type of every status."""
    return _table(("status", "type"), ((str(status), f"``{kind}``") for status, kind in errors.TYPES.items()), (20, 80))


def unsupported_fields(where: str) -> str:
    """OpenAI's fields that are accepted only while they ask for nothing."""
    fields: dict[str, unsupported.Unsupported] = getattr(unsupported, where)
    rows = ((f"``{name}``", f"{field.values or 'null'}", field.why) for name, field in fields.items())
    return _table(("field", "accepted", "why nothing else"), rows, (25, 25, 50))


def makers(kind: str) -> str:
    """Every maker of one kind that the text form knows, with its arguments."""
    rows = []
    for name, make in sorted(MAKERS[kind].items()):
        if name in UNWRITTEN:
            continue
        home = "heatbath" if name in heatbath.__all__ and kind != "schedule" else f"heatbath.{ROOMS[kind]}"
        bare = [p.replace(annotation=p.empty) for p in inspect.signature(make).parameters.values()]
        said = (inspect.getdoc(make) or "").splitlines()[0].split(": ``")[0].rstrip(".:")
        rows.append((f":func:`{name} <{home}.{name}>`", f"``{name}{inspect.Signature(bare)}``", said))
    return _table(("name", "written", "what it does"), rows, (18, 42, 40))


def engine_orders() -> str:
    """The order of every engine, and the chain of its defaults."""
    rows = (
        (
            f":func:`{row.function} <heatbath.sampling.orders.{row.function}>`",
            " → ".join(f"**{step}**" if step == "temperature" else step for step in default_order(row)),
            f"``{getattr(heatbath.orders, row.function)()}``",
        )
        for row in ENGINES.values()
    )
    return _table(("engine", "order", "at its defaults"), rows, (20, 50, 30))


def engine_heat() -> str:
    """What every engine does with temperatures at the ends."""
    cases = tuple(next(iter(ENGINES.values())).said)
    rows = ((row.name, *(row.said[case] for case in cases)) for row in ENGINES.values())
    return _table(("engine", *cases), rows, (15, 17, 17, 17, 17, 17))


def engine_settings(name: str) -> str:
    """The settings of one engine."""
    rows = (
        (
            f"``{row.name}``",
            f"``{row.default!r}``",
            ", ".join(row.steps) or "the order",
            row.off.words or "",
            row.legal.words or "",
        )
        for row in engine(name).settings
    )
    held = _table(("setting", "default", "step", "off", "not refused"), rows, (24, 12, 22, 18, 24))
    apart: dict[Reason, list[str]] = {}
    for each in engine(name).apart:
        apart.setdefault(each.reason, []).append(f"``{each.name}``")
    others = ((", ".join(names), reason.why, reason.instead) for reason, names in apart.items())
    return f"{held}\n\n{_table(('no chain carries', 'because', 'instead'), others, (36, 32, 32))}"


def engine_differences(name: str) -> str:
    """What one engine does that its chain does not."""
    rows = ((each.name, each.says) for each in engine(name).differences)
    return _table(("name", "the engine ..."), rows, (22, 78))


def model_facts() -> str:
    """What training left behind about the embedded model."""
    if not RESULTS.exists():
        return "The figures of the training run are written to ``training/results.json`` at its end."
    facts = json.loads(RESULTS.read_text())
    return _table(
        ("figure", "value"), ((name.replace("_", " "), _show(value)) for name, value in _flat(facts)), (60, 40)
    )


def _flat(facts: dict[str, Any], above: str = "") -> Iterable[tuple[str, Any]]:
    for name, value in facts.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{above}{name}, ")
        elif not isinstance(value, list):
            yield f"{above}{name}", value


def _show(value: Any) -> str:
    return f"{value:,}" if isinstance(value, int) else f"{value:.4g}" if isinstance(value, float) else f"``{value}``"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]], widths: Sequence[int]) -> str:
    lines = [".. list-table::", "   :header-rows: 1", f"   :widths: {' '.join(map(str, widths))}", ""]
    for row in (head, *rows):
        lines += [f"   {'* -' if i == 0 else '  -'} {cell}" for i, cell in enumerate(row)]
    return "\n".join(lines)


def providers() -> str:
    """What is known of providers and temperature."""
    rows = []
    for name, provider in gateway_providers.PROVIDERS.items():
        for rule in provider.rules:
            modes = "" if rule.modes == gateway_providers.EVERY else ", ".join(sorted(rule.modes))
            span = f"{rule.range}" if rule.range else ""
            default = "" if rule.default is None else f"{rule.default:g}"
            models = " ".join(f"``{each}``" for each in rule.models.split())
            state = rule.state if rule.greedy is None else f"{rule.state}; at 0 {rule.greedy}"
            said = "; ".join(part for part in (rule.advice, rule.source) if part)
            rows.append((f"``{name}``", models, modes, state, span, default, said))
    heads = ("provider", "models", "mode", "state", "range", "default", "advice and source")
    return _table(heads, rows, (12, 18, 9, 13, 9, 8, 31))


def gateway_tables() -> str:
    """Every field of the gateway's configuration."""
    rows = []
    for head, kind in gateway_config.TABLES.items():
        told = _attribute_docs(kind)
        for field in msgspec.structs.fields(kind):
            default = "required" if field.required else "" if field.default in (None, ()) else f"``{field.default!r}``"
            rows.append((f"``{head}``", f"``{field.name}``", default, told.get(field.name, "")))
    return _table(("table", "field", "default", "meaning"), rows, (22, 20, 18, 40))


def _attribute_docs(kind: type) -> dict[str, str]:
    """The texts below the fields of a class."""
    body = ast.parse(inspect.getsource(kind)).body[0].body  # type: ignore[attr-defined]
    told = {}
    for field, text in itertools.pairwise(body):
        if isinstance(field, ast.AnnAssign) and isinstance(text, ast.Expr) and isinstance(text.value, ast.Constant):
            told[field.target.id] = " ".join(str(text.value.value).split())  # type: ignore[union-attr]
    return told


DIRECTIVES: dict[str, Callable[..., str]] = {
    "options": options,
    "verb": verb,
    "error-codes": error_codes,
    "error-types": error_types,
    "unsupported-fields": unsupported_fields,
    "makers": makers,
    "engine-orders": engine_orders,
    "engine-heat": engine_heat,
    "engine-settings": engine_settings,
    "engine-differences": engine_differences,
    "model-facts": model_facts,
    "providers": providers,
    "tables": gateway_tables,
}


class Generated(SphinxDirective):
    """``.. heatbath-NAME:: ARGUMENT``"""

    optional_arguments = 1
    final_argument_whitespace = True  # an engine may be called by two words

    def run(self) -> list[nodes.Node]:
        self.env.note_dependency(__file__)
        return self.parse_text_to_nodes(DIRECTIVES[self.name.removeprefix("heatbath-")](*self.arguments))


def setup(app: Any) -> dict[str, bool]:
    """Register the directives."""
    for name in DIRECTIVES:
        app.add_directive(f"heatbath-{name}", Generated)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
