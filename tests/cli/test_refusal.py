import pytest

from heatbath.cli.refusal import one_line, verb_of
from heatbath.cli.table import flag_of
from heatbath.errors import HeatbathError, InputError
from heatbath.spec import OPTIONS, check_options, parse


@pytest.mark.parametrize("name", OPTIONS)
def test_an_option_is_called_by_its_flag(name: str) -> None:
    with pytest.raises(InputError) as caught:
        check_options({name: object()})
    message = one_line(caught.value)
    assert flag_of(name) in message
    assert f"{name}=" not in message


def test_names_inside_a_chain_stay_as_they_are() -> None:
    with pytest.raises(HeatbathError) as caught:
        parse("top_p(1.4)")
    assert "top_p(1.4)" in one_line(caught.value)


def test_the_verb_is_the_first_word() -> None:
    assert verb_of(["sample", "x"]) == "sample"
    assert verb_of([]) == ""
