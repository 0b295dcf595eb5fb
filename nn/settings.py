"""Settings: what users choose, checked where it arrives, under its own name.

A wrong type is a TypeError, a senseless number or an unknown name a ValueError.
"""

from __future__ import annotations

import operator
from collections.abc import Mapping
from math import isfinite
from typing import Any, TypeVar

from autograd.table.reals import as_float, short

__all__ = [
    "choose",
    "fraction",
    "function",
    "integer",
    "nonnegative",
    "positive",
    "several",
]

T = TypeVar("T")


def real(name: str, x: Any) -> Any:
    """x itself if it is a real number."""
    try:
        as_float(x)
    except TypeError:
        raise TypeError(f"{name} must be a real number, got {short(x)}") from None
    except OverflowError:
        raise ValueError(f"{name} must be a finite number: it is too large") from None
    return x


def integer(name: str, x: Any) -> int:
    """x as an int; NumPy's integers are some too."""
    try:
        return operator.index(x)
    except TypeError:
        raise TypeError(f"{name} must be an int, got {short(x)}") from None


def positive(name: str, x: Any) -> Any:
    """x, which must be > 0."""
    if not real(name, x) > 0:
        raise ValueError(f"{name} must be > 0, got {short(x)}")
    return x


def nonnegative(name: str, x: Any) -> Any:
    """x, which must be finite and >= 0."""
    if not (real(name, x) >= 0.0 and isfinite(x)):
        raise ValueError(f"{name} must be a finite number >= 0, got {short(x)}")
    return x


def fraction(name: str, x: Any) -> Any:
    """x, which must lie in [0, 1)."""
    if not 0.0 <= real(name, x) < 1.0:
        raise ValueError(f"{name} must lie in [0, 1), got {short(x)}")
    return x


def choose(what: str, name: Any, known: Mapping[str, T], otherwise: str) -> T:
    """The entry of that name; the error lists the known ones."""
    if isinstance(name, str) and name in known:
        return known[name]
    raise ValueError(
        f"unknown {what} {short(name)}: known are {', '.join(known)}, and {otherwise}"
    )


def function(name: str, f: Any, what: str) -> Any:
    """f itself if it can be called."""
    if not callable(f):
        raise TypeError(f"{name} must be {what}, got {short(f)}")
    return f


def several(name: str, given: Any, what: str) -> list[Any]:
    """One name or function, or a sequence of them, as a list."""
    if isinstance(given, str) or callable(given):
        return [given]
    try:
        return list(given)
    except TypeError:
        raise TypeError(
            f"{name} must be {what}, or a list of them, got {short(given)}"
        ) from None
