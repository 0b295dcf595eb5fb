"""Strong zero: the product of the chain rule, where an exact 0 beats inf and NaN.

What a node is sent, times the partial derivative of an operand, is the operand's share:
of the cotangent in reverse mode, of the tangent forwards. IEEE 754 says 0 * inf = NaN,
which would let one overflowing branch spoil every gradient beside it. Here

1. *nothing sent*: a cotangent or tangent of exactly 0 contributes 0, whatever the
   partial;
2. *not chosen*: primitives that choose (``Primitive.chooses``: where, maximum, relu,
   floor ...) send nothing to what they did not choose, whatever the cotangent;
3. otherwise IEEE: a partial that merely happens to be 0 meets inf as NaN.

The products are primitives themselves, and choose: the rules hold at every order.

    where(x > 0, log(x), 0) at 0:  sent 0, partial 1/0:  0 * inf -> 0   (rule 1)
    sqrt(relu(x)) at -1:           sent inf, partial 0:  inf * 0 -> 0   (rule 2)
    sqrt(x * x) at 0:              sent inf, partial 0:  inf * 0 -> NaN (rule 3)

Source: Enzyme and Mooncake call rule 1 *strong zero*.
"""

from __future__ import annotations

from math import isfinite
from typing import Any

from autograd.table.primitive import Primitive
from autograd.table.primitives import guarded_multiply, selected_multiply

Number = Any


def is_zero(x: Number) -> bool:
    """Whether x is the plain number 0, on which nothing else can depend."""
    return type(x) is float and x == 0.0


def share(primitive: Primitive, sent: Number, partial: Number) -> Number:
    """What an operand gets: sent * partial, where zero is strong."""
    if type(partial) is float:
        if partial == 1.0:
            return sent
        if partial and isfinite(partial):
            return sent * partial
        if primitive.chooses and not partial:
            return 0.0
    if primitive.chooses:
        return selected_multiply(sent, partial)
    return guarded_multiply(sent, partial)
