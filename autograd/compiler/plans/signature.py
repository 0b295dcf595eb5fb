"""How a call binds: which arguments are numbers to trace, and which select a plan."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from autograd.compiler.trace.vmap import vmap
from autograd.transforms.gradients import (
    Transform,
    check_argnums,
    grad,
    transform_of,
    value_and_grad,
)
from autograd.transforms.jacobians import hessian, hvp, jacobian

Tree = Any
GRADIENTS: dict[str, Callable[..., Any]] = {
    "grad": grad,
    "value_and_grad": value_and_grad,
}
_DERIVATIVES = (*GRADIENTS, "hvp", "hessian")
_MANY = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)


def gradient_of(function: Any) -> Transform | None:
    """The transform of a gradient function, whose primal is what is compiled."""
    transform = transform_of(function)
    return transform if transform and transform.name in _DERIVATIVES else None


@dataclass(frozen=True)
class Description:
    """A function that a transform made, as what travels: closures do not."""

    name: str
    function: Any
    argument: Any


def described(function: Any) -> Any:
    """A function, or the description of one that transforms made."""
    transform = transform_of(function)
    if transform is None:
        return function
    inner = described(transform.function)
    return Description(transform.name, inner, transform.argnums)


def remade(description: Any) -> Callable[..., Tree]:
    """The function of a description."""
    if not isinstance(description, Description):
        made: Callable[..., Tree] = description
        return made
    inner = remade(description.function)
    makers: dict[str, Callable[..., Any]] = {
        **GRADIENTS,
        "vmap": vmap,
        "jacobian": jacobian,
        "hessian": hessian,
    }
    if description.name == "hvp":
        return hvp(inner)
    made = makers[description.name](inner, description.argument)
    return made


@dataclass(frozen=True)
class Form:
    """The shape of a call: positional arguments, other names, and what is static."""

    count: int
    names: tuple[str, ...]
    fixed: tuple[tuple[int | str, Any], ...]
    kinds: tuple[Any, ...] = ()

    def bound(self, function: Callable[..., Tree]) -> Callable[..., Tree]:
        """The function of the arguments that move; gradients stay gradients."""
        if not self.names and not self.fixed:
            return function
        transform = gradient_of(function)
        if transform is None:
            return _Bound(function, self)
        check_argnums(transform.places, self.count, self.names)
        moving = [place for place in range(self.count) if place not in dict(self.fixed)]
        places = [moving.index(place % self.count) for place in transform.places]
        again = places[0] if isinstance(transform.argnums, int) else tuple(places)
        inner = _Bound(transform.function, self)
        return remade(Description(transform.name, inner, again))


class _Bound:
    """A function with its static arguments filled in, all others by place."""

    def __init__(self, function: Callable[..., Tree], form: Form) -> None:
        self.function, self.form = function, form
        self.__name__ = getattr(function, "__name__", "function")

    def __call__(self, *moving: Tree) -> Tree:
        rest, fixed = iter(moving), dict(self.form.fixed)
        args = [
            fixed[place] if place in fixed else next(rest)
            for place in range(self.form.count)
        ]
        named = {name: x for name, x in fixed.items() if isinstance(name, str)}
        return self.function(*args, **named, **{n: next(rest) for n in self.form.names})


class Binding:
    """What ``static=`` means for a function."""

    def __init__(
        self, function: Callable[..., Tree], static: int | str | Sequence[int | str]
    ) -> None:
        wanted = [static] if isinstance(static, int | str) else list(static)
        self.static = wanted
        self.places = {place for place in wanted if isinstance(place, int)}
        self.names = {name for name in wanted if isinstance(name, str)}
        self.forms: dict[Any, Form] = {}  # of calls without static arguments
        if wanted:
            self._complete(function)

    def _complete(self, function: Callable[..., Tree]) -> None:
        """Names of places and places of names, checked against the signature."""
        parameters = list(inspect.signature(function).parameters.values())
        names = [p.name for p in parameters if p.kind not in _MANY]
        open_ended = {p.kind for p in parameters} & set(_MANY)
        for place in sorted(self.places):
            if place < 0 or (place >= len(names) and not open_ended):
                raise ValueError(f"static={place}: the parameters are {names}")
        for name in sorted(self.names):
            if name not in names and not open_ended:
                raise ValueError(f"static={name!r}: the parameters are {names}")
        known = set(self.names) & set(names)
        self.names |= {names[place] for place in self.places if place < len(names)}
        self.places |= {names.index(name) for name in known}

    def split(self, args: Sequence[Any], kwargs: Any) -> tuple[Form, list[Any]]:
        """The form of a call, and its arguments that move."""
        if not self.static:
            shape = len(args), tuple(kwargs)
            form = self.forms.get(shape)
            if form is None:
                form = self.forms[shape] = Form(*shape, ())
            return form, [*args, *kwargs.values()]
        given: list[tuple[int | str, Any]] = [*enumerate(args), *kwargs.items()]
        fixed = [pair for pair in given if pair[0] in self.places | self.names]
        names = tuple([name for name in kwargs if name not in self.names])
        for name, value in fixed:
            try:
                hash(value)
            except TypeError:
                raise TypeError(
                    f"a static argument selects what is compiled and must be hashable: "
                    f"argument {name!r} is {type(value).__name__}"
                ) from None
        moving = [x for name, x in given if name not in self.places | self.names]
        kinds = tuple([_kind(value) for _, value in fixed])
        return Form(len(args), names, tuple(fixed), kinds), moving


def _kind(value: Any) -> Any:
    """What tells equal static arguments apart: 1, 1.0 and True; 0.0 and -0.0."""
    if isinstance(value, tuple):
        return type(value), *map(_kind, value)
    return repr(value) if isinstance(value, float) else type(value)
