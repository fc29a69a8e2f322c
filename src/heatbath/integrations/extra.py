"""Foreign libraries, and what to install where one is missing."""

from collections.abc import Iterator
from contextlib import contextmanager

from heatbath.errors import MissingExtraError


@contextmanager
def needs(library: str, install: str) -> Iterator[None]:
    """Around the imports of a foreign library.

    Arguments:
        library: its name.
        install: what ``pip install`` is to be given.

    Raises:
        MissingExtraError: an import inside fails.
    """
    try:
        yield
    except ImportError as error:
        raise MissingExtraError(
            f"{library} is not installed, or not in a version that fits ({error})",
            doing=f"connecting to {library}",
            instead=f"pip install '{install}'",
        ) from error
