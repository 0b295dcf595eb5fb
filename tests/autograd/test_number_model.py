"""The number model: five rows through every kind of number, to order 3."""

import itertools
import math

import numpy as np
import pytest

from autograd.numbers.functions import dot, logsumexp, where
from autograd.numbers.lifted import Level
from autograd.numbers.symbolic import Symbol
from autograd.numbers.value import Value
from autograd.table.primitives import TABLE, power, tanh
from autograd.transforms.gradients import grad, gradient, jvp

FUNCTIONS = {
    "tanh": lambda x: tanh(x),
    "power": lambda x: power(x, 3.0) + power(2.0, x) + power(x, x),
    "where": lambda x: where(x > 0.5, x * x * x, x),
    "dot": lambda x: dot([x, x * x], [x, 2.0], x),
    "logsumexp": lambda x: logsumexp([x, x * x, 1.0]),
}
X = 0.7


def forward(f):
    return lambda x: jvp(f, (x,), (1.0,))[1]


def eager(f):
    def derivative(x):
        node = x if isinstance(x, Value) else Value(x)
        return gradient(f(node), node, create_graph=True)

    return derivative


MODES = {"reverse": grad, "forward": forward, "eager": eager}


def numeric(f, x, order):
    import mpmath as mp

    rows = {
        "tanh": mp.tanh,
        "power": lambda x: x**3 + mp.mpf(2) ** x + x**x,
        "where": lambda x: x**3 if x > 0.5 else x,
        "dot": lambda x: x + x * x + 2 * x * x,
        "logsumexp": lambda x: mp.log(mp.exp(x) + mp.exp(x * x) + mp.e),
    }
    with mp.workdps(50):
        return float(mp.diff(rows[f], mp.mpf(x), order))


# Values are level 0: what differentiates them stands outside of what lifts numbers.
NESTINGS = [
    modes
    for modes in itertools.product(MODES, repeat=3)
    if list(modes) == sorted(modes, key=lambda mode: mode == "eager")
]


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize(("inner", "middle", "outer"), NESTINGS)
def test_third_derivatives_agree_in_every_nesting(name, outer, middle, inner):
    f = FUNCTIONS[name]
    one = MODES[inner](f)
    two = MODES[middle](one)
    three = MODES[outer](two)
    for order, derivative in enumerate((f, one, two, three)):
        got = derivative(X)
        got = got.data if isinstance(got, Value) else got
        assert got == pytest.approx(numeric(name, X, order), rel=1e-12)


TRACE = Level("test")  # below every level that a test takes later


class Tracer:
    """A number that writes down what is done to it: the least a tracer needs."""

    def __init__(self, tape, index):
        self.tape, self.index, self.level = tape, index, TRACE

    def apply(self, primitive, operands):
        def name(x):
            return x.index if isinstance(x, Tracer) else x

        self.tape.append((primitive, primitive.map(name, operands)))
        return Tracer(self.tape, f"v{len(self.tape)}")


def run(tape, **numbers):
    for i, (primitive, operands) in enumerate(tape, 1):
        numbers[f"v{i}"] = primitive.apply(
            primitive.map(lambda x: numbers[x] if isinstance(x, str) else x, operands)
        )
    return numbers[f"v{len(tape)}"]


@pytest.mark.parametrize("name", ["tanh", "power", "dot", "logsumexp"])
def test_a_trace_of_the_third_derivative_runs_on_floats_and_arrays(name):
    from autograd.numbers.operators import Operators

    traced = type("Traced", (Tracer, Operators), {})
    Tracer.apply.__globals__["Tracer"] = traced
    tape = []
    third = grad(grad(grad(FUNCTIONS[name])))
    result = third(traced(tape, "x"))
    if not isinstance(result, traced):  # a cubic polynomial's is a constant
        assert result == numeric(name, X, 3)
        return
    assert run(tape, x=X) == pytest.approx(numeric(name, X, 3), rel=1e-11)
    xs = np.array([0.6, 0.7, 0.9])
    expected = [third(x) for x in xs.tolist()]
    assert run(tape, x=xs) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_float_arrays_are_batches(name):
    xs = np.array([0.6, 0.7, 1.9])
    got = FUNCTIONS[name](xs)
    assert got == pytest.approx([FUNCTIONS[name](x) for x in xs.tolist()], rel=1e-14)


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ("tanh", ["sech2(x0)"]),
        (
            "power",
            [
                "where(z == z, x1 * where((abs(x1) < 0.5) * (x0 != 0), "
                "z / x0, x0 ** (x1 - 1)), nan)",
                "z * log(x0 + (x0 == 0))",
            ],
        ),
        ("where", ["0", "x0 != 0", "x0 == 0"]),
    ],
)
def test_symbols_give_formulas(row, expected):
    primitive = TABLE[row]
    xs = [Symbol(f"x{i}") for i in range(primitive.arity)]
    rules = [str(rule(*xs, Symbol("z"))) for rule in primitive.rules]
    assert [rule.replace("0.0", "0") for rule in rules] == expected


def test_symbols_give_formulas_of_many_operands():
    w, x, z = Symbol("w"), Symbol("x"), Symbol("z")
    assert str(TABLE["dot"].joint((w,), (x,), z)[0][0]) == "x"
    assert (
        str(TABLE["logsumexp"].joint((w, x), z)[0][1])
        == "exp(x - z) / Σ(exp(w - z), exp(x - z))"
    )


def test_perturbations_are_not_confused():
    assert grad(lambda x: x * grad(lambda y: x + y)(1.0))(1.0) == 1.0
    assert forward(lambda x: x * forward(lambda y: x + y)(1.0))(1.0) == 1.0
    assert forward(lambda x: x * grad(lambda y: x * y)(x))(3.0) == 6.0
    assert grad(lambda x: x * forward(lambda y: x * y)(2.0))(3.0) == 6.0


def test_a_closed_over_value_is_differentiated_through():
    w = Value(2.0)
    slope = grad(lambda t: w * t * t)(3.0)
    assert isinstance(slope, Value)
    assert slope.data == 12.0
    slope.backward()
    assert w.grad == 6.0


def test_the_guard_never_drops_an_edge():
    """The Hessian of u * sqrt(v) at (0, 1) keeps its one half."""
    f = grad(lambda u, v: u * TABLE["sqrt"](v))
    assert grad(f, 1)(0.0, 1.0) == 0.5
    g = grad(lambda u, v: u * TABLE["sqrt"](v), 1)
    assert grad(g, 0)(0.0, 1.0) == 0.5


@pytest.mark.parametrize("mode", MODES)
def test_where_is_safe_on_both_sides(mode):
    def f(x):
        return where(x > 0.0, TABLE["log"](x), 0.0)

    for x in (-1.0, 0.0):
        got = MODES[mode](f)(x)
        assert (got.data if isinstance(got, Value) else got) == 0.0
    assert math.isclose(float(grad(f)(2.0)), 0.5)
