"""What is handed in is there, as it was handed in; the same feedback counts once, and other feedback is told apart."""

import asyncio
import math
import random

import pytest
import sqlalchemy as sa

from heatbath.errors import ConflictError, StoreError
from heatbath.experiments import Answer, Decision, Feedback, Recorder, Store
from heatbath.experiments.store.tables import RECORDS
from tests.experiments.made import NOW, answer, decision, feedback


def rows(store, kind):
    with store.engine.connect() as connection:
        return [kind(*row) for row in connection.execute(sa.select(RECORDS[kind]))]


def test_a_store_is_a_recorder(store):
    recorder: Recorder = store
    assert recorder is store


@pytest.mark.parametrize("kind", RECORDS)
def test_a_table_has_the_fields_of_its_record(kind):
    assert RECORDS[kind].columns.keys() == list(kind._fields)


def test_what_is_handed_in_is_there_as_it_was(store, do):
    whole = decision(
        requested=0.1 + 0.2, sent=None, effective=math.inf, experiment="poem", arm="暖", propensity=1 / 3,
        context='{"长": 1}', prompt="写一首关于春天的诗 \U0001f338",
    )  # fmt: skip
    plain = decision(at=NOW + 0.1234567)
    heard = feedback("k", whole.id, text="'; DROP TABLE feedback; --", said=NOW - 1)

    async def hand_in():
        await asyncio.gather(store.decided(whole), store.decided(plain))
        store.answered(answer(whole.id, error="timeout", status=504, finish=None))
        assert await store.heard([heard]) == [True]
        await store.flushed()

    do(hand_in())
    assert sorted(rows(store, Decision)) == sorted([whole, plain])
    assert rows(store, Answer) == [answer(whole.id, error="timeout", status=504, finish=None)]
    assert rows(store, Feedback) == [heard]


def test_many_at_once_share_transactions_and_none_is_missing(store, do):
    made = [decision(at=NOW + place) for place in range(1000)]

    async def one(each):
        await store.decided(each)
        store.answered(answer(each.id))
        return await store.heard([feedback(f"k-{each.id}", each.id)])

    assert do(*map(one, made)) == [[True]] * 1000
    do(store.flushed())
    assert {row.id for row in rows(store, Decision)} == {row.id for row in rows(store, Answer)} == {d.id for d in made}


def test_the_same_feedback_counts_once_however_it_arrives(store, do):
    said = [feedback(f"k-{place}", "never decided", number=place % 2) for place in range(50)]
    shuffled = said * 4
    random.Random(5).shuffle(shuffled)
    late = [each._replace(received=NOW - place) for place, each in enumerate(shuffled)]  # the clock moves back
    outcomes = do(*(store.heard([each]) for each in late))
    assert sum(new for [new] in outcomes) == 50
    assert do(store.heard([said[0], feedback("new"), feedback("new")])) == [False, True, False]
    assert sorted(row.key for row in rows(store, Feedback)) == sorted([each.key for each in said] + ["new"])


def test_other_feedback_under_a_known_key_is_told_apart_and_the_rest_is_kept(store, do):
    do(store.heard([feedback("k")]))
    with pytest.raises(ConflictError, match="'k': other feedback has come under this key") as caught:
        do(store.heard([feedback("a"), feedback("k", number=0.0), feedback("k")]))
    assert caught.value.heard == (True, None, False)
    assert {row.key: row.number for row in rows(store, Feedback)} == {"k": 1.0, "a": 1.0}
    for change in ({"inference": "x"}, {"metric": "x"}, {"text": "x"}, {"other": "x"}, {"said": 1.0}):
        with pytest.raises(ConflictError):
            do(store.heard([feedback("k", **change)]))


def test_one_row_that_cannot_be_stored_is_refused_alone(store, do):
    async def hand_in():
        bad = decision(policy=None), decision(task="\ud800")
        return await asyncio.gather(
            *(store.decided(each) for each in (decision(), *bad, decision())), return_exceptions=True
        )

    good, none, half, fine = do(hand_in())
    assert good is fine is None
    assert all(isinstance(each, StoreError) and "cannot be stored" in str(each) for each in (none, half))
    assert len(rows(store, Decision)) == 2


def test_a_decision_that_comes_again_is_one_row(store, do):
    one = decision()
    do(store.decided(one))
    do(store.decided(one))
    assert rows(store, Decision) == [one]


def test_whoever_goes_away_hurts_nobody(store, do):
    async def hand_in():
        gone = asyncio.create_task(store.decided(decision()))
        await asyncio.sleep(0)
        gone.cancel()
        await store.decided(decision())

    do(hand_in())
    assert len(rows(store, Decision)) == 2


def test_closing_writes_what_was_handed_in(url):
    store = Store.open(url)

    async def hand_in():
        store.answered(answer("i"))
        waiting = [asyncio.create_task(store.decided(decision())) for _ in range(20)]
        await asyncio.sleep(0)
        await asyncio.to_thread(store.close)
        await asyncio.gather(*waiting)
        with pytest.raises(StoreError, match="has been closed"):
            await store.decided(decision())

    asyncio.run(hand_in())
    with Store.open(url) as again:
        assert (len(rows(again, Decision)), len(rows(again, Answer))) == (20, 1)


def test_many_rows_at_once_by_record(store):
    made = [decision() for _ in range(1200)]
    heard = [feedback(f"k-{each.id}", each.id) for each in made]
    assert store.record(made, [answer(each.id) for each in made], heard) == [True] * 1200
    assert store.record(made, feedback=heard[:2]) == [False] * 2
    with pytest.raises(ConflictError):
        store.record(feedback=[heard[0]._replace(number=0.5)])
    assert len(rows(store, Decision)) == len(rows(store, Feedback)) == 1200
