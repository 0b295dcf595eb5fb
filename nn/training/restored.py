"""Restored: what is tried on a model and its optimiser is undone."""

from __future__ import annotations

import copy
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from nn.layers.module import Module, modules_of
from nn.optimisers.optimiser import Optimiser


@contextmanager
def restored(model: Module, optimiser: Optimiser) -> Iterator[None]:
    """Leave both as they were, whatever happens inside: an error, Ctrl-C.

    Restored are the parameters and their ``.grad``, the attributes of every module, the
    state of the optimiser, and the generators that are drawn from.
    """
    restore = _memory(model, optimiser)
    try:
        yield
    finally:
        try:
            restore()
        except BaseException:  # a second interruption must not leave half of it
            restore()
            raise


def _memory(model: Module, optimiser: Optimiser) -> Callable[[], None]:
    """A function that puts everything back to how it is now."""
    values = [*dict.fromkeys([*model.parameters(), *optimiser.params])]
    numbers = [(value.data, value.grad) for value in values]
    modules = [(module, dict(vars(module))) for module in modules_of(model)]
    drawn = {x for _, own in modules for x in own.values() if _is_generator(x)}
    states = [(generator, generator.getstate()) for generator in drawn]
    everyones = random.getstate()
    kept = {"params": optimiser.params}
    kept |= copy.deepcopy({k: v for k, v in vars(optimiser).items() if k not in kept})

    def restore() -> None:
        for module, own in modules:
            vars(module).clear()
            vars(module).update(own)
        for value, (data, grad) in zip(values, numbers, strict=True):
            value.data, value.grad = data, grad
        vars(optimiser).clear()
        vars(optimiser).update(kept)
        for generator, state in states:
            generator.setstate(state)
        random.setstate(everyones)

    return restore


def _is_generator(x: object) -> bool:
    return isinstance(x, random.Random)
