"""The tables and claims of ``sampling.py``."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from sampling import Cell


class Sooner(NamedTuple):
    """What two threads gain."""

    ratio: float
    """How much sooner they are done, by the clock."""
    maxima: float
    """The same, of a pass that only looks for the maxima of the same rows: what the machine allows."""
    processors: float
    """How many they got meanwhile."""


class Claim(NamedTuple):
    name: str
    measured: dict["Cell", float]
    target: float
    least: bool = True  # else the target is the most that there may be


def print_heard(ratios: dict[str, dict["Cell", float]], targets: dict[str, float], batches: list[int]) -> None:
    print(f"""
How many times a chain at a fixed T, the one that is decided, the same chain costs under a thermostat that looks at the
scores, which are shaped so that T = 0.8 makes them peaked or flat; in batches of {" / ".join(map(str, batches))}.
""")
    options = sorted({cell.options for found in ratios.values() for cell in found})
    print("| | " + " | ".join(map(str, options)) + " | at most |")
    print("|" + "---|" * (len(options) + 2))
    for name, found in ratios.items():
        for cell in found:
            if cell.options == options[0] and cell.rows == batches[0]:
                columns = [
                    " / ".join(f"{found[cell._replace(options=size, rows=rows)]:.1f}" for rows in batches)
                    for size in options
                ]
                print(f"| {cell.kind} {cell.chain} | {' | '.join(columns)} | {targets[name]:g} |")


def print_table(
    times: dict["Cell", dict[str, float]], threads: dict["Cell", Sooner], peers: list[str], batches: tuple[int, ...]
) -> None:
    every = " / ".join(map(str, batches))
    print(f"""
Microseconds per row in batches of {every}: Sampler.step, the bare kernel, the limit, and how many times the limit the
step takes; how many times the step each peer takes; how much sooner two threads are done with 64 rows, and with nothing
but their maxima (and how many processors they got).
""")
    print("| | options | step | kernel | limit | limits | " + " | ".join(peers) + " | 2 threads |")
    print("|" + "---|" * (len(peers) + 7))
    for cell in times:
        if cell.rows == batches[0]:
            rows = [times[cell._replace(rows=number)] for number in batches]
            columns = [[row[name] for row in rows] for name in ("step", "kernel", "limit")]
            columns += [[row["step"] / row["limit"] for row in rows]]
            columns += [[row[name] / row["step"] for row in rows if name in row] for name in peers]
            texts = [" / ".join(map(str_of, column)) for column in columns]
            two = threads[cell._replace(rows=64)]
            texts.append(f"{two.ratio:.1f} / {two.maxima:.1f} ({two.processors:.1f})")
            print(f"| {cell.kind} {cell.chain} | {cell.options} | {' | '.join(texts)} |")


def str_of(number: float) -> str:
    return f"{number:.0f}" if number >= 10 else f"{number:.1f}"


def print_claims(made: Iterator[Claim]) -> bool:
    """Every cell that falls short by name, then a line per claim with its worst cell; whether one failed."""
    lines, failed = [], False
    for name, measured, target, least in made:
        if not measured:
            continue
        short = {cell: n for cell, n in measured.items() if (n < target if least else n > target)}
        failed |= bool(short)
        if short:
            print(f"\n{len(short)} of {len(measured)} cells fall short of sampling.{name}:")
        for cell, value in sorted(short.items(), key=lambda item: item[1], reverse=not least):
            print(f"  {value:8.2f}  {cell}")
        worst = (min if least else max)(measured.values())
        outcome = "FAIL" if short else "PASS"
        lines.append(f"claim sampling.{name} {worst:.2f} {'>=' if least else '<='}{target:g} {outcome}")
    print("", *lines, sep="\n")
    return failed
