"""What an experiment looks at: metrics that people report, metrics of the answers themselves, and guardrails."""

from math import isfinite
from typing import Any, NamedTuple

from heatbath.errors import InputError

KINDS = ("boolean", "number")
BETTER = ("higher", "lower")

OF_ANSWERS = {
    "seconds": ("number", "lower"),
    "first_seconds": ("number", "lower"),
    "prompt_tokens": ("number", "lower"),
    "completion_tokens": ("number", "lower"),
    "error": ("boolean", "lower"),
}
"""Metrics that need no feedback: how long the answer took, until its first piece, tokens, whether it was an error (a
status from 400 on, or a client that had gone)."""


class Metric(NamedTuple):
    """What is measured at each request, and which direction is good.

    >>> from heatbath.experiments import Metric
    >>> Metric.read("liked")
    Metric(name='liked', kind='boolean', better='higher', silence=None, within=0.0)
    """

    name: str
    """The metric of the feedback; or one of "seconds", "first_seconds", "prompt_tokens", "completion_tokens", "error",
    which are read from the answers."""
    kind: str = "boolean"
    """"boolean" or "number"."""
    better: str = "higher"
    """"higher" or "lower"."""
    silence: float | None = None
    """What a request without feedback counts as. None: it does not count, and then the arms must get feedback equally
    often, which is checked."""
    within: float = 0.0
    """Seconds after which a request without feedback counts as silent in that check; later feedback still counts."""

    @property
    def of_answers(self) -> bool:
        """Whether it is read from the answers."""
        return self.name in OF_ANSWERS

    @classmethod
    def read(cls, given: Any, doing: str = "defining a metric") -> "Metric":
        """A metric from a name or a table of its fields.

        Raises:
            InputError: it is neither, or a field is out of its range.
        """
        if isinstance(given, Metric):
            fields = given._asdict()
        else:
            fields = {"name": given} if isinstance(given, str) else dict(given) if isinstance(given, dict) else {}
        name = fields.get("name")
        wrong = set(fields) - set(cls._fields)
        if not isinstance(name, str) or not name or wrong:
            raise InputError(
                f"it has no field {min(wrong)!r}" if wrong else "it is neither a name nor a table with one",
                doing=doing,
                on=f"{given!r:.60}",
                instead='write "liked", or {"name": "score", "kind": "number", "better": "higher"}',
                field="metric",
            )
        kind, better = OF_ANSWERS.get(name, ("boolean", "higher"))
        made = cls(**{"kind": kind, "better": better, **fields})
        if name in OF_ANSWERS and (made.kind != kind or made.silence is not None):
            raise InputError(
                f"{name} is read from the answers, and is a {kind} of each",
                doing=doing,
                on=f"{given!r:.60}",
                instead=f'write "{name}", or give metrics of feedback another name',
                field="metric",
            )
        for field, value, words in (("kind", made.kind, KINDS), ("better", made.better, BETTER)):
            if value not in words:
                raise InputError(
                    f"{field} is one of {', '.join(words)}",
                    doing=doing,
                    on=f"{field}={value!r}",
                    instead=f'write {field}="{words[0]}"',
                    field=field,
                )
        if made.silence is not None:
            made = made._replace(silence=number(made.silence, "silence", doing))
        return made._replace(within=number(made.within, "within", doing, low=0.0))


class Guardrail(NamedTuple):
    """A metric that must not suffer by ``margin`` or more, in its own units."""

    metric: Metric
    margin: float

    @classmethod
    def read(cls, given: Any, doing: str = "defining a guardrail") -> "Guardrail":
        """A guardrail from a table: the fields of its metric, and the margin.

        Raises:
            InputError: a field is missing or out of its range.
        """
        if isinstance(given, Guardrail):
            return cls(Metric.read(given.metric, doing), number(given.margin, "margin", doing, above=0.0))
        if not isinstance(given, dict) or "margin" not in given:
            raise InputError(
                "a guardrail needs a metric and a margin",
                doing=doing,
                on=f"{given!r:.60}",
                instead='write {"name": "seconds", "margin": 0.5}',
                field="guardrails",
            )
        metric = given["metric"] if "metric" in given else {k: v for k, v in given.items() if k != "margin"}
        return cls(Metric.read(metric, doing), number(given["margin"], "margin", doing, above=0.0))


def number(value: Any, field: str, doing: str, *, low: float | None = None, above: float | None = None) -> float:
    """A finite number in its range.

    Raises:
        InputError: it is none.
    """
    good = isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value)
    if not good or (low is not None and value < low) or (above is not None and value <= above):
        limit = f" >= {low:g}" if low is not None else f" > {above:g}" if above is not None else ""
        raise InputError(
            f"{field} is a number{limit}",
            doing=doing,
            on=f"{field}={value!r:.40}",
            instead=f"write {field}=1",
            field=field,
        )
    return float(value)
