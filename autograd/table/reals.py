"""What counts as a number: real ones, which become floats."""

from __future__ import annotations

from math import inf
from numbers import Complex, Real
from typing import Any


def as_float(x: Any) -> float:
    """The float that a real number holds: int, bool, Fraction, numpy scalar, 0-d array.

    Raises TypeError for everything else, complex numbers, text and masked entries
    included, and OverflowError for what is beyond the floats.
    """
    if isinstance(x, Real):
        try:
            return float(x)
        except OverflowError:
            raise OverflowError(
                f"{short(x)} is beyond the range of floats, 1.8e308; scale it down"
            ) from None
        except TypeError:  # numpy's durations count as integers, and are none
            pass
    elif getattr(x, "shape", None) == () and not isinstance(x, Complex):
        if is_masked(x):
            raise TypeError(
                "a masked entry holds no number: fill it in (numpy.ma.filled), or "
                "leave it out (compressed)"
            )
        return as_float(x.item())
    kind = type(x).__name__
    raise TypeError(f"expected a real number, got {kind}: {short(x)}")


def unboxed(x: Any) -> Any:
    """The number in an array without axes; everything else as it is."""
    alone = getattr(x, "shape", None) == () and not is_masked(x)
    return x.item() if alone else x


def is_masked(x: Any) -> bool:
    """Whether x is a masked entry: an operand that is refused, not left to numpy.ma."""
    return getattr(x, "shape", None) == () and bool(getattr(x, "mask", False))


def comparable(x: Any) -> Any:
    """x for a comparison: infinite if it is a real number beyond the floats, else x."""
    try:
        as_float(x)
    except TypeError:
        return x
    except OverflowError:
        return inf if x > 0 else -inf
    return x


def short(x: Any) -> str:
    """The text of anything, cut to 60 characters; some have none that can be had.

    >>> short(10**5000)
    'an integer of 16,610 bits'
    """
    try:
        text = repr(x)
    except Exception:  # whatever a stranger's repr raises
        if isinstance(x, int):
            return f"an integer of {x.bit_length():,} bits"
        return f"an object of type {type(x).__name__} without a text"
    return text if len(text) <= 60 else text[:57] + "..."
