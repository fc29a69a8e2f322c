"""The parser's commands, whose help gives a value only to options that take one."""

from typing import Any

from typer.core import TyperCommand, TyperGroup


class Command(TyperCommand):
    """A verb."""

    def get_params(self, ctx: Any) -> list[Any]:
        """The arguments and options, the parser's own ``--help`` among them."""
        return _bare(super().get_params(ctx))


class Group(TyperGroup):
    """The program."""

    def get_params(self, ctx: Any) -> list[Any]:
        """The options, the parser's own ``--help`` and those for completion among them."""
        return _bare(super().get_params(ctx))


def _bare(options: list[Any]) -> list[Any]:
    """The same, where switches show no ``<bool>``."""
    for option in options:
        if getattr(option, "is_flag", False):
            option.metavar = " "
    return options
