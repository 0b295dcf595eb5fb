"""C written by hand: the programs of ``benchmarks/reference``, compiled by gcc.

The objects are compiled with -ffast-math and linked without it: linking with it would
set flush-to-zero for the whole process. They are linked with -Bsymbolic, because the C
library has a ``step`` of its own. ``run.inside(times)`` repeats a program in C, so that
a clock around it sees no call from Python.
"""

from __future__ import annotations

import ctypes
import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path

import numpy as np
import scalar_programs

REFERENCE = Path(__file__).resolve().parent.parent / "reference"
FLAGS = ["-O3", "-march=native", "-ffast-math", "-mprefer-vector-width=512", "-fPIC"]


@cache
def library():
    """All reference programs as one shared library. Raises ImportError without gcc."""
    if shutil.which("gcc") is None:
        raise ImportError("gcc is not installed")
    with tempfile.TemporaryDirectory() as folder:
        sources = sorted(REFERENCE.glob("*.c"))
        _gcc(folder, *[[*FLAGS, "-c", str(source)] for source in sources])
        objects = [source.stem + ".o" for source in sources]
        link = ["-shared", "-Wl,-Bsymbolic", *objects, "-o", "all.so"]
        _gcc(folder, [*link, "-lmvec", "-lm"])
        return ctypes.CDLL(str(Path(folder, "all.so")))


def _gcc(folder, *commands):
    """Run gcc with each list of arguments, all at once."""
    running = [
        subprocess.Popen(["gcc", *arguments], cwd=folder, stderr=subprocess.PIPE)
        for arguments in commands
    ]
    errors = [process.communicate()[1].decode() for process in running]
    if any(process.returncode for process in running):
        raise ImportError("gcc cannot build the references: " + "".join(errors))


class Run:
    """One function of the library with its arguments; arrays go by their address.

    value, gradient : where the results stand; without ``value`` it is what C returns.
    """

    def __init__(self, name, *arguments, gradient, value=None):
        self.kept = arguments
        raw = [_raw(x) for x in arguments]
        kinds = [type(x) for x in raw]
        self.function = library()[name]
        self.function.argtypes = kinds
        self.function.restype = ctypes.c_double if value is None else None
        self.repeated = library()["repeat_" + name]
        self.repeated.argtypes = [ctypes.c_long, *kinds]
        self.repeated.restype = None
        self.arguments, self.value, self.gradient = raw, value, gradient

    def __call__(self):
        returned = self.function(*self.arguments)
        return returned if self.value is None else self.value, self.gradient

    def inside(self, times):
        """So many calls, made by C."""
        self.repeated(times, *self.arguments)


def _raw(x):
    if isinstance(x, np.ndarray):
        assert x.flags.c_contiguous
        return ctypes.c_void_p(x.ctypes.data)
    return x if isinstance(x, ctypes._SimpleCData) else ctypes.c_long(x)


def batch(task, name):
    points, targets = [np.atleast_1d(x).astype(float) for x in task.inputs]
    size, gradient = ctypes.c_int(targets.size), np.empty_like(task.params)
    return Run(name, task.params, points, targets, size, gradient, gradient=gradient)


def rosenbrock(task):
    gradient = np.empty_like(task.params)
    return Run("rosen", task.params, gradient.size, gradient, gradient=gradient)


def options(task):
    prices, greeks = np.empty(task.params.shape[1]), np.empty_like(task.params)
    arguments = (*task.params, prices.size, prices, *greeks)
    return Run("bs", *arguments, gradient=greeks.ravel(), value=prices)


def language_model(task, tokens, rate=0.0):
    """A training step; with the rate 0, value and gradient."""
    params, tokens = task.params.copy(), np.array(tokens, dtype=np.int64)
    m, v, gradient = np.zeros((3, params.size))
    numbers = ctypes.c_int(tokens.size - 1), ctypes.c_int(0), ctypes.c_double(rate)
    arguments = (params, m, v, gradient, tokens, *numbers)
    return Run("step", *arguments, gradient=params if rate else gradient)


def digit(task):
    inputs, gradient = np.concatenate(task.inputs), np.empty_like(task.params)
    return Run("mnist", task.params, inputs, gradient, gradient=gradient)


def bodies(task):
    gradient = np.empty_like(task.params)
    return Run("nbody", task.params, gradient, gradient.size // 3, gradient=gradient)


def pendulum(task):
    (observed,) = task.inputs
    gradient, steps = np.empty_like(task.params), len(observed)
    arguments = (task.params, observed, steps, np.empty(22 * steps), gradient)
    return Run("pendulum", *arguments, gradient=gradient)


def irregular(task):
    plan, leaves = task.program.args[0], task.params.size
    names, left, right = zip(*plan, strict=True)
    codes = [{"+": 0, "-": 1, "*": 2, "tanh": 3}[name] for name in names]
    tape = [np.array(x, dtype=np.int32) for x in (codes, left, right)]
    numbers, cotangents = np.zeros((2, leaves + len(plan)))
    numbers[:leaves] = task.params
    arguments = (*tape, len(plan), leaves, numbers, cotangents)
    return Run("irregular", *arguments, gradient=cotangents[:leaves])


PROGRAMS = {
    "C1": lambda task: batch(task, "mlp_soa"),
    "C2": lambda task: batch(task, "mlp_plain"),
    "C3": rosenbrock,
    "C4": options,
    "C5": lambda task: language_model(task, task.program.keywords["tokens"]),
    "C5-tokens": lambda task: language_model(task, task.inputs[0]),
    "C5-step": lambda task: language_model(task, task.inputs[0], scalar_programs.RATE),
    "C6": digit,
    "C8": lambda task: batch(task, "mlp_soa"),
    "C9": bodies,
    "pendulum": pendulum,
    "irregular": irregular,
}


def prepare(work, task):
    """A call that returns value and gradient; None when there is no such program."""
    return PROGRAMS[work.name](task) if work.name in PROGRAMS else None
