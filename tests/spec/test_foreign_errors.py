"""No text makes heatbath raise anything but its own errors: neither when it is read nor when its sampler is used."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import heatbath as hb
from heatbath.made import MAKERS

numbers = st.one_of(
    st.sampled_from(["0", "-0.0", "1", "-1", "inf", "-inf", "nan", "1e999", "1e-999", "1e308", "1e-320", "9" * 39]),
    st.integers(-(10**45), 10**45).map(str),
    st.integers(0, 12).map(str),
    st.floats().map(repr),
)
plain = st.one_of(numbers, st.sampled_from(["None", "True", "False", "[]", "'x'", "'margin'", "'entropy'", '""']))
names = st.sampled_from([name for makers in MAKERS.values() for name in makers])
keywords = st.sampled_from(["", "", "", "steps=", "horizon=", "start=", "hottest=", "period=", "k=", "p=", "measure="])


def calls(arguments):
    given = st.lists(st.tuples(keywords, arguments).map("".join), max_size=4)
    return st.tuples(names, given).map(lambda call: f"{call[0]}({', '.join(call[1])})")


def lists(items):
    return st.lists(items, min_size=1, max_size=3).map(lambda inside: f"[{', '.join(inside)}]")


values = st.recursive(plain, lambda inside: lists(inside) | calls(inside), max_leaves=6)
texts = st.lists(calls(values), min_size=1, max_size=3).map(" -> ".join)
# Most random calls have wrong arguments: these have the right ones more often.
likely = st.tuples(st.sampled_from(["fixed", "scheduled", "hold_entropy", "top_k", "top_p", "min_p"]), values)
ramps = st.tuples(st.sampled_from(["linear", "cosine", "exponential", "by_confidence"]), numbers, numbers, numbers)
aimed = st.one_of(
    likely.map(lambda call: f"{call[0]}({call[1]})"),
    ramps.map(lambda call: f"{call[0]}({', '.join(call[1:])})"),
    st.tuples(numbers, numbers, keywords).map(lambda t: f"hold_entropy({t[0]}, 8, start={t[1]})"),
    values.map(lambda value: f"temperature({value})"),
)


def use(text):
    try:
        made = hb.parse(text)
        assert str(hb.parse(str(made))) == str(made)
        sampler = made if isinstance(made, hb.Sampler) else hb.chain(hb.temperature(made))
        state, row = sampler.init(), np.array([1.0, -2.0, 3.0, 3.0, -np.inf], dtype=np.float32)
        for _ in range(3):
            _, state, _ = sampler.step(state, row, seed=1)
    except hb.HeatbathError:
        pass


@settings(max_examples=1500, deadline=None)
@given(st.one_of(texts, aimed, aimed.map(lambda text: f"temperature({text})")))
@example(f"hold_entropy([nan, {'9' * 39}])")  # an array of objects
def test_only_errors_of_ours_come_out(text):
    use(text)


@pytest.mark.parametrize("text", ["scheduled(1)", "scheduled('x')", "scheduled(None)", "scheduled(fixed(1))"])
def test_what_is_no_schedule_is_refused_when_it_is_read(text):
    with pytest.raises(hb.SpecError):
        hb.parse(text)
