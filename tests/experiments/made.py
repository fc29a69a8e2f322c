"""Records to fill a store with."""

from heatbath.experiments import Answer, Decision, Feedback, new_id

NOW = 1_700_000_000.0


def decision(at=NOW, **fields):
    plain = Decision(
        new_id(at), at, "gpt-4.1", "poem", "fixed(1.2)", None, 1.2, 1.2, "adjustable", "c0ffee", unit="ann"
    )
    return plain._replace(**fields)


def answer(id, at=NOW, **fields):
    return Answer(id, at, 200, 0.5, 0.1, 12, 34, "stop")._replace(**fields)


def feedback(key="k", inference="i", **fields):
    return Feedback(key, inference, "liked", NOW, 1.0)._replace(**fields)
