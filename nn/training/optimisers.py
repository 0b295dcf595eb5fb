"""Optimisers, with PyTorch's formulas: how gradients change parameters.

A step reads every ``.data`` and ``.grad``, computes all new numbers, and then writes
them: a step that is interrupted leaves the parameters as they were. What is remembered
between steps (momenta, averages) stays in the optimiser. Before a step, clipping limits
the gradients, so that none explodes.

Sources: Nesterov 1983; Hinton's lecture 6e, 2012 (RMSprop); Kingma & Ba 2015 (Adam);
Reddi, Kale & Kumar 2018 (amsgrad); Loshchilov & Hutter 2019 (AdamW); Pascanu, Mikolov
& Bengio 2013 (clipping).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from math import sqrt
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from autograd import ShapeError, Value
from autograd.spelling import spelled
from autograd.table.reals import short
from nn.layers.module import Module
from nn.names import lookup
from nn.validation import in_unit_interval, nonnegative, positive, real

Array = NDArray[np.float64]
Slots = dict[str, Array]


_SPELLED = spelled(
    {"learning_rate": "lr", "parameters": "params"},
    {"beta1": "betas=(beta1, beta2)", "beta2": "betas=(beta1, beta2)"},
)


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
            raise ValueError(f"not the state of {kind}: {short(given)}")
        settings = dict.fromkeys(self.options, False) | dict(state["settings"])
        if {*settings} != {"lr", *self.settings, *self.options} or (
            {*state["slots"]} != {*self._slots_of(settings)}
        ):
            raise ValueError(f"not the state of {kind}: {short(given)}")
        slots = {n: np.array(s, dtype=float) for n, s in state["slots"].items()}
        for name, slot in slots.items():
            if slot.shape != (len(self.params),):
                raise ShapeError(
                    f"{name} has {slot.size} numbers for {len(self.params)} parameters"
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


def _decayed(g: Array, x: Array, weight_decay: float) -> Array:
    return g + weight_decay * x if weight_decay else g


class SGD(Optimiser):
    """Stochastic gradient descent: x -= lr * g, with momentum on request.

    v = momentum * v + (1 - dampening) * g, and g at first; x -= lr * v; with
    ``nesterov``, x -= lr * (g + momentum * v). ``weight_decay`` adds weight_decay * x
    to the gradient. Raises ValueError naming a setting that makes no sense.

    >>> from autograd import Value
    >>> x = Value(3.0)
    >>> (x * x).backward()
    >>> SGD([x], lr=0.25).step()
    >>> x.data
    1.5
    """

    slots = ("velocity",)
    settings = ("momentum", "nesterov", "weight_decay")
    options: ClassVar = {"dampening": ""}

    @_SPELLED
    def __init__(
        self,
        params: Iterable[Value] | Module,
        lr: float = 0.01,
        momentum: float = 0.0,
        nesterov: bool = False,
        weight_decay: float = 0.0,
        *,
        dampening: float = 0.0,
    ) -> None:
        super().__init__(params, lr)
        self.momentum = nonnegative("momentum", momentum)
        self.nesterov = nesterov
        self.weight_decay = nonnegative("weight_decay", weight_decay)
        if nesterov and not momentum:
            raise ValueError("nesterov=True needs momentum > 0, got 0")
        self.dampening = real("dampening", dampening)
        if nesterov and dampening:
            raise ValueError(f"nesterov=True needs dampening 0, got {short(dampening)}")

    def update(self, x: Array, g: Array, step: int) -> tuple[Array, Slots]:
        """One step of gradient descent."""
        g = _decayed(g, x, self.weight_decay)
        if not self.momentum:
            return x - self.lr * g, self.state
        fresh = g if step == 1 else (1.0 - self.dampening) * g
        velocity = self.momentum * self.state["velocity"] + fresh
        direction = g + self.momentum * velocity if self.nesterov else velocity
        return x - self.lr * direction, {"velocity": velocity}


class RMSprop(Optimiser):
    """Gradients divided by the root of their running mean square.

    s = alpha * s + (1 - alpha) * g^2; x -= lr * g / (sqrt(s) + eps), with momentum and
    ``weight_decay`` as in ``SGD``; ``centered`` takes the variance s - m^2 for s, with
    m = alpha * m + (1 - alpha) * g. Raises ValueError naming a setting that makes no
    sense.

    >>> from autograd import Value
    >>> x = Value(3.0)
    >>> (x * x).backward()
    >>> RMSprop([x], lr=0.1, alpha=0.75).step()  # g / sqrt(g^2 / 4) = 2
    >>> round(x.data, 6)
    2.8
    """

    slots = ("square", "velocity")
    settings = ("alpha", "eps", "weight_decay", "momentum")
    options: ClassVar = {"centered": "mean"}
    centered: bool

    @_SPELLED
    def __init__(
        self,
        params: Iterable[Value] | Module,
        lr: float = 0.01,
        alpha: float = 0.99,
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        momentum: float = 0.0,
        *,
        centered: bool = False,
    ) -> None:
        super().__init__(params, lr, centered=bool(centered))
        self.alpha = in_unit_interval("alpha", alpha)
        self.eps = nonnegative("eps", eps)
        self.weight_decay = nonnegative("weight_decay", weight_decay)
        self.momentum = nonnegative("momentum", momentum)

    def update(self, x: Array, g: Array, step: int) -> tuple[Array, Slots]:
        """One step of RMSprop."""
        g = _decayed(g, x, self.weight_decay)
        square = self.alpha * self.state["square"] + (1.0 - self.alpha) * g * g
        slots, spread = {"square": square}, square
        if self.centered:
            mean = self.alpha * self.state.get("mean", 0.0) + (1.0 - self.alpha) * g
            slots["mean"] = mean
            spread = np.maximum(square - mean * mean, 0.0)  # below 0 by rounding
        direction = g / (np.sqrt(spread) + self.eps)
        velocity = self.momentum * self.state["velocity"] + direction
        return x - self.lr * velocity, slots | {"velocity": velocity}


class Adam(Optimiser):
    """Running means of the gradient and of its square, corrected for their start at 0.

    m = b1 m + (1 - b1) g; s = b2 s + (1 - b2) g^2; x -= lr * m' / (sqrt(s') + eps) with
    m' = m / (1 - b1^t), s' = s / (1 - b2^t); ``amsgrad`` divides by the largest s so
    far. ``weight_decay`` adds to the gradient. Raises ValueError naming a setting that
    makes no sense.

    >>> from autograd import Value
    >>> x = Value(3.0)
    >>> (x * x).backward()
    >>> Adam([x], lr=0.1).step()  # the first step is lr, whatever the gradient
    >>> round(x.data, 6)
    2.9
    """

    slots = ("mean", "square")
    settings = ("betas", "eps", "weight_decay")
    options: ClassVar = {"amsgrad": "largest"}
    amsgrad: bool
    _decoupled: ClassVar[bool] = False  # weight decay, from the gradient's means

    @_SPELLED
    def __init__(
        self,
        params: Iterable[Value] | Module,
        lr: float = 0.001,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        *,
        amsgrad: bool = False,
    ) -> None:
        super().__init__(params, lr, amsgrad=bool(amsgrad))
        for i, beta in enumerate(betas):
            in_unit_interval(f"betas[{i}]", beta)
        self.betas = betas[0], betas[1]
        self.eps = nonnegative("eps", eps)
        self.weight_decay = nonnegative("weight_decay", weight_decay)

    def update(self, x: Array, g: Array, step: int) -> tuple[Array, Slots]:
        """One step of Adam."""
        if self._decoupled:
            x = x * (1.0 - self.lr * self.weight_decay)
        else:
            g = _decayed(g, x, self.weight_decay)
        b1, b2 = self.betas
        mean = b1 * self.state["mean"] + (1.0 - b1) * g
        square = b2 * self.state["square"] + (1.0 - b2) * g * g
        slots, largest = {"mean": mean, "square": square}, square
        if self.amsgrad:
            largest = np.maximum(self.state.get("largest", square), square)
            slots["largest"] = largest
        scale = np.sqrt(largest) / sqrt(1.0 - b2**step) + self.eps
        rate = self.lr / (1.0 - b1**step)
        return x - rate * (mean / scale), slots


class AdamW(Adam):
    """Adam with decoupled weight decay: x *= 1 - lr * weight_decay before each step.

    >>> from autograd import Value
    >>> x = Value(3.0)
    >>> AdamW([x], lr=0.5, weight_decay=0.5).step()  # a gradient of 0: decay alone
    >>> x.data
    2.25
    """

    _decoupled = True

    @_SPELLED
    def __init__(
        self,
        params: Iterable[Value] | Module,
        lr: float = 0.001,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.01,
        *,
        amsgrad: bool = False,
    ) -> None:
        super().__init__(params, lr, betas, eps, weight_decay, amsgrad=amsgrad)


OPTIMISERS: dict[str, Callable[..., Optimiser]] = {
    "sgd": SGD,
    "rmsprop": RMSprop,
    "adam": Adam,
    "adamw": AdamW,
}


_ALSO = {
    "sgd": "gd gradient_descent stochastic_gradient_descent",
    "rmsprop": "rms",
    "adamw": "adam_with_weight_decay",
}
_NEAR = {
    "momentum": ("nn.SGD(model.parameters(), lr, momentum=0.9)", "It is an option"),
    "nesterov nag": (
        "nn.SGD(model.parameters(), lr, momentum=0.9, nesterov=True)",
        "It is an option",
    ),
    "amsgrad": ("nn.Adam(model.parameters(), amsgrad=True)", "It is an option"),
    "adagrad adadelta": ("'rmsprop'", "It forgets old gradients, and takes a rate"),
    "nadam radam adamax adabelief": ("'adam'", "It is the plain one"),
}


def find_optimiser(name: str) -> Callable[..., Optimiser]:
    """The optimiser class of a name, in upper or lower case."""
    otherwise = "any Optimiser made from model.parameters()"
    return lookup("optimiser", name, OPTIMISERS, otherwise, _ALSO, _NEAR)


# -- Clipping ------------------------------------------------------------------------


def clip_grad_norm(params: Iterable[Value], max_norm: float) -> float:
    """Scale all gradients so that their norm is at most ``max_norm``.

    Returns the norm they had. Raises ValueError unless max_norm > 0.

    >>> from autograd import Value
    >>> x = Value(1.0)
    >>> x.grad = 8.0
    >>> clip_grad_norm([x], 2.0), round(x.grad, 5)
    (8.0, 2.0)
    """
    positive("max_norm", max_norm)
    params = list(params)
    norm, scale = norm_and_scale(np.array([p.grad for p in params], float), max_norm)
    if scale != 1.0:
        for parameter in params:
            parameter.grad *= scale
    return norm


def clip_grad_value(params: Iterable[Value], limit: float) -> None:
    """Limit every gradient to [-limit, limit]; NaN stays NaN.

    Raises ValueError unless limit > 0.

    >>> from autograd import Value
    >>> x = Value(1.0)
    >>> x.grad = -8.0
    >>> clip_grad_value([x], 2.0)
    >>> x.grad
    -2.0
    """
    positive("limit", limit)
    for parameter in params:
        if abs(parameter.grad) > limit:
            parameter.grad = limit if parameter.grad > 0.0 else -limit


def norm_and_scale(gradient: Array, max_norm: float) -> tuple[float, float]:
    """The Euclidean norm, and the factor that brings it down to ``max_norm``: 1 if it
    is no longer than that, NaN if it is NaN."""
    norm = _norm(gradient)
    scale = max_norm / (norm + 1e-6)
    return norm, 1.0 if scale >= 1.0 else scale


def _norm(gradient: Array) -> float:
    """The Euclidean norm, whose squares neither overflow nor vanish."""
    with np.errstate(all="ignore"):
        norm = float(np.sqrt(gradient @ gradient))
        if 1e-150 < norm < 1e150 or not np.isfinite(gradient).all():
            return norm
        largest = float(np.abs(gradient).max(initial=0.0))
        small = gradient / largest if largest else gradient
        return largest * float(np.sqrt(small @ small))
