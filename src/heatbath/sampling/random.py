"""Random numbers that depend on a seed and a position alone, so that no stream can disturb another.

The generator is Philox4x32-10 (:mod:`heatbath.core.philox`). The key is the seed; the counter holds the position in
the stream and the number of the draw at that position.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import array_api_compat
import numpy as np

from heatbath.core import namespace
from heatbath.core.arrays import has_float64, in_library, is_array
from heatbath.core.philox import HALF, LOW, Words, philox, upper
from heatbath.core.waiting import compiling, looks
from heatbath.errors import InputError
from heatbath.made import show
from heatbath.sampling.parameters import beside
from heatbath.types import Array

LEAST, END = -(2**63), 2**64
"""Seeds: what fits 64 bits, signed or not."""


def uniforms(seeds: Words, positions: Words, draw: int = 0, number: Any = 0) -> Array:
    """One number in [0, 1) per row, a multiple of 2**-53, in float64. All arguments broadcast.

    Arguments:
        seeds: ``(B,)``, uint64 in NumPy or int64 in PyTorch.
        positions: the same: which decision of the stream this is.
        draw: for which part of a chain: 0 for the draw, i for its i-th step.
        number: which number of that part, for those that need several.
    """
    xp = namespace(seeds)
    numbers = xp.full_like(seeds, number) if isinstance(number, int) else number
    seeds, positions, numbers = xp.broadcast_arrays(seeds, positions, numbers)
    counter = (positions & LOW, upper(positions), xp.full_like(seeds, draw), numbers)
    first, second, _, _ = philox(counter, (seeds & LOW, upper(seeds)))
    # 27 high bits of one word and 26 of the next make the 53 bits that a double can hold exactly
    high, low = xp.astype(first >> 5, xp.float64), xp.astype(second >> 6, xp.float64)
    return (high * 2.0**26 + low) * 2.0**-53


def branch(seeds: Words, number: Any, draw: int) -> Words:
    """A seed for each row, from which a stream of its own begins: for what is tried and may be thrown away.

    Arguments:
        seeds: uint64, ``(B,)``.
        number: which stream, below 2**64; broadcasts.
        draw: as in :func:`uniforms`; no other part of the stream may use it.
    """
    seeds, numbers = np.broadcast_arrays(seeds, np.asarray(number, dtype=np.uint64))
    counter = (numbers & LOW, numbers >> HALF, np.full_like(seeds, draw), np.zeros_like(seeds))
    low, high, _, _ = philox(counter, (seeds & LOW, seeds >> HALF))
    return low | high << HALF


class Chance(NamedTuple):
    """The random numbers of one part of a chain at one decision, in the library, type and shape of the scores."""

    seeds: Words
    """``(B,)``, also where the scores are a single row."""
    positions: Words
    like: Array
    """The scores, ``(V,)`` or ``(B, V)``."""
    part: int = 0
    """0 for the draw, i for the i-th step."""

    def one(self) -> Array:
        """One number in [0, 1) per row, ``()`` or ``(B,)``."""
        return self._like(uniforms(self.seeds, self.positions, self.part))

    def each(self) -> Array:
        """One number in [0, 1) per option, shaped like the scores; that of option i depends on i, not on V."""
        return self._like(self._each())

    def gumbels(self) -> Array:
        """Gumbel noise for each option, shaped like the scores: ``-ln(-ln(1 - u))`` of the numbers of :meth:`each`.

        An unlikely option wins by a large noise, which is that of a u next to 0. So u keeps its 53 bits here whatever
        the type of the scores: with 24, options of probability below 2**-24 would hardly ever win. At u = 0 the noise
        is inf, so that cell is entered at its middle; 1 minus that rounds to 1, which is why the inner logarithm is a
        ``log1p(-u)``.
        """
        each = self._each()
        xp = namespace(each)
        waits = -xp.log1p(-xp.clip(each, min=2.0**-54))
        return self._beside(-xp.log(waits))

    def _each(self) -> Array:
        words = [self.seeds, self.positions]
        if _counts(self.like):
            words = [_on_device(each, self.like) for each in words]
        seeds, positions = (each[:, None] for each in words)
        xp, device = namespace(seeds), getattr(seeds, "device", None)
        numbers = xp.arange(1, self.like.shape[-1] + 1, dtype=seeds.dtype, device=device)
        return uniforms(seeds, positions, self.part, numbers)

    def _like(self, numbers: Array) -> Array:
        if self.like.dtype == namespace(self.like).float32:  # cut to 24 bits, so that none rounds up to 1
            numbers = namespace(numbers).floor(numbers * 2.0**24) * 2.0**-24
        return self._beside(numbers)

    def _beside(self, numbers: Array) -> Array:
        return beside(numbers if self.like.ndim == 2 else numbers[0], self.like, "chance")


def chance(seed: Any, position: Any, scores: Array) -> Chance:
    """The random numbers of one decision.

    Seeds and positions that lie on a device are not read, and give their numbers there, if it has float64. Else the
    one number per row is made in NumPy, which a device would need a hundred small operations for, and sent; those for
    each option are made where the scores are.

    Arguments:
        seed: as in :meth:`heatbath.Sampler.step`.
        position: a whole number >= 0, or one per row, in NumPy or the library of the scores.
        scores: ``(V,)`` or ``(B, V)``.

    Raises:
        InputError: what is no seed.
    """
    rows = scores.shape[0] if scores.ndim == 2 else 1
    xp = namespace(scores)
    unread = compiling() or any(is_array(value) and not looks(value) for value in (seed, position))
    if not (unread and _counts(scores)):
        seeds = as_seeds(seed, rows)
        return Chance(seeds, np.broadcast_to(position, seeds.shape).astype(np.uint64), scores)
    if array_api_compat.is_torch_array(seed) and xp.isdtype(seed.dtype, "integral") and seed.ndim <= 1:
        seeds = _on_device(seed.view(xp.int64) if seed.dtype == xp.uint64 else seed, scores)
        if seeds.ndim and seeds.shape[0] != rows:
            raise _not_one_each(seeds.shape[0], rows, f"a seed of shape {tuple(seeds.shape)}")
        seeds = seeds if seeds.ndim else seeds + xp.arange(rows, device=scores.device)
    else:
        seeds = _on_device(as_seeds(seed, rows), scores)
    return Chance(seeds, xp.broadcast_to(_on_device(position, scores), (rows,)), scores)


def _counts(scores: Array) -> bool:
    """Whether these random numbers can be made where the scores are."""
    return array_api_compat.is_torch_array(scores) and has_float64(namespace(scores), scores)


def _on_device(words: Any, scores: Array) -> Array:
    """Integers as int64 on the device of the scores."""
    xp = namespace(scores)
    if isinstance(words, int):
        return xp.full((), words, dtype=xp.int64, device=scores.device)
    words = in_library(xp, words, scores)
    return words.to(scores.device, xp.int64, non_blocking=True)


def one_word(number: int) -> Words:
    """A whole number from 0 to 2**64 - 1 as an array of one: in half the time that ``np.array([number])`` takes."""
    words = np.empty(1, np.uint64)
    words[0] = number
    return words


def as_seeds(seed: Any, rows: int) -> Words:
    """One seed per row: a sequence gives each row its own; one number counts up, row i using ``seed + i``.

    Raises:
        InputError: a seed is no integer from -2**63 to 2**64 - 1, or their number is not the number of rows.
    """
    if type(seed) is int and LEAST <= seed < END:  # what is asked for at every token
        first = one_word(seed if seed >= 0 else seed + END)
        return first if rows == 1 else np.arange(rows, dtype=np.uint64) + first
    plain = _plain(seed)
    several = isinstance(plain, Sequence) and not isinstance(plain, str | bytes)
    seeds = list(map(_plain, plain)) if several else [plain]
    shown = f"seed={show(plain):.60}" if plain is not None or seed is None else "a seed that is being traced"
    if not all(isinstance(value, int) and not isinstance(value, bool) and LEAST <= value < END for value in seeds):
        raise InputError(
            "a seed is an integer from -2**63 to 2**64 - 1, or a sequence of them, one per row",
            doing="drawing",
            on=shown,
            instead="write for example seed=7",
            field="seed",
        )
    if not several:
        seeds = [seeds[0] + row for row in range(rows)]
    elif len(seeds) != rows:
        raise _not_one_each(len(seeds), rows, shown)
    return np.array([value % 2**64 for value in seeds], dtype=np.uint64)


def _not_one_each(seeds: int, rows: int, shown: str) -> InputError:
    return InputError(
        f"there {'is 1 seed' if seeds == 1 else f'are {seeds} seeds'} for {rows} row{'s' * (rows != 1)}",
        doing="drawing",
        on=shown,
        instead="give one seed per row, or one number, which row i uses as seed + i",
        field="seed",
    )


def _plain(value: Any) -> Any:
    """Numbers and lists of Python, from the arrays and numbers of any library."""
    try:
        return value.tolist() if hasattr(value, "tolist") else value
    except (TypeError, RuntimeError):  # being traced: it has no value yet
        return None
