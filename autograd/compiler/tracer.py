"""Tracers: numbers that write down what is done with them.

A ``Tracer`` is the index of an instruction. Its operators append to three lists; rows
of many operands, numbers to bake in and Values from outside go through ``Trace``.
A tracer's level is that of its trace, below that of every transform which the function
runs inside itself: those see it as one more kind of number.

Source: Griewank & Walther 2008, section 6.1 (operator overloading onto a tape).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from autograd.compiler.program import CODE
from autograd.errors import TraceError
from autograd.lifted import checked
from autograd.numbers import comparable
from autograd.operators import (
    BINARY,
    COMPARISONS,
    EQUALITIES,
    METHODS,
    UNARY,
    Operators,
    is_number,
)
from autograd.primitive import Primitive

__all__ = ["Tracer"]


class Tracer(Operators):
    """A number that is not known yet: the index of an instruction."""

    __slots__ = ("index", "trace")

    def __init__(self, trace: Any, index: int) -> None:
        self.trace, self.index = trace, index

    @property
    def level(self) -> int:
        """The level of the trace (see ``lifted``)."""
        found: int = self.trace.level
        return found

    def apply(self, primitive: Primitive, operands: tuple[Any, ...]) -> Any:
        """General dispatch: this tracer is the operand of the highest level."""
        return self.trace.apply(primitive, operands)

    def __bool__(self) -> bool:
        checked(self)
        raise TraceError(
            "a traced number has no truth value, since the program must fit all "
            "inputs: use autograd.where(condition, x, y), maximum, minimum and clip "
            "instead of if, and, or, max, min and numpy's; or name the argument in "
            "static="
        )

    def __index__(self) -> int:
        raise TraceError(
            "a traced number cannot be an index or a length: use take(xs, i) to "
            "gather by an input, or name the argument in static="
        )

    def __float__(self) -> float:
        raise TraceError(
            "a traced number does not become a float, since the program must fit all "
            "inputs: use autograd's function (autograd.exp instead of math.exp), and "
            "lists or arrays of dtype=object to keep traced numbers in"
        )

    __int__ = __complex__ = __float__

    def __format__(self, how: str) -> str:
        if how:
            raise TraceError("a traced number has no digits yet: format the results")
        return repr(self)

    @property
    def data(self) -> Any:
        """A traced number has none: raises TraceError."""
        raise TraceError(
            "a traced number has no .data yet; compute with the number itself"
        )

    def __repr__(self) -> str:
        return f"Tracer(%{self.index})"


_new = object.__new__


def _binary(row: Primitive) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """The two operators of a row; unrolled, for tracing is bound by them."""
    code = CODE[row.name]

    def forward(self: Tracer, other: Any) -> Any:
        trace = self.trace
        kind = other.__class__
        if kind is Tracer and other.trace is trace:
            second = other.index
        elif kind is float or kind is int:
            known = trace.known.get(other) if other else None  # zeros have signs
            second = trace.index(other) if known is None else known
        elif hasattr(other, "level"):
            return row.apply((self, other))
        elif is_number(other):
            second = trace.index(other)
        else:
            return NotImplemented
        codes = trace.code
        out: Tracer = _new(Tracer)
        out.trace = trace
        out.index = index = len(codes)
        if index >= trace.limit:
            trace.append(code, 0, 0)
        codes.append(code)
        trace.first.append(self.index)
        trace.second.append(second)
        return out

    def reflected(self: Tracer, other: Any) -> Any:
        if other.__class__ is float or other.__class__ is int:
            trace = self.trace
            first = trace.index(other)
            return Tracer(trace, trace.append(code, first, self.index))
        return row.apply((other, self)) if is_number(other) else NotImplemented

    return forward, reflected


def _unary(row: Primitive) -> Callable[[Tracer], Tracer]:
    code = CODE[row.name]

    def method(self: Tracer) -> Tracer:
        return Tracer(self.trace, self.trace.append(code, self.index, -1))

    return method


def _comparison(row: Primitive) -> Callable[..., Any]:
    forward, _ = _binary(row)

    def compare(self: Tracer, other: Any) -> Any:
        return forward(self, other if hasattr(other, "level") else comparable(other))

    return compare


for _name, _row in BINARY.items():
    _forward, _reflected = _binary(_row)
    setattr(Tracer, f"__{_name}__", _forward)
    setattr(Tracer, f"__r{_name}__", _reflected)
for _name, _row in (COMPARISONS | EQUALITIES).items():
    setattr(Tracer, f"__{_name}__", _comparison(_row))
for _name, _row in UNARY.items():
    setattr(Tracer, f"__{_name}__", _unary(_row))
for _name, _row in METHODS.items():
    if _row.arity == 1:
        setattr(Tracer, _name, _unary(_row))
