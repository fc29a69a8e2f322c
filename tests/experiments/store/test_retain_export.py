"""What is old goes, and nothing else; tables as files hold what the store holds."""

import csv

import pyarrow.parquet as pq
import pytest
import sqlalchemy as sa

from heatbath.errors import InputError
from heatbath.experiments import Decision, Experiment
from heatbath.experiments.store import export, retain
from heatbath.experiments.store.tables import RECORDS, answers, decisions, feedback
from tests.experiments.made import NOW, answer, decision
from tests.experiments.made import feedback as heard

DAY = 86400.0


def count(store, table):
    with store.engine.connect() as connection:
        return connection.scalar(sa.select(sa.func.count()).select_from(table))


@pytest.fixture
def small_chunks(monkeypatch):
    import sys

    for module in ("retain", "export"):
        monkeypatch.setattr(sys.modules[f"heatbath.experiments.store.{module}"], "CHUNK", 7)


def fill(store, experiment=None):
    made = [
        decision(NOW - day * DAY, prompt="p", experiment=experiment, arm=experiment and "warm") for day in range(40)
    ]
    store.record(
        made,
        [answer(each.id, each.at, text="t") for each in made],
        [heard(each.id, each.id, received=each.at, text="c") for each in made],
    )
    return made


def test_what_is_old_goes_chunk_by_chunk(store, small_chunks):
    made = fill(store)
    assert retain(store, days=9.5, now=NOW) == (30, 30, 30, 90)
    with store.engine.connect() as connection:
        assert set(connection.scalars(sa.select(decisions.c.id))) == {each.id for each in made[:10]}
    assert [count(store, table) for table in (answers, feedback)] == [10, 10]
    assert retain(store, days=9.5, now=NOW) == (0, 0, 0, 0)


def test_rows_of_a_running_experiment_stay_without_what_people_wrote(store):
    experiment = Experiment.define(
        "poem", task="poem", arms={"cool": "fixed(0.7)", "warm": "fixed(1)"}, metric="liked"
    ).started()
    store.experiments.add(experiment)
    fill(store, "poem")
    assert retain(store, days=9.5, now=NOW) == (0, 0, 0, 90)
    with store.engine.connect() as connection:
        for text, when in ((decisions.c.prompt, decisions.c.at), (answers.c.text, answers.c.at)):
            assert {
                row.at >= NOW - 9.5 * DAY for row in connection.execute(sa.select(when).where(text.is_not(None)))
            } == {True}
    store.experiments.change(experiment, experiment.stopped())
    assert retain(store, days=9.5, now=NOW)[:3] == (30, 30, 30)


@pytest.mark.parametrize("days", [-1, float("nan"), float("inf"), "90", True])
def test_days_are_checked(store, days):
    with pytest.raises(InputError, match="days is a number >= 0"):
        retain(store, days=days)


def typed(kind, row):
    numbers = {"at", "requested", "sent", "effective", "propensity", "seconds", "first_seconds", "received"}
    numbers |= {"number", "said"}
    whole = {"status", "prompt_tokens", "completion_tokens", "attempts"}

    def of(name, value):
        if value == "":
            return None
        return float(value) if name in numbers else int(value) if name in whole else value

    return kind(**{name: of(name, value) for name, value in row.items()})


@pytest.mark.parametrize("kind", RECORDS)
def test_files_hold_what_the_store_holds(store, small_chunks, tmp_path, kind):
    made = fill(store)
    expected = {
        "decisions": made,
        "answers": [answer(each.id, each.at, text="t") for each in made],
        "feedback": [heard(each.id, each.id, received=each.at, text="c") for each in made],
    }[RECORDS[kind].name]
    name = RECORDS[kind].name
    assert export(store, name, tmp_path / "rows.parquet") == 40
    assert export(store, name, tmp_path / "rows.csv") == 40
    assert sorted(kind(**row) for row in pq.read_table(tmp_path / "rows.parquet").to_pylist()) == sorted(expected)
    with (tmp_path / "rows.csv").open(encoding="utf-8", newline="") as file:
        assert sorted(typed(kind, row) for row in csv.DictReader(file)) == sorted(expected)
    assert export(store, name, tmp_path / "some.csv", since=NOW - 9.5 * DAY) == 10
    assert sorted(path.name for path in tmp_path.iterdir() if path.suffix != ".db" and "db-" not in path.name) == [
        "rows.csv", "rows.parquet", "some.csv"
    ]  # fmt: skip


def test_an_empty_table_is_a_file_without_rows(store, tmp_path):
    for name in ("rows.parquet", "rows.csv"):
        assert export(store, "decisions", tmp_path / name) == 0
    assert pq.read_table(tmp_path / "rows.parquet").column_names == list(Decision._fields)


def test_what_cannot_be_exported_is_refused(store, tmp_path):
    with pytest.raises(InputError, match="there is no such table to export"):
        export(store, "keys", tmp_path / "keys.csv")
    with pytest.raises(InputError, match="the ending of the file says its format"):
        export(store, "decisions", tmp_path / "rows.xlsx")
    with pytest.raises(InputError, match="it cannot be written"):
        export(store, "decisions", tmp_path / "nowhere" / "rows.csv")
