"""Guards of kernels: products in which an exact 0 is strong (``autograd.strong``).

%strong, an argument of every kernel of products, has bit 0 set where zeros of the first
factor win, bit 1 for the second.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from autograd.compiler.code import Code
from autograd.compiler.lanes import Lanes

__all__ = ["Masks", "mended", "strong_masks"]

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
