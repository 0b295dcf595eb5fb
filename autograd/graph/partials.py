"""Partial derivatives on floats: what the sweep keeps on every primitive.

The very functions of the table, without the dispatch that lets other numbers through.
"""

from __future__ import annotations

from types import FunctionType
from typing import Any

from autograd.table.primitive import Primitive, check_lengths, checked
from autograd.table.primitives import TABLE
from autograd.table.reals import as_float


def derive(primitive: Any) -> None:
    """What the sweep keeps on a primitive: its partials, floats in, floats out.

    float_rules : a function for each operand, where the primitive has these.
    float_joint : otherwise, one function that returns all partials.
    """
    names = primitive.rules if primitive.one_by_one else ()
    if primitive.builtin:
        primitive.float_rules = tuple(map(_on_floats, names))
        primitive.float_joint = _on_floats(primitive.joint)
    else:
        primitive.float_rules = tuple(
            [checked(primitive.name, rule, "a partial") for rule in names]
        )
        primitive.float_joint = _of_users(primitive)


def _on_floats(rule: Any) -> Any:
    """The very partial of the table without dispatch.

    The same code object gets a namespace in which its name means its evaluation on
    floats. Nothing is written twice; backward through a tanh becomes twice as fast.
    """
    names = rule.__globals__ | {name: row.evaluate for name, row in TABLE.items()}
    return FunctionType(rule.__code__, names, closure=rule.__closure__)


def _of_users(primitive: Any) -> Any:
    """Partials that are converted to floats and counted."""
    name, many = primitive.name, primitive.arity is None
    call = checked(name, primitive.joint, "the partials", _groups if many else _listed)

    def joint(*arguments: Any) -> Any:
        partials, operands = call(*arguments), arguments[:-1]
        if many:
            check_lengths(name, operands, partials)
        else:
            check_lengths(name, (operands,), (partials,))
        return partials

    return joint


def _groups(partials: Any) -> Any:
    return tuple([_listed(group) for group in partials])


def _listed(group: Any) -> tuple[float, ...]:
    if isinstance(group, list | tuple) or getattr(group, "ndim", 0) == 1:
        return tuple(map(as_float, group))
    raise TypeError(f"expected a sequence of numbers, got {type(group).__name__}")


Primitive.derive = derive
for _row in TABLE.values():
    derive(_row)
