"""What counts as a number: real ones, which become floats."""

from __future__ import annotations

from numbers import Complex, Real
from typing import Any

__all__ = ["as_float", "short", "unboxed"]


def as_float(x: Any) -> float:
    """The float that a real number holds: int, bool, Fraction, numpy scalar, 0-d array.

    Raises TypeError for everything else, complex numbers and text included.
    """
    if isinstance(x, Real):
        try:
            return float(x)
        except OverflowError:
            raise OverflowError(
                f"{short(x)} is beyond the range of floats, 1.8e308; scale it down"
            ) from None
    if getattr(x, "shape", None) == () and not isinstance(x, Complex):
        return as_float(x.item())
    kind = type(x).__name__
    raise TypeError(f"expected a real number, got {kind}: {short(x)}")


def unboxed(x: Any) -> Any:
    """The number in an array without axes; everything else as it is."""
    return x.item() if getattr(x, "shape", None) == () else x


def short(x: Any) -> str:
    """The text of anything, cut to 60 characters."""
    text = repr(x)
    return text if len(text) <= 60 else text[:57] + "..."
