"""Vector kernels against mpmath in ulp, and their special values against the primitives."""

import functools
import importlib
import math
import random
import struct
from pathlib import Path

import exact
import mpmath as mp
import oracles
import pytest

from autograd.compiler.llvm.functions import coefficients
from autograd.compiler.llvm.functions import table as vm
from autograd.compiler.llvm.functions.lanes import WIDTHS, Lanes
from autograd.table.primitives import TABLE

llvm = pytest.importorskip("llvmlite.binding")
from vector_machine import run  # noqa: E402
from vector_points import SPECIAL, random_points, special_points  # noqa: E402

inf, nan = math.inf, math.nan
PRIMITIVES = sorted(vm.KERNELS)
LARGEST = mp.mpf(2) ** 1024 - mp.mpf(2) ** 970  # from here on, rounding gives inf
EXACT = [*sorted(vm.IN_PLACE), "floor_divide", "remainder"]  # to the last bit

# ulp; what is not here is exact, or the accuracy of the library or the primitive itself
BOUNDS = {
    **dict.fromkeys(["log2", "log10", "cbrt"], 0.51),
    **dict.fromkeys(["exp", "exp2", "power", "gaussian"], 1.0),
    **dict.fromkeys(["sin", "cos", "hypot"], 1.0),
    **dict.fromkeys(["log", "log1p", "expm1", "tanh", "cosh", "arctanh"], 1.25),
    **dict.fromkeys(["softplus", "arccos", "arcsinh", "direction_cosine"], 1.5),
    **dict.fromkeys(["sigmoid", "erf", "sech2", "sinh", "arctan", "arctan2"], 2.0),
    **dict.fromkeys(["arcsin", "arccosh"], 2.0),
    "tan": 2.5,
    "erfc": 3.5,
}


def bits(x):
    return "nan" if math.isnan(x) else struct.pack("<d", x)


@functools.cache
def true_values(name):
    """Points and what mpmath says there."""
    points = random_points(name, 250)
    primitive = TABLE[name]
    ends = [x for x in SPECIAL if math.isfinite(x) and primitive.domain[0][0] < x]
    if primitive.arity == 1:
        points += [(x,) for x in ends if x < primitive.domain[0][1]]
    with mp.workdps(60):
        return points, [oracles.ORACLES[name](*map(mp.mpf, xs)) for xs in points]


def ulps(got, true):
    if abs(true) >= LARGEST:
        return 0.0 if got == math.copysign(inf, true) else inf
    if not math.isfinite(got):
        return inf
    with mp.workdps(60):
        return float(abs(mp.mpf(got) - true) / math.ulp(float(true)))


def test_every_primitive_is_here():
    assert set(vm.KERNELS) == {n for n, p in TABLE.items() if p.arity is not None}


@pytest.mark.parametrize("width", [1, 4, 8])
@pytest.mark.parametrize("name", sorted(BOUNDS))
def test_error_in_ulp(name, width):
    points, true = true_values(name)
    errors = map(ulps, run(name, width, points), true)
    worst = max(zip(errors, points))
    assert worst[0] <= BOUNDS[name], worst


def gamma_points(order, count=150):
    """Beside the roots and the poles, at the ends of the recurrence, far out."""
    rng = random.Random(order)
    pole = [-rng.randint(0, 20) + 10 ** rng.uniform(-9, -0.4) for _ in range(count)]
    roots = [1.4616321449683623, -0.5040830082644554, -1.573498473162390]
    near = [x + rng.uniform(-1, 1) * 1e-6 for x in roots for _ in range(5)]
    ends = [0.5, math.nextafter(0.5, 0.0), 14.0 + 1.25 * order, 1.0, 2.0, -0.5, 1e-300]
    spread = [10 ** rng.uniform(-12, 6) for _ in range(count)]
    return [(float(order), x) for x in [*pole, *near, *ends, *roots, *spread]]


@pytest.mark.parametrize("width", [1, 4, 8])
@pytest.mark.parametrize("order", [0, 1, 2, 3, 7])
def test_polygamma_in_ulp_of_its_conditioning(order, width):
    """Near a root of digamma nobody can do better than the rounding of x allows."""
    points = gamma_points(order)
    errors = []
    for got, (n, x) in zip(run("polygamma", width, points), points):
        with mp.workdps(60):
            true, slope = (mp.polygamma(int(n) + k, mp.mpf(x)) for k in (0, 1))
            errors.append((exact.ulps(got, true, x * slope), x))
    assert max(errors) <= (2.5, inf), max(errors)


@pytest.mark.parametrize("order", range(61))
def test_every_order_of_polygamma(order):
    points = [(float(order), x) for x in (0.3, 2.5, 40.0, 250.0, -0.3, -2.6, -70.4)]
    for got, (n, x) in zip(run("polygamma", 8, points), points):
        with mp.workdps(60):
            true = mp.polygamma(int(n), mp.mpf(x))
        assert got == pytest.approx(float(true), rel=1e-14 + 1e-15 * order, abs=0.0)


def test_orders_and_arguments_differ_from_lane_to_lane():
    """A lane that is done early, or asks for a branch, changes no other."""
    points = [(float(n), x) for n in (0, 1, 5, 60) for x in (-70.4, -0.3, 0.7, 300.0)]
    points += [(0.5, 1.0), (61.0, 1.0), (nan, 1.0), (2.0, nan), (0.0, -3.0), (1.0, inf)]
    alone = [bits(run("polygamma", 1, [xs])[0]) for xs in points]
    rng = random.Random(0)
    for _ in range(20):
        order = rng.sample(range(len(points)), len(points))
        got = run("polygamma", 8, [points[k] for k in order])
        assert list(map(bits, got)) == [alone[k] for k in order]


@pytest.mark.parametrize("name", PRIMITIVES)
def test_special_values(name):
    """NaN, infinities and signed zeros as the primitive has them; the rest is measured."""
    points = special_points(name)
    evaluate = TABLE[name].evaluate
    for width in (1, 4, 8):
        for xs, got in zip(points, run(name, width, points)):
            want = evaluate(*xs)
            if name in EXACT or not math.isfinite(want) or want == 0.0:
                assert bits(got) == bits(want), (width, xs)
            else:
                assert math.isfinite(got) and got * want >= 0.0, (width, xs)


@pytest.mark.parametrize("name", EXACT)
def test_exact_kernels_have_the_bits_of_the_primitive(name):
    points = random_points(name, 400)
    want = [TABLE[name].evaluate(*xs) for xs in points]
    assert list(map(bits, run(name, 8, points))) == list(map(bits, want))


@pytest.mark.parametrize("name", PRIMITIVES)
def test_no_lane_sees_its_neighbours(name):
    """The same bits beside other operands, and in any number of lanes."""
    points = random_points(name, 56) + random.Random(1).sample(special_points(name), 24)
    alone = [bits(run(name, 8, [xs])[0]) for xs in points[:8] + points[-8:]]
    together = list(map(bits, run(name, 8, points)))
    assert together[:8] + together[-8:] == alone
    for width in WIDTHS:
        assert list(map(bits, run(name, width, points[::-1])))[::-1] == together


@pytest.mark.parametrize("name", ["sin", "cos", "tan"])
def test_huge_arguments_of_sines(name):
    """The library answers; one of these is the double nearest to a zero of cos."""
    points = [(x,) for x in (6381956970095103 * 2.0**797, 1e308, -(2.0**20) - 0.5)]
    assert run(name, 8, points) == [TABLE[name].evaluate(*xs) for xs in points]


@pytest.mark.parametrize("name", ["sin", "cos", "tan"])
def test_arguments_next_to_multiples_of_a_right_angle(name):
    points = [(round(n * math.pi / 2, 0),) for n in range(1, 600_000, 5_000)]
    points += [(math.nextafter(n * math.pi / 2, 0.0),) for n in range(1, 600_000, 999)]
    with mp.workdps(60):
        true = [oracles.ORACLES[name](mp.mpf(x)) for (x,) in points]
    assert max(map(ulps, run(name, 8, points), true)) <= BOUNDS[name]


def test_the_script_regenerates_the_coefficients(monkeypatch):
    monkeypatch.syspath_prepend(Path(__file__).parents[3] / "scripts")
    minimax = importlib.import_module("minimax")
    with mp.workdps(40):
        problems = minimax.problems()
        for name in ("EXP", "LOG", "SIN", "COS"):
            found, _ = minimax.minimax(*problems[name])
            assert tuple(found) == getattr(coefficients, name)


def test_each_function_is_declared_and_defined_once():
    needed = {("sin", 8), ("tanh", 8), ("cos", 4), ("lgamma", 8)}
    lines = vm.module_text(needed, ["declare double @sin(double)"]).splitlines()
    heads = [line for line in lines if line.startswith(("declare", "define"))]
    assert len(heads) == len(set(heads)) == 7  # sin, cos and lgamma of the library
    assert "\n".join(lines).startswith("declare double @cos(double)")


def test_cheap_primitives_stand_in_place_and_the_others_are_called():
    lanes, needed = Lanes(4), set()
    vm.emit_primitive(lanes, "add", ["%a", "%b"], needed)
    assert not needed
    vm.emit_primitive(lanes, "exp", ["%a"], needed)
    assert needed == {("exp", 4)}
    assert "@row.exp.4(<4 x double> %a)" in lanes.lines[-1]


def test_lanes_are_1_2_4_or_8():
    with pytest.raises(ValueError, match="got 3"):
        Lanes(3)
