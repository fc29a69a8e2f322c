"""Which model a path or a name means."""

import pytest

from heatbath.embedded import load, load_profile
from heatbath.errors import ModelError


def test_the_toy_has_no_profile():
    assert load("toy").name == "toy"
    assert load_profile("toy") is None


def test_the_shipped_model_is_the_one_that_is_left_out():
    pytest.importorskip("onnxruntime", reason="the extra heatbath[serve] is not installed")
    model, profile = load(None), load_profile(None)
    assert profile.model == model.name


def test_a_folder_without_a_model_is_a_model_error(tmp_path):
    with pytest.raises(ModelError):
        load(str(tmp_path))
