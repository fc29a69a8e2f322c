"""``heatbath experiment`` and ``heatbath store``: a life from plan to rollback, for people and for programs."""

import json

import pytest

pytest.importorskip("sqlalchemy", reason="the extra heatbath[gateway] is not installed")

from heatbath.experiments import Answer, Decision, Feedback, Store, new_id

ARMS = ("--arm", "cool=fixed(0.7)", "--arm", "warm=fixed(1.2)")


@pytest.fixture
def url(tmp_path):
    return f"sqlite:///{tmp_path}/heatbath.db"


@pytest.fixture
def call(heatbath, url):
    """A verb on a store of the test's own; its JSON where that was asked for."""

    def run(*words, code=0):
        ran = heatbath(*words, HEATBATH_STORE=url)
        assert ran.code == code, ran.err
        if code:
            assert len(ran.err.splitlines()) == 1
            return ran.err
        return json.loads(ran.out) if "--json" in words else ran.out

    return run


def traffic(url, name="poem", users=3000):
    with Store.open(url) as store:
        poem = store.experiments.get(name)
        decisions, answers, feedback = [], [], []
        for place in range(users):
            arm, propensity = poem.assign(f"user-{place}")
            id, at = new_id(), 1_700_000_000.0 + place
            chosen = poem.arms[arm]
            decisions.append(Decision(id, at, "gpt-4.1", "poem", chosen.policy, None, 1.0, 1.0, "adjustable", "c",
                                      f"user-{place}", name, chosen.name, propensity))  # fmt: skip
            answers.append(Answer(id, at, 200, 1.0 + place % 3))
            feedback.append(Feedback(id, id, "liked", at, float(place % 10 < 3 + 3 * arm)))
        store.record(decisions, answers, feedback)


def test_a_life_from_plan_to_rollback(call, url, tmp_path):
    rail = ("--guardrail", "seconds=0.5", "--guardrail", "score:number:higher=1")
    made = call("experiment", "plan", "poem", "--task", "poem", *ARMS, "--metric", "liked", *rail[:2], "--rate", "0.3",
                "--effect", "0.05", "--traffic", "1000", "--json")  # fmt: skip
    assert made["experiment"]["status"] == "planned"
    assert made["plan"]["days"] == pytest.approx(made["plan"]["units"] / 1000)
    assert made["experiment"]["tuned_for"] == made["plan"]["tuned_for"]
    assert "poem  planned" in call("experiment", "list")
    assert "Nobody has been assigned yet." in call("experiment", "show", "poem")
    assert "poem is running" in call("experiment", "start", "poem")
    traffic(url)
    picture = tmp_path / "poem.png"
    shown = call("experiment", "show", "poem", "--plot", str(picture))
    assert picture.read_bytes().startswith(b"\x89PNG")
    for words in ("Promote warm: fixed(1.2).", "sample ratio holds", "warm, seconds within 0.5: not worse", "better"):
        assert words in shown
    result = call("experiment", "show", "poem", "--json")
    assert (result["decision"], result["winner"]) == ("promote", "warm")
    assert call("experiment", "watch", "poem", "--every", "0.1", "--times", "2").count("Promote warm") == 2
    stopped = call("experiment", "stop", "poem", "--json")["experiment"]
    assert stopped["history"][-1]["note"] == "Promote warm: fixed(1.2)."
    promoted = call("experiment", "promote", "poem", "--json")
    assert promoted["override"]["policy"] == "fixed(1.2)"
    assert call("experiment", "rollback", "poem", "--json")["override"] is None
    assert len(call("experiment", "list", "--json")["experiments"]) == 1


def test_the_store_is_brought_up_to_date_exported_and_shortened(call, url, tmp_path):
    assert call("store", "migrate", "--json")["version"] == "0003"
    call("experiment", "plan", "poem", "--task", "poem", *ARMS, "--metric", "liked")
    traffic(url, users=50)
    assert call("store", "export", "decisions", str(tmp_path / "d.csv"), "--json")["rows"] == 50
    assert call("store", "export", "feedback", str(tmp_path / "f.parquet"), "--days", "1", "--json")["rows"] == 0
    assert call("store", "retain", "--days", "1", "--json") == {
        "decisions": 50, "answers": 50, "feedback": 50, "blanked": 0
    }  # fmt: skip
    assert "deleted 0 decisions" in call("store", "retain", "--days", "1")


def test_a_dry_plan_keeps_nothing_and_says_what_can_be_found(call):
    plan = ("experiment", "plan", "poem", "--task", "poem", *ARMS, "--metric", "liked", "--dry")
    said = call(*plan, "--rate", "0.3", "--days", "14", "--traffic", "1000")
    assert "14 days" in said
    assert "is not kept" in said
    assert "no experiments yet" in call("experiment", "list")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("experiment", "show", "poem"), "heatbath experiment show: reading an experiment on 'poem': there is no such"),
        (("experiment", "plan", "a", "--task", "t", "--metric", "m", "--arm", "x"), "write --arm 'warm=fixed(1.2)'"),
        (("experiment", "plan", "a", "--task", "t", "--metric", "m", *ARMS[:2]), "two arms at least"),
        (("experiment", "plan", "a", "--task", "t", "--metric", "m", *ARMS, "--guardrail", "x=y"), "it is no number"),
        (("experiment", "plan", "a", "--task", "t", "--metric", "m", *ARMS, "--days", "3"), "days say nothing without"),
        (("experiment", "plan", "a", "--task", "t", "--metric", "m", *ARMS, "--effect", "1"), "exactly one of sd"),
        (("store", "export", "keys", "x.csv"), "there is no such table to export"),
        (("store", "retain", "--days", "-1"), "days is a number >= 0"),
        (("store", "migrate", "--store", "nowhere"), "it is no address of a database"),
    ],
)
def test_what_cannot_be_is_one_line(call, words, says):
    assert says in call(*words, code=2)


def test_nobody_has_won_is_an_error_unless_an_arm_is_named(call, url):
    call("experiment", "plan", "poem", "--task", "poem", *ARMS, "--metric", "liked")
    call("experiment", "start", "poem")
    assert "no arm has won" in call("experiment", "promote", "poem", code=2)
    assert "the policy of poem is fixed(1.2), by poem" in call("experiment", "promote", "poem", "warm")


def test_a_store_that_cannot_be_opened_is_a_failure(heatbath):
    ran = heatbath("store", "migrate", "--store", "sqlite:////nowhere/at/all.db")
    assert (ran.code, len(ran.err.splitlines())) == (1, 1)
    assert "the file cannot be opened or made" in ran.err
