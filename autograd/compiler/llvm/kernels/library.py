"""The library of kernels: contractions that every compiled program calls.

One module of LLVM IR, made once: matrix products in register tiles, dot products of
rows, sums over sliced rows of irregular length, and transposed copies. Programs differ
in strides and lengths only, which are arguments.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from autograd.compiler.llvm.kernels.code import Code, declarations
from autograd.compiler.llvm.kernels.dense import (
    pack,
    product,
    rows_of_dots,
    rows_strided,
)
from autograd.compiler.llvm.kernels.ragged import batched, slices, take

_PRODUCT = "ptr %out, i64 %di, i64 %dj, ptr %a, i64 %ai, i64 %ak, ptr %b, i64 %bk, "
_PRODUCT += "i64 %ni, i64 %nj, i64 %nk, double %sign, i64 %strong"
_ROWS = "ptr %out, i64 %dj, ptr %a, i64 %aj, ptr %b, i64 %bj, i64 %n, i64 %nk, "
_ROWS += "double %sign, i64 %strong"
_SLICES = "ptr %v, ptr %lengths, ptr %targets, ptr %left, ptr %right, i64 %blocks, "
_SLICES += "double %sign, i64 %strong"
_BATCHED = (
    "ptr %v, ptr %starts, ptr %targets, ptr %left, ptr %right, i64 %n, i64 %rows, "
)
_BATCHED += "i64 %step, double %sign, i64 %strong"
_PACK = "ptr %out, i64 %ld, ptr %b, i64 %bj, i64 %nj, i64 %nk"

_FOLDS = ("sum", "dot", "maximum", "minimum", "prod", "sum_more", "dot_more")
_BATCHED_FOLDS = ("sum", "dot", "dot_shared", "maximum", "minimum", "prod")

SIGNATURES = {
    "product": _PRODUCT,
    "product_scattered": _PRODUCT,
    "rows_of_sums": _ROWS,
    "rows_shared": _ROWS,
    "rows_each": _ROWS,
    "rows_strided": _ROWS.replace("double", "i64 %ak, i64 %bk, double"),
    **{f"slices_{fold}": _SLICES for fold in _FOLDS},
    **{
        f"wide_{fold}{s}": _BATCHED for fold in _BATCHED_FOLDS for s in ("", "_strided")
    },
    "take": _SLICES.replace("double %sign, i64 %strong", "i64 %count"),
    "pack": _PACK,
}


def library_text(width: int, registers: int = 32) -> str:
    """The module for a host of so many lanes and vector registers."""
    rows = 8 if registers >= 32 else 4
    kernels: dict[str, Callable[[Code], None]] = {
        "product": lambda code: product(code, rows, unit=True),
        "product_scattered": lambda code: product(code, rows, unit=False),
        "rows_of_sums": lambda code: rows_of_dots(code, "none"),
        "rows_shared": lambda code: rows_of_dots(code, "shared"),
        "rows_each": lambda code: rows_of_dots(code, "each"),
        "rows_strided": rows_strided,
        **{f"slices_{fold}": partial(slices, fold=fold) for fold in _FOLDS},
    }
    others: dict[str, Callable[[Code], None]] = {
        **{n: partial(batched, name=n) for n in SIGNATURES if n.startswith("wide")},
        "take": take,
        "pack": pack,
    }
    parts = [
        "declare double @llvm.fmuladd.f64(double, double, double)",
        declarations(width),
        *[_define(name, width, body) for name, body in kernels.items()],
        *[_by_table(fold, width) for fold in _FOLDS],
        _DISPATCH,
        *[_define(name, width, body) for name, body in others.items()],
    ]
    return "\n".join(parts)


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


def _define(name: str, width: int, body: Callable[[Code], None]) -> str:
    code = Code(width)
    body(code)
    return code.function(f"autograd.{name}.{width}", SIGNATURES[name])


def _by_table(fold: str, width: int) -> str:
    """A kernel of slices whose arguments come in a descriptor (see ``tables``)."""
    code = Code(width)

    def word(k: int) -> str:
        return code.load_whole(code.at("%d", k, "i64"))

    blocks, sign = word(1), code.emit(f"sitofp i64 {word(2)} to double")
    tables = [code.at("%t", word(3 + k), "i32") for k in range(4)]
    listed = ", ".join(f"ptr {table}" for table in tables)
    code.do(
        f"call void @autograd.slices_{fold}.{width}(ptr %v, {listed}, i64 {blocks}, "
        f"double {sign}, i64 {word(7)})"
    )
    return code.function(f"autograd.slices_{fold}_by_table", "ptr %v, ptr %t, ptr %d")
