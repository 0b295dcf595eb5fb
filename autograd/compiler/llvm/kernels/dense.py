"""Dense kernels: matrix products in register tiles, dot products, transposed copies.

A product of (4, k) by (k, 16) keeps its 4 x 2 vectors of sums in registers, reads 4
numbers and 2 vectors for each of the k terms, and writes once. Where b's rows are far
apart it is copied first, so that k is contiguous.

%strong, an argument of every kernel of products, has bit 0 set where zeros of the first
factor are strong (``autograd.graph.strong``), bit 1 for the second. Products are plain
at first; ``mended`` does those again, guarded, whose sums came out NaN.

Source: Goto & van de Geijn 2008 (register tiles, packing).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from autograd.compiler.llvm.functions.lanes import Lanes
from autograd.compiler.llvm.kernels.code import Code, Offset

Masks = tuple[str, str] | None  # whose zeros win, in all lanes: see Lanes.guarded


def mended(
    code: Code,
    lanes: Lanes,
    values: Sequence[str],
    again: Callable[[Masks], object],
) -> None:
    """Where sums of plain products came out NaN, do them ``again``, guarded.

    0 times infinity or NaN is NaN, and stays it in every sum: a sum that is a number
    needs no guard.
    """

    def mend() -> None:
        again(strong_masks(code, lanes))

    def look() -> None:
        bad, *others = [lanes.compare("uno", value, value) for value in values]
        for other in others:
            bad = lanes.logic("or", bad, other)
        if lanes.width > 1:
            reduction = f"@llvm.vector.reduce.or.v{code.width}i1"
            bad = code.emit(f"call i1 {reduction}({lanes.mask} {bad})")
        code.when(bad, mend)

    code.when(code.emit("icmp ne i64 %strong, 0"), look)


def strong_masks(code: Code, lanes: Lanes) -> tuple[str, str]:
    """Whose zeros win, as %strong says it."""
    bits = [code.emit(f"and i64 %strong, {bit}") for bit in (1, 2)]
    flags = [code.emit(f"icmp ne i64 {bit}, 0") for bit in bits]
    if lanes.width > 1:
        flags = [code.splat("i1", flag) for flag in flags]
    return flags[0], flags[1]


# -- Products --------------------------------------------------------------------------

Part = Callable[[Offset, list[str], str | None], list[str]]
_LONG = 256  # numbers of a row


def product(code: Code, rows: int, unit: bool) -> None:
    """out[i, j] = sign * sum_k a[i, k] * b[k, j], b's j contiguous; tiles of rows."""
    start: Offset = 0
    for height in (rows, rows // 2, 1):
        count = code.over(code.minus("%ni", start), height)

        def block(i: Offset, _: list[str], height=height, start=start) -> list[str]:  # type: ignore[no-untyped-def]
            row = code.plus(start, code.times(i, height))
            _row_of_tiles(code, height, row, unit)
            return []

        code.loop(count, block)
        start = code.plus(start, code.times(count, height))


def _row_of_tiles(code: Code, height: int, row: Offset, unit: bool) -> None:
    start: Offset = 0
    for across in (2, 1):
        size = across * code.width
        count = code.over(code.minus("%nj", start), size)

        def tile(j: Offset, _: list[str], across=across, start=start) -> list[str]:  # type: ignore[no-untyped-def]
            column = code.plus(start, code.times(j, across * code.width))
            _tile(code, height, across, row, column, None, unit)
            return []

        code.loop(count, tile)
        start = code.plus(start, code.times(count, size))
    rest = code.minus("%nj", start)

    def tail() -> None:
        _tile(code, height, 1, row, start, code.first(rest), unit)

    code.when(code.emit(f"icmp sgt i64 {rest}, 0"), tail)


def _tile(
    code: Code,
    height: int,
    across: int,
    row: Offset,
    column: Offset,
    mask: str | None,
    unit: bool,
) -> None:
    """height x across vectors of the result, in registers over the whole sum."""
    lanes = code.lanes
    sources = [
        code.at("%a", code.times(code.plus(row, r), "%ai")) for r in range(height)
    ]
    base = code.at("%b", column)

    def step(k: Offset, sums: list[str], masks: Masks = None) -> list[str]:
        here = code.at(base, code.times(k, "%bk"))
        along = code.times(k, "%ak")
        right = [code.load(code.at(here, u * code.width), mask) for u in range(across)]
        new = []
        for r in range(height):
            left = code.broadcast(code.at(sources[r], along))
            for u in range(across):
                total = sums[r * across + u]
                factors = code.lanes.guarded(left, right[u], masks)
                new.append(lanes.intrinsic("fmuladd", *factors, total))
        return new

    def write(masks: Masks = None) -> list[str]:
        zero = [(code.type, "zeroinitializer")] * (height * across)
        sums = code.loop("%nk", lambda k, sums: step(k, sums, masks), zero)
        sign = code.splat("double", "%sign")
        for r in range(height):
            place = code.at("%out", code.times(code.plus(row, r), "%di"))
            for u in range(across):
                value = lanes.multiply(sums[r * across + u], sign)
                j = code.plus(column, u * code.width)
                if unit:
                    code.store(value, code.at(place, j), mask)
                else:
                    spread = code.steps(code.times(j, "%dj"), "%dj")
                    code.scatter(value, place, spread, mask)
        return sums

    mended(code, code.lanes, write(), write)


def rows_of_dots(code: Code, kind: str) -> None:
    """kind: no b at all; one row of b shared by all; or a row of b for each.

    Short rows go side by side, so that their totals come together; long ones one after
    the other, as memory is read fastest.
    """
    width = code.width
    whole = code.times(code.over("%nk", width), width)
    short = code.emit(f"icmp slt i64 %nk, {_LONG}")
    blocks = code.emit(f"select i1 {short}, i64 {code.over('%n', width)}, i64 0")

    def many(j: Offset, _: list[str]) -> list[str]:
        row = code.times(j, width)
        rows = [code.plus(row, r) for r in range(width)]

        def write(masks: Masks = None) -> list[str]:
            sums = _dots(code, kind, rows, whole, 1, masks)
            value = _transposed_total(code, [s[0] for s in sums])
            value = code.lanes.multiply(value, code.splat("double", "%sign"))
            spread = code.steps(code.times(row, "%dj"), "%dj")
            code.scatter(value, "%out", spread)
            return [value]

        mended(code, code.lanes, write(), write)
        return []

    def one(j: Offset, _: list[str]) -> list[str]:
        row = code.plus(j, code.times(blocks, width))

        def write(masks: Masks = None) -> list[str]:
            (sums,) = _dots(code, kind, [row], whole, 4, masks)
            while len(sums) > 1:
                half = len(sums) // 2
                sums = [
                    code.lanes.add(x, y)
                    for x, y in zip(sums[:half], sums[half:], strict=True)
                ]
            value = code.scalar.multiply(code.total(sums[0]), "%sign")
            code.store_one(value, code.at("%out", code.times(row, "%dj")))
            return sums

        mended(code, code.lanes, write(), write)
        return []

    code.loop(blocks, many)
    code.loop(code.minus("%n", code.times(blocks, width)), one)


def rows_strided_kernel(code: Code) -> None:
    """The same for any steps along k, one number after the other."""

    def row(j: Offset, _: list[str]) -> list[str]:
        a = code.at("%a", code.times(j, "%aj"))
        b = code.at("%b", code.times(j, "%bj"))

        def term(k: Offset, sums: list[str], masks: Masks) -> list[str]:
            left = code.load_one(code.at(a, code.times(k, "%ak")))
            right = code.load_one(code.at(b, code.times(k, "%bk")))
            factors = code.scalar.guarded(left, right, masks)
            return [code.scalar.multiply_add(*factors, sums[0])]

        def write(masks: Masks = None) -> list[str]:
            zero = [("double", code.scalar.constant(0.0))]
            (total,) = code.loop("%nk", lambda k, sums: term(k, sums, masks), zero)
            value = code.scalar.multiply(total, "%sign")
            code.store_one(value, code.at("%out", code.times(j, "%dj")))
            return [total]

        mended(code, code.scalar, write(), write)
        return []

    code.loop("%n", row)


def _dots(
    code: Code,
    kind: str,
    rows: list[Offset],
    whole: Offset,
    unroll: int,
    masks: Masks = None,
) -> list[list[str]]:
    """For each row ``unroll`` vectors of partial sums over k."""
    part = _part_of_rows(code, kind, rows, masks)
    zero, n = (code.type, "zeroinitializer"), len(rows)
    stride = unroll * code.width
    far = code.times(code.over(whole, stride), stride)

    def wide(k: Offset, flat: list[str]) -> list[str]:
        new = []
        for u in range(unroll):
            mine = flat[u * n : (u + 1) * n]
            new += part(code.plus(k, u * code.width), mine, None)
        return new

    def narrow(k: Offset, flat: list[str]) -> list[str]:
        return part(code.plus(far, k), flat, None)

    done = code.loop(far, wide, [zero] * (unroll * n), step=stride)
    first = [(code.type, name) for name in done[:n]]
    if unroll > 1:
        done[:n] = code.loop(code.minus(whole, far), narrow, first, step=code.width)
    rest = code.minus("%nk", whole)
    done[:n] = part(whole, done[:n], code.first(rest))
    return [[done[u * n + r] for u in range(unroll)] for r in range(n)]


def _part_of_rows(code: Code, kind: str, rows: list[Offset], masks: Masks) -> Part:
    """What adds the products of one vector of k to the sums of all rows."""
    starts_a = [code.at("%a", code.times(row, "%aj")) for row in rows]
    starts_b = {
        "none": [],
        "shared": ["%b"],
        "each": [code.at("%b", code.times(row, "%bj")) for row in rows],
    }[kind]

    def part(k: Offset, sums: list[str], mask: str | None) -> list[str]:
        right = [code.load(code.at(b, k), mask) for b in starts_b]
        new = []
        for r, total in enumerate(sums):
            left = code.load(code.at(starts_a[r], k), mask)
            if mask is not None:
                zero = f"{code.type} zeroinitializer"
                lanes = f"<{code.width} x i1> {mask}"
                left = code.emit(f"select {lanes}, {code.type} {left}, {zero}")
            if kind == "none":
                new.append(code.lanes.add(total, left))
            else:
                other = right[r if kind == "each" else 0]
                factors = code.lanes.guarded(left, other, masks)
                new.append(code.lanes.intrinsic("fmuladd", *factors, total))
        return new

    return part


def _transposed_total(code: Code, sums: list[str]) -> str:
    """Lane r: the sum of all lanes of vector r. Halves meet pairwise, log2 times."""
    width, step = code.width, 1
    kind = f"{code.type}"
    while len(sums) > 1:
        low = [
            lane if not lane & step else width + lane - step for lane in range(width)
        ]
        high = [
            lane + step if not lane & step else width + lane for lane in range(width)
        ]
        pairs = zip(sums[::2], sums[1::2], strict=True)
        sums = [
            code.lanes.add(
                shuffled(code, kind, x, y, low), shuffled(code, kind, x, y, high)
            )
            for x, y in pairs
        ]
        step *= 2
    return sums[0]


def shuffled(code: Code, kind: str, x: str, y: str, places: list[int]) -> str:
    """Lanes of two vectors, by their places among both."""
    mask = ", ".join(f"i32 {place}" for place in places)
    return code.emit(
        f"shufflevector {kind} {x}, {kind} {y}, <{len(places)} x i32> <{mask}>"
    )


# -- Transposed copies: out[k, j] = b[j, k] --------------------------------------------


def pack_kernel(code: Code) -> None:
    """Squares of the lanes' size go through registers, what is left one by one."""
    width = code.width
    whole = code.times(code.over("%nk", width), width)
    blocks = code.over("%nj", width)

    def square(j: Offset, _: list[str]) -> list[str]:
        column = code.times(j, width)
        sources = [
            code.at("%b", code.times(code.plus(column, r), "%bj")) for r in range(width)
        ]

        def inside(k: Offset, _: list[str]) -> list[str]:
            tile = _transposed(code, [code.load(code.at(s, k)) for s in sources])
            for c, value in enumerate(tile):
                place = code.plus(code.times(code.plus(k, c), "%ld"), column)
                code.store(value, code.at("%out", place))
            return []

        code.loop(whole, inside, step=width)
        _pack_one_by_one(code, column, width, whole)
        return []

    code.loop(blocks, square)
    done = code.times(blocks, width)
    _pack_one_by_one(code, done, code.minus("%nj", done), 0)


def _pack_one_by_one(code: Code, column: Offset, count: Offset, start: Offset) -> None:
    def row(k: Offset, _: list[str]) -> list[str]:
        here = code.plus(start, k)

        def one(j: Offset, _: list[str]) -> list[str]:
            where = code.plus(column, j)
            value = code.load_one(
                code.at("%b", code.plus(code.times(where, "%bj"), here))
            )
            place = code.plus(code.times(here, "%ld"), where)
            code.store_one(value, code.at("%out", place))
            return []

        code.loop(count, one)
        return []

    code.loop(code.minus("%nk", start), row)


def _transposed(code: Code, rows: list[str]) -> list[str]:
    """A square of vectors, mirrored: blocks of 1, 2, 4 ... change places."""
    width, step = code.width, 1
    while step < width:
        low = [
            lane if not lane & step else width + lane - step for lane in range(width)
        ]
        high = [
            lane + step if not lane & step else width + lane for lane in range(width)
        ]
        new = list(rows)
        for r in range(width):
            if not r & step:
                x, y = rows[r], rows[r + step]
                new[r] = shuffled(code, code.type, x, y, low)
                new[r + step] = shuffled(code, code.type, x, y, high)
        rows, step = new, step * 2
    return rows
