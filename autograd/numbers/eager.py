"""The eager engine: Values apply primitives; operators and methods are built once.

Everything here is about speed, and nothing about derivatives: each function evaluates
its primitive on floats and notes down which one it was, its operands and their numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from autograd.errors import ShapeError
from autograd.graph.modes import MODES, finish_node
from autograd.graph.nodes import CONSTANT, MANY
from autograd.numbers.operators import COMPARISONS, METHODS, install, method_of
from autograd.numbers.value import Value, _Node
from autograd.table.primitive import Primitive
from autograd.table.primitives import TABLE
from autograd.table.reals import as_float, comparable, is_masked

_DOT = TABLE["dot"]


def _other(other: Any) -> Any:
    """The float of an operand that is neither Value nor float, or NotImplemented."""
    try:
        return as_float(other)
    except TypeError:
        if is_masked(other):
            raise
        return NotImplemented


def _unary(primitive: Primitive) -> Callable[[Value], Any]:
    evaluate = primitive.evaluate

    def method(self: Value) -> Any:
        out = _Node()
        out._primitive = primitive
        out._first = self
        out._second = None
        out._x = x = self._number
        out._number = evaluate(x)
        out.grad = 0.0
        return finish_node(out) if MODES.active else out

    method.__doc__ = primitive.__doc__
    return method


def _binary(primitive: Primitive) -> Callable[[Value, Any], Any]:
    evaluate = primitive.evaluate

    def method(self: Value, other: Any) -> Any:
        if isinstance(other, Value):
            y = other._number
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
        out._x = x = self._number
        out._y = y
        out._number = evaluate(x, y)
        out.grad = 0.0
        return finish_node(out) if MODES.active else out

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
        out._y = y = self._number
        out._number = evaluate(x, y)
        out.grad = 0.0
        return finish_node(out) if MODES.active else out

    return method


def _comparison(primitive: Primitive) -> Callable[[Value, Any], Any]:
    evaluate = primitive.evaluate

    def method(self: Value, other: Any) -> Any:
        y = other._number if isinstance(other, Value) else _other(comparable(other))
        return y if y is NotImplemented else bool(evaluate(self._number, y))

    return method


def affine(rows: Iterable[Sequence[Any]], biases: Iterable[Any]) -> Affine:
    """A layer of neurons as a function: inputs in, ``bias + w1 x1 + ...`` for each row.

    The weights are read here, once, and the inputs once in each call; all nodes share
    them. Call ``affine`` again after changing the weights. Raises ShapeError, naming
    both numbers, when widths differ.

    >>> from autograd import affine
    >>> affine([[1.0, 2.0], [3.0, 4.0]], [0.5, 0.25])([1.0, 1.0])
    [3.5, 7.25]
    """
    rows, biases = list(rows), list(biases)
    if len(rows) != len(biases):
        raise ShapeError(f"{len(rows)} rows of weights with {len(biases)} biases")
    return Affine([(bias, *ws) for ws, bias in zip(rows, biases, strict=True)])


class Affine:
    """What ``affine`` returns; each row of weights has its bias in front."""

    def __init__(self, rows: list[tuple[Any, ...]]) -> None:
        widths = {len(row) - 1 for row in rows}
        if len(widths) > 1:
            raise ShapeError(f"the rows of weights differ in width: {sorted(widths)}")
        self.rows, self.width = rows, max(widths, default=0)
        try:
            saved = [[w._number for w in row] for row in rows]
        except AttributeError:  # plain or lifted weights
            self.layer = None
        else:
            self.layer = list(zip(rows, saved, strict=True))

    def __call__(self, xs: Iterable[Any]) -> list[Any]:
        """The outputs for one sample."""
        xs = tuple(xs)
        if len(xs) != self.width:
            raise ShapeError(f"{self.width} weights for each output, {len(xs)} inputs")
        kinds = set(map(type, xs))
        if self.layer is not None and kinds <= {float}:
            return self._nodes(CONSTANT, (1.0, *xs))
        if self.layer is not None and kinds <= {Value, _Node}:
            return self._nodes((CONSTANT, *xs), (1.0, *[x._number for x in xs]))
        return [_DOT(row, (1.0, *xs)) for row in self.rows]

    def _nodes(self, operands: Any, numbers: tuple[float, ...]) -> list[Any]:
        evaluate, results = _DOT.evaluate, []
        for row, saved in self.layer or ():
            out = _Node()
            out._primitive = _DOT
            out._first = (row, operands)
            out._second = MANY
            out._x = (saved, numbers)
            out._number = evaluate(saved, numbers)
            out.grad = 0.0
            results.append(out)
        return [finish_node(out) for out in results] if MODES.active else results


install(Value, lambda p: (_binary(p), _reflected(p)), _unary, _comparison, COMPARISONS)
for _name, _primitive in METHODS.items():
    setattr(
        Value,
        _name,
        _unary(_primitive) if _primitive.arity == 1 else method_of(_primitive),
    )
