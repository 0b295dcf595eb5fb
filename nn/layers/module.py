"""Module: anything with parameters, found by looking at its attributes.

A parameter is a leaf ``Value``: an attribute itself, or inside lists, tuples, dicts,
object arrays and other modules. Its name is the path that leads to it, such as
``encoder.weight.3``, and ``layer0.neuron3.w1`` in networks; it is the same in files,
errors and pictures. The order is that of assignment.

Transforms and compiled code need a model around other numbers: floats, duals, tracers.
``_bound`` makes such a copy. There a parameter is whatever stands where one stood:

    >>> model = Module()
    >>> model.w, model.rate = Value(2.0), 0.5
    >>> model._bound([3.0]).named_parameters()
    {'w': 3.0}
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import MethodType
from typing import Any, ClassVar, NamedTuple, Self
from weakref import ref

import numpy as np
from numpy.typing import NDArray

from autograd import ShapeError, Value
from autograd.native import EXTENSION
from autograd.notebooks import Shown
from autograd.table.reals import as_float
from nn.layers import storage

Number = Any
Place = tuple[str, Sequence[Any]]  # what some names begin with, and their ends
_PLAIN = {int, float, str, bool, type(None)}  # often among attributes, nothing inside


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

    __slots__ = ("__dict__", "__weakref__", "_memory")
    _memory: list[_Known]  # see ``remembered``

    training: bool = True  # see ``train`` and ``eval``
    inputs: list[str] | None = None  # what the inputs are called; kept by ``save``
    classes: list[Any] | None = None  # and the classes that outputs stand for
    _shares: ClassVar[tuple[str, ...]] = ()  # attributes that bound copies share
    _short: ClassVar[Mapping[str, str]] = {}  # lists of numbered parts: each one's name
    _numbers: ClassVar[tuple[str, ...]] = ()  # attributes without modules inside
    _places: frozenset[Place] | None = None  # of the parameters, in a bound copy
    _describe: ClassVar[Callable[[Any], str]] = lambda model: ""  # set by ``whole``

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """A class with a call of its own gets batches of it, not an ancestor's.

        A ``forward``, as PyTorch's modules have it, is the call.
        """
        super().__init_subclass__(**kwargs)
        own = cls.__dict__
        if "forward" in own and "__call__" not in own:
            cls.__call__ = own["forward"]  # type: ignore[method-assign]
        if "__call__" in own:
            for name in ("batch", "rows"):
                if name not in cls.__dict__:
                    setattr(cls, name, getattr(Module, name))

    def __call__(self, x: Any) -> Any:
        """The output for one sample; every model defines its own, or ``forward``."""
        raise NotImplementedError(
            f"{type(self).__name__} does not define __call__: write it, it returns the "
            "outputs of one sample"
        )

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
        known = remembered(self)
        return _contents(self).parameters if known is None else [*known[0].parameters]

    def named_parameters(self) -> dict[str, Number]:
        """{path: parameter}, in the order of ``parameters()``.

        A parameter that is reached in two ways has the first name only. Raises
        ValueError when two parameters would have the same name.
        """
        found = _contents(self)
        named = dict(zip(found.names(), found.parameters, strict=True))
        if len(named) != len(found.parameters):
            raise ValueError(
                f"two parameters of {type(self).__name__} have the same name: give the "
                f"keys of its dicts different text"
            )
        return named

    def _steps(self) -> list[str]:
        """What a sample goes through, for texts: widths, and what is applied."""
        return []

    def __repr__(self) -> str:
        steps = " -> ".join(self._steps())
        count = f"{len(self.parameters()):,} parameters"
        return f"{type(self).__name__}{' ' if steps else ''}{steps}, {count}"

    def label(self, prefix: str = "") -> None:
        """Label the parameters with their names, after a prefix: pictures show them.

        Labels of one's own stay.

        >>> model = Module()
        >>> model.w = [Value(1.0), Value(2.0)]
        >>> model.label()
        >>> model.w[1].label
        'w.1'
        """
        for name, parameter in self.named_parameters().items():
            label = parameter.label
            if label in ("", name) or name.endswith(f".{label}"):
                parameter.label = prefix + name

    def zero_grad(self) -> None:
        """Set every parameter's ``.grad`` to 0.0."""
        for parameter in self.parameters():
            parameter.grad = 0.0

    def set_grad(self, gradient: Mapping[str, float]) -> None:
        """Set every parameter's ``.grad`` to that of a compiled function: all, or none.

        Raises ShapeError for other names than those of ``named_parameters()``,
        TypeError for what is no number.

        >>> from autograd import jit, value_and_grad
        >>> from nn import Neuron
        >>> neuron = Neuron(1, nonlin=False, seed=0)
        >>> step = jit(value_and_grad(lambda model, x: model([x]) ** 2))
        >>> loss, gradient = step(neuron, 3.0)
        >>> neuron.set_grad(gradient)
        >>> neuron.b.grad == 2.0 * neuron([3.0]).data
        True
        """
        known = _known(self)
        names = [*self.named_parameters()] if known is None else known[0].names
        if [*gradient] != names:
            other = [name for name in gradient if name not in names]
            missing = [name for name in names if name not in gradient]
            if other or missing or len(gradient) != len(names):
                raise ShapeError(
                    f"{type(self).__name__} has {len(names)} parameters, the gradient "
                    f"has {len(gradient)} "
                    f"numbers{_listed('missing', missing)}{_listed('unknown', other)}: "
                    "give that of this model"
                )
        numbers = [as_float(gradient[name]) for name in names]
        for parameter, number in zip(self.parameters(), numbers, strict=True):
            parameter.grad = number

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

        A model of the library's own layers, functions and scalers comes back whole by
        ``nn.load``, with the names of its inputs and classes; of one of your own the
        file holds the parameters alone. The file appears complete
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

    def __getstate__(self) -> dict[str, Any]:
        """What copies and pickles take along: the attributes."""
        return self.__dict__

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
        copies |= {id(row): [given[id(p)] for p in row] for row in _rows(self)}
        ordinary = all(isinstance(n, Value) and not n.op for n in given.values())
        bound = copy.deepcopy(self, copies)
        for module in [] if ordinary else modules_of(self):
            copies[id(module)]._places = frozenset(_contents(module).places)
        return bound

    def __tree_flatten__(self) -> tuple[list[Number], Callable[..., Module]]:
        """The parameters, and how to build this module around others."""
        return self.parameters(), self._bound

    def __tree_key__(self) -> Any:
        """Equal as long as the same parameters are found at the same places, and all
        else, which a trace bakes in, is what it was."""
        known = remembered(self)
        if known is not None:
            return known[0].key, known[0].rest
        found = _contents(self)
        key = _Key(found) if self._places is None else tuple(found.places)
        return key, tuple(found.rest)

    def __tree_numbers__(self) -> tuple[NDArray[np.float64], list[Value]] | None:
        """The numbers of the parameters, and these; None without the accelerator."""
        known = remembered(self)
        if known is None:
            return None
        return np.frombuffer(known[1]), known[0].parameters


def _listed(what: str, names: list[str]) -> str:
    if not names:
        return ""
    shown = ", ".join(map(str, names[:5]))
    return f"; {what}: {shown}{', ...' if len(names) > 5 else ''}"


class _Contents(NamedTuple):
    """What is found below a module: each parameter once, in order."""

    parameters: list[Number]
    places: list[Place]  # of the parameters
    tied: list[tuple[Value, Place]]  # where a parameter is met again
    rest: list[Any]  # all else: numbers and texts, and who the functions are

    def names(self) -> list[str]:
        """Of the parameters, in their order."""
        return [f"{prefix}{key}" for prefix, keys in self.places for key in keys]


class _Key:
    """Which parameters are found in a model and where, to be compared: hashed once."""

    __slots__ = ("content", "hashed")

    def __init__(self, found: _Contents) -> None:
        self.content = tuple(map(tuple, found[:-1]))
        self.hashed = hash(self.content)

    def __hash__(self) -> int:
        return self.hashed

    def __eq__(self, other: object) -> bool:
        same = self is other
        return same or (isinstance(other, _Key) and self.content == other.content)


class _Known(NamedTuple):
    """What was found in a model, and the accelerator's snapshot of that moment."""

    snapshot: Any
    parameters: list[Value]
    names: list[str]
    key: _Key
    rest: tuple[Any, ...]
    kept: dict[str, Any]  # what others have made of it, as long as all stays as it is


def _known(model: Module) -> tuple[_Known, bytes] | None:
    """What is remembered of a model, and its numbers: None once it has changed."""
    for known in getattr(model, "_memory", ()):
        if (numbers := known.snapshot.numbers(model)) is not None:
            return known, numbers
    return None


def remembered(model: Module) -> tuple[_Known, bytes] | None:
    """The same; what is not remembered is looked at, where the accelerator can.

    Never of a bound copy, whose parameters may be any numbers.
    """
    if model._places is not None:
        return None
    found_again = _known(model)
    if found_again is not None or EXTENSION is None:
        return found_again
    found, snapshot = _contents(model), EXTENSION.snapshot(model, Module)
    if snapshot is None:
        return None
    names, rest = found.names(), tuple(found.rest)
    known = _Known(snapshot, found.parameters, names, _Key(found), rest, {})
    model._memory = [known, *getattr(model, "_memory", ())][:2]  # train(), eval()
    return _known(model)


def key_of_parameters(model: Module) -> Any:
    """Equal as long as the same parameters are found at the same places."""
    known = remembered(model)
    return _Key(_contents(model)) if known is None else known[0].key


@contextmanager
def in_mode(root: Module, training: bool) -> Iterator[list[Module]]:
    """Set ``training`` of a module and all below, and in the end as it was.

    ``as`` gives these modules.
    """
    modules = modules_of(root)
    before = [module.training for module in modules]
    try:
        for module in modules:
            module.training = training
        yield modules
    finally:
        for module, mode in zip(modules, before, strict=True):
            module.training = mode


def _rows(root: Module) -> Iterator[list[Value]]:
    """Lists of parameters that are attributes: copied here, faster than one by one."""
    for module in modules_of(root):
        yield from filter(_is_row, vars(module).values())


def _shared(root: Module) -> list[Any]:
    return [vars(m)[name] for m in modules_of(root) for name in m._shares]


def modules_of(root: Module) -> list[Module]:
    """A module and all modules below it, each once."""
    known = remembered(root)
    if known is None:
        return _modules_below(root)
    kept = known[0].kept
    if "modules" not in kept:
        kept["modules"] = _modules_below(root)
    return [*kept["modules"]]


def _modules_below(root: Module) -> list[Module]:
    modules: list[Module] = []
    seen: set[int] = set()

    def walk(part: Any) -> None:
        seen.add(id(part))
        numbers: tuple[str, ...] = ()
        if isinstance(part, Module):
            modules.append(part)
            numbers = part._numbers
        for key, child in () if _only_values(part) else _items(part):
            plain = type(child) in _PLAIN or key in numbers
            if not plain and id(child) not in seen:
                walk(child)

    walk(root)
    return modules


def _contents(root: Module) -> _Contents:
    found = _Contents([], [], [], [])
    known: set[Value] = set()
    bound, seen = root._places, dict[int, int]()  # which part it was

    def note(prefix: str, keys: Sequence[Any], numbers: list[Number]) -> None:
        found.parameters.extend(numbers)
        found.places.append((prefix, keys))

    def walk(part: Any, prefix: str) -> None:
        seen[id(part)] = len(seen)
        if bound is None and _is_row(part) and known.isdisjoint(part):
            known.update(part)
            return note(prefix, range(len(part)), part)
        if bound and type(part) is list and (prefix, range(len(part))) in bound:
            return note(prefix, range(len(part)), part)
        short: Mapping[str, str] = {}
        if isinstance(part, Module):
            short = part._short
            found.rest.append(part.training)
        for key, child in _items(part):
            if bound is None and isinstance(child, Value):
                if child in known:
                    found.tied.append((child, (prefix, (key,))))
                elif child._primitive is None:
                    known.add(child)
                    note(prefix, (key,), [child])
            elif bound is not None and (prefix, (key,)) in bound:
                note(prefix, (key,), [child])
            elif key in ("training", "_places"):
                pass
            elif type(child) in _PLAIN:
                found.rest.append((key, repr(child)))
            elif not _has_inside(child):
                own = bound is None or callable(child)  # and no copy
                found.rest.append((key, _identity(child) if own else type(child)))
            elif id(child) in seen:
                found.rest.append((key, seen[id(child)]))
            else:
                walk(child, prefix + short.get(key, f"{key}."))

    walk(root, "")
    return found


def _is_row(part: Any) -> bool:
    """Whether a list holds leaves and nothing else, each once: most parameters do."""
    return (
        _only_values(part)
        and {value._primitive for value in part} == {None}
        and len({*part}) == len(part)
    )


def _only_values(part: Any) -> bool:
    return type(part) is list and {*map(type, part)} == {Value}


def _has_inside(part: Any) -> bool:
    return isinstance(part, list | tuple | Module | Mapping) or _is_object_array(part)


def _is_object_array(part: Any) -> bool:
    return getattr(part, "dtype", None) == np.dtype(object)


class _Same:
    """Equal for the same object as long as it lives, without keeping it alive."""

    __slots__ = ("alive", "place")

    def __init__(self, part: Any) -> None:
        self.alive, self.place = ref(part), id(part)

    def __hash__(self) -> int:
        return self.place

    def __eq__(self, other: object) -> bool:
        mine = self.alive()
        return isinstance(other, _Same) and mine is not None and mine is other.alive()


def _identity(part: Any) -> Any:
    if isinstance(part, MethodType):  # made anew whenever one asks for it
        return _identity(part.__self__), _identity(part.__func__)
    try:
        return _Same(part)
    except TypeError:
        return type(part)


def _items(part: Any) -> Iterable[tuple[Any, Any]]:
    """What is inside, by key; nothing where there is no inside."""
    if isinstance(part, list | tuple):
        return enumerate(part)
    if isinstance(part, Module):
        return part.__dict__.items()
    if isinstance(part, Mapping):
        return part.items()
    if _is_object_array(part):
        return enumerate(part.ravel().tolist())
    return ()
