"""What the tests themselves rest on: generators, bounds, oracles."""

import math

import comparisons
import mpmath as mp
import oracles
import programs
import pytest
import regular_programs
import semantics
from rounding import Bound, shaken

from autograd import value_and_grad
from autograd.table.primitives import TABLE


@pytest.mark.parametrize("seed", range(5))
def test_one_seed_is_one_program(seed):
    (p, args), (q, same) = (regular_programs.generate(seed) for _ in range(2))
    assert (p.name, args, p(*args)) == (q.name, same, q(*same))
    assert programs.generate(seed) == programs.generate(seed)


def test_seeds_differ_and_reach_every_stage():
    made = [regular_programs.generate(seed)[0] for seed in range(300)]
    names = {name for p in made for name, _ in p.stages}
    wanted = {stage.__name__ for stage in regular_programs.STAGES}
    assert names == wanted | set(regular_programs.LAST)


def test_shaking_moves_what_rounds_and_nothing_else():
    exact = shaken(lambda x, y: [abs(x), -y], [0.3, 0.7], 0)
    assert exact == [0.3, -0.7]
    moved = shaken(lambda x, y: [x * y], [0.3, 0.7], 0)
    assert moved[0] == pytest.approx(0.21, rel=1e-8)
    assert moved[0] != 0.3 * 0.7


def test_a_bound_takes_other_roundings_and_no_more():
    xs = [0.1 * k for k in range(40)]
    bound = Bound(lambda xs: [sum(xs), sum(x * x for x in xs)], [xs])
    other = [math.fsum(xs), math.fsum(x * x for x in xs)]
    assert bound.deviation(other) is None
    assert bound.sharp == 1.0
    assert "number 1" in bound.deviation([other[0], other[1] * (1 + 1e-10)])
    assert "instead of 2" in bound.deviation(other[:1])


def test_a_bound_is_wide_where_digits_cancel():
    def cancelled(x):
        return (x + 1e8) - 1e8

    bound = Bound(cancelled, [0.1])
    assert bound.deviation([0.1]) is None  # the exact one
    assert bound.sharp == 0.0


def test_a_tier_that_is_wrong_is_complained_of(monkeypatch):
    def wrong(f, args):
        value, slopes = value_and_grad(f, tuple(range(len(args))))(*args)
        return value * (1 + 1e-9), slopes

    def crashing(f, args):
        raise RuntimeError("out of order")

    monkeypatch.setitem(comparisons.TIERS, "wrong", (wrong, False))
    monkeypatch.setitem(comparisons.TIERS, "crashing", (crashing, False))
    p, args = regular_programs.generate(3)
    found, sharp = comparisons.complaints(p, args, ["wrong", "crashing", "numpy"], 3)
    assert found.keys() == {"wrong", "crashing"}
    assert "number 0" in found["wrong"]
    assert "out of order" in found["crashing"]
    assert sharp > 0.9


def test_oracles_agree_with_mpmath_itself():
    x = mp.mpf("0.7")
    for name in ("exp", "tanh", "erf", "log1p"):
        assert oracles.ORACLES[name](x) == getattr(mp, name)(x)


def test_every_case_of_the_semantics_has_a_gradient_for_each_operand():
    for name, (_, operands, _, slopes) in semantics.CASES.items():
        assert len(operands) == len(slopes), name
    assert len(semantics.CASES) > 50
    assert set(oracles.ORACLES) == set(TABLE)
