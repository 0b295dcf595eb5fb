"""What is made of the losses of all elements: their mean, their sum, or a list."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import autograd
from autograd.table.reals import short

Number = Any

_REDUCTIONS: dict[str, Callable[[list[Number]], Any]] = {
    "mean": autograd.mean,
    "sum": autograd.sum,
    "none": list,
}


def reduced(losses: list[Number], reduction: str) -> Any:
    if reduction not in _REDUCTIONS:
        raise ValueError(
            f"reduction must be {', '.join(map(repr, _REDUCTIONS))}, got "
            f"{short(reduction)}"
        )
    return _REDUCTIONS[reduction](losses)
