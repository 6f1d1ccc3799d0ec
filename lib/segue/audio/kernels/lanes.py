"""Vectors of numbers in compiled functions: one instruction works on several frames at once.

numba leaves vector instructions to LLVM's guesses, which fail where pointers may overlap. Here a vector is
a value of its own type, so that a kernel says what runs side by side and the machine code follows: AVX-512
holds 16 float32, and narrower machines split a vector in two or four. Nothing here is used outside numba.
"""

from __future__ import annotations

import operator
from typing import Any

from llvmlite import ir  # type: ignore[import-untyped]
from numba.core import cgutils, types
from numba.core.imputils import lower_builtin
from numba.core.typing.templates import AbstractTemplate, infer_global, signature
from numba.extending import intrinsic, models, register_model


class Lanes(types.Type):
    """The type of ``count`` numbers side by side; ``+ - * /`` work on each, a product may fuse with a sum."""

    def __init__(self, scalar: Any, count: int) -> None:
        self.scalar, self.count = scalar, count
        super().__init__(name=f"lanes({scalar},{count})")


@register_model(Lanes)
class _LanesModel(models.PrimitiveModel):
    def __init__(self, manager: Any, kind: Lanes) -> None:
        element = ir.FloatType() if kind.scalar == types.float32 else ir.DoubleType()
        super().__init__(manager, kind, ir.VectorType(element, kind.count))


def _arithmetic(symbol: Any, instruction: str) -> None:
    @infer_global(symbol)
    class _Typing(AbstractTemplate):
        def generic(self, args: Any, kws: Any) -> Any:
            alike = len(args) == 2 and isinstance(args[0], Lanes) and args[0] == args[1]
            return signature(args[0], *args) if alike else None

    @lower_builtin(symbol, Lanes, Lanes)
    def _lower(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        return getattr(builder, instruction)(*args, flags=("contract",))


for _symbol, _instruction in (
    (operator.add, "fadd"), (operator.sub, "fsub"), (operator.mul, "fmul"), (operator.truediv, "fdiv"),
):  # fmt: skip
    _arithmetic(_symbol, _instruction)


def _address(context: Any, builder: Any, kind: Any, array: Any, index: Any, vector: Any) -> Any:
    data = context.make_array(kind)(context, builder, array).data
    return builder.bitcast(builder.gep(data, [index]), vector.as_pointer())


def _splat(builder: Any, value: Any, vector: Any) -> Any:
    nothing = ir.Constant(vector, ir.Undefined)
    one = builder.insert_element(nothing, value, ir.Constant(ir.IntType(32), 0))
    where = ir.Constant(ir.VectorType(ir.IntType(32), vector.count), [0] * vector.count)
    return builder.shuffle_vector(one, nothing, where)


def _loader(count: int) -> Any:
    @intrinsic
    def load(typing: Any, array: Any, index: Any) -> Any:
        kind = Lanes(array.dtype, count)

        def emit(context: Any, builder: Any, sig: Any, args: Any) -> Any:
            at = _address(context, builder, sig.args[0], args[0], args[1], context.get_value_type(kind))
            return builder.load(at, align=array.dtype.bitwidth // 8)

        return kind(array, types.intp), emit

    return load


def _filler(count: int) -> Any:
    @intrinsic
    def fill(typing: Any, value: Any) -> Any:
        kind = Lanes(value, count)

        def emit(context: Any, builder: Any, sig: Any, args: Any) -> Any:
            return _splat(builder, args[0], context.get_value_type(kind))

        return kind(value), emit

    return fill


load8 = _loader(8)
"""``load8(array, index)``: eight elements of a contiguous one-dimensional array from ``index`` on."""
load16 = _loader(16)
fill8 = _filler(8)
"""``fill8(number)``: a vector that holds the number eight times."""
fill16 = _filler(16)


@intrinsic
def store(typing: Any, array: Any, index: Any, value: Any) -> Any:
    """Write a vector to a contiguous one-dimensional array of its scalar type, from ``index`` on."""

    def emit(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        at = _address(context, builder, sig.args[0], args[0], args[1], context.get_value_type(sig.args[2]))
        builder.store(args[2], at, align=array.dtype.bitwidth // 8)
        return context.get_dummy_value()

    return types.void(array, types.intp, value), emit


@intrinsic
def widen(typing: Any, value: Any) -> Any:
    """Turn float32 lanes into float64."""
    kind = Lanes(types.float64, value.count)
    return kind(value), lambda context, builder, sig, args: builder.fpext(
        args[0], context.get_value_type(kind)
    )


@intrinsic
def narrow(typing: Any, value: Any) -> Any:
    """Round float64 lanes to float32."""
    kind = Lanes(types.float32, value.count)
    return kind(value), lambda context, builder, sig, args: builder.fptrunc(
        args[0], context.get_value_type(kind)
    )


def _of_llvm(name: str) -> Any:
    @intrinsic
    def call(typing: Any, value: Any) -> Any:
        def emit(context: Any, builder: Any, sig: Any, args: Any) -> Any:
            vector = context.get_value_type(value)
            full = f"llvm.{name}.v{value.count}f{value.scalar.bitwidth}"
            kind = ir.FunctionType(vector, [vector])
            return builder.call(cgutils.get_or_insert_function(builder.module, kind, full), args)

        return value(value), emit

    return call


root = _of_llvm("sqrt")
"""The square root of each lane."""
absolute = _of_llvm("fabs")
"""Each lane without its sign."""


def _least(builder: Any, a: Any, b: Any) -> Any:
    return builder.select(builder.fcmp_ordered("<", a, b), a, b)


def _most(builder: Any, a: Any, b: Any) -> Any:
    return builder.select(builder.fcmp_ordered(">", a, b), a, b)


def _picker(pick: Any) -> Any:
    @intrinsic
    def chosen(typing: Any, a: Any, b: Any) -> Any:
        return a(a, b), lambda context, builder, sig, args: pick(builder, *args)

    return chosen


least = _picker(_least)
"""The smaller of two vectors' numbers, lane by lane."""
most = _picker(_most)
"""The greater of two vectors' numbers, lane by lane."""


@intrinsic
def step(typing: Any, a: Any, b: Any) -> Any:
    """Return 1 in each lane in which ``a < b``, else 0."""

    def emit(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        vector = context.get_value_type(a)
        one, zero = (ir.Constant(vector, [number] * a.count) for number in (1.0, 0.0))
        return builder.select(builder.fcmp_ordered("<", *args), one, zero)

    return a(a, b), emit


def _comparison(symbol: str) -> Any:
    @intrinsic
    def compared(typing: Any, a: Any, b: Any) -> Any:
        def emit(context: Any, builder: Any, sig: Any, args: Any) -> Any:
            bits = builder.bitcast(builder.fcmp_ordered(symbol, *args), ir.IntType(a.count))
            return builder.zext(bits, ir.IntType(64))

        return types.int64(a, b), emit

    return compared


above = _comparison(">")
"""``above(a, b)``: an integer whose bit i says whether lane i of ``a`` is greater than that of ``b``."""
not_below = _comparison(">=")


@intrinsic
def lowest_bit(typing: Any, bits: Any) -> Any:
    """Return the position of the lowest bit set in an integer that is not 0."""

    def emit(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        return builder.cttz(args[0], ir.Constant(ir.IntType(1), 1))

    return types.int64(types.int64), emit


def _keeper(near: Any, far: Any) -> Any:
    @intrinsic
    def keep(typing: Any, kept: Any, value: Any) -> Any:
        def emit(context: Any, builder: Any, sig: Any, args: Any) -> Any:
            row, new = args
            for place in range(kept.count):
                old = builder.extract_value(row, place)
                row = builder.insert_value(row, near(builder, old, new), place)
                new = far(builder, old, new)
            return row

        return kept(kept, value), emit

    return keep


keep_least = _keeper(_least, _most)
"""``keep_least(kept, value)``: a tuple of the smallest vectors seen so far, ascending, with one more seen."""
keep_most = _keeper(_most, _least)
"""``keep_most(kept, value)``: the same of the greatest, descending."""


@intrinsic
def add_weighted(typing: Any, sums: Any, value: Any, weights: Any, index: Any) -> Any:
    """Return a tuple of vectors with ``value`` times ``weights[index + i]`` added to vector i."""

    def emit(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        row, number, array, at = args
        vector = context.get_value_type(value)
        data = context.make_array(weights)(context, builder, array).data
        for place in range(sums.count):
            weight = builder.load(builder.gep(data, [builder.add(at, at.type(place))]))
            part = builder.fmul(number, _splat(builder, weight, vector), flags=("contract",))
            old = builder.extract_value(row, place)
            row = builder.insert_value(row, builder.fadd(old, part, flags=("contract",)), place)
        return row

    return sums(sums, value, weights, types.intp), emit
