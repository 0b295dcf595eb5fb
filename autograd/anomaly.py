"""detect_anomaly: the first NaN or infinity becomes an error that says where.

While the mode is on, every new node is looked at, and the source line that made it is
noted. After a backward pass the gradients are looked through in the order in which they
were made.
"""

from __future__ import annotations

import linecache
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from math import isfinite
from typing import Any

from autograd.errors import AnomalyError
from autograd.graph import operands
from autograd.modes import MODES, observed
from autograd.reverse import edges

__all__ = ["detect_anomaly"]

_PACKAGE = os.path.dirname(os.path.abspath(__file__))
_SOURCE = "_anomaly_source"


@contextmanager
def detect_anomaly() -> Iterator[None]:
    """Raise AnomalyError at the first NaN or infinity, in this thread.

    Forward: as soon as an operation gives one. Backward: when a node hands a non-finite
    gradient to an operand, for nodes made inside the ``with`` block; the leaves'
    gradients are then as before. The message names the operation, its operands, its
    label and the source line.

    >>> from autograd import Value, detect_anomaly, AnomalyError
    >>> try:
    ...     with detect_anomaly():
    ...         Value(-1.0, label="x").log()
    ... except AnomalyError as error:
    ...     print(str(error).splitlines()[0])
    log gave nan from operands x = -1.0
    """
    state = MODES.thread
    before = state.inspect
    with observed(_check_forward):
        try:
            state.inspect = _check_backward
            yield
        finally:
            state.inspect = before


def _check_forward(node: Any) -> None:
    node.__dict__[_SOURCE] = source = _user_line()
    if not isfinite(node._data):
        raise AnomalyError(
            f"{_named(node)} gave {node._data} from operands {_operands(node)}"
            f"\n  at {source}"
        )


def _check_backward(interior: list[Any]) -> None:
    for node in reversed(interior):
        if node._primitive.by_hand:
            continue
        if not isfinite(node.grad):
            raise AnomalyError(
                f"the gradient of {_named(node)} became {node.grad} by summation over "
                f"its uses\n  made at {node.__dict__.get(_SOURCE, 'an unknown line')}"
            )
        product = node._primitive.product
        for operand, partial in edges(node):
            share = product(node.grad, partial)
            if not isfinite(share):
                raise AnomalyError(
                    f"backward through {_named(node)} gave gradient {share} to "
                    f"{_described(operand)}: incoming gradient {node.grad}, partial "
                    f"derivative {partial}, operands {_operands(node)}"
                    f"\n  made at {node.__dict__.get(_SOURCE, 'an unknown line')}"
                )


def _named(node: Any) -> str:
    label = f" {node.label!r}" if node.label else ""
    return f"{node._primitive.name}{label}"


def _described(operand: Any) -> str:
    if type(operand) is float:
        return repr(operand)
    return (
        f"{operand.label} = {operand.data!r}" if operand.label else repr(operand.data)
    )


def _operands(node: Any) -> str:
    shown = operands(node)
    text = ", ".join([_described(p) for p in shown[:8]])
    return text + (f", ... ({len(shown)} in all)" if len(shown) > 8 else "")


def _user_line() -> str:
    """The innermost source line outside this package."""
    frame = sys._getframe(1)
    while frame.f_back is not None and frame.f_code.co_filename.startswith(_PACKAGE):
        frame = frame.f_back
    name, line = frame.f_code.co_filename, frame.f_lineno
    code = linecache.getline(name, line).strip()
    return f"{name}:{line}" + (f": {code}" if code else "")
