"""Steps that lower the scores of tokens that were written before.

They act on the scores as they reach the step. The engines put them first, on the model's own scores: there a penalty
that is subtracted is divided by T with the rest, and CTRL's rule, which looks at signs, finds the signs that the model
gave. Behind a temperature no score is positive. A token that is no option, such as one that stands for an image, counts
for nothing.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from heatbath.core import namespace
from heatbath.core.arrays import overflowing
from heatbath.errors import while_doing
from heatbath.made import Made, maker
from heatbath.sampling.left import check_left
from heatbath.sampling.parameters import check_argument, per_row
from heatbath.sampling.past import Occurred, Span, check_span, occurrences
from heatbath.sampling.step import Applied, Moment, Step
from heatbath.types import Array, State

Numbers = npt.NDArray[Any]
Change = Callable[[Array, Occurred], Array]


@maker("step")
def repetition(penalty: Any, window: Any = None, prompt: Any = True, decay: Any = 0) -> Step:
    """Weaken what was written: ``score / penalty`` where the score is positive, ``score * penalty`` where negative.

    Arguments:
        penalty: a finite number > 0, or one per row: 1 changes nothing, more than 1 discourages, less encourages.
        window: only the latest so many tokens count, an integer >= 1; None: all.
        prompt: whether the tokens of the prompt count, as in transformers, vLLM and llama.cpp; False: those generated
            alone, as in SGLang.
        decay: over how many tokens before the window the penalty falls linearly to 1, as in ExLlama.

    At the boundaries: how often a token occurred does not matter; a score of exactly 0 stays 0 and one of -inf stays
    -inf. Unlike every other step, this one changes with a constant added to all scores.

    Raises:
        InputError: an argument outside its range.

    >>> import numpy as np, heatbath as hb
    >>> sampler = hb.chain(hb.sampling.repetition(2.0))
    >>> sampler.scores(sampler.init([0, 1, 1]), np.array([3.0, -1.0, 3.0])).scores
    array([ 1.5, -2. ,  3. ])

    How to choose: 1.05 to 1.2, against a model that falls into loops. It hits the words that every text repeats ("the",
    the full stop) as hard as the loop; :func:`dry` does not.

    Reference: Keskar, McCann, Varshney, Xiong and Socher, "CTRL: a conditional transformer language model for
    controllable generation", 2019, arXiv:1909.05858. The paper divides negative scores as well, which makes those
    tokens more likely; multiplying them is the repair that transformers made and all engines took over.
    """
    with _making("repetition", penalty):
        return _step((check_span(window, prompt, decay), _weakened(_repetition(penalty, "penalty"))))


@maker("step")
def presence(penalty: Any, window: Any = None, prompt: Any = False, decay: Any = 0) -> Step:
    """Subtract ``penalty`` from the score of every token that was written, however often.

    Arguments:
        penalty: a finite number, or one per row: 0 changes nothing, a negative one encourages.
        window: only the latest so many tokens count, an integer >= 1; None: all.
        prompt: whether the tokens of the prompt count, as in llama.cpp; False: those generated alone, as with OpenAI
            and vLLM.
        decay: over how many tokens before the window the penalty falls linearly to 0, as in ExLlama.

    Raises:
        InputError: an argument outside its range.

    >>> import numpy as np, heatbath as hb
    >>> sampler = hb.chain(hb.sampling.presence(0.5, prompt=True))
    >>> sampler.scores(sampler.init([0, 1, 1]), np.array([3.0, 2.0, 1.0])).scores
    array([2.5, 1.5, 1. ])

    How to choose: 0.1 to 1 to bring new topics in; a penalty of 1 divides the odds of every known token by e.

    Reference: the interface of OpenAI, where it goes from -2 to 2.
    """
    with _making("presence", penalty):
        lowered = _lowered(_additive(0.0, "frequency"), _additive(penalty, "penalty"))
        return _step((check_span(window, prompt, decay), lowered))


@maker("step")
def frequency(penalty: Any, window: Any = None, prompt: Any = False, decay: Any = 0) -> Step:
    """Subtract ``penalty`` from the score of a token once for every time that it was written.

    Arguments:
        penalty: a finite number, or one per row: 0 changes nothing, a negative one encourages.
        window: only the latest so many tokens count, an integer >= 1; None: all.
        prompt: whether the tokens of the prompt count, as in llama.cpp; False: those generated alone, as with OpenAI
            and vLLM.
        decay: over how many tokens before the window an occurrence loses its weight, linearly, as in ExLlama.

    Raises:
        InputError: an argument outside its range.

    >>> import numpy as np, heatbath as hb
    >>> sampler = hb.chain(hb.sampling.frequency(0.5, prompt=True))
    >>> sampler.scores(sampler.init([0, 1, 1]), np.array([3.0, 2.0, 1.0])).scores
    array([2.5, 1. , 1. ])

    How to choose: 0.1 to 0.5 against words that come again and again. It grows with the text, so give long texts a
    window.

    Reference: the interface of OpenAI, where it goes from -2 to 2.
    """
    with _making("frequency", penalty):
        lowered = _lowered(_additive(penalty, "penalty"), _additive(0.0, "presence"))
        return _step((check_span(window, prompt, decay), lowered))


@maker("step")
def penalties(
    repetition: Any = 1.0,
    presence: Any = 0.0,
    frequency: Any = 0.0,
    window: Any = None,
    prompt: Any = None,
    decay: Any = 0,
) -> Step:
    """The three penalties of the engines in one step: first repetition, then frequency and presence.

    That is the order of llama.cpp and of vLLM. For the reverse write
    ``presence(0.5) -> frequency(0.2) -> repetition(1.1)``.

    Arguments:
        repetition: as :func:`heatbath.sampling.repetition`; 1 changes nothing.
        presence: as :func:`heatbath.sampling.presence`; 0 changes nothing.
        frequency: as :func:`heatbath.sampling.frequency`; 0 changes nothing.
        window: only the latest so many tokens count, an integer >= 1; None: all.
        prompt: True: the tokens of the prompt count for all three, as in llama.cpp; False: for none, as in SGLang;
            None: for repetition alone, as in vLLM.
        decay: over how many tokens before the window the penalties fade, as in ExLlama.

    Raises:
        InputError: an argument outside its range.

    >>> import numpy as np, heatbath as hb
    >>> sampler = hb.chain(hb.penalties(2.0, presence=0.5, frequency=0.25, window=64, prompt=True))
    >>> sampler.scores(sampler.init([0, 1, 1]), np.array([3.0, -1.0, 3.0])).scores
    array([ 0.75, -3.  ,  3.  ])

    How to choose: leave it out for a model that does not loop; most recent ones do not. llama.cpp's defaults are a
    window of 64 with the prompt; vLLM and OpenAI have no window. Against loops of whole phrases there is
    :func:`heatbath.sampling.dry`.

    Reference: see the three steps.
    """
    with _making("penalties", repetition, presence, frequency):
        strength, counted, once = (
            _repetition(repetition, "repetition"),
            _additive(frequency, "frequency"),
            _additive(presence, "presence"),
        )
        first = check_span(window, True if prompt is None else prompt, decay)
        second = first._replace(prompt=False) if prompt is None else first
        return _step((first, _weakened(strength)), (second, _lowered(counted, once)))


def _making(name: str, *given: Any) -> Any:
    return while_doing(f"making {name}", Made(name, tuple((None, value) for value in given)))


def _repetition(value: Any, name: str) -> Numbers:
    wanted = "a finite number > 0, where 1 changes nothing"
    return check_argument(value, name, lambda n: (n > 0) & np.isfinite(n), wanted, 1.1)


def _additive(value: Any, name: str) -> Numbers:
    return check_argument(value, name, np.isfinite, "a finite number, where 0 changes nothing", 0.5)


def _weakened(penalty: Numbers) -> Change:
    def change(scores: Array, occurred: Occurred) -> Array:
        factor = per_row(penalty, scores, "repetition") * occurred.last + (1 - occurred.last)
        return namespace(scores).where(scores > 0, scores / factor, scores * factor)

    return change


def _lowered(frequency: Numbers, presence: Numbers) -> Change:
    def change(scores: Array, occurred: Occurred) -> Array:
        counted, once = per_row(frequency, scores, "frequency"), per_row(presence, scores, "presence")
        return scores - counted * occurred.count - once * occurred.last

    return change


def _step(*changes: tuple[Span, Change]) -> Step:
    def apply(state: State, moment: Moment) -> Applied:
        scores = moment.scores
        seen = {span: occurrences(moment, span) for span, _ in changes}
        with overflowing():  # what no float can hold is refused below
            for span, change in changes:
                scores = change(scores, seen[span])
        scores = check_left(scores, "a penalty moves a score beyond what numbers can hold", "give smaller penalties")
        return Applied(scores, state)

    return Step(apply=apply, looks_back=max(span.reach for span, _ in changes))
