"""Optimisers, with PyTorch's formulas: how gradients change parameters.

A step reads every ``.data`` and ``.grad``, computes all new numbers, and then writes
them: a step that is interrupted leaves the parameters as they were. What is remembered
between steps (momenta, averages) stays in the optimiser.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from autograd import ShapeError, Value
from autograd.table.reals import short
from nn.layers.module import Module
from nn.validation import nonnegative

Array = NDArray[np.float64]
Slots = dict[str, Array]


class Optimiser:
    """The base: a list of parameters, a learning rate, and arrays remembered by name.

    A module stands for its parameters. A subclass lists its ``slots`` (zero at first)
    and its ``settings``, and defines ``update``; ``options`` that are off stay out of
    texts and states. ``lr`` may be written at any time.
    Raises TypeError for what is no Value, ValueError for no parameter at all.

    >>> class SignDescent(Optimiser):
    ...     def update(self, x, g, step):
    ...         return x - self.lr * np.sign(g), {}
    >>> x = Value(3.0)
    >>> (x * x).backward()
    >>> SignDescent([x], lr=0.25).step()
    >>> x.data
    2.75
    """

    slots: ClassVar[tuple[str, ...]] = ()
    settings: ClassVar[tuple[str, ...]] = ()
    options: ClassVar[dict[str, str]] = {}  # settings that may be off, and their slots

    def __init__(
        self, params: Iterable[Value] | Module, lr: float, **settings: Any
    ) -> None:
        self.params = _parameters(params)
        self.lr = lr
        for name, setting in settings.items():
            setattr(self, name, setting)
        self.steps = 0
        slots = self._slots_of(settings)
        self.state: Slots = {s: np.zeros(len(self.params)) for s in slots}

    def _slots_of(self, settings: Mapping[str, Any]) -> list[str]:
        """The slots that are needed with these settings."""
        on = [slot for name, slot in self.options.items() if settings.get(name)]
        return [*self.slots, *filter(None, on)]

    def _settings(self) -> dict[str, Any]:
        """All settings by name, but options that are off."""
        on = [option for option in self.options if getattr(self, option)]
        return {name: getattr(self, name) for name in ("lr", *self.settings, *on)}

    @property
    def lr(self) -> float:
        """The learning rate."""
        return self._lr

    @lr.setter
    def lr(self, lr: float) -> None:
        self._lr: float = nonnegative("lr", lr)

    def zero_grad(self) -> None:
        """Set every parameter's ``.grad`` to 0.0."""
        for parameter in self.params:
            parameter.grad = 0.0

    def step(self) -> None:
        """Change every parameter once, from the gradients it holds now."""
        before = [p.data for p in self.params]
        gradients = np.array([p.grad or 0.0 for p in self.params])
        after, state = self.computed(np.array(before), gradients)
        try:
            assign(self.params, after.tolist())
            self.steps, self.state = self.steps + 1, state
        except BaseException:
            assign(self.params, before)
            raise

    def computed(self, x: Array, g: Array) -> tuple[Array, Slots]:
        """The parameters and slots after a step from x; changes nothing."""
        with np.errstate(all="ignore"):  # a diverging run shows inf, as everywhere
            return self.update(x, g, self.steps + 1)

    def update(self, x: Array, g: Array, step: int) -> tuple[Array, Slots]:
        """The new parameters and slots, from the parameters x and gradients g."""
        raise NotImplementedError(f"{type(self).__name__} does not define update")

    def state_dict(self) -> dict[str, Any]:
        """Everything needed to go on later: plain numbers, text and lists."""
        return {
            "optimiser": type(self).__name__,
            "steps": self.steps,
            "settings": self._settings(),
            "slots": {name: slot.tolist() for name, slot in self.state.items()},
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from a ``state_dict``: all of it, or nothing.

        Raises ValueError for the state of another kind of optimiser, ShapeError for
        one of another number of parameters.
        """
        kind, given = type(self).__name__, state.get("optimiser")
        if given != kind:
            raise ValueError(
                f"not the state of {kind}, but of {short(given)}: load it into an "
                f"optimiser of that kind"
            )
        settings = dict.fromkeys(self.options, False) | dict(state["settings"])
        if {*settings} != {"lr", *self.settings, *self.options} or (
            {*state["slots"]} != {*self._slots_of(settings)}
        ):
            raise ValueError(
                f"not the state of {kind}: it has other settings; save "
                f"optimiser.state_dict() anew"
            )
        slots = {n: np.array(s, dtype=float) for n, s in state["slots"].items()}
        for name, slot in slots.items():
            if slot.shape != (len(self.params),):
                raise ShapeError(
                    f"{name} has {slot.size} numbers for {len(self.params)} "
                    "parameters: load the state of an optimiser of the same model"
                )
        nonnegative("lr", settings["lr"])
        self.steps, self.state = int(state["steps"]), slots
        for name, setting in settings.items():
            setattr(self, name, setting)

    def __repr__(self) -> str:
        settings = [f"{name}={x!r}" for name, x in self._settings().items()]
        return f"{type(self).__name__}({', '.join(settings)})"


def assign(params: list[Value], numbers: list[float]) -> None:
    for parameter, number in zip(params, numbers, strict=True):
        parameter.data = number


def _parameters(params: Iterable[Value] | Module) -> list[Value]:
    """The parameters, each once; there must be some, and all must be Values."""
    if isinstance(params, Module):
        params = params.parameters()
    if not isinstance(params, Iterable):
        raise TypeError(
            f"an optimiser changes a list of Values, got {short(params)}; give it "
            f"model.parameters()"
        )
    listed = list(params)
    for kind in set(map(type, listed)):
        if not issubclass(kind, Value):
            raise TypeError(
                f"an optimiser changes Values, got {kind.__name__}; give it "
                f"model.parameters()"
            )
    if not listed:
        raise ValueError("an optimiser needs at least one parameter, got none")
    return list(dict.fromkeys(listed))
