"""On a device no decision waits, a bad row becomes the choice -1, and everything else is what NumPy gives."""

import numpy as np
import pytest

import heatbath as hb
from heatbath.made import MAKERS
from tests.sampling.test_libraries import SAMPLERS, rows
from tests.sampling.waiting import Waits, no_waiting, on_the_device, torch, unchecked

PER_ROW = [0.7, 1.3] * 16
CHAINS = [
    *SAMPLERS,
    hb.chain(hb.sampling.gumbel()),
    hb.chain(hb.top_k(5), hb.temperature(0.7), hb.top_p(0.8)),
    hb.chain(hb.penalties(1.1, 0.5, 0.2, window=6, decay=2, prompt=True), hb.temperature(0.2)),
    hb.chain(hb.sampling.repetition(PER_ROW), hb.sampling.presence(2.0), hb.sampling.frequency(0.5, 3)),
    hb.chain(hb.sampling.dry([1.0, 2.0] * 16, base=1.5, allowed_length=1), hb.top_k(3)),
    hb.chain(hb.sampling.dry(3.0, base=1, allowed_length=2, window=9, breakers=[3, [4, 5], [9, 4, 5]]), hb.top_k(3)),
    hb.chain(hb.sampling.no_repeat_ngram([1, 2, 3, 4] * 8), hb.top_k(4)),
    hb.chain(hb.sampling.ban_sequences([[1, 2, 3], [2, 1], [9]]), hb.top_k(4)),
    hb.chain(hb.sampling.bans([3, 9]), hb.sampling.logit_bias({2: 1.5, 4: -np.inf})),
    hb.chain(hb.temperature(hb.by_confidence(0.5, 1.5))),
    hb.chain(hb.temperature(hb.hold_entropy(1.0, horizon=8))),
    hb.chain(hb.temperature(hb.control.hold_surprise(1.0, horizon=8))),
    hb.chain(hb.temperature(hb.control.loop_guard(hb.scheduled(hb.schedules.linear(1.0, 0.5, 4)), window=8, length=2))),
    hb.chain(hb.temperature(hb.control.coherence_guard(1.0, 2.0))),
    hb.chain(hb.temperature(hb.control.edt(1.0, 0.8))),
]
SOLVES = "temperature(hold_entropy(1.0)) -> categorical()"
"""The one that waits: each round of a search for T asks whether there must be another."""


def few(sampler):
    return str(sampler)[:60]


@pytest.fixture(params=CHAINS, ids=few)
def sampler(request):
    return request.param


def test_every_step_and_draw_is_in_these_chains():
    found = {link.made.name for sampler in CHAINS for link in (*sampler.steps, sampler.draw)}
    assert {*MAKERS["step"], *MAKERS["draw"]} <= found


@pytest.mark.parametrize("reading", [False, True])
def test_no_decision_waits_for_a_device(sampler, reading):
    if str(sampler) == SOLVES:
        with pytest.raises(AssertionError, match="_local_scalar_dense"):
            on_the_device(sampler, rows("float32"))
        return
    on_the_device(sampler, rows("float32"), reading=reading)
    on_the_device(sampler, rows("float32"), mask=np.arange(50) != 3)


def test_waiting_would_be_seen():
    for wait in (
        lambda x: bool((x > 0).all()),
        lambda x: x[x > 0],
        torch.nonzero,
        lambda x: torch.tensor(1.0) + torch.tensor(1.0).to("meta").to("meta"),
        lambda x: torch.ones(2).to("meta"),
        lambda x: torch.empty(2, device="meta").copy_(torch.ones(2)),
    ):
        with Waits() as seen:
            wait(torch.ones(2))
        assert len(seen.found) == 1
    with no_waiting():
        torch.ones(2).to("meta", non_blocking=True)
    with pytest.raises(NotImplementedError), no_waiting():
        torch.empty(2, device="meta").tolist()


def test_tensors_that_nobody_looks_at_draw_what_numpy_draws(sampler):
    scores, steps = rows("float32"), 6
    state, expected = sampler.init(), []
    for _ in range(steps):
        choice, state, _ = sampler.step(state, scores, seed=7)
        expected.append(choice)
    choices, unread = unchecked(sampler, scores, steps)
    np.testing.assert_array_equal(choices, np.stack(expected, -1))
    goes_on = sampler.step(unread, torch.as_tensor(scores), seed=7).choice  # by the way that looks
    np.testing.assert_array_equal(goes_on, sampler.step(state, scores, seed=7).choice)


def test_a_single_row_without_looking():
    sampler, row = hb.chain(hb.penalties(2.0), hb.temperature(0.9), hb.top_k(9)), rows("float64")[0]
    choices, _ = unchecked(sampler, row, 4)
    state, expected = sampler.init(), []
    for _ in range(4):
        choice, state, _ = sampler.step(state, row, seed=7)
        expected.append(int(choice))
    assert choices.tolist() == expected


BAD = {
    "one NaN": lambda row: row.__setitem__(3, np.nan),
    "the best NaN": lambda row: row.__setitem__(row.argmax(), np.nan),
    "+inf": lambda row: row.__setitem__(3, np.inf),
    "all forbidden": lambda row: row.fill(-np.inf),
    "all NaN": lambda row: row.fill(np.nan),
}


@pytest.mark.parametrize("kind", BAD)
def test_a_bad_row_is_never_drawn_from_and_disturbs_no_other(sampler, kind):
    scores = rows("float32")
    bad = scores.copy()
    for row in (4, 31):
        BAD[kind](bad[row])
    choices, state = unchecked(sampler, bad, 2)
    expected, _ = unchecked(sampler, scores, 2)
    fine = np.setdiff1d(np.arange(32), [4, 31])
    assert (choices[[4, 31]] == -1).all()
    assert choices[fine].tolist() == expected[fine].tolist()
    assert (unchecked(sampler, scores, state=state)[0] >= 0).all()  # the streams can go on


def test_rows_that_steps_leave_nothing_of_give_no_choice():
    scores = torch.arange(8.0).reshape(2, 4)
    nothing = {"mask": [[True] * 4, [False] * 4]}
    assert unchecked(hb.chain(), scores, **nothing)[0].tolist() == [[3], [-1]]
    assert (unchecked(hb.chain(hb.sampling.bans([0, 1, 2, 3])), scores)[0] == -1).all()
    huge = hb.chain(hb.sampling.frequency([1.0, -1.7e308], prompt=True), hb.top_k(2))
    choices, _ = unchecked(huge, torch.zeros(2, 4), state=huge.init([[0, 0], [3, 3]]))
    assert (choices[:, 0] >= 0).tolist() == [True, False]  # a score beyond all numbers
    without = hb.sampling.without_replacement
    with hb.core.checks(now=False):
        assert without(torch.tensor([1.0, -torch.inf, -torch.inf]), 2, seed=1).choice.tolist() == [0, -1]


@pytest.mark.parametrize("value", [-1.0, float("nan")])
def test_what_is_no_temperature_gives_no_choice(value):
    warm = torch.tensor([1.0, value])
    with hb.core.checks(now=False):
        sampler = hb.chain(hb.temperature(warm), hb.top_k(2))
    assert (unchecked(sampler, torch.zeros(2, 5))[0][:, 0] >= 0).tolist() == [True, False]
    with pytest.raises(hb.InputError, match=r"never negative|NaN is no temperature"):
        hb.chain(hb.temperature(warm))


def test_the_state_of_a_bad_row_learns_nothing():
    sampler = hb.chain(hb.sampling.mirostat_v2(1.0))
    scores = torch.log(torch.tensor([[0.5, 0.3, 0.2], [torch.nan, 0.3, 0.2]]))
    _, (position, (limits,)) = unchecked(sampler, scores)
    assert position == 1
    assert limits[0] != 2.0
    assert limits[1] == 2.0


def test_a_bad_row_adds_no_token():
    sampler = hb.chain(hb.sampling.presence(1.0))
    scores = torch.tensor([[0.0, 1.0], [torch.nan, 0.0]])
    choices, (_, _, history) = unchecked(sampler, scores, 3)
    assert history[1].tolist() == choices[1].tolist() == [-1, -1, -1]
    after = sampler.scores((3, ((),), history), torch.zeros(2, 2)).scores
    assert after[1].tolist() == [0, 0]


def test_check_drawn_says_where():
    tokens = torch.tensor([[1, 2], [3, -1]])
    with pytest.raises(hb.InputError, match=r"row \(1, 1\) of choice: .*nothing could be drawn"):
        hb.sampling.check_drawn(tokens)
    with pytest.raises(hb.InputError, match="on choice"):
        hb.sampling.check_drawn(np.int64(-1))
    assert hb.sampling.check_drawn(tokens[:1]).tolist() == [[1, 2]]


def test_seeds_and_positions_may_be_tensors():
    sampler, scores = hb.chain(hb.temperature(3.0)), torch.as_tensor(rows("float32"))[:4]
    many = [7, 2**63 - 1, 2**63, 2**64 - 1]
    expected = sampler.step((3, ((),)), scores, seed=many).choice.tolist()
    signed = torch.tensor([n - 2**64 if n >= 2**63 else n for n in many])
    for seeds in (many, signed, signed.view(torch.uint64)):
        for position in (3, [3] * 4, torch.tensor(3), torch.tensor([3] * 4, dtype=torch.int32)):
            choices, state = unchecked(sampler, scores, state=(position, ((),)), seed=seeds)
            assert choices[:, 0].tolist() == expected
            assert torch.as_tensor(state[0]).ravel()[0] == 4
    counted = sampler.step((), scores, seed=2**64 - 2).choice.tolist()
    assert unchecked(sampler, scores, seed=torch.tensor(-2))[0][:, 0].tolist() == counted
    with no_waiting():
        sampler.step(
            (torch.tensor(3).to("meta", non_blocking=True), ((),)), scores.to("meta", non_blocking=True), seed=1
        )
    with pytest.raises(hb.InputError, match="3 seeds for 4 rows"):
        unchecked(sampler, scores, seed=torch.tensor([1, 2, 3]))
    with pytest.raises(hb.InputError, match="a seed is an integer"):
        unchecked(sampler, scores, seed=torch.tensor([1.0, 2, 3, 4]))
    with pytest.raises(hb.InputError, match="no whole number >= 0"):
        unchecked(sampler, scores, state=(torch.tensor(3.0), ((),)))
    with pytest.raises(hb.InputError, match="state is that of 3 rows"):
        unchecked(sampler, scores, state=(torch.tensor([1, 2, 3]), ((),)))


@pytest.mark.parametrize("window", [None, 3, 9])
def test_a_prompt_may_be_a_tensor(window):
    sampler = hb.chain(hb.penalties(2.0, 0.5, 0.5, window=window))
    prompt, scores = [[1, 2, 3, 3], [4, 4, 4, 4]], rows("float64")[:2]
    expected = sampler.scores(sampler.init(prompt), scores).scores
    for given in (torch.tensor(prompt), torch.tensor(prompt, dtype=torch.int32)):
        got = sampler.scores(sampler.init(given), torch.as_tensor(scores)).scores
        np.testing.assert_array_equal(got, expected)
    with no_waiting():
        meta = torch.tensor(prompt).to("meta", non_blocking=True)
        sampler.step(sampler.init(meta), torch.as_tensor(scores).to("meta", non_blocking=True), seed=1)
    with pytest.raises(hb.InputError, match="prompt is a sequence of token ids"):
        sampler.init(torch.tensor([1.0, 2.0]))


def test_numbers_on_another_device_are_refused():
    far = hb.Thermostat(init=tuple, step=lambda state, seen: (torch.ones(2, device="meta"), state))
    with pytest.raises(hb.InputError, match=r"scores are on cpu, and temperature is on meta"):
        hb.chain(hb.temperature(far)).step((), torch.zeros(2, 3), seed=1)
