"""An error of ours as the command line says it: in one line, with the words that were typed."""

import re
from collections.abc import Sequence

from heatbath.cli.table import FLAGS, flag_of
from heatbath.errors import HeatbathError, SpecError

GROUPS = ("experiment", "store")


def verb_of(arguments: Sequence[str]) -> str:
    """The verb of a command line, two words where the first is a group of verbs; its options stand behind it."""
    return " ".join(arguments[: 2 if arguments[0] in GROUPS else 1]) if arguments else ""


def one_line(error: HeatbathError) -> str:
    """The message, with flags where the library's names of the options stood.

    A text that does not parse is shown as it was typed, with a caret below it.

    >>> from heatbath.spec import check_options
    >>> try:
    ...     check_options({"max_tokens": 0})
    ... except HeatbathError as error:
    ...     print(one_line(error))
    setting --max-tokens 0: --max-tokens must be >= 1; write for example --max-tokens 128
    """
    if isinstance(error, SpecError):
        return str(error)
    message = str(error).replace("setting on ", "setting ")
    for name in FLAGS:
        # "port" and "chain" are words of a sentence, too; "top_k" is none, unless it is a call in a chain
        end = r"=|(?= must be| out\b)" + (r"|\b(?!\()" if "_" in name else "")
        message = re.sub(
            rf"(?<![\w(-]){name}({end})", lambda found: flag_of(found[0].rstrip("=")) + " " * bool(found[1]), message
        )
    return message
