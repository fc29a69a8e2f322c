"""The screen of ``heatbath experiment``: a row per arm, the gates, and the words."""

from collections.abc import Sequence
from datetime import UTC, datetime
from math import isfinite
from typing import TYPE_CHECKING

from rich import box
from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from heatbath.cli.screen import ascii_only, number, printable

if TYPE_CHECKING:
    from heatbath.experiments import Experiment
    from heatbath.experiments.results import ArmResult, Gate, Result

STYLES = {"better": "bold #0f8f6c", "worse": "bold #c85a00", "not worse": "#0f8f6c", "inconclusive": "dim"}


def page(result: "Result", console: Console) -> RenderableType:
    """The result of one experiment."""
    plain = ascii_only(console)
    table = Table(box=box.ASCII if plain else box.SIMPLE_HEAD, pad_edge=False)
    for column in ("arm", "policy"):
        table.add_column(column)
    for column in ("units", "rated", result.metric, "difference", "p"):
        table.add_column(column, justify="right")
    table.add_column("")
    for arm in result.arms:
        table.add_row(*_cells(arm))
    when = datetime.fromtimestamp(result.at, UTC).strftime("%Y-%m-%d %H:%M UTC")
    head = Text.assemble((printable(result.experiment), "bold"), f"  {result.status}, {when}")
    gates = Text("; ".join(map(_gate, result.gates)), "dim")
    rails = [
        Text.assemble(
            f"{arm.name}, {rail.metric} within {number(rail.margin)}: ", (rail.decision, STYLES[rail.decision])
        )
        for arm in result.arms
        for rail in arm.guardrails
    ]
    first, *others = result.sentences
    return Group(head, table, *rails, gates, Text(first, "bold"), *map(Text, others))


def _cells(arm: "ArmResult") -> list[Text]:
    mean = f"{number(arm.mean)}{_between(arm.mean_low, arm.mean_high)}" if arm.rated else ""
    cells = [printable(arm.name), printable(arm.policy), str(arm.units), str(arm.rated), mean]
    if arm.effect is None or arm.low is None or arm.high is None or arm.p_value is None:
        return [*map(Text, cells), Text(""), Text(""), Text(arm.decision, "dim")]
    effect = f"{number(arm.effect)}{_between(arm.low, arm.high)}" if isfinite(arm.effect) else ""
    return [*map(Text, cells), Text(effect), Text(number(arm.p_value)), Text(arm.decision, STYLES[arm.decision])]


def _between(low: float, high: float) -> str:
    return f" ({number(low)} to {number(high)})" if isfinite(low) and isfinite(high) else ""


def _gate(gate: "Gate") -> str:
    name = gate.name.replace("_", " ") + (f" of {gate.metric}" if gate.metric else "")
    return f"{name} {'holds' if gate.passed else 'FAILS'} (p = {number(gate.p_value)})"


def listed(found: Sequence["Experiment"]) -> Table:
    """A line for each experiment."""
    table = Table(box=None, pad_edge=False)
    for head in ("name", "status", "since", "task", "arms"):
        table.add_column(head)
    for each in found:
        since = datetime.fromtimestamp(each.history[-1].at, UTC).strftime("%Y-%m-%d %H:%M")
        arms = ", ".join(f"{arm.name} = {arm.policy}" for arm in each.arms)
        table.add_row(*map(Text, map(printable, (each.name, each.status, since, each.task, arms))))
    return table
