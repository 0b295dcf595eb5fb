"""Random programs through all tiers: eager, traced, optimised, numpy, LLVM, strict.

The bound is that of ``regular_programs``: sixteen times what coarse rounding says, and
sixteen roundings; traced and strict ones agree to the last bit.
"""

from importlib.util import find_spec

import pytest
import regular_programs as regular
from tiers import BACKENDS, bits

from autograd import jit
from autograd.tree import flatten

TIERS = [t for t in regular.TIERS if t != "llvm" or find_spec("llvmlite")]


@pytest.mark.parametrize("seed", range(150))
def test_regular_programs(seed):
    p, args = regular.generate(seed, largest=1500)
    found, _ = regular.complaints(p, args, TIERS, seed)
    assert not found, p.name


@pytest.mark.parametrize("seed", range(150))
def test_irregular_programs(seed):
    f, args, ordinary = regular.irregular(seed)
    found, _ = regular.complaints(f, args, TIERS, seed, ordinary)
    assert not found


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("seed", range(40))
def test_programs_of_many_outputs(seed, backend):
    """All numbers before the last stage; a leaf, a constant, and one number twice."""
    p, args = regular.generate(seed)
    f = regular.whole(p)
    bound = regular.Bound(f, args, seed)
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
    assert bits(jit(f, strict=True)(*args)) == bits(f(*args))


def test_the_bound_is_sharp():
    """Nearly all numbers are held to eight digits: the comparison means something."""
    shares = []
    for seed in range(60):
        p, args = regular.generate(seed)
        shares.append(regular.Bound(regular.derivative_of(p, args), args, seed).sharp)
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
    eager = regular.derivative_of(p, args)
    bound = regular.Bound(eager, args)
    leaves, rebuild = flatten(jit(eager, backend=backend)(*args))
    assert bound.deviation(rebuild(leaves)) is None
    place = max(range(len(leaves)), key=lambda i: abs(leaves[i]))
    leaves[place] *= 1.0 + 1e-10
    assert "allowed" in bound.deviation(rebuild(leaves))
