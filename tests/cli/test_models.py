"""Which model a ``--model`` flag means, and whose fault it is when there is none."""

import pytest

from heatbath import embedded
from heatbath.cli.models import load_model
from heatbath.errors import InputError, ModelError


def test_the_toy_is_called_by_its_name():
    assert load_model("toy").name == "toy"


def test_what_was_typed_is_at_fault_and_what_comes_along_is_not(tmp_path, monkeypatch):
    with pytest.raises(InputError, match="holds none of") as caught:
        load_model(str(tmp_path))
    assert (caught.value.field, caught.value.on) == ("model", str(tmp_path))
    monkeypatch.setattr(embedded, "_SHIPPED", tmp_path)  # an installation that lacks its files
    with pytest.raises(ModelError, match="holds none of"):
        load_model(None)
