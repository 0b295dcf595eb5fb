"""The eager engine: Values apply rows. Operators and methods are built here, once.

Everything here is about speed, and nothing about derivatives: each function evaluates
its row on floats and notes down which row it was, its operands and their numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from autograd.graph import CONSTANT, MANY
from autograd.modes import MODES, admit
from autograd.operators import BINARY, COMPARISONS, METHODS, UNARY, method_of
from autograd.primitive import Primitive, as_float
from autograd.primitives import TABLE
from autograd.value import Value, _Node

__all__ = ["affine"]


def _other(other: Any) -> Any:
    """The float of an operand that is neither Value nor float, or NotImplemented."""
    try:
        return as_float(other)
    except TypeError:
        return NotImplemented


def _unary(primitive: Primitive) -> Callable[[Value], Any]:
    evaluate = primitive.evaluate

    def method(self: Value) -> Any:
        out = _Node()
        out._primitive = primitive
        out._first = self
        out._second = None
        out._x = x = self._data
        out._data = evaluate(x)
        out.grad = 0.0
        return admit(out) if MODES.active else out

    return method


def _binary(primitive: Primitive) -> Callable[[Value, Any], Any]:
    evaluate = primitive.evaluate

    def method(self: Value, other: Any) -> Any:
        if isinstance(other, Value):
            y = other._data
        elif type(other) is float:
            y = other
            other = CONSTANT
        else:
            y = _other(other)
            if y is NotImplemented:
                return y
            other = CONSTANT
        out = _Node()
        out._primitive = primitive
        out._first = self
        out._second = other
        out._x = x = self._data
        out._y = y
        out._data = evaluate(x, y)
        out.grad = 0.0
        return admit(out) if MODES.active else out

    return method


def _reflected(primitive: Primitive) -> Callable[[Value, Any], Any]:
    evaluate = primitive.evaluate

    def method(self: Value, other: Any) -> Any:
        x = other if type(other) is float else _other(other)
        if x is NotImplemented:
            return x
        out = _Node()
        out._primitive = primitive
        out._first = CONSTANT
        out._second = self
        out._x = x
        out._y = y = self._data
        out._data = evaluate(x, y)
        out.grad = 0.0
        return admit(out) if MODES.active else out

    return method


def _comparison(primitive: Primitive) -> Callable[[Value, Any], Any]:
    evaluate = primitive.evaluate

    def method(self: Value, other: Any) -> Any:
        y = other._data if isinstance(other, Value) else _other(other)
        return y if y is NotImplemented else bool(evaluate(self._data, y))

    return method


def affine(
    rows: Iterable[Sequence[Any]], biases: Iterable[Any]
) -> Callable[[Iterable[Any]], list[Any]]:
    """A layer of neurons as a function: inputs in, ``bias + w1 x1 + ...`` for each row.

    The weights are read here, once, and the inputs once in each call; all nodes share
    them. Call ``affine`` again after changing the weights.

    >>> from autograd import affine
    >>> affine([[1.0, 2.0], [3.0, 4.0]], [0.5, 0.25])([1.0, 1.0])
    [3.5, 7.25]
    """
    dot = TABLE["dot"]
    weights = [(bias, *ws) for ws, bias in zip(rows, biases, strict=True)]
    try:
        saved = [[w._data for w in ws] for ws in weights]
    except AttributeError:  # plain or lifted weights
        return lambda xs: _dots(weights, (1.0, *xs))
    evaluate, layer = dot.evaluate, list(zip(weights, saved, strict=True))

    def apply(xs: Iterable[Any]) -> list[Any]:
        xs = tuple(xs)
        kinds = set(map(type, xs))
        holders: Any
        if kinds <= {float}:
            holders, numbers = CONSTANT, (1.0, *xs)
        elif kinds <= {Value, _Node}:
            holders, numbers = (CONSTANT, *xs), (1.0, *[x._data for x in xs])
        else:
            return _dots(weights, (1.0, *xs))
        results = []
        for ws, ns in layer:
            out = _Node()
            out._primitive = dot
            out._first = (ws, holders)
            out._second = MANY
            out._x = (ns, numbers)
            out._data = evaluate(ns, numbers)
            out.grad = 0.0
            results.append(out)
        return [admit(out) for out in results] if MODES.active else results

    return apply


def _dots(rows: list[tuple[Any, ...]], xs: tuple[Any, ...]) -> list[Any]:
    return [TABLE["dot"](ws, xs) for ws in rows]


for _name, _row in BINARY.items():
    setattr(Value, f"__{_name}__", _binary(_row))
    setattr(Value, f"__r{_name}__", _reflected(_row))
for _name, _row in UNARY.items():
    setattr(Value, f"__{_name}__", _unary(_row))
for _name, _row in COMPARISONS.items():
    setattr(Value, f"__{_name}__", _comparison(_row))
for _name, _row in METHODS.items():
    setattr(Value, _name, _unary(_row) if _row.arity == 1 else method_of(_row))
