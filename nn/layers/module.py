"""Module: anything with parameters, found by looking at its attributes.

A parameter is a leaf ``Value``: an attribute itself, or inside lists, tuples, dicts,
object arrays and other modules. Its name is the path that leads to it, such as
``layers.0.neurons.3.w.1``; the order is that of assignment.

Transforms and compiled code need a model around other numbers: floats, duals, tracers.
``_bound`` makes such a copy. There a parameter is whatever stands where one stood:

    >>> model = Module()
    >>> model.w, model.rate = Value(2.0), 0.5
    >>> model._bound([3.0]).named_parameters()
    {'w': 3.0}
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar, NamedTuple, Self

import numpy as np

from autograd import ShapeError, Value
from autograd.notebooks import Shown
from autograd.table.reals import as_float
from nn.layers import storage

Number = Any
Place = tuple[str, Any]  # the path to a container, and the key inside it
_PLAIN = {int, float, str, bool, type(None)}  # often among attributes, nothing inside
_NOTHING_INSIDE = _PLAIN | {Value}


class Module(Shown):
    """The base of every model: derive from it, assign Values and modules, add a call.

    >>> from autograd import Value
    >>> from nn import Module
    >>> class Line(Module):
    ...     def __init__(self):
    ...         self.w, self.b = Value(2.0), Value(1.0)
    ...     def __call__(self, x):
    ...         return self.w * x + self.b
    >>> line = Line()
    >>> line(3.0).data, list(line.named_parameters())
    (7.0, ['w', 'b'])
    """

    training: bool = True  # see ``train`` and ``eval``
    _shares: ClassVar[tuple[str, ...]] = ()  # attributes that bound copies share
    _places: frozenset[Place] | None = None  # of the parameters, in a bound copy
    _describe: ClassVar[Callable[[Any], str]] = lambda model: ""  # set by ``whole``

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """A class with a call of its own gets batches of it, not an ancestor's."""
        super().__init_subclass__(**kwargs)
        if "__call__" in cls.__dict__:
            for name in ("batch", "rows"):
                if name not in cls.__dict__:
                    setattr(cls, name, getattr(Module, name))

    def __call__(self, x: Any) -> Any:
        """The output for one sample; every model defines its own."""
        raise NotImplementedError(f"{type(self).__name__} does not define __call__")

    def batch(self, X: Iterable[Any]) -> list[Any]:
        """The outputs for many samples: ``[model(x) for x in X]``.

        Networks of layers read their weights once for all samples, which is faster.
        """
        return [self(x) for x in X]

    def rows(self, X: Iterable[Any]) -> list[Any]:
        """As ``batch``, for a module inside a network: one output stays a list."""
        return self.batch(X)

    # -- Parameters ------------------------------------------------------------------

    def parameters(self) -> list[Number]:
        """The parameters in order, each once."""
        return _contents(self).parameters

    def named_parameters(self) -> dict[str, Number]:
        """{path: parameter}, in the order of ``parameters()``.

        A parameter that is reached in two ways has the first name only. Raises
        ValueError when two parameters would have the same name.
        """
        parameters, places, *_ = _contents(self)
        paths = [_joined(*place) for place in places]
        named = dict(zip(paths, parameters, strict=True))
        if len(named) != len(parameters):
            raise ValueError(
                f"two parameters of {type(self).__name__} have the same name: give the "
                f"keys of its dicts different text"
            )
        return named

    def zero_grad(self) -> None:
        """Set every parameter's ``.grad`` to 0.0."""
        for parameter in self.parameters():
            parameter.grad = 0.0

    # -- Training and use ------------------------------------------------------------

    def train(self, mode: bool = True) -> Self:
        """Set ``training`` here and in all modules below, and return the module.

        ``Dropout`` drops while it is True, as at first; modules of one's own may read
        it too. ``fit`` sets it for its steps, and leaves the model in ``eval()``.
        """
        for module in modules_of(self):
            module.training = bool(mode)
        return self

    def eval(self) -> Self:
        """As ``train(False)``: for use, no longer for training.

        >>> Module().eval().training
        False
        """
        return Module.train(self, False)

    # -- Numbers out and in ----------------------------------------------------------

    def state_dict(self) -> dict[str, float]:
        """{path: number}: a copy of what the model has learned."""
        named = self.named_parameters().items()
        return {name: p.data if hasattr(p, "data") else p for name, p in named}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Set every parameter from ``{path: number}``: all of them, or none.

        Raises ShapeError naming the parameters that are missing or unknown, and
        TypeError for something that is no number; the model is then unchanged.
        """
        named = self.named_parameters()
        missing = [name for name in named if name not in state]
        unknown = [name for name in state if name not in named]
        if missing or unknown:
            raise ShapeError(
                f"{type(self).__name__} has {len(named)} parameters, the state has "
                f"{len(state)}{_listed('missing', missing)}"
                f"{_listed('unknown', unknown)}; load it into a model built alike"
            )
        numbers = [as_float(state[name]) for name in named]
        for parameter, number in zip(named.values(), numbers, strict=True):
            parameter.data = number

    def save(self, path: str | Path) -> None:
        """Write the model to a ``.json`` or ``.npz`` file, its parameters exactly.

        A model of the library's own layers and functions comes back by ``nn.load``; of
        one of your own the file holds the parameters alone. The file appears complete
        or not at all. Raises ValueError for another suffix, OSError when the path
        cannot be written.
        """
        storage.write(path, self.state_dict(), type(self)._describe(self))

    def load(self, path: str | Path) -> Self:
        """Read the parameters from a file that ``save`` wrote; returns the model.

        Raises FileFormatError for a damaged or foreign file, ShapeError for the file
        of another architecture, OSError when it cannot be read; the model is then
        unchanged. Nothing in the file is ever executed.
        """
        self.load_state_dict(storage.read(path))
        return self

    # -- As a tree of numbers --------------------------------------------------------

    def _bound(self, numbers: Iterable[Number]) -> Module:
        """A copy around other numbers, one for each of ``parameters()``, in that order.

        It shares nothing mutable with this module but what ``_shares`` names. Around
        Values it is an ordinary module; around other numbers its parameters are these.
        Raises ValueError for more or fewer of them.

        >>> from nn import Neuron
        >>> Neuron(2, nonlin=False)._bound([2.0, 3.0, 1.0])([10.0, 100.0])
        321.0
        """
        given = dict(zip(map(id, self.parameters()), numbers, strict=True))
        copies: dict[int, Any] = dict(given)  # what deepcopy puts in each one's place
        copies |= {id(part): part for part in _shared(self)}
        ordinary = all(isinstance(n, Value) and not n.op for n in given.values())
        bound = copy.deepcopy(self, copies)
        for module in [] if ordinary else modules_of(self):
            inside, places, *_ = _contents(module)
            at = [
                place for p, place in zip(inside, places, strict=True) if id(p) in given
            ]
            copies[id(module)]._places = frozenset(at)
        return bound

    def __tree_flatten__(self) -> tuple[list[Number], Callable[..., Module]]:
        """The parameters, and how to build this module around others."""
        return self.parameters(), self._bound

    def __tree_key__(self) -> Any:
        """Equal as long as the same parameters are found at the same places."""
        parameters, places, tied, _ = _contents(self)
        if self._places is not None:
            return tuple(places)
        return tuple(parameters), tuple(places), tuple(tied)


def _listed(what: str, names: list[str]) -> str:
    if not names:
        return ""
    shown = ", ".join(map(str, names[:5]))
    return f"; {what}: {shown}{', ...' if len(names) > 5 else ''}"


class _Contents(NamedTuple):
    """What is found below a module: each parameter and each module once, in order."""

    parameters: list[Number]
    places: list[Place]  # of the parameters
    tied: list[tuple[Value, Place]]  # where a parameter is met again
    modules: list[Module]


@contextmanager
def in_mode(root: Module, training: bool) -> Iterator[None]:
    """Set ``training`` of a module and all below, and in the end as it was."""
    modules = modules_of(root)
    before = [module.training for module in modules]
    try:
        for module in modules:
            module.training = training
        yield
    finally:
        for module, mode in zip(modules, before, strict=True):
            module.training = mode


def _shared(root: Module) -> list[Any]:
    return [vars(m)[name] for m in modules_of(root) for name in m._shares]


def modules_of(root: Module) -> list[Module]:
    """A module and all modules below it, each once."""
    if root._places is not None:  # around other numbers than Values
        return _contents(root).modules
    modules: list[Module] = []
    seen = set[int]()

    def walk(part: Any) -> None:
        seen.add(id(part))
        if isinstance(part, Module):
            modules.append(part)
        for _, child in _items(part):
            if type(child) not in _NOTHING_INSIDE and id(child) not in seen:
                walk(child)

    walk(root)
    return modules


def _contents(root: Module) -> _Contents:
    values: dict[Value, Place] = {}
    numbers: dict[Place, Number] = {}  # at the places of a bound copy
    tied: list[tuple[Value, Place]] = []
    modules: list[Module] = []
    bound, seen = root._places, set[int]()

    def walk(part: Any, path: str) -> None:
        seen.add(id(part))
        if isinstance(part, Module):
            modules.append(part)
        for key, child in _items(part):
            if bound is None and isinstance(child, Value):
                if child._primitive is not None:
                    continue
                if child not in values:
                    values[child] = path, key
                else:
                    tied.append((child, (path, key)))
            elif bound is not None and (path, key) in bound:
                numbers[path, key] = child
            elif type(child) not in _PLAIN and id(child) not in seen:
                walk(child, _joined(path, key))

    walk(root, "")
    if bound is None:
        return _Contents([*values], [*values.values()], tied, modules)
    return _Contents([*numbers.values()], [*numbers], tied, modules)


def _joined(path: str, key: Any) -> str:
    return f"{path}.{key}" if path else str(key)


def _items(part: Any) -> Iterable[tuple[Any, Any]]:
    """What is inside, by key; nothing where there is no inside."""
    if isinstance(part, list | tuple):
        return enumerate(part)
    if isinstance(part, Module):
        return part.__dict__.items()
    if isinstance(part, Mapping):
        return part.items()
    if getattr(part, "dtype", None) == np.dtype(object):
        return enumerate(part.ravel().tolist())
    return ()
