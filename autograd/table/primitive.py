"""A primitive: how to evaluate it, and its partial derivatives.

The partials are ordinary expressions in other primitives. Whatever number flows through
them decides what is computed: a float gives a number, a ``Value`` a graph node, a
``Dual`` a tangent, an array a batch, a symbol a formula.

Source: Griewank & Walther, *Evaluating Derivatives*, 2nd ed. 2008, section 2.2
("elemental functions").
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from itertools import chain, islice
from math import inf
from typing import TYPE_CHECKING, Any, ClassVar, overload

from autograd.table.reals import as_float, short, unboxed

if TYPE_CHECKING:
    from autograd.numbers.value import Value

Number = Any
Rule = Callable[..., Any]

# Arrays interpret a primitive by themselves: type -> handler.
ARRAY_HANDLERS: dict[type, Callable[[Primitive, tuple[Number, ...]], Number]] = {}


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
    symmetric : operands may trade places.
    fold : of an n-ary row that combines its operands two at a time, what it gives for
        none of them; None for other rows.
    internal : a helper of partial derivatives: no function or method of users.

    Examples
    --------
    >>> from autograd import Primitive, Value
    >>> cube = Primitive("cube", lambda x: x * x * x, lambda x, y: 3.0 * x * x)
    >>> x = Value(2.0)
    >>> cube(x).backward()
    >>> x.grad
    12.0
    """

    builtin = False  # a row of the table: its functions need no checks
    # Methods of subclasses. How a node that stands for many takes a cotangent that is
    # not finite; how one that was made by hand takes any.
    pull: Rule | None = None
    push: Rule | None = None
    # What the float sweep keeps on a primitive: set by ``sweep``, which says how.
    derive: ClassVar[Callable[[Any], None]] = lambda primitive: None

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
        symmetric: bool = False,
        fold: float | None = None,
        internal: bool = False,
        doc: str = "",
    ) -> None:
        if bool(rules) == (joint is not None):
            raise TypeError(
                f"primitive {name!r} needs its partials once: one function for each "
                f"operand, or joint= one function that returns them all"
            )
        self.constants: tuple[float, ...] = ()  # partials that are the same everywhere
        if isinstance(joint, tuple):
            self.constants = joint if self.builtin else ()
            arity, joint = len(joint), _constant(joint)
        self.name, self.symbol = name, symbol or name
        self.evaluate = (
            evaluate if self.builtin else checked(name, evaluate, "the value")
        )
        self.arity = len(rules) if rules else arity
        self.one_by_one = bool(rules)  # each partial has a function of its own
        self.rules = rules or separate(joint, arity)
        self.joint = joint or join(rules)
        whole = ((-inf, inf),) * (self.arity or 1)
        self.domain, self.kinks = tuple(domain) or whole, tuple(kinks)
        self.chooses, self.predicate, self.symmetric = chooses, predicate, symmetric
        self.fold, self.internal = fold, internal
        self.__doc__ = doc or (
            f"The primitive {name}, of floats, Values, duals and arrays alike; its "
            f"partial derivatives stand in docs/derivatives.md."
        )
        self.__module__ = sys._getframe(1).f_globals.get("__name__", "__main__")
        self.derive()

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
            if len(operands) == 1 and hasattr(operands[0], "over_batch"):
                return operands[0].over_batch(self)  # a batch that is being traced
            return self.apply(tuple([self._sequence(group) for group in operands]))
        if len(operands) != self.arity:
            raise TypeError(
                f"{self.name} takes {self.arity} operand(s), got {len(operands)}: give "
                f"{self.arity}"
            )
        return self.apply(operands)

    def _sequence(self, group: Any) -> tuple[Number, ...]:
        try:
            return tuple(group)
        except TypeError:
            raise TypeError(
                f"{self.name} takes a sequence of numbers, got {short(group)}: write "
                f"{self.name}([x]) for one"
            ) from None

    def apply(self, operands: tuple[Number, ...]) -> Number:
        """Let the operand of the highest level take the call; floats are evaluated."""
        top: Any = None
        if self.arity is None:
            flat = list(chain(*operands))
            types = [*map(type, flat)]
            kinds = {*types} - {float}
            (kind,) = kinds if len(kinds) == 1 else (float,)
            alone = getattr(kind, "alone", None)
            if alone is not None and (top := alone(flat)) is not None:
                return top.apply(self, operands)
            for kind in kinds:
                if getattr(kind, "level", None) != 0:
                    return self._apply_any(operands)
                top = flat[types.index(kind)]
        else:
            for operand in operands:
                kind = type(operand)
                if kind is not float:
                    if getattr(kind, "level", None) != 0:
                        return self._apply_any(operands)
                    top = operand
        if top is None:
            return self.evaluate(*operands)
        return top.apply(self, operands)

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
                handler = next(filter(None, map(ARRAY_HANDLERS.get, kinds)), None)
                if handler is not None and getattr(operand, "shape", ()) != ():
                    return handler(self, operands)
            elif rank > level:
                level, top = rank, operand
        operands = self.map(_plain, operands)
        if top is None:
            return self.evaluate(*operands)
        return top.apply(self, operands)

    def flat(self, operands: tuple[Number, ...]) -> Sequence[Number]:
        """The operands one after the other, the groups of an n-ary primitive chained.

        >>> from autograd.table.primitives import TABLE
        >>> TABLE["dot"].flat(((1.0, 2.0), (3.0, 4.0)))
        [1.0, 2.0, 3.0, 4.0]
        """
        return operands if self.arity is not None else list(chain(*operands))

    def regroup(self, flat: Sequence[Any], sizes: Sequence[int]) -> tuple[Any, ...]:
        """The inverse of ``flat``, for groups of these sizes.

        >>> from autograd.table.primitives import TABLE
        >>> TABLE["dot"].regroup([1.0, 2.0, 3.0, 4.0], [2, 2])
        ((1.0, 2.0), (3.0, 4.0))
        """
        if self.arity is not None:
            return tuple(flat)
        rest = iter(flat)
        return tuple([tuple(islice(rest, size)) for size in sizes])

    def map(self, f: Callable[[Number], Any], operands: tuple[Number, ...]) -> Any:
        """f of every operand, in the same groups."""
        if self.arity is not None:
            return tuple([f(x) for x in operands])
        return tuple([tuple([f(x) for x in group]) for group in operands])

    def partials(
        self, operands: tuple[Number, ...], result: Number
    ) -> Sequence[Number]:
        """All partial derivatives one after the other; the result is passed along."""
        found = self.joint(*operands, result)
        if self.builtin:
            return found if self.arity is not None else list(chain(*found))
        if self.arity is not None:
            operands, found = (operands,), (found,)
        check_lengths(self.name, operands, found)
        return list(chain(*found))

    def __repr__(self) -> str:
        return f"<primitive {self.name}>"

    def __reduce__(self) -> Any:
        return self.name


class Composite(Primitive):
    """An operation that stands for many: a cotangent that is not finite goes through
    them one by one, for what they chose cannot be told from the partials."""

    def __init__(self, name: str, evaluate: Rule, joint: Rule, pull: Rule) -> None:
        self.pull = pull  # (operands, cotangent) -> what each operand gets
        super().__init__(name, evaluate, joint=joint)


def _plain(x: Any) -> Number:
    return x if type(x) is float or hasattr(x, "level") else as_float(x)


def zero(*_: Any) -> float:
    """The partial of what is locally constant."""
    return 0.0


def checked(
    name: str, function: Rule, what: str, convert: Rule = as_float
) -> Callable[..., Any]:
    """A user's function whose answers are converted, or an error that names the row."""

    def call(*operands: Any) -> Any:
        try:
            return convert(function(*operands))
        except TypeError as error:
            raise TypeError(f"{what} of primitive {name!r}: {error}") from error

    return call


def check_lengths(name: str, operands: Any, partials: Any) -> None:
    """Raise unless there is one partial for each operand, group by group."""
    wanted = [len(group) for group in operands]
    try:
        found = [len(group) for group in partials]
    except TypeError:
        raise TypeError(
            f"the partials of primitive {name!r} must be a sequence, or one for each "
            f"group of operands; got {short(partials)}"
        ) from None
    if wanted != found:
        raise TypeError(
            f"primitive {name!r} gave {sum(found)} partial(s) for {sum(wanted)} "
            f"operand(s) (by group: {found} for {wanted}); a row needs one for each"
        )


def _constant(partials: tuple[float, ...]) -> Rule:
    return lambda *_: partials


def separate(joint: Rule | None, arity: int | None) -> tuple[Rule, ...]:
    """One function for each operand out of one for all."""

    def pick(i: int) -> Rule:
        return lambda *arguments: joint(*arguments)[i]  # type: ignore[misc]

    return tuple(pick(i) for i in range(arity or 0))


def join(rules: tuple[Rule, ...]) -> Rule:
    """One function for all operands out of one for each."""
    if len(rules) == 2:
        first, second = rules
        return lambda x, y, z: (first(x, y, z), second(x, y, z))
    return lambda *arguments: tuple([rule(*arguments) for rule in rules])
