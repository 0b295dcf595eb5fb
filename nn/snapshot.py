"""Snapshots: everything that a model or a loss could read besides its arguments.

Compiled code has read it once. If it changes (a callback sets ``model.temperature``, a
loss counts its calls, a layer draws random numbers), the compiled code is out of date:
two snapshots then differ.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from types import CodeType, FunctionType, MethodType, ModuleType
from typing import Any

import numpy as np

__all__ = ["Snapshot"]

PLAIN = frozenset({type(None), bool, int, float, complex, str, bytes})
LIBRARIES = sys.stdlib_module_names | {"autograd", "nn", "viz", "numpy"}
LIMIT = 100_000  # objects


class Snapshot:
    """What can be reached from some objects: numbers, texts, arrays, and who is who.

    Looked into are containers, attributes, classes, and of functions the defaults, the
    closure and the globals they name; not looked into are modules and what libraries
    define. A Value counts as itself, whatever its data.

    >>> settings = {"power": 2}
    >>> before = Snapshot(settings)
    >>> before.changed()
    False
    >>> settings["power"] = 3
    >>> before.changed()
    True
    """

    def __init__(self, *roots: Any) -> None:
        self.roots = roots
        self.generators: list[tuple[Callable[[Any], Any], Any]] = [
            (random.setstate, random.getstate()),
            (np.random.set_state, np.random.get_state()),
        ]
        self.facts = [_global_state()]
        self.kept: list[Any] = []  # so that no id is used again
        seen: set[int] = set()
        waiting = list(roots)
        while waiting:
            x = waiting.pop()
            if type(x) in PLAIN:
                self.facts.append(repr(x))
            elif id(x) not in seen:
                seen.add(id(x))
                self.kept.append(x)
                waiting += self._look(x)
            if len(self.facts) > LIMIT:
                self.facts.append(object())  # too much to watch: equal to nothing
                return

    def changed(self) -> bool:
        """Whether a snapshot taken now would be another one."""
        return Snapshot(*self.roots).facts != self.facts

    def restore(self) -> None:
        """Put every random generator back to where it stood."""
        for put, state in self.generators:
            put(state)

    def _look(self, x: Any) -> list[Any]:
        """Note down what x is; the objects below it."""
        if isinstance(x, list | tuple | set | frozenset) and PLAIN.issuperset(
            map(type, x)
        ):
            self.facts.append((id(x), len(x), hash(tuple(x))))
            return []
        self.facts.append(id(x))
        if isinstance(x, ModuleType | CodeType) or _home(type(x)) == "autograd":
            return []
        if isinstance(x, np.ndarray):
            if x.dtype == object:
                return list(x.ravel())
            self.facts.append(hash(x.tobytes()))
            return []
        state = self._generator(x)
        if state is not None:
            self.facts.append(state)
            return []
        found = list(_below(x))
        self.facts.append(len(found))
        return found

    def _generator(self, x: Any) -> Any:
        """The state of a random generator, else None."""
        if isinstance(x, random.Random):
            self.generators.append((x.setstate, x.getstate()))
            return x.getstate()
        if isinstance(x, np.random.RandomState):
            self.generators.append((x.set_state, x.get_state()))
            return repr(x.get_state())
        if isinstance(x, np.random.Generator):
            bits = x.bit_generator
            self.generators.append((partial(setattr, bits, "state"), bits.state))
            return repr(bits.state)
        return None


def _global_state() -> Any:
    _, keys, position, *rest = np.random.get_state(legacy=True)
    return hash(random.getstate()), np.asarray(keys).tobytes(), position, rest


def _below(x: Any) -> Iterator[Any]:
    """What an object is made of."""
    if isinstance(x, Mapping):
        for key, part in x.items():
            yield from (key, part)
    elif isinstance(x, list | tuple | set | frozenset):
        yield from x
    elif isinstance(x, MethodType):
        yield from (x.__self__, x.__func__)
    elif isinstance(x, partial):
        yield from (x.func, x.args, x.keywords)
    elif isinstance(x, FunctionType):
        yield from _of_function(x)
    elif isinstance(x, type):
        if not _of_library(x):
            yield from x.__mro__
            for name, part in vars(x).items():
                if name[:2] != "__" or isinstance(part, FunctionType):
                    yield part
    else:
        yield type(x)
        for name, part in getattr(x, "__dict__", {}).items():
            yield from (name, part)
        for kind in type(x).__mro__:
            for name in getattr(kind, "__slots__", ()):
                yield getattr(x, name, None)


def _of_function(f: FunctionType) -> Iterator[Any]:
    if _of_library(f):
        return
    yield from (f.__defaults__, f.__kwdefaults__, f.__dict__, f.__code__)
    for cell in f.__closure__ or ():
        try:
            yield cell.cell_contents
        except ValueError:  # a name that has no value yet
            yield None
    names, codes = set[str](), [f.__code__]
    while codes:
        code = codes.pop()
        names.update(code.co_names)
        codes += [part for part in code.co_consts if isinstance(part, CodeType)]
    for name in sorted(names & f.__globals__.keys()):
        yield f.__globals__[name]


def _of_library(x: Any) -> bool:
    return _home(x) in LIBRARIES


def _home(x: Any) -> str:
    """The package that defines a function or a class."""
    return str(getattr(x, "__module__", None)).partition(".")[0]
