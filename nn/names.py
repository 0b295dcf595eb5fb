"""Names of losses, metrics, activations ...: what users call them, and what is meant.

A name is found however it is spelt (case, hyphens, spaces and underscores do not
count), and by the other names that mean the same. A name that means nearly the same is
refused with the difference; an unknown one with the closest that is known.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any, TypeVar, cast

from autograd.table.reals import short

T = TypeVar("T")
Also = Mapping[str, str]  # a known name: others that mean the same, between spaces
Near = Mapping[str, tuple[str, str]]  # names: what was perhaps meant, the difference


def lookup(
    what: str,
    name: Any,
    table: Mapping[str, T],
    otherwise: str,
    also: Also | None = None,
    near: Near | None = None,
) -> T:
    """The entry of that name; what can be called is taken as it is.

    >>> lookup("size", "Rather-Big", {"big": 9}, "", also={"big": "rather_big great"})
    9
    >>> lookup("size", "bigg", {"big": 9}, "any int")
    Traceback (most recent call last):
    ValueError: unknown size 'bigg': known are big, and any int; did you mean 'big'?
    """
    if callable(name):
        return cast(T, name)
    if isinstance(name, str) and name in table:
        return table[name]
    also, near = also or {}, near or {}
    same = {_squeezed(known): known for known in table}
    same |= {_squeezed(x): known for known in also for x in also[known].split()}
    key = _squeezed(name) if isinstance(name, str) else ""
    if key in same:
        return table[same[key]]
    hints = {_squeezed(x): near[xs] for xs in near for x in xs.split()}
    if key in hints:
        meant, difference = hints[key]
        raise ValueError(
            f"unknown {what} {short(name)}: did you mean {meant}? {difference}"
        )
    raise ValueError(
        f"unknown {what} {short(name)}: known are {', '.join(table)}, and {otherwise}"
        f"{_closest(key, table, also, hints)}"
    )


def _squeezed(name: str) -> str:
    return re.sub(r"[-_\s]", "", name).lower()


def _closest(key: str, table: Mapping[str, Any], also: Also, hints: Any) -> str:
    """The known name with the most letters in common, if there is one like it."""
    others = [x for xs in also.values() for x in xs.split()]
    shown = {_squeezed(x): repr(x) for x in [*others, *table]}
    shown = {x: meant for x, (meant, _) in hints.items()} | shown
    found = get_close_matches(key, shown, n=1)
    return f"; did you mean {shown[found[0]]}?" if found else ""
