"""The table of options with the rows that only the command line has."""

from heatbath.spec import OPTIONS, Option

TARGETS: dict[str, Option] = {
    option.name: option
    for option in (
        Option("entropy", float, None, "Find the T at which the entropy is this many nats.", low=0, unit="nats"),
        Option(
            "perplexity", float, None, "Find the T at which a choice is as open as one among this many equals.", low=1
        ),
        Option(
            "top_probability", float, None, "Find the T at which the best option has this probability.", low=0, high=1
        ),
        Option(
            "relative_entropy",
            float,
            None,
            "Find the T at which the entropy is this share of the largest.",
            low=0,
            high=1,
        ),
    )
}
"""Effects to solve for; each is an argument of :func:`heatbath.temperature_for`."""

FLAGS: dict[str, Option] = {
    **OPTIONS,
    **TARGETS,
    "rows": Option("rows", int, 12, "List this many options; the rest share one row.", low=1, unit="options"),
    "vocabulary": Option(
        "vocabulary",
        int,
        None,
        "How many tokens the model knows, where a file has log-probabilities and no scores.",
        low=1,
        unit="options",
    ),
    "port": Option("port", int, 8000, "The port to listen on; 0 takes any free one.", low=0, high=65535),
}


def flag_of(name: str) -> str:
    """The long flag of an option.

    >>> flag_of("top_k")
    '--top-k'
    """
    return f"--{name.replace('_', '-')}"
