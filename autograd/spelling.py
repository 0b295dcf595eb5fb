"""Names that are close: what other libraries call a keyword is taken, or answered.

A function says which spellings of others it takes for its own, and what to write
instead of those that mean something else; for all other unknown keywords the closest of
its own is named. Type checkers see the function's own names only.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from functools import wraps
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")


def spelled(
    accepted: Mapping[str, str] | None = None,
    remedies: Mapping[str, str] | None = None,
) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """A decorator: unknown keywords are renamed, or answered by a TypeError.

    ``accepted`` has the parameter for each other spelling, ``remedies`` what to write
    for keywords that are known from elsewhere.

    >>> @spelled({"colour": "color"}, {"hue": "color="})
    ... def paint(color):
    ...     return color
    >>> paint(colour="red")
    'red'
    >>> paint(hue="red")
    Traceback (most recent call last):
    TypeError: paint() has no argument 'hue': use color=
    """
    accepted, remedies = accepted or {}, remedies or {}

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        own = inspect.signature(function).parameters
        name = function.__qualname__.removesuffix(".__init__")

        @wraps(function)
        def call(*args: P.args, **kwargs: P.kwargs) -> R:
            if not kwargs.keys() <= own.keys():
                kwargs = _renamed(kwargs)  # type: ignore[assignment]
            return function(*args, **kwargs)

        def _renamed(kwargs: Mapping[str, object]) -> dict[str, object]:
            found: dict[str, object] = {}
            for key, value in kwargs.items():
                known = key if key in own else accepted.get(key)
                if known is None:
                    raise TypeError(answer(name, key, own, remedies))
                if known in found or (known != key and known in kwargs):
                    raise TypeError(
                        f"{name}() got {known}= twice: {key}= means the same"
                    )
                found[known] = value
            return found

        return call

    return decorate


def answer(name: str, key: str, own: Iterable[str], remedies: Mapping[str, str]) -> str:
    """What is said of a keyword that a function with ``own`` parameters has not."""
    said = f"{name}() has no argument {key!r}"
    if key in remedies:
        return f"{said}: use {remedies[key]}"
    from difflib import get_close_matches  # only mistakes need it

    names = [parameter for parameter in own if parameter != "self"]
    close = get_close_matches(key, names, n=1)
    known = ", ".join(names)
    if close:
        return f"{said}: did you mean {close[0]}=?"
    return f"{said}; it has {known or 'none'}"
