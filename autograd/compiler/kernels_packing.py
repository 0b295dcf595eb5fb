"""Transposed copies: out[k, j] = b[j, k], k contiguous in b."""

from __future__ import annotations

from autograd.compiler.code import Code, Offset
from autograd.compiler.kernels_dense import shuffled

__all__ = ["pack_kernel"]


def pack_kernel(code: Code) -> None:
    """Squares of the lanes' size go through registers, what is left one by one."""
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
                new[r] = shuffled(code, code.type, x, y, low)
                new[r + step] = shuffled(code, code.type, x, y, high)
        rows, step = new, step * 2
    return rows
