import pytest

from heatbath.cli.flags import checked, flag, number_of, settings
from heatbath.errors import InputError, SpecError


def chains(temperatures: list[str], chains: list[str] = [], **others: str | None) -> list[str]:  # noqa: B006
    return [str(setting.sampler) for setting in settings(temperatures, chains, **others)]


def test_each_temperature_and_each_chain_is_a_setting_of_its_own() -> None:
    assert chains(["0.7", "inf"], ["min_p(0.1) -> temperature(1.5)"]) == [
        "temperature(0.7) -> categorical()",
        "temperature(inf) -> categorical()",
        "min_p(0.1) -> temperature(1.5) -> categorical()",
    ]


def test_a_temperature_may_be_a_thermostat_and_other_options_hold_for_all() -> None:
    assert chains(["hold_entropy(2.0)", "1"], top_k="40", top_p="0.9", min_p="0.05") == [
        "temperature(hold_entropy(2.0)) -> top_k(40) -> top_p(0.9) -> min_p(0.05) -> categorical()",
        "temperature(1.0) -> top_k(40) -> top_p(0.9) -> min_p(0.05) -> categorical()",
    ]


def test_values_that_switch_an_option_off_are_taken() -> None:
    assert chains(["1"], top_k="-1", top_p="1", min_p="0") == ["temperature(1.0) -> categorical()"]


def test_a_seed_of_64_bits_is_read_exactly() -> None:
    assert number_of(str(2**64 - 1)) == 2**64 - 1


@pytest.mark.parametrize(
    ("temperature", "position"),
    [
        ("abc", 0),
        ("hold_entrpy(2)", 0),
        ("hold_entropy(2", 14),
        ("hold_entropy(oops=2)", 13),
        ("fixed(-1)", 6),
        ("", 0),
    ],
)
def test_the_caret_points_into_the_text_that_was_typed(temperature: str, position: int) -> None:
    with pytest.raises(SpecError) as caught:
        settings([temperature], [])
    assert caught.value.text == temperature
    assert caught.value.position == position


@pytest.mark.parametrize("temperature", ["nan", "-1", "-inf", "top_k(3)", "0.7) -> top_k(3"])
def test_what_is_no_temperature_is_refused(temperature: str) -> None:
    with pytest.raises(InputError):
        settings([temperature], [])


@pytest.mark.parametrize(
    "others", [{"top_k": "x"}, {"top_k": "2.5"}, {"top_p": "1.4"}, {"top_p": "0"}, {"min_p": "nan"}, {"top_k": "-3"}]
)
def test_illegal_values_are_refused_by_the_table(others: dict[str, str]) -> None:
    with pytest.raises(InputError) as caught:
        settings(["1"], [], **others)
    assert caught.value.field in others
    assert caught.value.doing
    assert caught.value.on
    assert caught.value.instead


def test_a_chain_decides_everything() -> None:
    with pytest.raises(InputError, match="already decides top_k"):
        settings([], ["top_p(0.5)"], top_k="3")


def test_a_verb_may_have_a_default_of_its_own():
    assert (checked("n", None), checked("n", None, 8), checked("n", "3", 8)) == (1, 8, 3)
    assert "Default: 8." in flag("n", default=8).help
    with pytest.raises(InputError):
        checked("n", "0", 8)
