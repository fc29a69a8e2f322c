"""Training two steps: the same weights again, and a model that can be loaded."""

import numpy as np
import pytest
import torch

from training.knob import train
from training.knob.texts import Domain
from training.model import Network

TEXT = "the cat sat on the mat.\nthe dog ran to the old red barn.\n" * 60


@pytest.fixture
def tiny(tmp_path, monkeypatch):
    recipes = {
        "letters": train.Recipe("tiny", 0, "transformer", 32, 24, 1, 16, 2, 2),
        "pieces": train.Recipe("tiny", 280, "recurrent", 8, 12, 1, 16, 2, 2),
    }
    monkeypatch.setattr(train, "RECIPES", recipes)
    monkeypatch.setattr(train, "DOMAINS", {"tiny": lambda: Domain(TEXT, ("the cow",))})
    monkeypatch.setattr(train, "FOLDER", tmp_path)
    return tmp_path


@pytest.mark.parametrize(("name", "vocabulary"), [("letters", len(set(TEXT))), ("pieces", 280)])
def test_training_is_seeded_and_what_it_keeps_can_be_loaded(name, vocabulary, tiny, capsys):
    train.train(name)
    kept = torch.load(tiny / f"{name}.pt")
    model = train.load(name)
    assert model.vocabulary <= vocabulary  # so short a text may not have as many pieces
    scores, _ = model.start([model.tokenizer.encode("the "), []])
    assert np.isfinite(scores).all()
    assert model.tokenizer.decode(model.tokenizer.encode("the old dog\n")) == "the old dog\n"
    assert train.size(name) == sum(weights.numel() for weights in kept.values())
    fresh = train.network(train.RECIPES[name], model.vocabulary).state_dict()
    assert any(not torch.equal(kept[part], fresh[part]) for part in kept)
    train.train(name)
    again = torch.load(tiny / f"{name}.pt")
    assert all(torch.equal(kept[part], again[part]) for part in kept)
    assert "bits per byte" in capsys.readouterr().out


def test_a_recipe_makes_what_it_says():
    assert isinstance(train.network(train.RECIPES["tales-8k"], 8192), Network)
