"""Compiled functions of a model: the loss of a batch with its gradient, and outputs.

They take the parameters as one array, and the batch as arrays. Where samples do not
meet (the layers here, losses that are means over samples) the program is that of one
sample, through which the rows stream; else it is that of the whole batch.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

from autograd import TraceError, jit, mean, value_and_grad, vmap
from nn.losses import LOSSES, Loss
from nn.module import Module, modules_of
from nn.network import Sequential
from nn.neuron import Layer
from nn.snapshot import Snapshot

__all__ = [
    "Program",
    "agree",
    "attempt",
    "by_samples",
    "gradient_program",
    "output_program",
    "separable",
]

Program = Callable[..., Any]

_TOLERANCE = 1e-8  # rounding differs; a wrong program is further away
_VALUES = (
    "Values take part that are not the model's, or reached past it, as in a penalty on "
    "parameters (see weight_decay)"
)
_OWN = (Module, Sequential, Layer)


def separable(loss: Loss) -> bool:
    """Whether a loss is the mean of the losses of single samples, as far as is known.

    >>> from nn import mse_loss
    >>> separable(mse_loss), separable(partial(mse_loss, reduction="sum"))
    (True, False)
    """
    if isinstance(loss, partial):
        plain = not loss.args and loss.keywords.get("reduction", "mean") == "mean"
        return plain and separable(loss.func)
    return any(loss is known for known in LOSSES.values())


def by_samples(model: Module) -> bool:
    """Whether a model's batches are its samples, one by one."""
    return all(
        any(getattr(type(module), name) is getattr(own, name) for own in _OWN)
        for module in modules_of(model)
        for name in ("batch", "rows")
    )


def gradient_program(model: Module, loss: Loss, streamed: bool) -> Program:
    """(parameters, X, y) -> (loss, gradient); ``streamed`` sample by sample."""
    _, rebuild = model.__tree_flatten__()

    def batch_loss(numbers: Any, X: Any, y: Any) -> Any:
        with_rows = y.ndim > 1
        twin = rebuild(list(numbers))

        def one(x: Any, t: Any) -> Any:
            target = list(t) if with_rows else t
            return loss(twin.batch([list(x)]), [target])

        if streamed:
            return mean(vmap(one)(X, y))
        targets = [list(t) for t in y] if with_rows else list(y)
        return loss(twin.batch([list(x) for x in X]), targets)

    return jit(value_and_grad(batch_loss))


def output_program(model: Module, streamed: bool) -> Program:
    """(parameters, X) -> the outputs, as numbers or lists like the model's own."""
    _, rebuild = model.__tree_flatten__()

    def outputs(numbers: Any, X: Any) -> Any:
        twin = rebuild(list(numbers))
        before = Snapshot(twin)
        if streamed:
            found = vmap(lambda x: twin.batch([list(x)])[0])(X)
        else:
            found = twin.batch([list(x) for x in X])
        if before.changed():
            raise TraceError("the model changes itself when it is called")
        return found

    program = jit(outputs)

    def listed(numbers: Any, X: Any, *_: Any) -> list[Any]:
        found = program(numbers, X)
        if not streamed:
            return list(found)
        table = found if isinstance(found, np.ndarray) else np.stack(found, axis=1)
        rows: list[Any] = table.tolist()
        return rows

    return listed


def attempt(
    make: Callable[[], Program],
    seen: Sequence[Any],
    arguments: Callable[[], Sequence[Any]],
    confirms: Callable[[Any], bool],
) -> tuple[Program | None, str]:
    """A program, compiled, its first results confirmed; or None, and why.

    Whatever goes wrong in users' code when it meets tracers is such a reason. Random
    generators below ``seen`` are left as they were.
    """
    before = Snapshot(*seen)
    try:
        program = make()
        found = program(*arguments())
        if isinstance(found, tuple) and type(found[0]) is not float:
            return None, _VALUES
        if not confirms(found):
            return None, "compiled, it has other results"
    except Exception as cause:
        return None, f"{type(cause).__name__}: {cause}"
    finally:
        before.restore()
    return program, ""


def agree(expected: Any, found: Any) -> bool:
    """Equal up to rounding; of a tuple, part by part."""
    if isinstance(expected, tuple):
        return all(map(agree, expected, found))
    xs, ys = np.asarray(found, float), np.asarray(expected, float)
    if xs.shape != ys.shape:
        return False
    scale = np.abs(ys[np.isfinite(ys)]).max(initial=1e-300)
    return np.allclose(xs, ys, rtol=0.0, atol=_TOLERANCE * scale, equal_nan=True)
