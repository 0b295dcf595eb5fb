"""Ragged kernels: sums and folds over rows of irregular length, by index tables.

``slices``: rows sorted by length, as many side by side as there are lanes, so that a
block of them is one loop over terms; ``Slices`` makes its tables.
``batched``: the numbers themselves are batched, and the samples run side by side.

Source: Kreutzer et al. 2014 (SELL-C-sigma, the sliced format of ragged sums).
"""

from __future__ import annotations

import numpy as np

from autograd.compiler.llvm.kernels.code import Code, Offset
from autograd.compiler.llvm.kernels.dense import Masks, strong_masks, write_guarded
from autograd.compiler.trace.program import Ints
from autograd.table.primitives import TABLE


class Slices:
    """Rows of irregular length, sorted by length, ``width`` of them side by side.

    A block is as long as its longest row; shorter ones are padded. Rows 1; 4 5 6; 8 9,
    two side by side, where 0 is the padding:

    >>> slices = Slices(2, offsets=np.array([0, 1, 4, 6]))
    >>> slices.lengths.tolist(), slices.lanes(np.array([10, 20, 30]), -1).tolist()
    ([3, 1], [20, 30, 10, -1])
    >>> slices.entries(np.array([1, 4, 5, 6, 8, 9]), pad=0, zero=0).tolist()
    [4, 8, 5, 9, 6, 0, 1, 0]

    A block holds rows of one group: so many ``members`` each has, all rows are one by
    default.

    Attributes
    ----------
    lengths : of the blocks.
    block : the first block of each group, and the end.
    offset : the first term of each block, and the end.
    """

    def __init__(self, width: int, offsets: Ints, members: Ints | None = None) -> None:
        counts, n = np.diff(offsets), len(offsets) - 1
        members = np.array([n]) if members is None else members
        group = np.repeat(np.arange(len(members)), members)
        order = np.lexsort((-counts, group))
        self.block = np.concatenate([[0], np.cumsum(-(-members // width))])
        skipped = self.block[:-1] * width - (np.cumsum(members) - members)
        place = np.empty(n, np.int64)  # of each row among the lanes of all blocks
        place[order] = np.arange(n) + skipped[group[order]]
        self.lengths = np.zeros(int(self.block[-1]), np.int64)
        leading = place % width == 0
        self.lengths[place[leading] // width] = counts[leading]
        self.offset = np.concatenate([[0], np.cumsum(self.lengths)])
        first = self.offset[place // width] * width + place % width
        row = np.repeat(np.arange(n), counts)
        self._entry = first[row] + (np.arange(len(row)) - offsets[row]) * width
        self._place, self._leads, self._width = place, offsets[:-1], width

    def lanes(self, values: Ints, nobody: int) -> Ints:
        """A value of each row, in the order of the lanes of all blocks."""
        spread = np.full(len(self.lengths) * self._width, nobody)
        spread[self._place] = values
        return spread

    def entries(self, stream: Ints, pad: int | None, zero: int) -> Ints:
        """A value of each term: block by block, term by term, those of the lanes.

        ``pad`` stands where a row has no more terms; None repeats its first one.
        Where there is no row, that is ``zero``.
        """
        if pad is None:
            leads = self.lanes(stream[self._leads], zero).reshape(-1, self._width)
            filled = np.repeat(leads, self.lengths, axis=0).ravel()
        else:
            filled = np.full(int(self.offset[-1]) * self._width, pad)
        filled[self._entry] = stream
        return filled


def slices(code: Code, fold: str) -> None:
    """Block b has lengths[b] entries for each of its lanes; targets say where to.

    ``..._more`` adds to what the targets hold, and cannot do it twice: there a guarded
    sum is guarded from the start.
    """
    if fold == "dot":
        write_guarded(code, code.lanes, lambda masks: _slices(code, fold, masks))
    elif fold == "dot_more":
        plain = code.emit("icmp eq i64 %strong, 0")
        code.when(plain, lambda: _slices(code, fold, None))
        guarded = code.emit("icmp ne i64 %strong, 0")
        code.when(guarded, lambda: _slices(code, fold, strong_masks(code, code.lanes)))
    else:
        _slices(code, fold, None)


def _slices(code: Code, fold: str, masks: Masks) -> list[str]:
    """All blocks; returns what is NaN where one of their sums is."""
    fold, more = fold.removesuffix("_more"), fold.endswith("_more")
    lanes, w = code.lanes, code.width

    def block(b: Offset, state: list[str]) -> list[str]:
        first = state[0]  # where the entries of the block begin
        length = code.entry("%lengths", b)

        def term(j: Offset, sums: list[str]) -> list[str]:
            where = code.times(code.plus(first, j), w)
            x = code.gather("%v", code.load_indices(code.at("%left", where, "i32")))
            if fold == "dot":
                here = code.at("%right", where, "i32")
                y = code.gather("%v", code.load_indices(here))
                return [lanes.multiply_add(*lanes.guarded(x, y, masks), sums[0])]
            return [lanes.fold(fold, sums[0], x)]

        (total,) = code.loop(length, term, [(code.type, _neutral(code, fold))])
        value = _signed(code, fold, total)
        targets = code.load_indices(code.at("%targets", code.times(b, w), "i32"))
        if more:
            value = lanes.add(value, code.gather("%v", targets))
        code.scatter(value, "%v", targets)
        ends = [str(code.plus(first, length))]
        # of the totals one number goes on that is NaN once one of them was
        return [*ends, lanes.subtract(state[1], total)] if looked else ends

    looked = fold == "dot" and not more and masks is None
    carried = [("i64", "0"), (code.type, "zeroinitializer")][: 1 + looked]
    return code.loop("%blocks", block, carried)[1:]


def batched(code: Code, name: str) -> None:
    """Irregular rows of batched numbers: the samples run side by side.

    The samples of the left operands may lie ``step`` apart.
    """

    def row(i: Offset) -> None:
        begin, end = _bounds(code, "%starts", i)
        target = code.entry("%targets", i)

        def samples(b: Offset, mask: str | None) -> None:
            count = code.minus(end, begin)

            def write(masks: Masks) -> list[str]:
                value = _batched_fold(code, name, (begin, count), b, mask, masks)
                code.store(value, code.at("%v", code.plus(target, b)), mask)
                return [value]

            if "dot" in name:
                write_guarded(code, code.lanes, write)
            else:
                write(None)

        code.vectors("%rows", samples)

    code.each("%n", row)


def _batched_fold(
    code: Code,
    name: str,
    terms: tuple[Offset, Offset],
    b: Offset,
    mask: str | None,
    masks: Masks,
) -> str:
    """The fold of one row, terms (begin, count), for the samples from b on."""
    strided = name.endswith("_strided")
    fold = name.removeprefix("wide_").removesuffix("_strided")
    lanes, (begin, count) = code.lanes, terms

    def term(j: Offset, sums: list[str]) -> list[str]:
        where = code.plus(begin, j)
        place = code.entry("%left", where)
        if strided:
            first = code.plus(place, code.times(b, "%step"))
            x = code.gather("%v", code.steps(first, "%step"), mask)
        else:
            x = code.load(code.at("%v", code.plus(place, b)), mask)
        if fold not in ("dot", "dot_shared"):
            return [lanes.fold(fold, sums[0], x)]
        other = code.entry("%right", where)
        if fold == "dot":
            y = code.load(code.at("%v", code.plus(other, b)), mask)
        else:
            y = code.broadcast(code.at("%v", other))
        return [lanes.multiply_add(*lanes.guarded(x, y, masks), sums[0])]

    (total,) = code.loop(count, term, [(code.type, _neutral(code, fold))])
    return _signed(code, fold, total)


def _bounds(code: Code, table: str, i: Offset) -> tuple[str, str]:
    return code.entry(table, i), code.entry(table, code.plus(i, 1))


def _neutral(code: Code, fold: str) -> str:
    """What nothing is folded to."""
    primitive = TABLE.get(fold)
    value = primitive.fold if primitive is not None else None
    return code.lanes.constant(0.0 if value is None else value)


def _signed(code: Code, fold: str, total: str) -> str:
    """A sum times %sign; another fold as it is."""
    if fold in ("sum", "dot", "dot_shared"):
        return code.lanes.multiply(total, code.splat("double", "%sign"))
    return total


def take(code: Code) -> None:
    """Rows (index, candidates ...): the candidate at the index; NaN outside."""

    def row(i: Offset) -> None:
        begin, end = _bounds(code, "%lengths", i)
        index = code.load_one(code.at("%v", code.entry("%left", begin)))
        count = code.minus(code.minus(end, begin), 1)
        whole = code.emit(f"call i64 @llvm.fptosi.sat.i64.f64(double {index})")
        behind = code.emit(f"icmp slt i64 {whole}, 0")
        wrapped = code.plus(whole, count)
        place = code.emit(f"select i1 {behind}, i64 {wrapped}, i64 {whole}")
        inside = code.emit(f"icmp ult i64 {place}, {count}")
        number = code.emit(f"fcmp ord double {index}, {index}")
        inside = code.emit(f"and i1 {inside}, {number}")
        safe = code.emit(f"select i1 {inside}, i64 {place}, i64 0")
        where = code.entry("%left", code.plus(code.plus(begin, 1), safe))
        value = code.load_one(code.at("%v", where))
        nan = code.scalar.constant(float("nan"))
        value = code.emit(f"select i1 {inside}, double {value}, double {nan}")
        code.store_one(value, code.at("%v", code.entry("%targets", i)))

    code.each("%blocks", row)
