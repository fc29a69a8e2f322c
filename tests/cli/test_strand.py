"""Growing texts on the toy model, whose probabilities are known."""

import numpy as np
import pytest

from heatbath.cli.flags import settings
from heatbath.cli.strand import Strand, grow
from heatbath.embedded.toy import ToyModel
from heatbath.errors import InputError


def grown(model, prompt, *temperatures, seed=0, max_tokens=20, stops=(), chains=()):
    strands = [Strand(setting, seed, stops) for setting in settings(temperatures, chains)]
    list(grow(model, prompt, strands, max_tokens))
    return strands


def test_at_zero_the_likeliest_word_follows_again_and_again():
    (strand,) = grown(ToyModel(stop=0), "", "0", max_tokens=5)
    assert strand.text == " sun" * 5
    assert strand.finish == "length"
    first = strand.tokens[0].token.reading
    assert first.surprisal == pytest.approx(-np.log(12 / 24))
    assert first.kept == 1


def test_a_text_that_ends_by_itself_says_so_and_leaves_the_others_as_they_would_be():
    model = ToyModel(stop=3)
    (setting,) = settings(["1"], [])
    strands = [Strand(setting, seed) for seed in range(12)]
    list(grow(model, "", strands, 20))
    assert {strand.finish for strand in strands} == {"stop", "length"}
    assert len({len(strand.tokens) for strand in strands}) > 3
    for strand in strands:
        (alone,) = grown(model, "", "1", seed=strand.seed)
        assert (alone.text, alone.finish) == (strand.text, strand.finish)


def test_a_strand_is_the_same_whatever_grows_beside_it():
    model = ToyModel(stop=4)
    together = grown(model, "rain", "0.5", "1", "hold_entropy(1.0)", "3", seed=11)
    for temperature, strand in zip(["0.5", "1", "hold_entropy(1.0)", "3"], together, strict=True):
        (alone,) = grown(model, "rain", temperature, seed=11)
        assert [placed.token.token for placed in alone.tokens] == [placed.token.token for placed in strand.tokens]
        assert alone.text == strand.text


def test_the_parts_make_the_text_and_a_character_of_three_tokens_comes_whole():
    strands = grown(ToyModel(stop=0), "", *["5"] * 1, seed=3, max_tokens=200)
    (strand,) = strands
    assert "雪" in strand.text
    assert "\N{REPLACEMENT CHARACTER}" not in strand.text[:-1]
    assert "".join(text for _, text in strand.parts()) == strand.text
    assert len(strand.parts()) == len(strand.tokens) == 200


def test_a_stop_text_ends_the_text_before_it():
    (strand,) = grown(ToyModel(stop=0), "", "1", seed=5, max_tokens=100)
    at = strand.text.index("rain")
    (stopped,) = grown(ToyModel(stop=0), "", "1", seed=5, max_tokens=100, stops=["rain"])
    assert stopped.text == strand.text[:at]
    assert stopped.finish == "stop"


def test_a_full_context_ends_the_text_and_a_prompt_that_fills_it_is_refused():
    model = ToyModel(stop=0, context=8)
    (strand,) = grown(model, " sun sun sun", "1", max_tokens=100)
    assert len(strand.tokens) == 5
    assert strand.finish == "context"
    (strand,) = grown(model, " sun sun sun", "1", max_tokens=5)
    assert strand.finish == "length"
    with pytest.raises(InputError, match="8 tokens long, and toy reads 8 at most") as caught:
        grown(model, " sun" * 8, "1")
    assert caught.value.instead


def test_mean_surprisal_is_the_mean_of_the_readings():
    (strand,) = grown(ToyModel(stop=0), "", "1", seed=1)
    values = [placed.token.reading.surprisal for placed in strand.tokens]
    assert strand.mean_surprisal == pytest.approx(sum(values) / len(values))
    assert Strand(settings(["1"], [])[0], 0).mean_surprisal is None


def test_a_thermostat_sees_the_prompt_and_the_text_so_far():
    """T = 0 behind "sun" and inf elsewhere: what follows it is always the best option, which is "sun" again."""
    model = ToyModel(stop=0)
    (strand,) = grown(model, " rain", "by_text([['after: sun', 0]], inf)", seed=5, max_tokens=300)
    text = " rain" + strand.text
    assert " sun" * 20 in text
    assert text.partition(" sun")[2].replace(" sun", "") == ""
    (at_once,) = grown(model, " sun", "by_text([['after: sun', 0]], inf)", max_tokens=5)
    assert at_once.text == " sun" * 5


def test_penalties_count_the_prompt_and_what_was_written():
    model = ToyModel(stop=0)
    (setting,) = settings(["0"], [], repetition_penalty="1e9")
    strand = Strand(setting, 0)
    list(grow(model, " sun", [strand], 4))
    assert strand.text.startswith(" rain")
    assert " sun" not in strand.text[:10]
    assert repr(setting.sampler) == "penalties(1000000000.0) -> temperature(0.0) -> categorical()"
