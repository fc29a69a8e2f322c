"""Single instructions that Numba has no words for, written as LLVM's intermediate code.

All are pure functions of numbers, except those that work on whole blocks of a row at once.
"""

from collections.abc import Callable
from typing import Any

import numba
from llvmlite import ir
from numba import types
from numba.core.registry import CPUDispatcher
from numba.extending import intrinsic

FAST = {"contract", "reassoc", "nsz", "arcp"}
"""Freedoms of the vectorising compiler: sums in any order, products and sums fused. NaN and infinities keep their
meaning."""

BLOCK = 64
"""Options that are handled together: their maximum and their sum are kept, and a mask of them fits one integer."""


class Inner(CPUDispatcher):  # type: ignore[misc]
    """A function that compiled code alone can call."""

    def __call__(self, *_arguments: Any, **_keywords: Any) -> Any:
        raise TypeError(f"{self.__name__} can be called by compiled code alone")


def inner(**options: Any) -> Callable[[Any], Any]:
    """What compiles a function of the kernel that only others call.

    It is not kept by itself, for it is kept within those; it gets no entry for Python; and it does not count references
    to arrays, for it makes none. Each of that would take a tenth or more of all the compiling.
    """

    def decorate(function: Any) -> Any:
        made = numba.njit(no_cpython_wrapper=True, no_cfunc_wrapper=True, _nrt=False, **options)(function)
        made.__class__ = Inner  # Python would crash
        return made

    return decorate


I32, I64, F32, F64 = ir.IntType(32), ir.IntType(64), ir.FloatType(), ir.DoubleType()


def _cast(source: Any, target: Any, kind: Any) -> Any:
    @intrinsic
    def cast(_context: Any, x: Any) -> Any:
        return target(source), lambda context, builder, signature, arguments: builder.bitcast(arguments[0], kind)

    return cast


bits32 = _cast(types.float32, types.int32, I32)
float32_of = _cast(types.int32, types.float32, F32)
bits64 = _cast(types.float64, types.int64, I64)
float64_of = _cast(types.int64, types.float64, F64)


@intrinsic
def fma(_context: Any, a: Any, b: Any, c: Any) -> Any:
    """``a * b + c``, rounded once."""
    return a(a, b, c), lambda context, builder, signature, arguments: builder.fma(*arguments)


@intrinsic
def lowest_bit(_context: Any, x: Any) -> Any:
    """The index of the lowest bit that is set."""
    no = ir.Constant(ir.IntType(1), 0)
    return types.int64(types.uint64), lambda context, builder, signature, arguments: builder.cttz(arguments[0], no)


@intrinsic
def bits_set(_context: Any, x: Any) -> Any:
    """How many bits are set."""
    return types.int64(types.uint64), lambda context, builder, signature, arguments: builder.ctpop(arguments[0])


@intrinsic
def take_next(_context: Any, turn: Any) -> Any:
    """The number ``turn[0]``, which is one more from then on: no two threads get the same."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        counter = context.make_array(signature.args[0])(context, builder, arguments[0]).data
        return builder.atomic_rmw("add", counter, ir.Constant(I64, 1), "monotonic")

    return types.int64(turn), generate


def _sixty_four(builder: Any, context: Any, array_type: Any, array: Any, start: Any) -> Any:
    """The 64 numbers of an array from ``start`` on, and their vector type."""
    element, align = (F32, 4) if array_type.dtype == types.float32 else (F64, 8)
    vector = ir.VectorType(element, BLOCK)
    pointer = builder.gep(context.make_array(array_type)(context, builder, array).data, [start])
    return builder.load(builder.bitcast(pointer, vector.as_pointer()), align=align), vector


def _spread(builder: Any, vector: Any, number: Any) -> Any:
    none = ir.Constant(vector, ir.Undefined)
    first = builder.insert_element(none, number, ir.Constant(I32, 0))
    return builder.shuffle_vector(first, none, ir.Constant(ir.VectorType(I32, BLOCK), [0] * BLOCK))


@intrinsic
def from_on(_context: Any, x: Any, start: Any, low: Any) -> Any:
    """Which of the 64 numbers ``x[start:start + 64]`` are >= low: bit i is that of ``x[start + i]``. NaN is not."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        numbers, vector = _sixty_four(builder, context, signature.args[0], arguments[0], arguments[1])
        return builder.bitcast(builder.fcmp_ordered(">=", numbers, _spread(builder, vector, arguments[2])), I64)

    return types.uint64(x, types.int64, x.dtype), generate


@intrinsic
def between(_context: Any, x: Any, start: Any, low: Any, high: Any) -> Any:
    """Which of the 64 numbers ``x[start:start + 64]`` are in [low, high], see :func:`from_on`."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        numbers, vector = _sixty_four(builder, context, signature.args[0], arguments[0], arguments[1])
        enough = builder.fcmp_ordered(">=", numbers, _spread(builder, vector, arguments[2]))
        not_over = builder.fcmp_ordered("<=", numbers, _spread(builder, vector, arguments[3]))
        return builder.bitcast(builder.and_(enough, not_over), I64)

    return types.uint64(x, types.int64, x.dtype, x.dtype), generate


LANES = 16
"""Numbers of a vector while the largest are looked for."""


def _larger(builder: Any, a: Any, b: Any) -> Any:
    """The larger of each pair; which of the two where one is NaN, is not said."""
    return builder.select(builder.fcmp_ordered(">", a, b), a, b)


def _picked(builder: Any, a: Any, b: Any, places: list[int]) -> Any:
    """The numbers at these places of two vectors behind each other."""
    return builder.shuffle_vector(a, b, ir.Constant(ir.VectorType(I32, len(places)), places))


def _merged(builder: Any, a: Any, b: Any, near: list[int], far: list[int]) -> Any:
    """The larger of the near and the far ones of each four numbers, those of a and of b beside each other."""
    fours = range(0, LANES, 4)
    return _larger(
        builder,
        _picked(builder, a, b, [four + place for four in fours for place in near]),
        _picked(builder, a, b, [four + place for four in fours for place in far]),
    )


@intrinsic
def largest_of_four(_context: Any, x: Any, start: Any, tops: Any, at: Any) -> Any:
    """Put the largest of each of the four blocks ``x[start:start + 256]`` into ``tops[at:at + 4]``; 0 iff none is NaN.

    A compiler makes one maximum after the other of a loop over numbers that may be NaN. Here 16 lanes go down each
    block, and then four blocks at once are folded, ``a0 b0 a1 b1 | a2 b2 a3 b3`` first, so that no step leaves lanes
    idle.
    """

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        element, align = (F32, 4) if signature.args[0].dtype == types.float32 else (F64, 8)
        vector = ir.VectorType(element, LANES)
        data = [context.make_array(signature.args[i])(context, builder, arguments[i]).data for i in (0, 2)]
        row, out = (
            builder.gep(pointer, [place]) for pointer, place in zip(data, (arguments[1], arguments[3]), strict=True)
        )

        def load(place: int) -> Any:
            pointer = builder.gep(row, [ir.Constant(I64, place)])
            return builder.load(builder.bitcast(pointer, vector.as_pointer()), align=align)

        columns, strange = [], ir.Constant(ir.VectorType(ir.IntType(1), LANES), None)
        for block in range(4):
            one, two, three, four = (load(block * BLOCK + LANES * i) for i in range(BLOCK // LANES))
            strange = builder.or_(strange, builder.fcmp_unordered("uno", one, two))
            strange = builder.or_(strange, builder.fcmp_unordered("uno", three, four))
            columns.append(_larger(builder, _larger(builder, one, two), _larger(builder, three, four)))
        low, high = [0, LANES, 1, LANES + 1], [2, LANES + 2, 3, LANES + 3]
        a_b, c_d = (_merged(builder, columns[i], columns[i + 1], low, high) for i in (0, 2))
        best = _merged(builder, a_b, c_d, [0, 1, LANES, LANES + 1], [2, 3, LANES + 2, LANES + 3])
        for half in (LANES // 2, LANES // 4):
            best = _larger(
                builder,
                _picked(builder, best, best, list(range(half))),
                _picked(builder, best, best, list(range(half, 2 * half))),
            )
        builder.store(best, builder.bitcast(out, ir.VectorType(element, 4).as_pointer()), align=align)
        return builder.zext(builder.bitcast(strange, ir.IntType(LANES)), I64)

    return types.uint64(x, types.int64, tops, types.int64), generate


@numba.njit(inline="always")
def key32(x: Any) -> Any:
    """An int32 that orders as the float32 does; NaN with a sign comes out below -inf, without one above inf."""
    bits = bits32(x)
    return bits ^ ((bits >> types.int32(31)) & types.int32(0x7FFFFFFF))


@numba.njit(inline="always")
def key64(x: Any) -> Any:
    """An int64 that orders as the float64 does."""
    bits = bits64(x)
    return bits ^ ((bits >> types.int64(63)) & types.int64(0x7FFFFFFFFFFFFFFF))


@numba.njit(inline="always")
def float_of_key32(key: Any) -> Any:
    """The float32 with this key."""
    return float32_of(key ^ ((key >> types.int32(31)) & types.int32(0x7FFFFFFF)))


@numba.njit(inline="always")
def float_of_key64(key: Any) -> Any:
    """The float64 with this key."""
    return float64_of(key ^ ((key >> types.int64(63)) & types.int64(0x7FFFFFFFFFFFFFFF)))
