"""What an operation's arrows say, and which operations say nothing.

Where operands may not trade places, each arrow carries the part that its operand plays:
``a / b`` is drawn with "numerator" and "denominator". An operation that only repeats
its operand, such as a sum of one term or a division by 1, can be left out.
"""

from __future__ import annotations

from itertools import chain, repeat
from typing import Any

from autograd.graph.handmade import Handmade
from autograd.graph.nodes import CONSTANT, pairs

Node = Any

_ANY_ORDER = {"sum", "dot", "hypot", "equal", "not_equal"}
_SIDES = ("left", "right")
_PARTS = {
    "subtract": ("+", "−"),
    "divide": ("numerator", "denominator"),
    "floor_divide": ("dividend", "divisor"),
    "remainder": ("dividend", "divisor"),
    "power": ("base", "exponent"),
    "where": ("condition", "then", "else"),
    "arctan2": ("y", "x"),
    "polygamma": ("order", "x"),
    **dict.fromkeys(("less", "less_equal", "greater", "greater_equal"), _SIDES),
}
_NEUTRAL = {  # the plain numbers that change nothing, as first and as second operand
    "add": (0.0, 0.0),
    "subtract": (None, 0.0),
    "multiply": (1.0, 1.0),
    "divide": (None, 1.0),
    "power": (None, 1.0),
}
_OF_ONE = {"sum", "prod", "maximum", "minimum"}


def parts(primitive: Any) -> Any:
    """The part that each operand plays, "" where they may trade places.

    >>> from itertools import islice
    >>> from autograd.table.primitives import TABLE
    >>> [*islice(parts(TABLE["divide"]), 2)], [*islice(parts(TABLE["add"]), 2)]
    (['numerator', 'denominator'], ['', ''])
    """
    several = primitive.arity is not None and primitive.arity > 1
    free = primitive.symmetric or primitive.name in _ANY_ORDER
    if not several or free or isinstance(primitive, Handmade):
        return repeat("")
    if primitive.builtin and primitive.name in _PARTS:
        return chain(_PARTS[primitive.name], repeat(""))
    return map(str, range(1, primitive.arity + 1))


def repeated(node: Node) -> Node | None:
    """The operand that an operation hands on as it is; None if it does something.

    >>> from autograd import Value
    >>> x = Value(2.0)
    >>> repeated(x / 1.0) is x, repeated(1.0 / x) is x
    (True, False)
    """
    primitive, operands = node._primitive, list(pairs(node))
    if not primitive.builtin:
        return None
    if len(operands) == 1 and primitive.name in _OF_ONE:
        return operands[0][0]
    neutral = _NEUTRAL.get(primitive.name)
    if neutral is not None:
        for (one, _), (other, x), plain in zip(
            operands, operands[::-1], neutral[::-1], strict=True
        ):
            if one is not CONSTANT and other is CONSTANT and x == plain:
                return one
    return None
