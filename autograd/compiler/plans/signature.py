"""How a call binds: which arguments are traced, and which select a plan."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from autograd.compiler.plans.derivatives import derivative_of
from autograd.transforms.gradients import check_argnums, transform_of

Tree = Any
_MANY = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)


class Recipe(NamedTuple):
    """A function that a transform made, as what can be pickled: closures cannot."""

    make: Callable[..., Any]
    function: Any  # a recipe again, or a function
    argument: Any


def to_recipe(function: Any) -> Any:
    """A function, or the recipe of one that transforms made."""
    transform = transform_of(function)
    if transform is None:
        return function
    return Recipe(transform.make, to_recipe(transform.function), transform.argnums)


def from_recipe(recipe: Any) -> Any:
    """The function of a recipe."""
    if not isinstance(recipe, Recipe):
        return recipe
    make, function, argument = recipe
    own = () if argument is None else (argument,)
    return make(from_recipe(function), *own)


@dataclass(frozen=True)
class Signature:
    """The shape of a call: positional arguments, other names, and what is static."""

    count: int
    names: tuple[str, ...]
    static: tuple[tuple[int | str, Any], ...]
    kinds: tuple[Any, ...] = ()

    def bound(self, function: Callable[..., Tree]) -> Callable[..., Tree]:
        """The function of the traced arguments alone; gradients stay gradients."""
        if not self.names and not self.static:
            return function
        transform = derivative_of(function)
        if transform is None:
            return _Bound(function, self)
        check_argnums(transform.places, self.count, self.names)
        static = dict(self.static)
        traced = [place for place in range(self.count) if place not in static]
        places = [traced.index(place % self.count) for place in transform.places]
        argnums = tuple(places) if isinstance(transform.argnums, tuple) else places[0]
        inner = _Bound(transform.function, self)
        made: Callable[..., Tree] = transform.of(inner, argnums)
        return made


class _Bound:
    """A function with its static arguments filled in, all others by place."""

    def __init__(self, function: Callable[..., Tree], signature: Signature) -> None:
        self.function, self.signature = function, signature
        self.__name__ = getattr(function, "__name__", "function")

    def __call__(self, *traced: Tree) -> Tree:
        rest, static = iter(traced), dict(self.signature.static)
        args = [
            static[place] if place in static else next(rest)
            for place in range(self.signature.count)
        ]
        named = {name: x for name, x in static.items() if isinstance(name, str)}
        named |= {name: next(rest) for name in self.signature.names}
        return self.function(*args, **named)


class Binding:
    """What ``static=`` means for a function."""

    def __init__(
        self, function: Callable[..., Tree], static: int | str | Sequence[int | str]
    ) -> None:
        wanted = [static] if isinstance(static, int | str) else list(static)
        self.static = wanted
        self.places = {place for place in wanted if isinstance(place, int)}
        self.names = {name for name in wanted if isinstance(name, str)}
        self.signatures: dict[Any, Signature] = {}  # of calls without static arguments
        if wanted:
            self._complete(function)

    def _complete(self, function: Callable[..., Tree]) -> None:
        """Names of places and places of names, checked against the signature."""
        parameters = list(inspect.signature(function).parameters.values())
        names = [p.name for p in parameters if p.kind not in _MANY]
        open_ended = {p.kind for p in parameters} & set(_MANY)
        for place in sorted(self.places):
            if place < 0 or (place >= len(names) and not open_ended):
                raise ValueError(
                    f"static={place}: the parameters are {names}: use one of these, or "
                    "its place, 0 the first"
                )
        for name in sorted(self.names):
            if name not in names and not open_ended:
                raise ValueError(
                    f"static={name!r}: the parameters are {names}: use one of these, "
                    "or its place, 0 the first"
                )
        known = set(self.names) & set(names)
        self.names |= {names[place] for place in self.places if place < len(names)}
        self.places |= {names.index(name) for name in known}

    def split(self, args: Sequence[Any], kwargs: Any) -> tuple[Signature, list[Any]]:
        """The signature of a call, and the arguments that are traced."""
        if not self.static:
            shape = len(args), tuple(kwargs)
            known = self.signatures.get(shape)
            if known is None:
                known = self.signatures[shape] = Signature(*shape, ())
            return known, [*args, *kwargs.values()]
        given: list[tuple[int | str, Any]] = [*enumerate(args), *kwargs.items()]
        static = [pair for pair in given if pair[0] in self.places | self.names]
        names = tuple([name for name in kwargs if name not in self.names])
        for name, value in static:
            try:
                hash(value)
            except TypeError:
                raise TypeError(
                    f"a static argument selects what is compiled and must be hashable: "
                    f"argument {name!r} is {type(value).__name__}"
                ) from None
        traced = [x for name, x in given if name not in self.places | self.names]
        kinds = tuple([_kind(value) for _, value in static])
        return Signature(len(args), names, tuple(static), kinds), traced


def _kind(value: Any) -> Any:
    """What tells equal static arguments apart: 1, 1.0 and True; 0.0 and -0.0."""
    if isinstance(value, tuple):
        return type(value), *map(_kind, value)
    return repr(value) if isinstance(value, float) else type(value)
