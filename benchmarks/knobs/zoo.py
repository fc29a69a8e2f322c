"""The models of the comparison, each with prompts that it has not seen."""

import json

from heatbath.embedded import load as load_onnx
from heatbath.embedded.ngram import NGramModel
from heatbath.embedded.tokenizer import JsonTokenizer
from training.config import DATA, ROOT
from training.knob import train
from training.knob.networks import of_teacher
from training.knob.texts import shakespeare, stories, tales
from training.teacher import batch
from training.teacher import load as load_teacher

from .writing import Subject


def subjects() -> list[Subject]:
    """Seven models. The three networks that are trained here must have been: `python -m training.knob.train`."""
    fairy, plays = tales(), shakespeare()
    shipped = json.loads((ROOT / "training" / "results.json").read_text())
    teacher = load_teacher(DATA / "stories260K")
    weights = [teacher.embedding, teacher.norm, *(part for layer in teacher.layers for part in layer.values())]
    bpe = JsonTokenizer(train.FOLDER / "tales-8k.json")
    counted = [
        NGramModel(fairy.train, order=6, name="tales-bytes-counted"),
        NGramModel(fairy.train, order=3, tokenizer=bpe, vocabulary=8192, name="tales-8k-counted"),
    ]
    trained = [
        ("shakespeare-characters", "transformer", "plays", plays.prompts),
        ("shakespeare-recurrent", "recurrent network", "plays", plays.prompts),
        ("tales-8k", "transformer", "tales", fairy.prompts),
    ]
    return [
        Subject(load_onnx(), "transformer", "tales", shipped["parameters"], fairy.prompts),
        Subject(of_teacher(teacher), "transformer", "stories", sum(w.numel() for w in weights), stories(400)),
        *(Subject(train.load(name), kind, text, train.size(name), prompts) for name, kind, text, prompts in trained),
        *(Subject(model, "n-gram", "tales", model.size, fairy.prompts) for model in counted),
    ]


def judge() -> NGramModel:
    """A model that judges the texts of all others: six bytes, counted in equal parts of what they were trained on."""
    fairy, plays = tales().train, shakespeare().train
    told = _told(200_000)
    share = len(told)
    return NGramModel("\n".join((fairy[:share], plays[:share], told)), order=6, name="judge")


def _told(size: int) -> str:
    """Stories of stories260K, in place of the texts that it was trained on."""
    teacher, told, seed = load_teacher(DATA / "stories260K"), "", 10_000
    while len(told) < size:
        told += "\n".join(str(story["text"]) for story in batch(teacher, 96, seed))
        seed += 1
    return told[:size]
