"""One operation as straight-line code, over lanes or single numbers.

What every writer of loops does with the numbers that it has loaded: primitives, sums of
signed terms, folds, and the pair of tanh and its slope.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial, reduce

from autograd.compiler.bulk.bulk import Map, Operation, SumOfProducts
from autograd.compiler.llvm.functions.lanes import Lanes
from autograd.compiler.llvm.functions.table import (
    Needed,
    emit_primitive,
    emit_tanh_and_sech2,
)
from autograd.compiler.trace.program import Ints


def has_code(operation: Operation) -> bool:
    """Whether machine code can compute it number by number."""
    if isinstance(operation, SumOfProducts):
        return True
    primitive = operation.primitive
    is_fold = primitive.fold is not None
    return primitive.builtin and (isinstance(operation, Map) or is_fold)


def _column(positions: Ints, j: int, k: int) -> Ints:
    """Term j of every segment of k terms."""
    return positions if k == 1 else positions[j::k]


def reads_of(operation: Operation, n: int) -> list[Ints]:
    """The streams of an operation, one for each operand of each of its n results."""
    if not isinstance(operation, SumOfProducts):
        return list(operation.reads())
    return [
        _column(x, j, len(part) // n)
        for part in operation.terms
        for j in range(len(part) // n)
        for x in part.factors
    ]


def compute(
    lanes: Lanes, operation: Operation, value: Callable[[Ints], str], needed: Needed
) -> str:
    """Emit an elementwise operation; ``value`` gives the register of a stream."""
    if isinstance(operation, Map):
        operands = [value(positions) for positions in operation.operands]
        return emit_primitive(lanes, operation.primitive.name, operands, needed)
    assert isinstance(operation, SumOfProducts)
    n = len(operation.target)
    return signed_sum(
        lanes,
        (
            (part.sign, [value(_column(x, j, k)) for x in part.factors], part.strong)
            for part in sorted(operation.terms, key=lambda part: part.sign < 0)
            for k in [len(part) // n]
            for j in range(k)
        ),
    )


def signed_sum(lanes: Lanes, terms: Iterable[tuple[int, list[str], int]]) -> str:
    """The sum of terms (sign, one or two factors, how strong zero is); 0 of none."""
    total = ""
    for sign, factors, strong in terms:
        x = lanes.product(factors, strong)
        if not total:
            total = x if sign > 0 else lanes.negate(x)
        else:
            total = (lanes.add if sign > 0 else lanes.subtract)(total, x)
    return total or lanes.constant(0.0)


def fold(lanes: Lanes, name: str, numbers: Iterable[str]) -> str:
    """A maximum, minimum or product of numbers, from the first; NaN wins."""
    return reduce(partial(lanes.fold, name), numbers)


class Slopes:
    """tanh and sech^2 of the same number: both from one exponential."""

    NAMES = ("tanh", "sech2")

    def __init__(self, lanes: Lanes, needed: Needed) -> None:
        self.lanes, self.needed = lanes, needed
        self.pairs: dict[str, tuple[str, str]] = {}

    def value(self, name: str, x: str) -> str:
        """One of the two; the other is kept."""
        if x not in self.pairs:
            self.pairs[x] = emit_tanh_and_sech2(self.lanes, x, self.needed)
        return self.pairs[x][name == "sech2"]
