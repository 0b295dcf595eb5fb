"""Random programs through all tiers: eager, traced, optimised, numpy, LLVM, strict.

The bound is that of ``regular_programs``: sixteen times what coarse rounding says, and
sixteen roundings; traced and strict ones agree to the last bit.
"""

import random
from importlib.util import find_spec

import comparisons
import pytest
import regular_programs as regular
import rounding
from tiers import BACKENDS, bits, on_values, plain

import autograd as ag
from autograd import jit, value_and_grad
from autograd.transforms.tree import flatten

TIERS = [t for t in comparisons.TIERS if t != "llvm" or find_spec("llvmlite")]


@pytest.mark.parametrize("seed", range(50))
def test_regular_programs(seed):
    p, args = regular.generate(seed, largest=700)
    found, _ = comparisons.complaints(p, args, TIERS, seed)
    assert not found, p.name


@pytest.mark.parametrize("seed", range(50))
def test_irregular_programs(seed):
    f, args, ordinary = comparisons.irregular(seed)
    found, _ = comparisons.complaints(f, args, TIERS, seed, ordinary)
    assert not found


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("seed", range(40))
def test_programs_of_many_outputs(seed, backend):
    """All numbers before the last stage; a leaf, a constant, and one number twice."""
    p, args = regular.generate(seed)
    f = regular.whole(p)
    bound = rounding.Bound(f, args, seed)
    found = jit(f, backend=backend)(*args)
    assert list(found) == ["all", "leaf", "constant", "twice"]
    assert bound.deviation(found) is None
    assert found["leaf"] == args[0][-1]
    assert found["constant"] == 1.5
    assert found["twice"] == found["all"][0]


@pytest.mark.parametrize("seed", range(40))
def test_strict_programs_of_many_outputs(seed):
    p, args = regular.generate(seed)
    f = regular.whole(p)
    assert bits(jit(f, strict=True)(*args)) == bits(on_values(f, args))


def irregular(length, seed=0):
    """A long program without any pattern, and the point to run it at."""
    rng = random.Random(seed)
    steps = [
        (rng.randrange(6), rng.randrange(50), rng.randrange(200)) for _ in range(length)
    ]
    rows = [
        lambda a, b: a + b,
        lambda a, b: 0.5 * a - b,
        lambda a, b: ag.tanh(a),
        lambda a, b: a * ag.sin(b),
        lambda a, b: ag.sigmoid(a - b),
        lambda a, b: ag.maximum(a, b),
    ]

    def f(xs):
        numbers = list(xs)
        for row, near, far in steps:
            numbers.append(rows[row](numbers[-1 - near], numbers[-1 - far]))
        return ag.mean(numbers[-50:])

    return f, [0.01 * k for k in range(200)]


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_long_irregular_program(backend):
    f, xs = irregular(4000)
    value, slopes = value_and_grad(f)(xs)
    compiled = jit(value_and_grad(f), backend=backend)
    for _ in range(2):
        got, found = compiled(xs)
        assert got == pytest.approx(value, rel=1e-12)
        assert found == pytest.approx(slopes, rel=1e-9, abs=1e-14)


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_long_recurrence(backend):
    """A spring pendulum over many steps of a method of Runge and Kutta, as one trace."""

    def slope(s, k):
        angle, speed = s
        return [speed, -k * ag.sin(angle) - 0.1 * speed]

    def f(s, k):
        for _ in range(150):
            one = slope(s, k)
            two = slope([x + 0.02 * v for x, v in zip(s, one)], k)
            s = [x + 0.02 * (p + q) for x, p, q in zip(s, one, two)]
        return s[0] * s[1]

    found = jit(value_and_grad(f, (0, 1)), backend=backend)([1.0, 0.5], 3.0)
    expected = value_and_grad(f, (0, 1))([1.0, 0.5], 3.0)
    assert plain(list(found)) == pytest.approx(plain(list(expected)), rel=1e-11)


def test_the_bound_is_sharp():
    """Nearly all numbers are held to eight digits: the comparison means something."""
    shares = []
    for seed in range(60):
        p, args = regular.generate(seed)
        shares.append(
            rounding.Bound(comparisons.derivative_of(p, args), args, seed).sharp
        )
    assert sum(shares) / len(shares) > 0.95


def test_every_stage_takes_part():
    used = {
        name
        for seed in range(400)
        for name in regular.generate(seed)[0].name.split("-")
    }
    assert used == {stage.__name__ for stage in regular.STAGES} | set(regular.LAST)


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_wrong_gradient_is_found(backend):
    """The bound notices an error of one part in ten thousand million."""
    p, args = regular.generate(7)
    eager = comparisons.derivative_of(p, args)
    bound = rounding.Bound(eager, args)
    leaves, rebuild = flatten(jit(eager, backend=backend)(*args))
    assert bound.deviation(rebuild(leaves)) is None
    place = max(range(len(leaves)), key=lambda i: abs(leaves[i]))
    leaves[place] *= 1.0 + 1e-10
    assert "allowed" in bound.deviation(rebuild(leaves))
