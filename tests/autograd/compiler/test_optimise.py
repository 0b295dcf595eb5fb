"""Optimising: the same numbers and gradients, less work, and nothing that is inexact."""

import math
from math import inf, nan

import numpy as np
import programs
import pytest
import regular_programs as regular
import rounding
from tiers import HARD, bits

import autograd as ag
from autograd import TraceError, Value, trace, value_and_grad
from autograd.compiler.trace import optimise as module
from autograd.compiler.trace.optimise import optimise
from autograd.compiler.trace.program import CODE, CONSTANT, INPUT, Program
from autograd.transforms.tree import flatten


def names(program):
    """The rows of a program, in order; inputs and constants left out."""
    return [
        program.primitives[code].name for code in program.code.tolist() if code >= 0
    ]


def same(p, q):
    """Whether two programs are the same, instruction by instruction."""
    arrays = ("code", "first", "second", "operands", "outputs")
    return all(np.array_equal(getattr(p, a), getattr(q, a)) for a in arrays) and (
        p.constants[p.first[p.code == CONSTANT]].tobytes()
        == q.constants[q.first[q.code == CONSTANT]].tobytes()
    )


def minus(x):
    return -x


# -- The same numbers ----------------------------------------------------------------


@pytest.mark.parametrize("seed", range(60))
def test_regular_programs_keep_their_numbers(seed):
    p, args = regular.generate(seed)
    program = trace(p, *args)
    better = optimise(program)
    flat, _ = flatten(args)
    assert bits(better(*flat)) == bits(program(*flat))
    assert len(better) <= len(program)

    def derivative(program):
        return value_and_grad(lambda xs: program(*xs)[0])

    bound = rounding.Bound(derivative(program), [flat], seed)
    assert bound.deviation(derivative(better)(flat)) is None


@pytest.mark.parametrize("seed", range(200))
def test_irregular_programs_keep_their_bits(seed):
    program, point = programs.generate(seed, 15)
    traced = trace(lambda xs: programs.run(program, xs), point)
    assert bits(optimise(traced)(*point)) == bits(traced(*point))


@pytest.mark.parametrize("seed", range(100))
def test_optimising_twice_changes_nothing(seed):
    if seed % 2:
        p, args = regular.generate(seed)
        once = optimise(trace(p, *args))
    else:
        program, point = programs.generate(seed, 30)
        once = optimise(trace(lambda xs: programs.run(program, xs)[-1], point))
    twice = optimise(once)
    assert same(once, twice)


def test_the_result_is_validated(monkeypatch):
    """Whatever the passes do, an invalid program does not get out."""

    def damage(program):
        first = program.first.copy()
        first[-1] = len(program) + 5
        return module.replace(program, first=first), True

    rounds = []

    def once(program):
        rounds.append(1)
        return damage(program) if len(rounds) == 1 else (program, False)

    program = trace(lambda x: ag.sin(x) * 2.0 + x, 1.0)
    monkeypatch.setattr(module, "_prune", lambda program: program)
    monkeypatch.setattr(module, "_identities", lambda program: (program, False))
    monkeypatch.setattr(module, "_fold", once)
    monkeypatch.setattr(module, "_share", lambda program: (program, False))
    with pytest.raises((TraceError, IndexError)):
        optimise(program)


def test_validate_is_called(monkeypatch):
    calls = []
    right = Program.validate
    monkeypatch.setattr(Program, "validate", lambda p: calls.append(p) or right(p))
    better = optimise(trace(lambda x: x * 1.0 + x * 1.0, 1.0))
    assert any(p is better for p in calls)


# -- Exact identities, and no others -------------------------------------------------

GONE = {
    "x * 1": lambda x: x * 1.0,
    "1 * x": lambda x: 1.0 * x,
    "x / 1": lambda x: x / 1.0,
    "x - 0": lambda x: x - 0.0,
    "x + -0": lambda x: x + -0.0,
    "-0 + x": lambda x: -0.0 + x,
    "-(-x)": lambda x: minus(minus(x)),
    "all of them": lambda x: minus(minus((x * 1.0 - 0.0) / 1.0)) + -0.0,
}
KEPT = {
    "x + 0": lambda x: x + 0.0,
    "0 + x": lambda x: 0.0 + x,
    "x - -0": lambda x: x - -0.0,
    "0 - x": lambda x: 0.0 - x,
    "x * 0": lambda x: x * 0.0,
    "x - x": lambda x: x - x,
    "x / x": lambda x: x / x,
    "0 / x": lambda x: 0.0 / x,
    "x * -1": lambda x: x * -1.0,
    "x ** 1": lambda x: x**1.0,  # its gradient at NaN is NaN
    "x ** 0": lambda x: x**0.0,
    "1 ** x": lambda x: 1.0**x,
    "x ** 2": lambda x: x**2,
    "x // 1": lambda x: x // 1.0,
    "x % 1": lambda x: x % 1.0,
    "abs(abs(x))": lambda x: abs(abs(x)),
    "log(exp(x))": lambda x: ag.log(ag.exp(x)),
    "sqrt(x * x)": lambda x: ag.sqrt(x * x),
    "x + x - x": lambda x: (x + x) - x,
    "where(x, x, 0)": lambda x: ag.where(x, x, 0.0),
    "maximum(x, x)": lambda x: ag.maximum(x, x),
    "relu(x)": lambda x: ag.relu(x),
    "maximum(x, 0)": lambda x: ag.maximum(x, 0.0),
    "x * 0.5 * 2": lambda x: x * 0.5 * 2.0,
    "(x + 1) + 1": lambda x: (x + 1.0) + 1.0,
}


@pytest.mark.parametrize("name", GONE)
def test_identities_are_dropped(name):
    f = GONE[name]
    better = optimise(trace(lambda x: f(x), 1.0))
    assert names(better) == []
    for x in HARD:
        assert bits(better(x)) == bits([f(Value(x))]), x


@pytest.mark.parametrize("name", KEPT)
def test_other_rewrites_hold_for_every_float(name):
    """Most are left alone; none may change a bit for any number."""
    f = KEPT[name]
    better = optimise(trace(lambda x: f(x), 1.0))
    for x in HARD:
        assert bits(better(x)) == bits([f(Value(x))]), x


@pytest.mark.parametrize("name", [*GONE, *KEPT])
def test_gradients_of_identities(name):
    f = {**GONE, **KEPT}[name]
    better = optimise(trace(lambda x: f(x), 1.0))
    for x in HARD:
        expected = value_and_grad(f)(x)
        found = value_and_grad(lambda x: better(x)[0])(x)
        assert [a == b or (a != a and b != b) for a, b in zip(found, expected)] == [
            True,
            True,
        ], (x, found, expected)


def test_relu_and_maximum_are_not_rewritten_into_each_other():
    assert names(optimise(trace(lambda x: ag.relu(x), 1.0))) == ["relu"]
    assert names(optimise(trace(lambda x: ag.maximum(x, 0.0), 1.0))) == ["maximum"]


@pytest.mark.parametrize(("x", "expected"), [(nan, nan), (inf, nan), (-0.0, -0.0)])
def test_zero_times_anything(x, expected):
    better = optimise(trace(lambda x: x * 0.0, 1.0))
    assert bits(better(x)) == [expected.hex()]


# -- Constants -----------------------------------------------------------------------


def test_constants_are_folded():
    program = trace(lambda x: x * (ag.exp(x * 0.0 + 1.0) * 0.0 + 3.0), 1.0)
    assert names(optimise(program)) == names(program)
    program = trace(lambda x, c: x * ag.tanh(c), 1.0, 2.0)
    assert names(optimise(program)) == ["tanh", "multiply"]


def test_folding_goes_through_chains_and_rows_of_many_operands():
    program = trace(lambda x: x, 1.0)
    n = 4
    chained = module.replace(
        program,
        code=np.array([INPUT, *[CONSTANT] * 2, CODE["add"], CODE["sum"], CODE["add"]]),
        first=np.array([0, 0, 1, 1, 0, 0]),
        second=np.array([-1, -1, -1, 2, 3, n]),
        operands=np.array([1, 2, 3]),
        constants=np.array([2.0, 3.0]),
        outputs=np.array([5]),
    ).validate()
    assert chained(1.0) == [11.0]
    better = optimise(chained)
    assert better(1.0) == [11.0]
    assert names(better) == ["add"]
    assert better.constants[better.first[better.code == CONSTANT]].tolist() == [10.0]


def test_folding_may_give_nan_and_infinities():
    program = trace(lambda x: x, 1.0)
    for row, (a, b), result in [
        ("divide", (1.0, 0.0), inf),
        ("divide", (0.0, 0.0), nan),
        ("power", (-1.0, 0.5), nan),
        ("multiply", (1e300, 1e300), inf),
    ]:
        own = module.replace(
            program,
            code=np.array([INPUT, CONSTANT, CONSTANT, CODE[row]]),
            first=np.array([0, 0, 1, 1]),
            second=np.array([-1, -1, -1, 2]),
            constants=np.array([a, b]),
            outputs=np.array([3]),
        ).validate()
        better = optimise(own)
        assert bits(better(1.0)) == [result.hex()]
        assert names(better) == []


# -- Sharing -------------------------------------------------------------------------


def test_common_subexpressions_are_shared():
    program = trace(
        lambda x, y: ag.sin(x * y) + ag.sin(x * y) * ag.sin(y * x), 1.0, 2.0
    )
    assert names(optimise(program)) == ["multiply", "sin", "multiply", "add"]


def test_the_order_of_operands_matters_where_it_does():
    program = trace(lambda x, y: [x - y, y - x, x / y, y / x, x**y, y**x], 1.0, 2.0)
    assert len(names(optimise(program))) == 6
    program = trace(lambda x, y: [x + y, y + x, x * y, y * x], 1.0, 2.0)
    assert len(names(optimise(program))) == 2


def test_rows_of_many_operands_are_shared():
    def f(xs):
        return [ag.sum(xs), ag.sum(xs), ag.sum(xs[::-1]), ag.prod(xs), ag.dot(xs, xs)]

    program = optimise(trace(f, [1.0, 2.0, 3.0]))
    assert names(program) == ["sum", "sum", "prod", "dot"]


def test_rows_of_equal_operands_but_other_lengths_are_not():
    def f(x):
        return [ag.sum([x, x]), ag.sum([x, x, x]), ag.sum([x])]

    assert len(names(optimise(trace(f, 1.0)))) == 3
    assert optimise(trace(f, 1.0))(2.0) == [4.0, 6.0, 2.0]


def test_signed_zeros_and_nans_are_told_apart():
    def f(x):
        return [x * 0.0, x * -0.0, x * nan, x * -nan]

    program = optimise(trace(f, 1.0))
    assert bits(program(1.0)) == ["0x0.0p+0", "-0x0.0p+0", "nan", "nan"]


@pytest.mark.parametrize("length", [5000, 20_000])
def test_deep_duplicates(length):
    """Two identical chains become one, however long."""

    def chain(x):
        for i in range(length):
            x = ag.sin(x) * (1.0 + i % 3)
        return x

    program = trace(lambda x: chain(x) - chain(x), 0.5)
    better = optimise(program)
    assert len(names(better)) == 2 * length - length // 3 - (length % 3 > 0) + 1
    assert better(0.5) == [0.0]
    assert same(better, optimise(better))


def test_deep_identities():
    def chain(x):
        for _ in range(5000):
            x = minus(minus(x * 1.0)) - 0.0
        return x

    better = optimise(trace(chain, 0.5))
    assert names(better) == []
    assert better(0.25) == [0.25]


def test_wide_duplicates():
    program = trace(lambda xs: ag.sum([ag.sin(xs[0]) for _ in range(50_000)]), [1.0])
    assert len(optimise(program)) == 3


# -- Dead code -----------------------------------------------------------------------


def test_dead_code_goes_and_inputs_stay():
    def f(x, y):
        unused = ag.exp(x) + ag.sum([x, y, ag.tan(y)])
        unused * 2.0
        return x * 3.0

    better = optimise(trace(f, 1.0, 2.0))
    assert names(better) == ["multiply"]
    assert better.inputs == 2
    assert better(2.0, 99.0) == [6.0]


def test_deep_dead_code():
    def f(x):
        y = x
        for _ in range(20_000):
            y = ag.sin(y)
        return x + 1.0

    assert names(optimise(trace(f, 1.0))) == ["add"]


def test_outputs_that_are_inputs_constants_or_twice_the_same():
    def f(x, y):
        return [y, 2.0, x * 1.0, x + y, y + x, 2.0, minus(minus(y))]

    better = optimise(trace(f, 1.0, 2.0))
    assert better(3.0, 4.0) == [4.0, 2.0, 3.0, 7.0, 7.0, 2.0, 4.0]
    assert names(better) == ["add"]


@pytest.mark.parametrize("f", [lambda: 1.0, list, lambda: [1.0, 2.0]])
def test_programs_without_inputs(f):
    program = trace(f)
    assert optimise(program)() == flatten(f())[0]


def test_users_rows_are_kept_apart():
    """Two rows of one name are not the same row."""
    one = ag.Primitive("odd", lambda x: x + 1.0, lambda x, y: 1.0)
    two = ag.Primitive("odd", lambda x: x + 2.0, lambda x, y: 1.0)
    program = trace(lambda x: [one(x), two(x), one(x)], 1.0)
    better = optimise(program)
    assert better(1.0) == [2.0, 3.0, 2.0]
    assert names(better) == ["odd", "odd"]


def test_hundreds_of_thousands_of_instructions():
    import time

    rng = np.random.default_rng(0)
    places = rng.integers(0, 1000, size=150_000)

    def f(xs):
        numbers = list(xs)
        for i in places.tolist():
            numbers.append(numbers[-1] * 0.5 + numbers[-i - 1])
        return numbers[-1]

    program = trace(f, [1.0] * 1001)
    start = time.perf_counter()
    better = optimise(program)
    assert math.isfinite(better(*[0.1] * 1001)[0])
    assert time.perf_counter() - start < 30.0
