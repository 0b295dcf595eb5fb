"""Transforms: functions in, derivative functions out; any nesting, any order.

Each transform takes a fresh level, lifts its arguments to it, runs the function, and
reads the derivatives off. Inner transforms have higher levels than the outer ones they
run inside, so that each sees the outer numbers as constants.

Source: Griewank & Walther 2008, chapters 3 and 5; Pearlmutter 1994 for ``hvp``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import wraps
from numbers import Integral
from typing import Any

from autograd.graph.nodes import refuse_unrecorded
from autograd.graph.reverse import cotangents_of
from autograd.graph.strong import is_zero
from autograd.numbers.dual import Dual
from autograd.numbers.lifted import Level, Lifted, checked
from autograd.numbers.value import Value
from autograd.spelling import spelled
from autograd.table.reals import as_float, short, unboxed
from autograd.transforms.tree import flatten, matched, named

Number = Any
Tree = Any

of_functions = spelled(  # what JAX calls it, and has besides
    {"argnum": "argnums", "fun": "f", "func": "f"},
    {
        "has_aux": "a function that returns its number alone; what else it computes it "
        "can put into a list of the caller's",
        "argnames": "argnums=, the places of the arguments",
        "holomorphic": "nothing: numbers are real",
        "allow_int": "nothing: whole numbers are differentiated as floats",
        "create_graph": "nothing: derivative functions are differentiated again as is",
    },
)


@dataclass(frozen=True, eq=False)
class Transform:
    """What a derivative function was made of; ``jit`` reads it off the function."""

    make: Callable[..., Any]
    function: Callable[..., Any]
    argnums: Any  # what ``make`` took beside the function; None for nothing
    derivative: Callable[..., Any]

    @property
    def name(self) -> str:
        """The name of the transform: grad, hessian ..."""
        name: str = self.make.__name__
        return name

    @property
    def places(self) -> tuple[int, ...]:
        """The places of the arguments that are differentiated."""
        chosen = 0 if self.argnums is None else self.argnums
        return chosen if isinstance(chosen, tuple) else (chosen,)

    def of(self, function: Callable[..., Any], argnums: Any = None) -> Any:
        """The same transform of another function, at other places if they are given."""
        if self.argnums is None:
            return self.make(function)
        return self.make(function, self.argnums if argnums is None else argnums)


def transform_of(function: Any) -> Transform | None:
    """What made a function; not what made one that it merely wraps."""
    found = getattr(function, "transform", None)
    if isinstance(found, Transform) and found.derivative is function:
        return found
    return None


@spelled(
    {"outputs": "y", "inputs": "wrt"},
    {
        "retain_graph": "nothing: the graph stays",
        "allow_unused": "nothing: what y does not depend on has the gradient 0",
        "grad_outputs": "gradient(c * y, wrt), or vjp",
        "is_grads_batched": "jacobian",
    },
)
def gradient(y: Value, wrt: Tree, create_graph: bool = False) -> Tree:
    """dy/dx for every Value in ``wrt``, in its shape; touches no ``.grad``.

    Parameters
    ----------
    y : the Value to differentiate (a plain number depends on nothing).
    wrt : a Value, or a tree of them (list, tuple, dict, object array, module; the
        gradient of a module is a dict like its ``named_parameters()``).
    create_graph : return Values that can be differentiated again, instead of floats.

    Returns floats (Values with ``create_graph``); exactly 0 where y does not depend.

    Raises StaleValueError when ``create_graph`` meets data changed after the forward
    pass.

    >>> from autograd import Value, gradient
    >>> x = Value(2.0)
    >>> dy = gradient(x * x * x, x, create_graph=True)
    >>> dy.data, gradient(dy, x)
    (12.0, 12.0)
    """
    y = unboxed(y)
    if not isinstance(y, Value):
        y = Value(y)  # a number depends on nothing
    refuse_unrecorded(y)
    leaves, _ = flatten(wrt)
    for leaf in leaves:
        if not isinstance(leaf, Value):
            raise TypeError(
                f"wrt must hold Values, got {type(leaf).__name__}: give the leaves "
                "themselves, not their .data"
            )
    cotangents = cotangents_of([(y, 1.0)], create_graph)
    found = [cotangents.get(leaf, 0.0) for leaf in leaves]
    if create_graph:
        found = [g if isinstance(g, Value) else Value(g) for g in found]
    return flatten(named(wrt))[1](found)


def _number(x: Any) -> Number:
    x = unboxed(x)
    return x if hasattr(x, "level") or type(x) is float else as_float(x)


def _scalar(y: Any, name: str) -> Number:
    refuse_nothing([y], name)
    try:
        return _number(y)
    except TypeError:
        raise TypeError(
            f"{name} needs a function that returns one number, got "
            f"{type(y).__name__}; use jacobian or vjp for several outputs"
        ) from None


def _is_at(y: Any, level: int) -> bool:
    return getattr(y, "level", -1) == level


def tagged(derivative: Any, make: Any, f: Any, argnums: Any) -> Any:
    """A function that knows what it was made of (see ``transform_of``)."""
    places = tuple(argnums) if isinstance(argnums, list) else argnums
    derivative.transform = Transform(make, f, places, derivative)
    return derivative


def check_argnums(
    argnums: int | Sequence[int], count: int, names: Iterable[str] = ()
) -> list[int]:
    """The places that ``argnums`` names among so many arguments, and others by name."""
    chosen = places_of(argnums)
    for i in chosen:
        if not -count <= i < count:
            named = [f"{name}=" for name in names]
            also = f" and {', '.join(named)}: pass by place what is differentiated"
            raise IndexError(
                f"argnums={i}, but the function was called with {count} positional "
                f"argument(s){also if named else ''}: give that argument by position, "
                "or name another place"
            )
    if len({i % count for i in chosen}) < len(chosen):
        raise ValueError(f"argnums={argnums} names an argument twice: name each once")
    return [i % count for i in chosen]


def places_of(argnums: Any, one: str = "") -> list[int]:
    """The places that ``argnums`` names; with ``one``, a transform that takes one."""
    found = argnums if isinstance(argnums, list | tuple | range) else [argnums]
    for place in found:
        if not isinstance(place, Integral) or isinstance(place, bool):
            raise TypeError(
                "argnums names arguments by their places, 0 the first; got "
                f"{short(argnums)}: write argnums=0, or (0, 1)"
            )
    if one and found is argnums:
        raise TypeError(
            f"{one} differentiates one argument, got argnums={short(argnums)}: give "
            f"the function one list, tuple or dict of them"
        )
    return [int(place) for place in found]


def refuse_nothing(outputs: Iterable[Any], name: str) -> None:
    """Raise TypeError for a function that returns None."""
    if any(y is None for y in outputs):
        raise TypeError(
            f"{name} needs a function that returns numbers, got None: is there a "
            f"return missing?"
        )


def check_function(f: Any, name: str) -> None:
    """Raise TypeError for what cannot be called."""
    if not callable(f):
        raise TypeError(
            f"{name} differentiates a function, got {short(f)}: give the function, not "
            f"its value"
        )


@of_functions
def value_and_grad(
    f: Callable[..., Number], argnums: int | Sequence[int] = 0
) -> Callable[..., tuple[Number, Tree]]:
    """A function that returns f's value and its gradient, in the arguments' shape.

    A module's gradient is a dict like its ``named_parameters()``; its parameters are
    read as floats. Values as arguments keep the result in their graph.

    >>> from autograd import value_and_grad
    >>> value_and_grad(lambda x, y: x * y)(3.0, 4.0)
    (12.0, 4.0)
    """
    check_function(f, "value_and_grad")
    single = isinstance(argnums, Integral)
    chosen = places_of(argnums)

    @wraps(f)
    def derivative(*args: Any, **kwargs: Any) -> tuple[Number, Tree]:
        check_argnums(argnums, len(args), kwargs)
        lifted = list(args)
        parts = []
        with Level("grad", f) as level:
            for i in chosen:
                leaves, rebuild = flatten(args[i], as_floats=True)
                nodes = [Lifted(_number(x), level) for x in leaves]
                lifted[i] = rebuild(nodes)
                parts.append((nodes, flatten(named(args[i]))[1]))
            y = checked(_scalar(f(*lifted, **kwargs), "grad"))
        at = _is_at(y, level)
        cotangents = cotangents_of([(y, 1.0)]) if at else {}
        gradients = [
            rebuild([cotangents.get(node, 0.0) for node in nodes])
            for nodes, rebuild in parts
        ]
        value = y.primal if at else y
        return value, gradients[0] if single else tuple(gradients)

    made: Callable[..., Any] = tagged(derivative, value_and_grad, f, argnums)
    return made


@of_functions
def grad(
    f: Callable[..., Number], argnums: int | Sequence[int] = 0
) -> Callable[..., Tree]:
    """The gradient of f as a function (reverse mode).

    >>> from autograd import grad, tanh
    >>> grad(grad(lambda x: x * x * x))(2.0)
    12.0
    """
    check_function(f, "grad")
    both = value_and_grad(f, argnums)

    @wraps(f)
    def derivative(*args: Any, **kwargs: Any) -> Tree:
        return both(*args, **kwargs)[1]

    made: Callable[..., Any] = tagged(derivative, grad, f, argnums)
    return made


def jvp(
    f: Callable[..., Tree], primals: Sequence[Tree], tangents: Sequence[Tree]
) -> tuple[Tree, Tree]:
    """f(primals), and its derivative along the tangents (forward mode).

    >>> from autograd import jvp
    >>> jvp(lambda x, y: x * y, (3.0, 4.0), (1.0, 0.0))
    (12.0, 4.0)
    """
    check_function(f, "jvp")
    for name, given in (("primals", primals), ("tangents", tangents)):
        if not isinstance(given, list | tuple):
            raise TypeError(
                f"{name} is a tuple, one entry for each argument, got "
                f"{short(given)}: write ({short(given)},) for one"
            )
    leaves, rebuild = flatten(tuple(primals), as_floats=True)
    directions = matched(tuple(tangents), tuple(primals), "tangents")
    with Level("jvp", f) as level:
        duals = [
            Dual(_number(x), _number(t), level)
            for x, t in zip(leaves, directions, strict=True)
        ]
        outputs, rebuild_output = flatten(f(*rebuild(duals)))
        outputs = list(map(checked, outputs))
        refuse_nothing(outputs, "jvp")
    at = [_is_at(y, level) for y in outputs]
    primal = [y.primal if a else y for y, a in zip(outputs, at, strict=True)]
    tangent = [y.tangent if a else 0.0 for y, a in zip(outputs, at, strict=True)]
    return rebuild_output(primal), rebuild_output(tangent)


def vjp(
    f: Callable[..., Tree], *primals: Tree
) -> tuple[Tree, Callable[[Tree], tuple[Tree, ...]]]:
    """f(*primals), and the function that pulls cotangents back to the primals.

    >>> from autograd import vjp
    >>> y, pull = vjp(lambda x, y: [x * y, x + y], 3.0, 4.0)
    >>> y, pull([1.0, 0.0])
    ([12.0, 7.0], (4.0, 3.0))
    """
    check_function(f, "vjp")
    leaves, rebuild = flatten(primals, as_floats=True)
    rebuild_named = flatten(named(primals))[1]
    with Level("vjp", f) as level:
        nodes = [Lifted(_number(x), level) for x in leaves]
        value = f(*rebuild(nodes))
        outputs, rebuild_output = flatten(value)
        outputs = list(map(checked, outputs))
        refuse_nothing(outputs, "vjp")

    def pull(cotangents: Tree) -> tuple[Tree, ...]:
        weights = matched(cotangents, value, "the cotangent")
        pairs = zip(outputs, weights, strict=True)
        seeds = [(y, _number(w)) for y, w in pairs if _is_at(y, level)]
        seeds = [(y, w) for y, w in seeds if not is_zero(w)]
        found = cotangents_of(seeds)
        result: tuple[Tree, ...] = rebuild_named([found.get(n, 0.0) for n in nodes])
        return result

    values = [y.primal if _is_at(y, level) else y for y in outputs]
    return rebuild_output(values), pull
