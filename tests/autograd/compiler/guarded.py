"""Compiled functions on arrays that end, or begin, where the process may not look.

A script: every float array that numpy makes, and every argument, lies against a page
without access. A read or write beside it ends the process with a signal.
"""

import ctypes
import math
import mmap
import sys
from pathlib import Path

TESTS = Path(__file__).parent.parent.parent
sys.path[:0] = [str(TESTS.parent), str(TESTS)]  # the package before tests/autograd

import comparisons  # noqa: E402
import numpy as np  # noqa: E402
import regular_programs as regular  # noqa: E402

import autograd as ag  # noqa: E402
from autograd import jit, value_and_grad, vmap  # noqa: E402

PAGE = mmap.PAGESIZE
libc = ctypes.CDLL(None, use_errno=True)
libc.mprotect.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]


def room(shape, at_end=True):
    """Zeros between two pages without access, against the second or the first."""
    shape = (shape,) if isinstance(shape, int | np.integer) else tuple(shape)
    count = math.prod(shape)
    pages = max(1, -(-8 * count // PAGE))
    region = mmap.mmap(-1, (pages + 2) * PAGE)
    address = ctypes.addressof(ctypes.c_char.from_buffer(region))
    for guard in (address, address + (pages + 1) * PAGE):
        if libc.mprotect(guard, PAGE, 0):
            raise OSError(ctypes.get_errno(), "mprotect")
    start = PAGE + (pages * PAGE - 8 * count if at_end else 0)
    return np.frombuffer(region, np.float64, count, start).reshape(shape)


def put(numbers, at_end):
    """A copy of numbers beside a guard."""
    numbers = np.asarray(numbers, float)
    copy = room(numbers.shape, at_end)
    copy[...] = numbers
    return copy


def guard_numpy():
    """Let np.zeros and np.empty of floats be guarded from now on."""
    right = {"zeros": np.zeros, "empty": np.empty}

    def guarded(name):
        def make(shape, dtype=float, *more, **options):
            if dtype in (float, np.float64) and not more and not options:
                return room(shape)
            return right[name](shape, dtype, *more, **options)

        return make

    for name in right:
        setattr(np, name, guarded(name))


def model(x, w):
    return ag.tanh(ag.dot(w, x)) * x[0] + ag.exp(-x[1] * x[1])


def loss(X, y, w):
    return ag.mean((vmap(model, in_axes=(0, None))(X, w) - y) ** 2)


def batches(backend):
    """Batches of all sizes around those of the lanes; full tails and ragged ones."""
    for n in [*range(1, 36), 63, 64, 65, 100, 513]:
        X = np.sin(np.arange(3.0 * n)).reshape(n, 3)
        y, w = np.cos(np.arange(float(n))), np.array([0.5, -1.0, 2.0])
        f = jit(value_and_grad(loss, 2), backend=backend)
        g = jit(vmap(model, in_axes=(0, None)), backend=backend)
        for at_end in (True, False):
            args = [put(a, at_end) for a in (X, y, w)]
            first = f(*args)
            out = room((), at_end), room(3, at_end)
            f(*args, out=out)
            assert np.array_equal(out[1], first[1])
            rows = room(n, at_end)
            g(args[0], args[2], out=rows)
            assert np.array_equal(rows, g(args[0], args[2]))


def programs(backend, seeds):
    """Regular programs whose arguments are arrays."""
    for seed in seeds:
        p, args = regular.generate(seed, largest=600)
        derivative = comparisons.derivative_of(p, args)
        f = jit(derivative, backend=backend)
        for at_end in (True, False):
            own = [put(a, at_end) for a in args]
            value, slopes = f(*own)
            out = room((), at_end), tuple([room(a.shape, at_end) for a in own])
            f(*own, out=out)
            assert float(out[0]) == value or math.isnan(value)
            for a, b in zip(out[1], slopes):
                assert np.array_equal(a, b, equal_nan=True)


if __name__ == "__main__":
    guard_numpy()
    batches(sys.argv[1])
    programs(sys.argv[1], range(int(sys.argv[2]), int(sys.argv[3])))
    print("nothing was touched")
