"""Checkpointing: trade one more evaluation for the memory of a piece of the graph.

A checkpointed function leaves a single node behind. Its graph is built anew, and
dropped again, when the backward pass comes to it. A chain of n operations cut into
sqrt(n) checkpoints needs memory for sqrt(n) nodes instead of n.

Source: Griewank & Walther 2008, chapter 12.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from autograd.errors import StaleValueError
from autograd.table.primitive import Composite
from autograd.table.reals import as_float
from autograd.transforms.gradients import value_and_grad, vjp

Number = Any


def checkpoint(f: Callable[..., Number]) -> Callable[..., Number]:
    """f as one node: its inside is computed again in the backward pass.

    f takes numbers and returns one number. It must compute the same each time, and
    depend on Values through its arguments only: a Value that it closes over would lose
    its gradient, so that is a TypeError. Every mode and order works.

    Raises StaleValueError when the second evaluation gives another result.

    >>> from autograd import Value, checkpoint
    >>> x = Value(2.0)
    >>> y = checkpoint(lambda t: t * t * t)(x)
    >>> y.backward()
    >>> x.grad, len(y.operands)
    (12.0, 1)
    """

    def evaluate(xs: tuple[float, ...]) -> float:
        y = f(*xs)
        if hasattr(y, "level"):
            raise TypeError(
                f"checkpoint: {_name(f)} depends on a Value from outside, whose "
                f"gradient would be lost; pass it as an argument"
            )
        return as_float(y)

    def partials(xs: tuple[Number, ...], result: Number) -> tuple[list[Number]]:
        again, slopes = value_and_grad(f, tuple(range(len(xs))))(*xs)
        if type(again) is type(result) is float and again != result == result:
            raise StaleValueError(
                f"checkpoint: {_name(f)} gave {result!r}, and now {again!r}; it must "
                f"compute the same each time"
            )
        return (list(slopes),)

    def pull(xs: tuple[float, ...], cotangent: float) -> Any:
        return vjp(f, *xs)[1](cotangent)

    operation = Composite(_name(f), evaluate, partials, pull)

    @wraps(f)
    def checkpointed(*xs: Number) -> Number:
        return operation(xs)

    return checkpointed


def _name(f: Callable[..., Any]) -> str:
    return getattr(f, "__name__", "checkpoint").strip("<>")
