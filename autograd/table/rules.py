"""Partial derivatives in the forms that the engine wants them.

A row is written with one function for each operand, or one for all. The general passes
call either; the float sweep wants plain floats, checked for rows of users, and without
dispatch for the rows of the table.
"""

from __future__ import annotations

from collections.abc import Callable
from types import FunctionType
from typing import Any

from autograd.table.reals import as_float

__all__ = [
    "check_lengths",
    "checked",
    "constant",
    "group",
    "join",
    "separate",
    "specialise",
    "zero",
]

Rule = Callable[..., Any]


def specialise(table: dict[str, Any]) -> None:
    """Let the float sweep run the very partials of the table without dispatch.

    The same code objects get a namespace in which a row's name means its evaluation on
    floats. Nothing is written twice; backward through a tanh becomes twice as fast.
    """
    for row in table.values():
        row.evaluate = row.raw_evaluate
    on: dict[str, Any] = {name: row.evaluate for name, row in table.items()}

    def on_floats(rule: Rule) -> Rule:
        names = {**rule.__globals__, **on}
        return FunctionType(rule.__code__, names, closure=rule.__closure__)

    for row in table.values():
        if row.arity is None:
            row.float_grouped = on_floats(row.joint)
            continue
        if row.rules[0].__closure__ is None:
            row.float_rules = tuple([on_floats(rule) for rule in row.rules])
            row.float_joint = join(row.float_rules)
        else:  # a joint function, or constants
            row.float_rules, row.float_joint = row.rules, row.joint
        row.float_grouped = group(row.float_joint)


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


def floats(part: Any) -> Any:
    """Numbers as floats, in the lists and tuples they stand in."""
    if isinstance(part, list | tuple):
        return tuple(map(floats, part))
    return as_float(part)


def check_lengths(name: str, numbers: Any, partials: Any) -> None:
    """Raise unless there is one partial for each operand, group by group."""
    wanted = [len(group) for group in numbers]
    found = [len(row) for row in partials]
    if wanted != found:
        raise TypeError(
            f"primitive {name!r} gave {sum(found)} partial(s) for {sum(wanted)} "
            f"operand(s) (by group: {found} for {wanted}); a row needs one for each"
        )


def zero(*_: Any) -> float:
    """The partial of what is locally constant."""
    return 0.0


def constant(partials: tuple[float, ...]) -> Rule:
    """Partials that do not depend on the operands."""
    return lambda *_: partials


def group(joint: Rule) -> Rule:
    """The partials of a row of fixed arity, as those of one group of operands."""
    return lambda operands, result: (joint(*operands, result),)


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
