"""Vector kernels against mpmath in ulp, and their special values against the rows."""

import ctypes
import functools
import importlib
import math
import random
import struct
from pathlib import Path

import mpmath as mp
import oracles
import pytest

from autograd import Primitive
from autograd.compiler import coefficients
from autograd.compiler import vector_math as vm
from autograd.compiler.lanes import WIDTHS, Lanes
from autograd.primitives import TABLE

llvm = pytest.importorskip("llvmlite.binding")
from vector_machine import compiled, run, text  # noqa: E402
from vector_points import SPECIAL, random_points, special_points  # noqa: E402

inf, nan = math.inf, math.nan
ROWS = sorted(vm.KERNELS)
LARGEST = mp.mpf(2) ** 1024 - mp.mpf(2) ** 970  # from here on, rounding gives inf
EXACT = [*sorted(vm.INLINE), "floor_divide", "remainder"]  # the row's bits at once

# ulp; what is not here is exact, or the accuracy of the library or the row itself
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
    row = TABLE[name]
    ends = [x for x in SPECIAL if math.isfinite(x) and row.domain[0][0] < x]
    if row.arity == 1:
        points += [(x,) for x in ends if x < row.domain[0][1]]
    with mp.workdps(60):
        return points, [oracles.ORACLES[name](*map(mp.mpf, xs)) for xs in points]


def ulps(got, true):
    if abs(true) >= LARGEST:
        return 0.0 if got == math.copysign(inf, true) else inf
    if not math.isfinite(got):
        return inf
    with mp.workdps(60):
        return float(abs(mp.mpf(got) - true) / math.ulp(float(true)))


def test_every_row_is_here():
    assert set(vm.KERNELS) | vm.REDUCTIONS == set(TABLE)
    assert not set(vm.KERNELS) & vm.REDUCTIONS
    assert set(vm.STRICT_KERNELS) == set(vm.KERNELS)
    assert {name for name in TABLE if TABLE[name].arity is None} == vm.REDUCTIONS


@pytest.mark.parametrize("width", [1, 4, 8])
@pytest.mark.parametrize("name", sorted(BOUNDS))
def test_error_in_ulp(name, width):
    points, true = true_values(name)
    errors = map(ulps, run(name, width, points), true)
    worst = max(zip(errors, points))
    assert worst[0] <= BOUNDS[name], worst


@pytest.mark.parametrize("name", ROWS)
def test_special_values(name):
    """NaN, infinities and signed zeros as the row has them; the rest is measured."""
    points = special_points(name)
    evaluate = TABLE[name].evaluate
    for width in (1, 4, 8):
        for xs, got in zip(points, run(name, width, points)):
            want = evaluate(*xs)
            if name in EXACT or not math.isfinite(want) or want == 0.0:
                assert bits(got) == bits(want), (width, xs)
            else:
                assert math.isfinite(got) and got * want >= 0.0, (width, xs)


@pytest.mark.parametrize("name", ROWS)
def test_strict_repeats_the_float_evaluation(name):
    points = special_points(name) + random_points(name, 200)
    want = [bits(TABLE[name].evaluate(*xs)) for xs in points]
    for width in (1, 4, 8):
        got = map(bits, run(name, width, points, strict=True))
        assert not [x for x in zip(points, got, want) if x[1] != x[2]][:3]


@pytest.mark.parametrize("name", EXACT)
def test_exact_rows_need_no_strict_tier(name):
    points = random_points(name, 400)
    want = [TABLE[name].evaluate(*xs) for xs in points]
    assert list(map(bits, run(name, 8, points))) == list(map(bits, want))


@pytest.mark.parametrize("name", ROWS)
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


@pytest.mark.parametrize("width", WIDTHS)
def test_strict_code_fuses_nothing(width):
    assert "contract" not in text(width, True)
    assert "llvm.fma" not in text(width, True) and "fmuladd" not in text(width, True)
    with pytest.raises(ValueError, match="strict"):
        Lanes(width, strict=True).fma("%x", "%y", "%z")


def test_the_script_regenerates_the_coefficients(monkeypatch):
    monkeypatch.syspath_prepend(Path(__file__).parents[3] / "scripts")
    minimax = importlib.import_module("minimax")
    with mp.workdps(40):
        problems = minimax.problems()
        for name in ("EXP", "LOG", "SIN", "COS"):
            found, _ = minimax.minimax(*problems[name])
            assert tuple(found) == getattr(coefficients, name)


def test_each_function_is_declared_and_defined_once():
    needed = {("sin", 8, False), ("tanh", 8, True), ("sech2", 8, True)}
    lines = vm.module_text(needed, ["declare double @sin(double)"]).splitlines()
    heads = [line for line in lines if line.startswith(("declare", "define"))]
    assert len(heads) == len(set(heads)) == 6  # sin, tanh and exp of the library
    assert "\n".join(lines).startswith("declare double @exp(double)")


def test_cheap_rows_stand_in_place_and_the_others_are_called():
    lanes, needed = Lanes(4), set()
    vm.emit_row(lanes, "add", ["%a", "%b"], needed)
    assert not needed
    vm.emit_row(lanes, "exp", ["%a"], needed)
    assert needed == {("exp", 4, False)}
    assert "@row.exp.4(<4 x double> %a)" in lanes.lines[-1]


def test_integers_and_doubles_convert():
    lanes = Lanes(1)
    result = lanes.from_integer(lanes.to_integer("%x"))
    lines = ["define double @g(double %x) {", *lanes.lines, f"  ret double {result}"]
    address = compiled("\n".join([*lines, "}"])).get_function_address("g")
    assert ctypes.CFUNCTYPE(ctypes.c_double, ctypes.c_double)(address)(-2.75) == -2.0


def test_lanes_are_1_2_4_or_8():
    with pytest.raises(ValueError, match="got 3"):
        Lanes(3)


def called_back(evaluate):
    """A compiled function of one double that calls evaluate, and its symbol."""
    symbol = vm.register_callback("f", evaluate, 1)
    lanes = Lanes(1)
    result = lanes.call_each(symbol, "%x")
    lines = [*lanes.called, "define double @f(double %x) {", *lanes.lines]
    engine = compiled("\n".join([*lines, f"  ret double {result}", "}"]))
    address = engine.get_function_address("f")
    call = ctypes.CFUNCTYPE(ctypes.c_double, ctypes.c_double)(address)
    return call, symbol


def test_a_users_row_is_called_back():
    """Two rows of one name, or one named like a row of the table, stay apart."""
    cube = Primitive("f", lambda x: x * x * x, lambda x, y: 3.0 * x * x)
    call, symbol = called_back(cube.evaluate)
    other, another = called_back(lambda x: -x)
    assert (call(2.0), other(2.0)) == (8.0, -2.0)
    assert symbol != another
    assert vm.register_callback("f", cube.evaluate, 1) == symbol
    assert vm.register_callback("hypot", cube.evaluate, 1) != "autograd.hypot"


def test_an_error_in_a_callback_is_raised_afterwards():
    call, _ = called_back(lambda x: 1.0 / 0.0)
    assert math.isnan(call(1.0))
    with pytest.raises(ZeroDivisionError):
        vm.raise_pending()
    vm.raise_pending()
