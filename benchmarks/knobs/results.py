"""What is measured and kept: the gallery draws it."""

from pathlib import Path

import msgspec

FILE = Path(__file__).resolve().parents[2] / "docs" / "examples" / "one_knob.json"
COMMAND = "python benchmarks/knob.py --keep"


class Subject(msgspec.Struct, forbid_unknown_fields=True):
    """A model of the comparison."""

    name: str
    kind: str
    text: str
    """What it continues."""
    vocabulary: int
    numbers: int
    """Parameters of a network, counts of an n-gram model."""
    token_bytes: float
    """Mean length of a token."""
    entropy: float
    """Mean entropy at T = 1, in nats per token."""


class Run(msgspec.Struct, forbid_unknown_fields=True):
    """One model at one position of one knob, on prompts that its profile was not measured on."""

    knob: str
    profile: str
    place: int
    position: float
    model: str
    temperature: float
    effects: dict[str, tuple[float, float]]
    """Mean over texts and its standard error, by name of the effect."""


class Spread(msgspec.Struct, forbid_unknown_fields=True):
    """How far the models are apart at the same position, as the root of the mean variance."""

    knob: str
    profile: str
    effect: str
    spread: float
    over_raw: float
    """Over that at the same raw T."""
    interval: tuple[float, float]
    """The same for 95 % of resampled texts."""
    without_one: tuple[float, float]
    """The least and the largest with one model left out."""


class Results(msgspec.Struct, forbid_unknown_fields=True):
    """All that is kept."""

    command: str
    texts: int
    bytes: int
    window: int
    """Bytes of which a repetition has at least so many."""
    temperatures: tuple[float, ...]
    subjects: list[Subject]
    runs: list[Run]
    spreads: list[Spread]


def read() -> Results:
    """What is stored."""
    return msgspec.json.decode(FILE.read_bytes(), type=Results)


def keep(results: Results) -> None:
    """Store it, one record a line, four digits a number."""
    plain = _short(msgspec.to_builtins(results, enc_hook=float))  # NumPy's numbers
    parts = [f'"{name}": {_lines(value)}' for name, value in plain.items()]
    FILE.write_text("{\n" + ",\n".join(parts) + "\n}\n", encoding="utf-8")


def _short(value: object) -> object:
    if isinstance(value, float):
        return float(f"{value:.4g}")
    if isinstance(value, dict):
        return {name: _short(part) for name, part in value.items()}
    return [_short(part) for part in value] if isinstance(value, list | tuple) else value


def _lines(value: object) -> str:
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return "[\n" + ",\n".join(msgspec.json.encode(part).decode() for part in value) + "\n]"
    return msgspec.json.encode(value).decode()
