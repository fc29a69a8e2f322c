"""T by where in a text, or in a grammar, the next token stands."""

import difflib
from typing import Any

from heatbath.control.deciding import read_rules, whoever
from heatbath.control.places import PLACES, place
from heatbath.control.seeing import known_of_rows
from heatbath.errors import InputError, while_doing
from heatbath.made import maker, show
from heatbath.thermostat import Thermostat, as_thermostat
from heatbath.types import Seen


@maker("thermostat")
def by_text(rules: Any, otherwise: Any) -> Thermostat:
    r"""T by the place in the text: that of the first rule whose place it is, ``otherwise`` where none is.

    The text so far comes with each decision, as ``context["text"]``: decoded characters, with the prompt or without it
    as you like, one text or a list of one per row. Looking at characters and not at token ids makes the rule the same
    for every tokenizer.

    ======================= ========================================================================================
    place                   the next token stands
    ======================= ========================================================================================
    ``start``               at the beginning of the text
    ``line_start``          at the beginning of a line, before or behind its indentation
    ``indentation``         behind the indentation of a line: spaces or tabs, one or more
    ``paragraph_start``     at the beginning of the text, or behind an empty line
    ``sentence_start``      at the beginning of the text, or behind . ! ? and what closes a sentence; not behind "3."
    ``after_question``      behind a question mark and what closes a sentence
    ``number``              behind a digit, or a digit and a point
    ``string``              inside " " or ' ' on one line; a backslash takes the next character along
    ``code``                inside a block fenced by three backquotes or tildes
    ``after_fence``         at the beginning of the line behind such a fence, opening or closing
    ``after:...``           behind these very characters, such as ``after:return``
    ======================= ========================================================================================

    Arguments:
        rules: a dictionary or a list of pairs of a place and a temperature: a number, a schedule, a thermostat; in the
            text form a list of pairs, ``[['indentation', 0.8]]``. A thermostat there sees the decisions at its own
            place only: ``hold_entropy(1.0, 64)`` holds the mean over them.
        otherwise: the temperature of all other places, the same.

    Raises:
        InputError: an unknown place, one that comes twice, no temperature; at a step, no text in the context.

    >>> import numpy as np, heatbath as hb
    >>> thermostat = hb.control.by_text({"indentation": 0.8, "string": 1.0}, otherwise=0.6)
    >>> thermostat
    by_text([['indentation', 0.8], ['string', 1.0]], 0.6)
    >>> sampler, scores = hb.chain(hb.temperature(thermostat)), np.zeros((3, 5))
    >>> texts = ["def add(a, b):\n    ", "name = 'A", "def"]
    >>> sampler.scores((), scores, context={"text": texts}).temperature
    array([0.8, 1. , 0.6])

    How to choose: where the format says what is risky. For code, AdapT: ``by_text({"indentation": 0.8}, 0.6)`` varies
    what a line does and keeps to it. A tokenizer that takes the indentation and the word behind it as one token never
    decides at "indentation"; "line_start" is then the place. The places are told from characters alone, by rules that
    fit most texts: a quotation that goes on over the end of a line is not seen, nor a string of three quotation marks.
    Where a grammar leads the text, :func:`by_rule` knows instead of guessing.

    Reference: Zhu et al., "Hot or cold? Adaptive temperature sampling for code generation with large language models",
    AAAI 2024, arXiv 2309.02772 (AdapT). Its code asks whether the last token was an indentation of GPT-2's vocabulary,
    so that what it heats is the first word of an indented line, not of every code block.
    """
    with while_doing("making by_text", f"rules={show(rules)}, otherwise={show(otherwise)}"):
        names, thermostats = read_rules(rules, "by_text([['line_start', 0.8]], 0.6)")
        thermostats.append(as_thermostat(otherwise))
        stands = [place(name) or _unknown(name) for name in names]

    def first(text: str) -> int:
        return next((number for number, here in enumerate(stands) if here(text)), len(stands))

    def find(seen: Seen) -> Any:
        with while_doing("setting T by the text"):
            texts = known_of_rows(seen, "text", "Once upon")
        return first(texts) if isinstance(texts, str) else [first(text) for text in texts]

    return whoever(thermostats, find)


@maker("thermostat")
def by_rule(rules: Any, otherwise: Any) -> Thermostat:
    """T by the rule of a grammar that the next token belongs to: ``rules[context["rule"]]``, or ``otherwise``.

    The rule comes with each decision, as ``context["rule"]``: the name that the grammar gives it, one or a list of one
    per row. Whoever masks by the grammar (``sampler.step(..., mask=...)``) knows it.

    Arguments:
        rules: a dictionary or a list of pairs of a rule's name and a temperature: a number, a schedule, a thermostat;
            in the text form a list of pairs, ``[['string', 1.0]]``. A thermostat there sees the decisions of its own
            rule only.
        otherwise: the temperature of all other rules, the same.

    Raises:
        InputError: a name that comes twice, no temperature; at a step, no rule in the context.

    >>> import numpy as np, heatbath as hb
    >>> thermostat = hb.control.by_rule({"string": 1.0, "number": 0.2}, otherwise=0.7)
    >>> sampler = hb.chain(hb.temperature(thermostat))
    >>> sampler.scores((), np.zeros((3, 5)), context={"rule": ["number", "string", "object"]}).temperature
    array([0.2, 1. , 0.7])

    How to choose: where the output has a structure and its parts differ in how free they are: names and prose warm,
    numbers and keywords cold. Without a grammar, :func:`by_text` guesses the place from the characters.

    Reference: xgrammar and llguidance, which keep such a temperature beside the rules of their grammars.
    """
    with while_doing("making by_rule", f"rules={show(rules)}, otherwise={show(otherwise)}"):
        names, thermostats = read_rules(rules, "by_rule([['string', 1.0], ['number', 0.2]], 0.7)")
        thermostats.append(as_thermostat(otherwise))
        number_of = {name: number for number, name in enumerate(names)}

    def find(seen: Seen) -> Any:
        with while_doing("setting T by the rule of a grammar"):
            now = known_of_rows(seen, "rule", "string")
        last = len(names)
        return number_of.get(now, last) if isinstance(now, str) else [number_of.get(name, last) for name in now]

    return whoever(thermostats, find)


def _unknown(name: str) -> Any:
    near = difflib.get_close_matches(name, PLACES, n=1)
    raise InputError(
        f"there is no place {show(name)}",
        instead=f"did you mean {near[0]}?" if near else f"known are {', '.join(PLACES)}, and after:... any characters",
        field="rules",
    )
