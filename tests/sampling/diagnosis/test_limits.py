"""The studio warns by the same numbers."""

import math
import re
from pathlib import Path

import pytest

import heatbath
from heatbath.sampling.diagnosis import limits
from heatbath.sampling.diagnosis.repeats import RUN

STATIC = Path(heatbath.__file__).parent / "service" / "studio" / "static"


@pytest.mark.parametrize(
    ("name", "here"),
    [
        ("certain", limits.CERTAIN),
        ("repeats", limits.REPEATS),
        ("outside", limits.OUTSIDE),
        ("more", limits.MORE),
        ("surprise", limits.SURPRISE / math.log(2)),
    ],
)
def test_the_limits_are_the_studios(name, here):
    table = re.search(r"const LIMITS = \{(.*?)\};", (STATIC / "warnings.js").read_text(), re.DOTALL)[1]
    assert float(re.search(rf"\b{name}: ([\d.]+)", table)[1]) == pytest.approx(here)


def test_the_measures_are_the_studios():
    script = (STATIC / "surprise.js").read_text()
    assert f"repeated(tokens, length = {RUN})" in script
    edges = re.search(r"EDGES = \[([\d, ]+)\]", script)[1]
    assert int(edges.split(",")[-1]) == -math.log2(limits.TAIL)
