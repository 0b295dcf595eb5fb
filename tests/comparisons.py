"""All tiers against each other, on random programs: what deviates, and by how much."""

import random
from collections import Counter

import numpy as np
import programs
from regular_programs import generate
from rounding import Bound

import autograd as ag
from autograd import hessian, jit, trace, value_and_grad, vmap
from autograd.compiler.trace.optimise import optimise
from autograd.transforms.tree import flatten


def irregular(seed):
    """A program of ``programs``, long ones among them; and whether it is ordinary."""
    length = random.Random(f"length {seed}").choice([None, None, None, 3, 5, 40])
    program, point = programs.generate(seed, length)

    def f(xs):
        return programs.run(program, xs)[-1]

    f.__name__ = f"irregular_{seed}"
    return f, [point], programs.is_ordinary(program, point)


def derivative_of(f, args):
    """value_and_grad with respect to all arguments."""
    return value_and_grad(f, tuple(range(len(args))))


def _traced(f, args, settle=lambda program: program):
    """value_and_grad of f by way of its program, which runs on lifted nodes."""
    program = settle(trace(f, *args))
    flat, _ = flatten(list(args))
    value, slopes = value_and_grad(lambda xs: program(*xs)[0])(flat)
    return [value, slopes]


def _compiled(**settings):
    def run(f, args):
        compiled = jit(derivative_of(f, args), **settings)
        first = compiled(*args)
        leaves, rebuild = flatten(list(args))
        compiled(*rebuild([0.5 * x - 0.25 for x in leaves]))  # other numbers between
        again = compiled(*args)
        if _bits(first) != _bits(again):
            raise AssertionError("a second call gives other numbers")
        return first

    return run


# tier -> (how it computes value and gradient, whether it does to the last bit)
TIERS = {
    "traced": (_traced, True),
    "optimised": (lambda f, args: _traced(f, args, optimise), False),
    "numpy": (_compiled(backend="numpy"), False),
    "llvm": (_compiled(backend="llvm"), False),
    "strict": (_compiled(strict=True), True),
}


def _bits(results):
    """The value to the last bit, then the gradient; a slope of -0 is one of 0.

    Behind a choice the uncompiled engine leaves out what compiled code multiplies by 0.
    """
    value, *slopes = flatten(results)[0]
    return [float(value).hex(), *[(float(x) + 0.0).hex() for x in slopes]]


def complaints(f, args, tiers, seed=0, ordinary=True):
    """What is wrong with the tiers, by name; and the share of numbers held sharply.

    Extraordinary programs (beyond the floats, or at a kink) are compared to the last
    bit where that is promised, and otherwise only run.
    """
    chooses = getattr(f, "chooses", False)  # then slopes are added in another order
    eager = derivative_of(f, args)
    expected = _bits(eager(*args))
    bound = Bound(eager, args, seed) if ordinary else None
    found = {}
    for tier in tiers:
        compute, exact = TIERS[tier]
        try:
            got = compute(f, args)
        except Exception as error:  # a crash of one tier is a finding like others
            found[tier] = f"{type(error).__name__}: {error}"
            continue
        bits = _bits(got)
        if exact and (bits[0] != expected[0] or not (chooses or bits == expected)):
            found[tier] = f"{_first_difference(bits, expected)} to the last bit"
        if bound and (complaint := bound.deviation(got)):
            found[tier] = complaint
    return found, bound.sharp if bound else None


def hessian_complaints(seed, backends):
    """The second derivatives of a small program by its first argument."""
    p, args = generate(seed, largest=60)
    if len(args[0]) > 5:
        return None

    def f(xs):
        return p(xs, *args[1:])

    def compute(backend):
        return jit(hessian(f), backend=backend)(args[0])

    bound = Bound(hessian(f), [args[0]], seed, times=64.0, roundings=64)
    return _complaints_by_backend(backends, "hessian", compute, bound)


def _complaints_by_backend(backends, what, compute, bound):
    found = {}
    for backend in backends:
        try:
            got = compute(backend)
        except Exception as error:  # a crash of one backend is a finding like others
            found[backend] = f"{type(error).__name__}: {error}"
            continue
        if complaint := bound.deviation(got):
            found[backend] = f"{what}: {complaint}"
    return found


def batch_complaints(seed, backends, count=None):
    """The mean of a regular program over a batch, through vmap; all gradients.

    The first argument has a row for each sample; all others are shared.
    """
    p, args = generate(seed, largest=250)
    rng = random.Random(f"batch {seed}")
    count = count or rng.choice([1, 2, 3, 7, 8, 9, 13, 17, 40])
    rows = [[rng.gauss(0.0, 1.0) for _ in args[0]] for _ in range(count)]
    shared = [None] * (len(args) - 1)

    def one_by_one(rows, *params):
        return ag.sum([p(list(row), *params) for row in rows]) / float(count)

    def at_once(rows, *params):
        return ag.mean(vmap(p, in_axes=(0, *shared))(rows, *params))

    eager = derivative_of(one_by_one, args)
    bound = Bound(eager, [rows, *args[1:]], seed, roundings=16 + count)

    def compute(backend):
        compiled = jit(derivative_of(at_once, args), backend=backend)
        got = compiled(np.array(rows), *args[1:])
        compiled(np.array(rows)[::-1] * 0.5, *args[1:])
        if _bits(compiled(np.array(rows), *args[1:])) != _bits(got):
            raise AssertionError("a second call gives other numbers")
        return got

    return _complaints_by_backend(backends, f"batch of {count}", compute, bound)


def _first_difference(got, expected):
    for i, (a, b) in enumerate(zip(got, expected)):
        if a != b:
            return f"number {i}: {a}, expected {b}"
    return f"{len(got)} numbers instead of {len(expected)}"


def campaign(first, count, tiers):
    """Regular and irregular programs of many seeds.

    Returns a Counter of what was run, and the failures: (seed, kind, name, complaints).
    """
    totals, failures = Counter(), []
    for seed in range(first, first + count):
        p, args = generate(seed)
        f, point, ordinary = irregular(seed)
        for kind, function, own, plain in (
            ("regular", p, args, True),
            ("irregular" if ordinary else "extraordinary", f, point, ordinary),
        ):
            found, sharp = complaints(function, own, tiers, seed, plain)
            totals[kind] += 1
            totals["sharp"] += (sharp or 0.0) > 0.9
            if found:
                name = getattr(function, "name", function.__class__.__name__)
                failures.append((seed, kind, name, found))
        if backends := [tier for tier in ("numpy", "llvm") if tier in tiers]:
            totals["batches"] += 1
            if found := batch_complaints(seed, backends):
                failures.append((seed, "batch", p.name, found))
            if (found := hessian_complaints(seed, backends)) is not None:
                totals["hessians"] += 1
            if found:
                failures.append((seed, "hessian", p.name, found))
    return totals, failures
