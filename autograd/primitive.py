"""A primitive is one row: how to evaluate it, and its partial derivatives.

The partials are ordinary expressions in other primitives. Whatever number flows through
them decides what is computed: a float gives a number, a ``Value`` a graph node, a
``Dual`` a tangent, an array a batch, a symbol a formula.

Source: Griewank & Walther, *Evaluating Derivatives*, 2nd ed. 2008, section 2.2
("elemental functions").
"""

from __future__ import annotations

import operator
import sys
from collections.abc import Callable, Sequence
from itertools import chain
from math import inf
from numbers import Complex, Real
from types import FunctionType
from typing import Any

__all__ = ["INTERPRETERS", "Primitive", "as_float"]

Number = Any
Rule = Callable[..., Any]

# Containers that interpret a primitive by themselves (numpy arrays): type -> handler.
INTERPRETERS: dict[type, Callable[[Primitive, tuple[Number, ...]], Number]] = {}


def as_float(x: Any) -> float:
    """The float that a real number holds: int, bool, Fraction, numpy scalar, 0-d array.

    Raises TypeError for everything else, complex numbers and text included.
    """
    if isinstance(x, Real):
        return float(x)
    if getattr(x, "shape", None) == () and not isinstance(x, Complex):
        return as_float(x.item())
    kind = type(x).__name__
    raise TypeError(f"expected a real number, got {kind}: {_short(x)}")


def _short(x: Any) -> str:
    text = repr(x)
    return text if len(text) <= 60 else text[:57] + "..."


class Primitive:
    """One row of the table of operations, or an operation of your own.

    Parameters
    ----------
    name : the operation's name; assign the row to a variable of the same name in a
        module if nodes made by it are to be pickled.
    evaluate : floats in, float out. It should follow IEEE 754 and not raise.
    *rules : one partial derivative for each operand, as functions of the operands and
        then the result, written in functions of ``autograd``.
    joint : instead of ``rules``, one function of the same arguments that returns all
        partials at once; or the partials themselves when they are constants.
    arity : with ``joint``, the number of operands; None for *n-ary* rows, which take
        sequences of operands and return a sequence of partials for each.
    symbol : how it is drawn; an infix sign for a binary row.
    domain : the interval, one for each operand, outside which the result is NaN.
    kinks : first operands at which the derivative jumps.
    singular : a cotangent of exactly 0 wins over an infinite or NaN partial.
    tame : a finite result implies finite partials, so that a cotangent of exactly 0
        may be dropped without looking at them.
    structural : a partial of exactly 0 wins over an infinite or NaN cotangent.
    predicate : the result is a plain truth value, without derivative.

    Examples
    --------
    >>> from autograd import Primitive, Value
    >>> cube = Primitive("cube", lambda x: x * x * x, lambda x, y: 3.0 * x * x)
    >>> x = Value(2.0)
    >>> cube(x).backward()
    >>> x.grad
    12.0
    """

    guarded_product: Rule  # the row that multiplies cotangents into singular partials

    def __init__(
        self,
        name: str,
        evaluate: Rule,
        *rules: Rule,
        joint: Rule | tuple[float, ...] | None = None,
        arity: int | None = None,
        symbol: str = "",
        domain: Sequence[tuple[float, float]] = (),
        kinks: Sequence[float] = (),
        singular: bool = False,
        tame: bool = False,
        structural: bool = False,
        predicate: bool = False,
        doc: str = "",
    ) -> None:
        if bool(rules) == (joint is not None):
            raise TypeError(
                f"primitive {name!r} needs its partials once: one function for each "
                f"operand, or joint= one function that returns them all"
            )
        self.constants = joint if isinstance(joint, tuple) else None
        if isinstance(joint, tuple):
            arity = len(joint)
            joint = _constant(joint)
        self.name, self.symbol, self.evaluate = name, symbol or name, evaluate
        self.arity = len(rules) if rules else arity
        self.rules = rules or _separate(joint, arity)
        self.joint = joint or _join(rules)
        self.grouped = self.joint if self.arity is None else _group(self.joint)
        # How the first-order sweep evaluates the same partials, on floats only.
        self.float_rules, self.float_grouped = self.rules, self.grouped
        self.float_joint = self.joint
        whole = ((-inf, inf),) * (self.arity or 1)
        self.domain, self.kinks = tuple(domain) or whole, tuple(kinks)
        self.singular, self.structural, self.tame = singular, structural, tame
        self.predicate = predicate
        self.by_hand: Rule | None = None  # lecture-style nodes: see handmade.py
        self.product: Rule = operator.mul
        if structural:
            self.product = lambda cotangent, partial: self.guarded_product(
                partial, cotangent
            )
        elif singular:
            self.product = lambda *factors: self.guarded_product(*factors)
        self.__doc__ = doc or (
            f"The primitive {name}, of floats, Values, duals and arrays alike; its "
            f"partial derivatives stand in docs/derivatives.md."
        )
        self.__module__ = sys._getframe(1).f_globals.get("__name__", "__main__")

    def __call__(self, *operands: Number) -> Number:
        """Apply the row to its operands; an n-ary row takes sequences of them."""
        if self.arity is None:
            return self.apply(tuple([self._sequence(group) for group in operands]))
        if len(operands) != self.arity:
            raise TypeError(
                f"{self.name} takes {self.arity} operand(s), got {len(operands)}"
            )
        return self.apply(operands)

    def _sequence(self, group: Any) -> tuple[Number, ...]:
        try:
            return tuple(group)
        except TypeError:
            raise TypeError(
                f"{self.name} takes a sequence of numbers, got {_short(group)}"
            ) from None

    def apply(self, operands: tuple[Number, ...]) -> Number:
        """Let the operand of the highest level take the call; floats are evaluated."""
        top: Any = None
        for kind in set(map(type, self.flat(operands))) - {float}:
            if getattr(kind, "level", None) != 0:
                return self._apply_any(operands)
            top = kind
        if top is None:
            return self.evaluate(*operands)
        return top.apply(top, self, operands)

    def _apply_any(self, operands: tuple[Number, ...]) -> Number:
        """Dispatch when levels differ, or numbers must be converted to floats first."""
        level, top = -1, None
        for operand in self.flat(operands):
            rank = getattr(operand, "level", None)
            if rank is None:
                handler = INTERPRETERS.get(type(operand))
                if handler is not None and getattr(operand, "shape", ()) != ():
                    return handler(self, operands)
            elif rank > level:
                level, top = rank, operand
        operands = self.map(_plain, operands)
        if top is None:
            return self.evaluate(*operands)
        return top.apply(self, operands)

    def flat(self, operands: tuple[Number, ...]) -> Sequence[Number]:
        """The operands in one row, the groups of an n-ary primitive chained."""
        return operands if self.arity is not None else list(chain(*operands))

    def map(self, f: Callable[[Number], Any], operands: tuple[Number, ...]) -> Any:
        """f of every operand, in the same groups."""
        if self.arity is not None:
            return tuple([f(x) for x in operands])
        return tuple([tuple([f(x) for x in group]) for group in operands])

    def partials(
        self, operands: tuple[Number, ...], result: Number
    ) -> Sequence[Number]:
        """All partial derivatives in one row; the result is passed along."""
        if self.arity is None:
            return list(chain(*self.joint(*operands, result)))
        return [rule(*operands, result) for rule in self.rules]

    def __repr__(self) -> str:
        return f"<primitive {self.name}>"

    def __reduce__(self) -> str:
        return self.name


def specialise(table: dict[str, Primitive]) -> None:
    """Let the float sweep run the very partials of the table without dispatch.

    The same code objects get a namespace in which a row's name means its evaluation on
    floats. Nothing is written twice; backward through a tanh becomes twice as fast.
    """
    floats: dict[str, Any] = {name: row.evaluate for name, row in table.items()}

    def on_floats(rule: Rule) -> Rule:
        names = {**rule.__globals__, **floats}
        return FunctionType(rule.__code__, names, closure=rule.__closure__)

    for row in table.values():
        if row.arity is None:
            row.float_grouped = on_floats(row.joint)
            continue
        if row.rules[0].__closure__ is None:
            row.float_rules = tuple([on_floats(rule) for rule in row.rules])
            row.float_joint = _join(row.float_rules)
        row.float_grouped = _group(row.float_joint)


def _plain(x: Any) -> Number:
    return x if type(x) is float or hasattr(x, "level") else as_float(x)


def _constant(partials: tuple[float, ...]) -> Rule:
    return lambda *_: partials


def _group(joint: Rule) -> Rule:
    """The partials of a row of fixed arity, as those of one group of operands."""
    return lambda operands, result: (joint(*operands, result),)


def _separate(joint: Rule | None, arity: int | None) -> tuple[Rule, ...]:
    """One function for each operand out of one for all."""

    def pick(i: int) -> Rule:
        return lambda *arguments: joint(*arguments)[i]  # type: ignore[misc]

    return tuple(pick(i) for i in range(arity or 0))


def _join(rules: tuple[Rule, ...]) -> Rule:
    """One function for all operands out of one for each."""
    if len(rules) == 2:
        first, second = rules
        return lambda x, y, z: (first(x, y, z), second(x, y, z))
    return lambda *arguments: tuple([rule(*arguments) for rule in rules])
