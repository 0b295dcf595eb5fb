"""Python's operators and NumPy's method names, read off the table.

``Operators`` serves every number that waits for general dispatch: lifted nodes, duals,
symbols. ``Value`` and ``Tracer`` make faster ones; ``install`` puts all in their place.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from autograd.table.primitive import Primitive
from autograd.table.primitives import ALIASES, TABLE
from autograd.table.reals import as_float, comparable, is_masked

# operator method (without underscores) -> primitive
BINARY: dict[str, Primitive] = {
    "add": TABLE["add"],
    "sub": TABLE["subtract"],
    "mul": TABLE["multiply"],
    "truediv": TABLE["divide"],
    "floordiv": TABLE["floor_divide"],
    "mod": TABLE["remainder"],
    "pow": TABLE["power"],
}
UNARY: dict[str, Primitive] = {
    "neg": TABLE["negative"],
    "abs": TABLE["absolute"],
    "floor": TABLE["floor"],
    "ceil": TABLE["ceil"],
    "trunc": TABLE["trunc"],
}
COMPARISONS: dict[
    str, Primitive
] = {  # a Value compares by identity with another, see there
    "lt": TABLE["less"],
    "le": TABLE["less_equal"],
    "gt": TABLE["greater"],
    "ge": TABLE["greater_equal"],
}
EQUALITIES: dict[str, Primitive] = {"eq": TABLE["equal"], "ne": TABLE["not_equal"]}

# method name -> primitive of one or two operands that no operator serves
METHODS: dict[str, Primitive] = {
    name: primitive
    for name, primitive in TABLE.items()
    if primitive.arity in (1, 2)
    and primitive not in BINARY.values()
    and not (primitive.predicate or primitive.internal)
    and name != "polygamma"  # whose first operand is an order
}
METHODS |= {alias: METHODS[name] for alias, name in ALIASES.items() if name in METHODS}


def is_number(x: Any) -> bool:
    """Whether x can be an operand: a real number, or a number that carries a level."""
    if hasattr(x, "level"):
        return True
    try:
        as_float(x)
    except TypeError:
        if is_masked(x):
            raise
        return False
    except OverflowError:  # a number, and an error where it is converted
        return True
    return True


def other_float(other: Any) -> Any:
    """The float of an operand that is neither Value nor float, or NotImplemented."""
    try:
        return as_float(other)
    except TypeError:
        if is_masked(other):
            raise
        return NotImplemented


def _binary(primitive: Primitive) -> tuple[Callable[..., Any], Callable[..., Any]]:
    def forward(self: Any, other: Any) -> Any:
        return primitive.apply((self, other)) if is_number(other) else NotImplemented

    def reflected(self: Any, other: Any) -> Any:
        return primitive.apply((other, self)) if is_number(other) else NotImplemented

    return forward, reflected


def _comparison(primitive: Primitive) -> Callable[..., Any]:
    """A truth value; of traced numbers, a condition for ``where``."""

    def compare(self: Any, other: Any) -> Any:
        if not is_number(other):
            return NotImplemented
        truth = primitive.apply((self, comparable(other)))
        return bool(truth) if type(truth) is float else truth

    return compare


def method_of(primitive: Primitive) -> Callable[..., Any]:
    """The primitive as a method: self is its first operand."""

    def method(self: Any, *others: Any) -> Any:
        return primitive(self, *others)

    method.__doc__ = primitive.__doc__
    return method


def install(
    kind: type,
    binary: Callable[[Primitive], tuple[Callable[..., Any], Callable[..., Any]]],
    unary: Callable[[Primitive], Callable[..., Any]],
    comparison: Callable[[Primitive], Callable[..., Any]],
    compared: dict[str, Primitive],
) -> None:
    """Python's operators for a class of numbers, each made of its primitive.

    ``binary`` makes two: with self as the first operand, and reflected, as the second.
    """
    for name, primitive in BINARY.items():
        forward, reflected = binary(primitive)
        setattr(kind, f"__{name}__", forward)
        setattr(kind, f"__r{name}__", reflected)
    for name, primitive in UNARY.items():
        setattr(kind, f"__{name}__", unary(primitive))
    for name, primitive in compared.items():
        setattr(kind, f"__{name}__", comparison(primitive))


class Operators:
    """A number whose operators and methods apply primitives by general dispatch.

    Two numbers are ``==`` when they are equal, and their hash is by identity: sets and
    dicts tell them apart all the same.
    """

    __slots__ = ()
    level: Any
    __hash__ = object.__hash__

    __array_priority__ = 1000.0

    def __bool__(self) -> bool:
        number: Any = self
        return bool(number != 0.0)

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kw: Any) -> Any:
        from autograd.numbers.grids import apply_ufunc

        return apply_ufunc(ufunc, method, inputs, kw)

    def __array_function__(self, f: Any, types: Any, args: Any, kwargs: Any) -> Any:
        from autograd.numbers.grids import apply_function

        return apply_function(f, args, kwargs)

    def clip(self, low: Any = None, high: Any = None, out: Any = None) -> Any:
        """Self limited to [low, high], as numpy's method of the name."""
        limited = self if low is None else TABLE["maximum"]((self, low))
        return limited if high is None else TABLE["minimum"]((limited, high))

    def __pos__(self) -> Any:
        return self

    def __divmod__(self, other: Any) -> tuple[Any, Any]:
        return self // other, self % other

    def __rdivmod__(self, other: Any) -> tuple[Any, Any]:
        return other // self, other % self

    def conjugate(self) -> Any:
        """A real number is its own conjugate (numpy's variance asks for it)."""
        return self

    def __float__(self) -> float:
        raise TypeError(
            "a node is not converted to a float by itself, since its gradient would be "
            "lost: use .data for the number of a Value, autograd's function "
            "(autograd.exp instead of math.exp), or lists and arrays of dtype=object "
            "to keep nodes in"
        )

    __int__ = __complex__ = __float__

    def __round__(self, digits: int | None = None) -> Any:
        return self.__float__()


install(Operators, _binary, method_of, _comparison, COMPARISONS | EQUALITIES)
for _name, _primitive in METHODS.items():
    setattr(Operators, _name, method_of(_primitive))
