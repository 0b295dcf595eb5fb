"""Dense kernels: matrix products in register tiles, dot products, transposed copies.

A tile of the result stays in registers over the whole sum; 2 x 2 vectors of it:

    for k:  b0, b1 = load b[k, j], b[k, j + width]
            a0, a1 = broadcast a[i, k], a[i + 1, k]
            c00 += a0 b0;  c01 += a0 b1;  c10 += a1 b0;  c11 += a1 b1

%strong, an argument of every kernel of products, says in which factor an exact 0 is
strong: bit 0 for the first, bit 1 for the second (see ``autograd.graph.strong``).

Source: Goto & van de Geijn 2008 (register tiles, packing).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from autograd.compiler.llvm.functions.lanes import Lanes
from autograd.compiler.llvm.kernels.code import Code, Offset

Masks = tuple[str, str] | None  # whose zeros win, in all lanes: see Lanes.guarded
_LONG = 256  # numbers of a row


def write_guarded(
    code: Code, lanes: Lanes, write: Callable[[Masks], Sequence[str]]
) -> None:
    """Sums of plain products; where one comes out NaN they are done again, guarded.

    0 times infinity or NaN is NaN, and stays it in every sum: a sum that is a number
    needs no guard. ``write`` returns what is NaN where one of its sums is.
    """
    sums = write(None)
    code.when(
        code.emit("icmp ne i64 %strong, 0"),
        lambda: code.when(
            code.any_nan(lanes, sums), lambda: write(strong_masks(code, lanes))
        ),
    )


def strong_bits(strong: int, first: int = 0) -> int:
    """%strong for ``Terms.strong``, where the first factor is that with this number."""
    return (0, 1 + first, 3)[strong]


def strong_masks(code: Code, lanes: Lanes) -> tuple[str, str]:
    """Whose zeros win, as %strong says it."""
    bits = [code.emit(f"and i64 %strong, {bit}") for bit in (1, 2)]
    flags = [code.emit(f"icmp ne i64 {bit}, 0") for bit in bits]
    if lanes.width > 1:
        flags = [code.splat("i1", flag) for flag in flags]
    return flags[0], flags[1]


# -- Matrix products -----------------------------------------------------------------


def product(code: Code, rows: int, unit: bool) -> None:
    """out[i, j] = sign * sum_k a[i, k] * b[k, j], b's j contiguous; tiles of rows.

    ``unit`` says that the result's j is contiguous as well.
    """
    start: Offset = 0
    for height in (rows, rows // 2, 1):
        body = partial(_row_of_tiles, code, unit, height)
        start = _blocks(code, start, "%ni", height, body)


def _blocks(
    code: Code, start: Offset, end: Offset, size: int, body: Callable[[Offset], object]
) -> Offset:
    """body(i) for every whole block from ``start``; returns where the last one ends."""
    count = code.over(code.minus(end, start), size)
    code.each(count, lambda k: body(code.plus(start, code.times(k, size))))
    return code.plus(start, code.times(count, size))


def _row_of_tiles(code: Code, unit: bool, height: int, row: Offset) -> None:
    tile = partial(_tile, code, unit, height, row)
    start: Offset = 0
    for across in (2, 1):
        size = across * code.width
        start = _blocks(code, start, "%nj", size, partial(tile, across))
    rest = code.minus("%nj", start)
    some = code.emit(f"icmp sgt i64 {rest}, 0")
    code.when(some, lambda: tile(1, start, code.first(rest)))


def _tile(
    code: Code,
    unit: bool,
    height: int,
    row: Offset,
    across: int,
    column: Offset,
    mask: str | None = None,
) -> None:
    """height x across vectors of the result, in registers over the whole sum."""
    lanes = code.lanes
    sources = [
        code.at("%a", code.times(code.plus(row, r), "%ai")) for r in range(height)
    ]
    base = code.at("%b", column)

    def step(k: Offset, sums: list[str], masks: Masks) -> list[str]:
        here = code.at(base, code.times(k, "%bk"))
        along = code.times(k, "%ak")
        right = [code.load(code.at(here, u * code.width), mask) for u in range(across)]
        new = []
        for r in range(height):
            left = code.broadcast(code.at(sources[r], along))
            for u in range(across):
                factors = lanes.guarded(left, right[u], masks)
                new.append(lanes.multiply_add(*factors, sums[r * across + u]))
        return new

    def write(masks: Masks) -> list[str]:
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

    write_guarded(code, lanes, write)


# -- Dot products of rows ------------------------------------------------------------


def rows_of_dots(code: Code, kind: str) -> None:
    """kind: no b at all; one row of b shared by all; or a row of b for each.

    Short rows go side by side, so that their totals come together; long ones one after
    the other, as memory is read fastest.
    """
    width = code.width
    whole = code.whole("%nk", width)
    short = code.emit(f"icmp slt i64 %nk, {_LONG}")
    blocks = code.emit(f"select i1 {short}, i64 {code.over('%n', width)}, i64 0")

    def many(j: Offset) -> None:
        row = code.times(j, width)
        rows = [code.plus(row, r) for r in range(width)]

        def write(masks: Masks) -> list[str]:
            sums = _dots(code, kind, rows, whole, 1, masks)
            value = _transposed_total(code, [s[0] for s in sums])
            value = code.lanes.multiply(value, code.splat("double", "%sign"))
            spread = code.steps(code.times(row, "%dj"), "%dj")
            code.scatter(value, "%out", spread)
            return [value]

        write_guarded(code, code.lanes, write)

    def one(j: Offset) -> None:
        row = code.plus(j, code.times(blocks, width))

        def write(masks: Masks) -> list[str]:
            (sums,) = _dots(code, kind, [row], whole, 4, masks)
            while len(sums) > 1:
                half = len(sums) // 2
                sums = list(map(code.lanes.add, sums[:half], sums[half:]))
            value = code.scalar.multiply(code.total(sums[0]), "%sign")
            code.store_one(value, code.at("%out", code.times(row, "%dj")))
            return sums

        write_guarded(code, code.lanes, write)

    code.each(blocks, many)
    code.each(code.minus("%n", code.times(blocks, width)), one)


def rows_strided(code: Code) -> None:
    """The same for any steps along k, one number after the other."""

    def row(j: Offset) -> None:
        a = code.at("%a", code.times(j, "%aj"))
        b = code.at("%b", code.times(j, "%bj"))

        def term(k: Offset, sums: list[str], masks: Masks) -> list[str]:
            left = code.load_one(code.at(a, code.times(k, "%ak")))
            right = code.load_one(code.at(b, code.times(k, "%bk")))
            factors = code.scalar.guarded(left, right, masks)
            return [code.scalar.multiply_add(*factors, sums[0])]

        def write(masks: Masks) -> list[str]:
            zero = [("double", code.scalar.constant(0.0))]
            (total,) = code.loop("%nk", lambda k, sums: term(k, sums, masks), zero)
            value = code.scalar.multiply(total, "%sign")
            code.store_one(value, code.at("%out", code.times(j, "%dj")))
            return [total]

        write_guarded(code, code.scalar, write)

    code.each("%n", row)


def _dots(
    code: Code,
    kind: str,
    rows: list[Offset],
    whole: Offset,
    unroll: int,
    masks: Masks,
) -> list[list[str]]:
    """For each row ``unroll`` vectors of partial sums over k."""
    add = _adder(code, kind, rows, masks)
    zero, n = (code.type, "zeroinitializer"), len(rows)
    stride = unroll * code.width
    far = code.whole(whole, stride)

    def unrolled(k: Offset, flat: list[str]) -> list[str]:
        new = []
        for u in range(unroll):
            new += add(code.plus(k, u * code.width), flat[u * n : (u + 1) * n])
        return new

    done = code.loop(far, unrolled, [zero] * (unroll * n), step=stride)
    if unroll > 1:
        first = [(code.type, name) for name in done[:n]]
        done[:n] = code.loop(
            code.minus(whole, far),
            lambda k, sums: add(code.plus(far, k), sums),
            first,
            step=code.width,
        )
    rest = code.minus("%nk", whole)
    done[:n] = add(whole, done[:n], code.first(rest))
    return [[done[u * n + r] for u in range(unroll)] for r in range(n)]


def _adder(
    code: Code, kind: str, rows: list[Offset], masks: Masks
) -> Callable[..., list[str]]:
    """What adds the products of one vector of k to the sums of all rows."""
    starts_a = [code.at("%a", code.times(row, "%aj")) for row in rows]
    starts_b = {
        "none": [],
        "shared": ["%b"],
        "each": [code.at("%b", code.times(row, "%bj")) for row in rows],
    }[kind]

    def add(k: Offset, sums: list[str], mask: str | None = None) -> list[str]:
        right = [code.load(code.at(b, k), mask) for b in starts_b]
        new = []
        for r, total in enumerate(sums):
            left = code.masked(mask, code.load(code.at(starts_a[r], k), mask))
            if kind == "none":
                new.append(code.lanes.add(total, left))
            else:
                other = right[r if kind == "each" else 0]
                factors = code.lanes.guarded(left, other, masks)
                new.append(code.lanes.multiply_add(*factors, total))
        return new

    return add


def _transposed_total(code: Code, sums: list[str]) -> str:
    """Lane r: the sum of all lanes of vector r. Halves meet pairwise, log2 times."""
    step = 1
    while len(sums) > 1:
        pairs = zip(sums[::2], sums[1::2], strict=True)
        sums = [code.lanes.add(*_exchanged(code, x, y, step)) for x, y in pairs]
        step *= 2
    return sums[0]


def _exchanged(code: Code, x: str, y: str, step: int) -> tuple[str, str]:
    """Two vectors cut into blocks of ``step`` lanes: the odd ones change places.

    With blocks a, b, c, d of x and e, f, g, h of y: a e c g, and b f d h.
    """
    width = code.width
    low = [k if not k & step else width + k - step for k in range(width)]
    high = [k + step if not k & step else width + k for k in range(width)]
    first, second = [
        code.emit(
            f"shufflevector {code.type} {x}, {code.type} {y}, <{width} x i32> "
            f"<{', '.join(f'i32 {place}' for place in places)}>"
        )
        for places in (low, high)
    ]
    return first, second


# -- Transposed copies ---------------------------------------------------------------


def pack(code: Code) -> None:
    """out[k, j] = b[j, k], k contiguous in b.

    Squares of the lanes' size go through registers, what is left one by one.
    """
    width = code.width
    whole = code.whole("%nk", width)
    blocks = code.over("%nj", width)

    def square(j: Offset) -> None:
        column = code.times(j, width)
        sources = [
            code.at("%b", code.times(code.plus(column, r), "%bj")) for r in range(width)
        ]

        def inside(k: Offset) -> None:
            tile = _transposed(code, [code.load(code.at(s, k)) for s in sources])
            for c, value in enumerate(tile):
                place = code.plus(code.times(code.plus(k, c), "%ld"), column)
                code.store(value, code.at("%out", place))

        code.each(whole, inside, width)
        _pack_one_by_one(code, column, width, whole)

    code.each(blocks, square)
    done = code.times(blocks, width)
    _pack_one_by_one(code, done, code.minus("%nj", done), 0)


def _pack_one_by_one(code: Code, column: Offset, count: Offset, start: Offset) -> None:
    def row(k: Offset) -> None:
        here = code.plus(start, k)

        def one(j: Offset) -> None:
            where = code.plus(column, j)
            source = code.plus(code.times(where, "%bj"), here)
            value = code.load_one(code.at("%b", source))
            place = code.plus(code.times(here, "%ld"), where)
            code.store_one(value, code.at("%out", place))

        code.each(count, one)

    code.each(code.minus("%nk", start), row)


def _transposed(code: Code, rows: list[str]) -> list[str]:
    """A square of vectors, mirrored: blocks of 1, 2, 4 ... change places."""
    step = 1
    while step < code.width:
        new = list(rows)
        for r in range(code.width):
            if not r & step:
                new[r], new[r + step] = _exchanged(code, rows[r], rows[r + step], step)
        rows, step = new, step * 2
    return rows
