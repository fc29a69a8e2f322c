"""What a result means for whoever has to act on it, in sentences."""

from collections.abc import Sequence
from typing import Any

from heatbath.experiments.experiment import Experiment


def recommend(
    experiment: Experiment,
    arms: Sequence[Any],
    gates: Sequence[Any],
    *,
    units: int,
    crossed: int,
    excluded: int,
    orphans: int,
) -> tuple[str, str | None, tuple[str, ...]]:
    """What to do, who has won, and why.

    Arguments:
        experiment: as it was defined.
        arms: :class:`~heatbath.experiments.results.ArmResult` of each, the control first.
        gates: :class:`~heatbath.experiments.results.Gate` of each.
        units: that count.
        crossed: units that were served by more than one arm.
        excluded: units that came before the weights were last changed.
        orphans: feedback whose decision the store has not seen.

    Returns:
        "promote", "keep", "wait" or "stop"; the winning arm; the sentences.
    """
    decision, winner, said = _decide(experiment, arms, gates, units)
    said += [arm.sentence for arm in arms[1:] if arm.sentence and arm.sentence not in said]
    said += [rail.sentence for arm in arms[1:] for rail in arm.guardrails if rail.decision != "not worse"]
    if crossed:
        said.append(f"{_many(crossed, 'unit')} met more than one arm, and count{'s' * (crossed == 1)} in the first.")
    if excluded:
        said.append(
            f"{_many(excluded, 'unit')} came before the weights were last changed, and do{'es' * (excluded == 1)} not "
            "count."
        )
    if orphans:
        said.append(
            f"{_many(orphans, 'feedback')} belong{'s' * (orphans == 1)} to decisions that are not in the store."
        )
    return decision, winner, tuple(dict.fromkeys(said))


def _decide(
    experiment: Experiment, arms: Sequence[Any], gates: Sequence[Any], units: int
) -> tuple[str, str | None, list[str]]:
    control, others = arms[0], arms[1:]
    if not units:
        return "wait", None, ["Nobody has been assigned yet."]
    if not all(gate.passed for gate in gates):
        return "stop", None, ["Do not decide by this experiment: find out what is broken, and start another one."]
    better = [arm for arm in others if arm.decision == "better"]
    safe = [arm for arm in better if all(rail.decision == "not worse" for rail in arm.guardrails)]
    if safe:
        sign = 1 if experiment.metric.better == "higher" else -1
        best = max(safe, key=lambda arm: sign * arm.effect)
        return "promote", best.name, [f"Promote {best.name}: {best.policy}."]
    if better and all(any(rail.decision == "worse" for rail in arm.guardrails) for arm in better):
        names = _names(better)
        return "keep", None, [f"Keep {control.name}: {names} is better at the cost of a guardrail."]
    if better:
        return "wait", None, [f"Wait: {_names(better)} is better, and the guardrails are not yet shown to hold."]
    if all(arm.decision == "worse" for arm in others):
        return "keep", control.name, [f"Keep {control.name}: {control.policy}."]
    return "wait", None, ["Wait: nothing has been shown yet."]


def _names(arms: Sequence[Any]) -> str:
    return " and ".join(arm.name for arm in arms)


def _many(number: int, noun: str) -> str:
    return f"{number} {noun}{'s' * (number != 1 and noun != 'feedback')}"
