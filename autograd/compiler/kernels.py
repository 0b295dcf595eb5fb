"""The library of kernels: contractions that every compiled program calls.

One module of LLVM IR, made once: matrix products in register tiles, dot products of
rows, sums over sliced rows of irregular length, and transposed copies. Programs differ
in strides and lengths only, which are arguments.

Sources: Goto & van de Geijn 2008 (register tiles, packing); Kreutzer et al. 2014
(SELL-C-sigma, the sliced format of ragged sums).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from autograd.compiler.code import Code, Offset, declarations

__all__ = ["SIGNATURES", "library_text"]

_PRODUCT = "ptr %out, i64 %di, i64 %dj, ptr %a, i64 %ai, i64 %ak, ptr %b, i64 %bk, "
_PRODUCT += "i64 %ni, i64 %nj, i64 %nk, double %sign"
_ROWS = "ptr %out, i64 %dj, ptr %a, i64 %aj, ptr %b, i64 %bj, i64 %n, i64 %nk, "
_ROWS += "double %sign"
_SLICES = "ptr %v, ptr %lengths, ptr %targets, ptr %left, ptr %right, i64 %blocks, "
_SLICES += "double %sign"
_WIDE = "ptr %v, ptr %starts, ptr %targets, ptr %left, ptr %right, i64 %n, i64 %rows, "
_WIDE += "i64 %step, double %sign"
_PACK = "ptr %out, i64 %ld, ptr %b, i64 %bj, i64 %nj, i64 %nk"

SIGNATURES = {
    "product": _PRODUCT,
    "product_scattered": _PRODUCT,
    "rows_of_sums": _ROWS,
    "rows_shared": _ROWS,
    "rows_each": _ROWS,
    "rows_strided": _ROWS.replace("double", "i64 %ak, i64 %bk, double"),
    "slices_sum": _SLICES,
    "slices_dot": _SLICES,
    "slices_maximum": _SLICES,
    "slices_minimum": _SLICES,
    "slices_prod": _SLICES,
    "slices_sum_more": _SLICES,
    "slices_dot_more": _SLICES,
    **{
        f"wide_{fold}{strided}": _WIDE
        for fold in ("sum", "dot", "dot_shared", "maximum", "minimum", "prod")
        for strided in ("", "_strided")
    },
    "take": _SLICES.replace("double %sign", "i64 %count"),
    "pack": _PACK,
}


def library_text(width: int, registers: int = 32) -> str:
    """The module for a host of so many lanes and vector registers."""
    rows = 8 if registers >= 32 else 4
    parts = [
        "declare double @llvm.fmuladd.f64(double, double, double)",
        declarations(width),
        _define("product", width, lambda c: _product(c, rows, unit=True)),
        _define("product_scattered", width, lambda c: _product(c, rows, unit=False)),
        _define("rows_of_sums", width, lambda c: _rows(c, "none")),
        _define("rows_shared", width, lambda c: _rows(c, "shared")),
        _define("rows_each", width, lambda c: _rows(c, "each")),
        _define("rows_strided", width, _rows_strided),
        *[
            _define(f"slices_{fold}", width, partial(_slices, fold=fold))
            for fold in SLICED
        ],
        *[_by_table(fold, width) for fold in SLICED],
        _DISPATCH,
        *[
            _define(name, width, partial(_wide, name=name))
            for name in SIGNATURES
            if name.startswith("wide")
        ],
        _define("take", width, _take),
        _define("pack", width, _pack),
    ]
    return "\n".join(parts)


SLICED = ("sum", "dot", "maximum", "minimum", "prod", "sum_more", "dot_more")
BY_TABLE = [f"slices_{fold}_by_table" for fold in SLICED]
_DISPATCH = """
define void @autograd.dispatch(ptr %v, ptr %t, ptr %d, i64 %count) nounwind {
entry:
  %some = icmp sgt i64 %count, 0
  br i1 %some, label %loop, label %done
loop:
  %i = phi i64 [ 0, %entry ], [ %next, %loop ]
  %at = mul i64 %i, 8
  %place = getelementptr i64, ptr %d, i64 %at
  %kernel = load ptr, ptr %place, align 8
  call void %kernel(ptr %v, ptr %t, ptr %place)
  %next = add i64 %i, 1
  %more = icmp slt i64 %next, %count
  br i1 %more, label %loop, label %done
done:
  ret void
}
"""


def _by_table(fold: str, width: int) -> str:
    """A kernel of slices whose arguments come in a descriptor."""
    code = Code(width)

    def word(k: int) -> str:
        return code.emit(f"load i64, ptr {code.at('%d', k, 'i64')}, align 8")

    blocks, sign = word(1), code.emit(f"sitofp i64 {word(2)} to double")
    tables = [code.at("%t", word(3 + k), "i32") for k in range(4)]
    listed = ", ".join(f"ptr {table}" for table in tables)
    code.do(
        f"call void @autograd.slices_{fold}.{width}(ptr %v, {listed}, i64 {blocks}, "
        f"double {sign})"
    )
    name = f"autograd.slices_{fold}_by_table"
    head = f"define void @{name}(ptr %v, ptr %t, ptr %d) nounwind {{"
    return "\n".join([head, "entry:", *code.lines, "  ret void", "}"])


def _define(name: str, width: int, body: Callable[[Code], None]) -> str:
    code = Code(width)
    body(code)
    head = f"define void @autograd.{name}.{width}({SIGNATURES[name]}) nounwind {{"
    return "\n".join([head, "entry:", *code.lines, "  ret void", "}"])


# -- Matrix products: out[i, j] = sign * sum_k a[i, k] * b[k, j], b's j contiguous -----


def _product(code: Code, rows: int, unit: bool) -> None:
    start: Offset = 0
    for height in (rows, rows // 2, 1):
        count = code.over(code.minus("%ni", start), height)

        def block(i: str, _: list[str], height=height, start=start) -> list[str]:  # type: ignore[no-untyped-def]
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

        def tile(j: str, _: list[str], across=across, start=start) -> list[str]:  # type: ignore[no-untyped-def]
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

    def step(k: str, sums: list[str]) -> list[str]:
        here = code.at(base, code.times(k, "%bk"))
        along = code.times(k, "%ak")
        right = [code.load(code.at(here, u * code.width), mask) for u in range(across)]
        new = []
        for r in range(height):
            left = code.broadcast(code.at(sources[r], along))
            for u in range(across):
                total = sums[r * across + u]
                new.append(lanes.intrinsic("fmuladd", left, right[u], total))
        return new

    zero = [(code.type, "zeroinitializer")] * (height * across)
    sums = code.loop("%nk", step, zero)
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


# -- Rows: out[j] = sign * sum_k a[j, k] * b[j, k], k contiguous -----------------------


def _rows(code: Code, kind: str) -> None:
    """kind: no b at all; one row of b shared by all; or a row of b for each."""
    width = code.width
    whole = code.times(code.over("%nk", width), width)
    blocks = code.over("%n", width)

    def many(j: str, _: list[str]) -> list[str]:
        row = code.times(j, width)
        sums = _dots(code, kind, [code.plus(row, r) for r in range(width)], whole, 1)
        value = _transposed_total(code, [s[0] for s in sums])
        value = code.lanes.multiply(value, code.splat("double", "%sign"))
        spread = code.steps(code.times(row, "%dj"), "%dj")
        code.scatter(value, "%out", spread)
        return []

    def one(j: str, _: list[str]) -> list[str]:
        row = code.plus(j, code.times(blocks, width))
        (sums,) = _dots(code, kind, [row], whole, 4)
        while len(sums) > 1:
            half = len(sums) // 2
            sums = [
                code.lanes.add(x, y)
                for x, y in zip(sums[:half], sums[half:], strict=True)
            ]
        value = code.scalar.multiply(code.total(sums[0]), "%sign")
        code.store_one(value, code.at("%out", code.times(row, "%dj")))
        return []

    code.loop(blocks, many)
    code.loop(code.minus("%n", code.times(blocks, width)), one)


def _rows_strided(code: Code) -> None:
    """The same for any steps along k, one number after the other."""

    def row(j: str, _: list[str]) -> list[str]:
        a = code.at("%a", code.times(j, "%aj"))
        b = code.at("%b", code.times(j, "%bj"))

        def term(k: str, sums: list[str]) -> list[str]:
            left = code.load_one(code.at(a, code.times(k, "%ak")))
            right = code.load_one(code.at(b, code.times(k, "%bk")))
            return [code.scalar.multiply_add(left, right, sums[0])]

        (total,) = code.loop("%nk", term, [("double", code.scalar.constant(0.0))])
        value = code.scalar.multiply(total, "%sign")
        code.store_one(value, code.at("%out", code.times(j, "%dj")))
        return []

    code.loop("%n", row)


def _dots(
    code: Code, kind: str, rows: list[Offset], whole: Offset, unroll: int
) -> list[list[str]]:
    """For each row ``unroll`` vectors of partial sums over k."""
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
                left = code.emit(
                    f"select <{code.width} x i1> {mask}, {code.type} {left}, {zero}"
                )
            if kind == "none":
                new.append(code.lanes.add(total, left))
            else:
                other = right[r if kind == "each" else 0]
                new.append(code.lanes.intrinsic("fmuladd", left, other, total))
        return new

    zero = [(code.type, "zeroinitializer")] * len(rows)
    sums = [zero for _ in range(unroll)]
    far: Offset = 0
    if unroll > 1:
        stride = unroll * code.width
        far = code.times(code.over(whole, stride), stride)

        def wide(k: str, flat: list[str]) -> list[str]:
            new = []
            for u in range(unroll):
                mine = flat[u * len(rows) : (u + 1) * len(rows)]
                new += part(code.plus(k, u * code.width), mine, None)
            return new

        flat = [pair for group in sums for pair in group]
        done = code.loop(far, wide, flat, step=stride)
        names = [done[u * len(rows) : (u + 1) * len(rows)] for u in range(unroll)]
    else:
        names = [[first for _, first in zero]]

    def narrow(k: str, flat: list[str]) -> list[str]:
        return part(code.plus(far, k), flat, None)

    first = [(code.type, name) for name in names[0]]
    names[0] = code.loop(code.minus(whole, far), narrow, first, step=code.width)
    rest = code.minus("%nk", whole)
    names[0] = part(whole, names[0], code.first(rest))
    return [[names[u][r] for u in range(unroll)] for r in range(len(rows))]


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
                _shuffle(code, kind, x, y, low), _shuffle(code, kind, x, y, high)
            )
            for x, y in pairs
        ]
        step *= 2
    return sums[0]


def _shuffle(code: Code, kind: str, x: str, y: str, places: list[int]) -> str:
    mask = ", ".join(f"i32 {place}" for place in places)
    return code.emit(
        f"shufflevector {kind} {x}, {kind} {y}, <{len(places)} x i32> <{mask}>"
    )


# -- Slices: irregular rows, ``width`` of them side by side, padded to one length -----


def _slices(code: Code, fold: str) -> None:
    """Block b has lengths[b] entries for each of its lanes; targets say where to.

    ``..._more`` adds to what the targets hold.
    """
    fold, more = fold.removesuffix("_more"), fold.endswith("_more")
    lanes, w = code.lanes, code.width
    first = {"prod": 1.0, "maximum": float("-inf"), "minimum": float("inf")}
    neutral = lanes.constant(first.get(fold, 0.0))

    def block(b: str, far: list[str]) -> list[str]:
        place = code.at("%lengths", b, "i32")
        short = code.emit(f"load i32, ptr {place}, align 4")
        length = code.emit(f"sext i32 {short} to i64")

        def term(j: str, sums: list[str]) -> list[str]:
            where = code.times(code.plus(far[0], j), w)
            x = code.gather("%v", code.load_indices(code.at("%left", where, "i32")))
            if fold == "dot":
                here = code.at("%right", where, "i32")
                y = code.gather("%v", code.load_indices(here))
                return [lanes.intrinsic("fmuladd", x, y, sums[0])]
            return [_fold(code, fold, sums[0], x)]

        (value,) = code.loop(length, term, [(code.type, neutral)])
        if fold in ("sum", "dot"):
            value = lanes.multiply(value, code.splat("double", "%sign"))
        targets = code.load_indices(code.at("%targets", code.times(b, w), "i32"))
        if more:
            value = lanes.add(value, code.gather("%v", targets))
        code.scatter(value, "%v", targets)
        return [str(code.plus(far[0], length))]

    code.loop("%blocks", block, [("i64", "0")])


def _wide(code: Code, name: str) -> None:
    """Irregular rows whose numbers have lanes: the lanes run side by side.

    The lanes of the left operands may lie ``step`` apart.
    """
    strided = name.endswith("_strided")
    fold = name.removeprefix("wide_").removesuffix("_strided")
    lanes, w = code.lanes, code.width
    start = {"prod": 1.0, "maximum": float("-inf"), "minimum": float("inf")}
    neutral = lanes.constant(start.get(fold, 0.0))

    def entry(table: str, place: Offset) -> str:
        short = code.emit(f"load i32, ptr {code.at(table, place, 'i32')}, align 4")
        return code.emit(f"sext i32 {short} to i64")

    def row(i: str, _: list[str]) -> list[str]:
        begin, end = entry("%starts", i), entry("%starts", code.plus(i, 1))
        target = entry("%targets", i)

        def block(b: Offset, mask: str | None) -> None:
            def term(j: str, sums: list[str]) -> list[str]:
                where = code.plus(begin, j)
                if strided:
                    first = code.plus(entry("%left", where), code.times(b, "%step"))
                    x = code.gather("%v", code.steps(first, "%step"), mask)
                else:
                    place = code.plus(entry("%left", where), b)
                    x = code.load(code.at("%v", place), mask)
                if fold not in ("dot", "dot_shared"):
                    return [_fold(code, fold, sums[0], x)]
                other = entry("%right", where)
                if fold == "dot":
                    y = code.load(code.at("%v", code.plus(other, b)), mask)
                else:
                    y = code.broadcast(code.at("%v", other))
                return [lanes.intrinsic("fmuladd", x, y, sums[0])]

            count = code.minus(end, begin)
            (value,) = code.loop(count, term, [(code.type, neutral)])
            if fold in ("sum", "dot", "dot_shared"):
                value = lanes.multiply(value, code.splat("double", "%sign"))
            code.store(value, code.at("%v", code.plus(target, b)), mask)

        def whole(b: str, _: list[str]) -> list[str]:
            block(b, None)
            return []

        full = code.times(code.over("%rows", w), w)
        code.loop(full, whole, step=w)
        rest = code.minus("%rows", full)
        tail = code.emit(f"icmp sgt i64 {rest}, 0")
        code.when(tail, lambda: block(full, code.first(rest)))
        return []

    code.loop("%n", row)


def _fold(code: Code, fold: str, total: str, x: str) -> str:
    lanes = code.lanes
    if fold == "sum":
        return lanes.add(total, x)
    if fold == "prod":
        return lanes.multiply(total, x)
    wins = lanes.compare("ogt" if fold == "maximum" else "olt", x, total)
    wins = lanes.logic("or", wins, lanes.compare("uno", x, x))
    return lanes.select(wins, x, total)


def _take(code: Code) -> None:
    """Rows (index, candidates ...): the candidate at the index; NaN outside."""

    def entry(table: str, place: Offset) -> str:
        short = code.emit(f"load i32, ptr {code.at(table, place, 'i32')}, align 4")
        return code.emit(f"sext i32 {short} to i64")

    def row(i: str, _: list[str]) -> list[str]:
        begin, end = entry("%lengths", i), entry("%lengths", code.plus(i, 1))
        index = code.load_one(code.at("%v", entry("%left", begin)))
        count = code.minus(code.minus(end, begin), 1)
        whole = code.emit(f"call i64 @llvm.fptosi.sat.i64.f64(double {index})")
        behind = code.emit(f"icmp slt i64 {whole}, 0")
        wrapped = code.plus(whole, count)
        place = code.emit(f"select i1 {behind}, i64 {wrapped}, i64 {whole}")
        inside = code.emit(f"icmp ult i64 {place}, {count}")
        number = code.emit(f"fcmp ord double {index}, {index}")
        inside = code.emit(f"and i1 {inside}, {number}")
        safe = code.emit(f"select i1 {inside}, i64 {place}, i64 0")
        where = entry("%left", code.plus(code.plus(begin, 1), safe))
        value = code.load_one(code.at("%v", where))
        nan = code.scalar.constant(float("nan"))
        value = code.emit(f"select i1 {inside}, double {value}, double {nan}")
        code.store_one(value, code.at("%v", entry("%targets", i)))
        return []

    code.loop("%blocks", row)


# -- Transposed copies: out[k, j] = b[j, k], k contiguous in b ------------------------


def _pack(code: Code) -> None:
    width = code.width
    whole = code.times(code.over("%nk", width), width)
    blocks = code.over("%nj", width)

    def square(j: str, _: list[str]) -> list[str]:
        column = code.times(j, width)
        sources = [
            code.at("%b", code.times(code.plus(column, r), "%bj")) for r in range(width)
        ]

        def inside(k: str, _: list[str]) -> list[str]:
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
    def row(k: str, _: list[str]) -> list[str]:
        here = code.plus(start, k)

        def one(j: str, _: list[str]) -> list[str]:
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
                new[r] = _shuffle(code, code.type, x, y, low)
                new[r + step] = _shuffle(code, code.type, x, y, high)
        rows, step = new, step * 2
    return rows
