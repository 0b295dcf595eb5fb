"""Ragged kernels: sums and folds over rows of irregular length, by index tables.

Source: Kreutzer et al. 2014 (SELL-C-sigma, the sliced format of ragged sums).
"""

from __future__ import annotations

from typing import Any

from autograd.compiler.llvm.kernels.code import Code, Offset
from autograd.compiler.llvm.kernels.dense import Masks, mended, strong_masks
from autograd.table.primitives import TABLE


def slices_kernel(code: Code, fold: str) -> None:
    """Block b has lengths[b] entries for each of its lanes; targets say where to.

    ``..._more`` adds to what the targets hold, and cannot do it twice: there a guarded
    sum is guarded from the start.
    """
    if fold == "dot":
        bad = _slices(code, fold, None)
        mended(code, code.lanes, bad, lambda masks: _slices(code, fold, masks))
    elif fold == "dot_more":
        plain = code.emit("icmp eq i64 %strong, 0")
        code.when(plain, lambda: _slices(code, fold, None))
        guarded = code.emit("icmp ne i64 %strong, 0")
        code.when(guarded, lambda: _slices(code, fold, strong_masks(code, code.lanes)))
    else:
        _slices(code, fold, None)


def _slices(code: Code, fold: str, masks: Masks) -> Any:
    """All blocks; returns what is NaN where one of their sums is."""
    fold, more = fold.removesuffix("_more"), fold.endswith("_more")
    lanes, w = code.lanes, code.width
    neutral = _neutral(code, fold)

    def block(b: Offset, far: list[str]) -> list[str]:
        place = code.at("%lengths", b, "i32")
        short = code.emit(f"load i32, ptr {place}, align 4")
        length = code.emit(f"sext i32 {short} to i64")

        def term(j: Offset, sums: list[str]) -> list[str]:
            where = code.times(code.plus(far[0], j), w)
            x = code.gather("%v", code.load_indices(code.at("%left", where, "i32")))
            if fold == "dot":
                here = code.at("%right", where, "i32")
                y = code.gather("%v", code.load_indices(here))
                factors = lanes.guarded(x, y, masks)
                return [lanes.intrinsic("fmuladd", *factors, sums[0])]
            return [lanes.fold(fold, sums[0], x)]

        (total,) = code.loop(length, term, [(code.type, neutral)])
        value = total
        if fold in ("sum", "dot"):
            value = lanes.multiply(value, code.splat("double", "%sign"))
        targets = code.load_indices(code.at("%targets", code.times(b, w), "i32"))
        if more:
            value = lanes.add(value, code.gather("%v", targets))
        code.scatter(value, "%v", targets)
        ends = [str(code.plus(far[0], length))]
        return [*ends, lanes.subtract(far[1], total)] if looked else ends

    looked = fold == "dot" and not more and masks is None
    carried = [("i64", "0"), (code.type, "zeroinitializer")][: 1 + looked]
    return code.loop("%blocks", block, carried)[1:]


def wide_kernel(code: Code, name: str) -> None:
    """Irregular rows whose numbers have lanes: the lanes run side by side.

    The lanes of the left operands may lie ``step`` apart.
    """
    width = code.width

    def row(i: Offset, _: list[str]) -> list[str]:
        begin, end = (
            _entry(code, "%starts", i),
            _entry(code, "%starts", code.plus(i, 1)),
        )
        target = _entry(code, "%targets", i)

        def block(b: Offset, mask: str | None) -> None:
            count = code.minus(end, begin)

            def write(masks: Masks = None) -> list[str]:
                value = _wide_sum(code, name, begin, count, b, mask, masks)
                code.store(value, code.at("%v", code.plus(target, b)), mask)
                return [value]

            values = write()
            if "dot" in name:
                mended(code, code.lanes, values, write)

        def whole(b: Offset, _: list[str]) -> list[str]:
            block(b, None)
            return []

        full = code.times(code.over("%rows", width), width)
        code.loop(full, whole, step=width)
        rest = code.minus("%rows", full)
        tail = code.emit(f"icmp sgt i64 {rest}, 0")
        code.when(tail, lambda: block(full, code.first(rest)))
        return []

    code.loop("%n", row)


def _wide_sum(
    code: Code,
    name: str,
    begin: Offset,
    count: Offset,
    b: Offset,
    mask: str | None,
    masks: Masks,
) -> str:
    """The fold of one row for the lanes from b on."""
    strided = name.endswith("_strided")
    fold = name.removeprefix("wide_").removesuffix("_strided")
    lanes = code.lanes

    def term(j: Offset, sums: list[str]) -> list[str]:
        where = code.plus(begin, j)
        place = _entry(code, "%left", where)
        if strided:
            first = code.plus(place, code.times(b, "%step"))
            x = code.gather("%v", code.steps(first, "%step"), mask)
        else:
            x = code.load(code.at("%v", code.plus(place, b)), mask)
        if fold not in ("dot", "dot_shared"):
            return [lanes.fold(fold, sums[0], x)]
        other = _entry(code, "%right", where)
        if fold == "dot":
            y = code.load(code.at("%v", code.plus(other, b)), mask)
        else:
            y = code.broadcast(code.at("%v", other))
        return [lanes.intrinsic("fmuladd", *lanes.guarded(x, y, masks), sums[0])]

    start = [(code.type, _neutral(code, fold))]
    (value,) = code.loop(count, term, start)
    if fold in ("sum", "dot", "dot_shared"):
        value = lanes.multiply(value, code.splat("double", "%sign"))
    return value


def _entry(code: Code, table: str, place: Offset) -> str:
    """An entry of an index table."""
    short = code.emit(f"load i32, ptr {code.at(table, place, 'i32')}, align 4")
    return code.emit(f"sext i32 {short} to i64")


def _neutral(code: Code, fold: str) -> str:
    """What nothing is folded to."""
    primitive = TABLE.get(fold)
    value = primitive.fold if primitive is not None else None
    return code.lanes.constant(0.0 if value is None else value)


def take_kernel(code: Code) -> None:
    """Rows (index, candidates ...): the candidate at the index; NaN outside."""

    def row(i: Offset, _: list[str]) -> list[str]:
        begin, end = (
            _entry(code, "%lengths", i),
            _entry(code, "%lengths", code.plus(i, 1)),
        )
        index = code.load_one(code.at("%v", _entry(code, "%left", begin)))
        count = code.minus(code.minus(end, begin), 1)
        whole = code.emit(f"call i64 @llvm.fptosi.sat.i64.f64(double {index})")
        behind = code.emit(f"icmp slt i64 {whole}, 0")
        wrapped = code.plus(whole, count)
        place = code.emit(f"select i1 {behind}, i64 {wrapped}, i64 {whole}")
        inside = code.emit(f"icmp ult i64 {place}, {count}")
        number = code.emit(f"fcmp ord double {index}, {index}")
        inside = code.emit(f"and i1 {inside}, {number}")
        safe = code.emit(f"select i1 {inside}, i64 {place}, i64 0")
        where = _entry(code, "%left", code.plus(code.plus(begin, 1), safe))
        value = code.load_one(code.at("%v", where))
        nan = code.scalar.constant(float("nan"))
        value = code.emit(f"select i1 {inside}, double {value}, double {nan}")
        code.store_one(value, code.at("%v", _entry(code, "%targets", i)))
        return []

    code.loop("%blocks", row)
