"""The one table of options. Command-line flags, request fields, the web form, stored rows and docs are made from it."""

import difflib
import math
import sys
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from heatbath.errors import InputError, SpecError
from heatbath.sampling import Sampler, Step, categorical, chain, min_p, penalties, temperature, top_k, top_p
from heatbath.spec.text import parse


class Option(NamedTuple):
    """One row: what an option is called, which values it takes and what it does."""

    name: str
    kind: type
    """int, float or str."""
    default: Any
    """None: not set."""
    help: str
    low: float = -math.inf
    high: float = math.inf
    above_low: bool = False
    """The range is open at its lower end."""
    off: tuple[float, ...] = ()
    """Values that other programs send to switch the option off; they mean the same as leaving it out."""
    unit: str = ""
    """What the number counts: "tokens", "probability", ..."""

    @property
    def range(self) -> str:
        """The range as people write it: ``(0, 1]``, ``>= 1``; empty where every value is legal."""
        if self.low == -math.inf and self.high == math.inf:
            return ""
        if self.high == math.inf:
            return f"{'>' if self.above_low else '>='} {self.low:g}"
        return f"{'(' if self.above_low else '['}{self.low:g}, {self.high:g}]"

    def check(self, value: Any) -> Any:
        """The value in the option's own type, None where it is switched off.

        Raises:
            InputError: the type or the range is wrong; ``field`` is the option's name.
        """
        if value is None:
            return None
        if self.kind is str:
            if not isinstance(value, str):
                self._refuse(value, "a text is expected")
            return value
        if isinstance(value, bool) or not isinstance(value, int | float):
            self._refuse(value, "a number is expected")
        if value in self.off:
            return None
        if isinstance(value, float) and self.kind is int and not value.is_integer():
            self._refuse(value, "a whole number is expected")
        if isinstance(value, int) and self.kind is float and abs(value) > sys.float_info.max:
            self._refuse(value, "the number is too large")
        legal = value > self.low if self.above_low else value >= self.low
        if not (legal and value <= self.high):
            self._refuse(value, "it is not a number" if value != value else f"{self.name} must be {self._words()}")
        return self.kind(value)

    def _words(self) -> str:
        return f"in {self.range}" if self.range[0] in "([" else self.range

    def _refuse(self, value: Any, why: str) -> None:
        words = " or ".join(f"{each:g}" for each in self.off)
        off = f"; leave {self.name} out or write {words} to switch it off" if words else ""
        example = self.default if self.default is not None else EXAMPLES.get(self.name)
        instead = f"write for example {self.name}={example}{off}" if example is not None else f"leave {self.name} out"
        raise InputError(why, doing="setting", on=f"{self.name}={value!r}", instead=instead, field=self.name)


EXAMPLES: dict[str, Any] = {
    "repetition_penalty": 1.1,
    "presence_penalty": 0.5,
    "frequency_penalty": 0.2,
    "top_k": 40,
    "top_p": 0.95,
    "min_p": 0.05,
    "seed": 7,
    "stop": "The end.",
}

OPTIONS: dict[str, Option] = {
    option.name: option
    for option in (
        Option(
            "temperature",
            float,
            1.0,
            "How sharply to choose: the scores are divided by it. 0 always takes the best option, 1 is the model as it "
            "was trained, above 1 flattens.",
            low=0,
        ),
        Option(
            "top_k",
            int,
            None,
            "Keep only the k best options.",
            low=1,
            off=(0, -1),
            unit="options",
        ),
        Option(
            "top_p",
            float,
            None,
            "Keep the smallest set of best options whose probabilities add up to at least this.",
            low=0,
            high=1,
            above_low=True,
            off=(1.0,),
            unit="probability",
        ),
        Option(
            "min_p",
            float,
            None,
            "Keep the options at least this many times as likely as the best one.",
            low=0,
            high=1,
            off=(0.0,),
            unit="ratio",
        ),
        Option(
            "repetition_penalty",
            float,
            None,
            "Weaken every token of the prompt and of the text so far: positive scores are divided by this, negative "
            "ones multiplied.",
            low=0,
            above_low=True,
            off=(1.0,),
        ),
        Option(
            "presence_penalty",
            float,
            None,
            "Subtract this from the score of every token that was generated, however often.",
            low=-2,
            high=2,
            off=(0.0,),
        ),
        Option(
            "frequency_penalty",
            float,
            None,
            "Subtract this from the score of a token once for every time that it was generated.",
            low=-2,
            high=2,
            off=(0.0,),
        ),
        Option(
            "chain",
            str,
            None,
            "A whole sampler in the text form, such as 'min_p(0.05) -> temperature(1.5)', or a thermostat, such as "
            "'hold_entropy(2.0, horizon=32)', which then takes the place of the temperature.",
        ),
        Option(
            "seed",
            int,
            None,
            "Makes the same request draw the same tokens. Without one, a fresh seed is drawn and reported.",
            low=-(2**63),
            high=2**64 - 1,
        ),
        Option("max_tokens", int, 128, "The most tokens to generate.", low=1, unit="tokens"),
        Option("n", int, 1, "How many answers to generate; answer i uses seed + i.", low=1, high=128, unit="answers"),
        Option("stop", str, None, "Where to end: generation stops before this text appears."),
    )
}
"""Every option by name. The order of the rows is the order in which people meet them."""

TRUNCATIONS: dict[str, Callable[[Any], Step]] = {"top_k": top_k, "top_p": top_p, "min_p": min_p}

PENALTIES = ("repetition_penalty", "presence_penalty", "frequency_penalty")
"""The arguments of one step, :func:`heatbath.penalties`."""

ORDER = (*PENALTIES, "temperature", *TRUNCATIONS)
"""The order of the steps when they are set one by one: transformers' order, and vLLM's but for min_p."""


def check_options(given: Mapping[str, Any]) -> dict[str, Any]:
    """Check every value by its row; switched-off options come back as None.

    Raises:
        InputError: an unknown name or an illegal value.
    """
    checked = {}
    for name, value in given.items():
        if name not in OPTIONS:
            near = difflib.get_close_matches(name, OPTIONS, n=1)
            raise InputError(
                f"there is no option {name!r}",
                doing="setting",
                on=f"{name}={value!r}",
                instead=f"did you mean {near[0]}?" if near else f"known are {', '.join(OPTIONS)}",
                field=name,
            )
        checked[name] = OPTIONS[name].check(value)
    return checked


def sampler_from(given: Mapping[str, Any]) -> Sampler:
    """The sampler that options ask for: penalties, temperature and truncation in :data:`ORDER`, or ``chain``.

    Arguments:
        given: options by name; those that are no matter of the sampler (seed, n, ...) are checked and left alone.

    Returns:
        the sampler; ``str`` of it is what a stored row carries.

    Raises:
        InputError: an illegal value, or a ``chain`` beside an option that it already decides.

    >>> from heatbath.spec import sampler_from
    >>> sampler_from({"temperature": 0.7, "top_k": 40, "top_p": 1})
    temperature(0.7) -> top_k(40) -> categorical()
    >>> sampler_from({"chain": "hold_entropy(2.0)", "min_p": 0.05})
    temperature(hold_entropy(2.0)) -> min_p(0.05) -> categorical()
    >>> sampler_from({"frequency_penalty": 0.2, "presence_penalty": 0.5})
    penalties(presence=0.5, frequency=0.2) -> temperature(1.0) -> categorical()
    """
    checked = {name: value for name, value in check_options(given).items() if value is not None}
    decided: Any = checked.get("temperature", 1.0)
    if "chain" in checked:
        try:
            made = parse(checked["chain"])
        except SpecError as error:
            error.field = "chain"
            raise
        clash = [name for name in ORDER if name in checked and (name == "temperature" or isinstance(made, Sampler))]
        if clash:
            raise InputError(
                f"the chain already decides {' and '.join(clash)}",
                doing="setting",
                on=f"chain={checked['chain']!r} and {', '.join(f'{name}={checked[name]}' for name in clash)}",
                instead="put every step into the chain, or leave the chain out",
                field=clash[0],
            )
        if isinstance(made, Sampler):
            return made
        decided = made
    penalised = {name.removesuffix("_penalty"): checked[name] for name in PENALTIES if name in checked}
    steps: list[Step] = [penalties(**penalised)] if penalised else []
    steps.append(temperature(decided))
    steps += [step(checked[name]) for name, step in TRUNCATIONS.items() if name in checked]
    return chain(*steps, categorical())
