"""A primitive is one row: how to evaluate it, and its partial derivatives.

The partials are ordinary expressions in other primitives. Whatever number flows through
them decides what is computed: a float gives a number, a ``Value`` a graph node, a
``Dual`` a tangent, an array a batch, a symbol a formula.

Source: Griewank & Walther, *Evaluating Derivatives*, 2nd ed. 2008, section 2.2
("elemental functions").
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from itertools import chain
from math import inf
from typing import TYPE_CHECKING, Any, overload

from autograd.table import rules as forms
from autograd.table.reals import as_float, short, unboxed

if TYPE_CHECKING:
    from autograd.numbers.value import Value

__all__ = ["INTERPRETERS", "Primitive", "as_float"]

Number = Any
Rule = Callable[..., Any]

# Containers that interpret a primitive by themselves (numpy arrays): type -> handler.
INTERPRETERS: dict[type, Callable[[Primitive, tuple[Number, ...]], Number]] = {}


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
    chooses : the row chooses among its operands, or is locally constant: a partial of
        exactly 0 says "not chosen", and sends nothing (see ``strong``).
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
        chooses: bool = False,
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
            joint = forms.constant(joint)
        self.name, self.symbol, self.raw_evaluate = name, symbol or name, evaluate
        self.evaluate = forms.checked(name, evaluate, "the value")
        self.arity = len(rules) if rules else arity
        self.rules = rules or forms.separate(joint, arity)
        self.joint = joint or forms.join(rules)
        self.grouped = self.joint if self.arity is None else forms.group(self.joint)
        # How the first-order sweep evaluates the same partials, on floats only.
        self.float_joint = self._checked_joint
        self.float_rules = tuple(
            [forms.checked(name, rule, "a partial") for rule in rules]
        ) or forms.separate(self.float_joint, self.arity)
        self.float_grouped = self._checked_groups
        whole = ((-inf, inf),) * (self.arity or 1)
        self.domain, self.kinks = tuple(domain) or whole, tuple(kinks)
        self.chooses, self.predicate = chooses, predicate
        # Nodes that differ from their row: see handmade.py.
        self.pull: Rule | None = None  # of a node that stands for many: see checkpoint
        self.by_hand: Any = None
        self.edited = False
        self.__doc__ = doc or (
            f"The primitive {name}, of floats, Values, duals and arrays alike; its "
            f"partial derivatives stand in docs/derivatives.md."
        )
        self.__module__ = sys._getframe(1).f_globals.get("__name__", "__main__")

    @overload
    def __call__(self, x: float, /, *others: float) -> float: ...
    @overload
    def __call__(self, x: Value, /, *others: float | Value) -> Value: ...
    @overload
    def __call__(self, x: float, y: Value, /) -> Value: ...
    @overload
    def __call__(self, *operands: Number) -> Number: ...
    def __call__(self, *operands: Number) -> Number:
        """Apply the row to its operands; an n-ary row takes sequences of them."""
        if self.arity is None:
            if len(operands) == 1 and hasattr(operands[0], "over_rows"):
                return operands[0].over_rows(self)  # a batch that is being traced
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
                f"{self.name} takes a sequence of numbers, got {short(group)}"
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
        if self.arity == 1 and getattr(operands[0], "level", 0) > 0:
            return operands[0].apply(self, operands)
        operands = self.map(unboxed, operands)
        level, top = -1, None
        for operand in self.flat(operands):
            rank = getattr(operand, "level", None)
            if rank is None:
                kinds = type(operand).__mro__
                handler = next(filter(None, map(INTERPRETERS.get, kinds)), None)
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
        return list(self.joint(*operands, result))

    def _checked_joint(self, *arguments: Any) -> Any:
        return self._checked_groups(arguments[:-1], arguments[-1])[0]

    def _checked_groups(self, *arguments: Any) -> Any:
        """The partials of each group as floats, one for each operand."""
        *numbers, result = arguments
        call = forms.checked(self.name, self.grouped, "the partials", forms.floats)
        partials = call(*numbers, result)
        forms.check_lengths(self.name, numbers, partials)
        return partials

    def __repr__(self) -> str:
        return f"<primitive {self.name}>"

    def __copy__(self) -> Primitive:
        twin = object.__new__(type(self))  # __reduce__ names this very object
        twin.__dict__.update(self.__dict__)
        return twin

    def __reduce__(self) -> Any:
        return self.by_hand.rebuild if self.by_hand is not None else self.name


def _plain(x: Any) -> Number:
    return x if type(x) is float or hasattr(x, "level") else as_float(x)
