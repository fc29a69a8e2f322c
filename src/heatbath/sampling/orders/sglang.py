"""The order of SGLang."""

from heatbath.core.arrays import is_number
from heatbath.sampling.orders.apart import (
    ALLOWED,
    BEAMS,
    COUNT,
    LENGTH,
    SEED,
    SHORTEST,
    SHOWN,
    STOP,
    WATERMARK,
    YOURS,
    apart,
)
from heatbath.sampling.orders.common import FINITE_T, FLOAT32, FREQUENCY_AND_PRESENCE
from heatbath.sampling.orders.engine import Difference, Engine, Given, Setting
from heatbath.sampling.orders.values import (
    NOT_GIVEN,
    WHOLE,
    Values,
    between,
    one_of,
)


def _sglang_order(given: Given) -> tuple[str, ...]:
    """Top-k and top-p look at the same probabilities, which is top-p before top-k; but with FlashInfer and a min-p each
    step sees what the one before it left.
    """
    early = ("frequency", "presence", "repetition", "logit_bias", "temperature")
    if given["sampling_backend"] == "flashinfer" and given["min_p"] > 0:
        return (*early, "top_k", "top_p", "min_p")
    return (*early, "top_p", "top_k", "min_p")


SGLANG = Engine(
    "SGLang",
    "sglang",
    "0.5.23",
    (
        Setting("repetition_penalty", 1.0, ("repetition",), "penalty", one_of(1.0), between(0, 2, above=True)),
        *FREQUENCY_AND_PRESENCE,
        Setting("logit_bias", None, ("logit_bias",), "bias", NOT_GIVEN),
        Setting("temperature", 1.0, ("temperature",), "thermostat", legal=FINITE_T),
        Setting(
            "top_k",
            -1,
            ("top_k",),
            "k",
            one_of(-1, 1 << 30),
            Values("-1 or a whole number >= 1", lambda k: (k == -1 or k >= 1) and k in WHOLE),
        ),
        Setting("top_p", 1.0, ("top_p",), "p", one_of(1.0), between(0, 1, above=True)),
        Setting("min_p", 0.0, ("min_p",), "p", one_of(0.0), between(0, 1)),
        Setting("sampling_backend", "flashinfer", legal=one_of("flashinfer", "pytorch")),
    ),
    order=_sglang_order,
    is_greedy=lambda given: is_number(given["temperature"]) and given["temperature"] < 1e-6,
    cold={"temperature": 0.0},
    arrangements=lambda steps: [{}, {"sampling_backend": "pytorch"}],
    always={each: {"prompt": False} for each in ("repetition", "frequency", "presence")},
    said={
        "T = 0": "T = 1 and top_k = 1, also for every T < 1e-6: greedy, except that tied maxima may be drawn from",
        "tiny T": "from 1e-6 on divides by it",
        "T = inf": "refused",
        "T < 0": "refused",
        "T = NaN": "refused",
    },
    differences=(
        FLOAT32,
        Difference(
            "top-k ties", "the PyTorch backend keeps exactly k; FlashInfer and this chain all that tie with the k-th"
        ),
        Difference(
            "top-p exact hit", "the PyTorch backend keeps one option more where a prefix has exactly the mass top_p"
        ),
        Difference(
            "greedy ties", "at T = 0 a batch with other requests draws among tied maxima; here the first is taken"
        ),
        Difference(
            "penalty order",
            "without overlap scheduling the order of repetition and the other two penalties is not fixed",
        ),
    ),
    apart=(
        *apart(SEED, "sampling_seed"),
        *apart(LENGTH, "max_new_tokens"),
        *apart(STOP, "stop", "stop_token_ids", "stop_regex", off=one_of(None, [])),
        *apart(STOP, "ignore_eos", off=one_of(None, False)),
        *apart(COUNT, "n", off=one_of(None, 1)),
        *apart(SHORTEST, "min_new_tokens", off=one_of(None, 0)),
        *apart(ALLOWED, "json_schema", "regex", "ebnf", "structural_tag"),
        *apart(BEAMS, "beam_width", off=one_of(None, 1)),
        *apart(WATERMARK, "watermark"),
        *apart(YOURS, "custom_params", "custom_logit_processor"),
        *apart(SHOWN, "skip_special_tokens", "spaces_between_special_tokens", "no_stop_trim", "stream_interval"),
    ),
)
