"""Every row of the table, in every mode to order 3, against mpmath: nothing by hand."""

import math

import cases
import mpmath as mp
import numpy as np
import oracles
import pytest

import autograd
from autograd import Value, gradient
from autograd.compiler.numpy.primitives import FOLDS
from autograd.numbers.arrays import NUMPY
from autograd.numbers.dual import Dual
from autograd.numbers.lifted import Level
from autograd.numbers.operators import METHODS
from autograd.numbers.symbolic import Symbol
from autograd.table.primitives import ALIASES, TABLE
from autograd.transforms.gradients import grad, jvp

ROWS = sorted(TABLE)
SMOOTH = [name for name in ROWS if not TABLE[name].predicate]


def close(got, expected, scale=0.0):
    """Equal to 1e-12 of the larger of the result and its conditioning."""
    expected = float(expected)
    return math.isclose(got, expected, rel_tol=1e-12, abs_tol=1e-12 * scale + 1e-190)


def test_every_row_has_an_oracle_and_a_numpy_entry():
    assert set(oracles.ORACLES) == set(TABLE)
    assert set(NUMPY) == set(TABLE)


def test_numpy_folds_what_folds():
    assert set(FOLDS) == {name for name in ROWS if TABLE[name].fold is not None}


def test_every_row_is_public_or_a_helper():
    public = {name for name in ROWS if hasattr(autograd, name)}
    assert set(TABLE) - public == {name for name, row in TABLE.items() if row.internal}
    assert set(ALIASES.values()) <= public


@pytest.mark.parametrize("name", [n for n in ROWS if TABLE[n].fold is not None])
def test_a_fold_starts_from_what_it_gives_for_nothing(name):
    row = TABLE[name]
    for x in (0.7, -3.0, -0.0, math.inf, -math.inf):
        assert row([row.fold, x]) == row([x, row.fold]) == x
    xs = [0.7, -1.5, 2.25]
    assert row(xs) == row([row([row([row.fold, xs[0]]), xs[1]]), xs[2]])


@pytest.mark.parametrize("name", [n for n in ROWS if TABLE[n].symmetric])
def test_operands_of_symmetric_rows_trade_places(name):
    row = TABLE[name]
    for x, y in [(0.7, -3.0), (1e16, -1.5), (math.inf, 2.0), (0.1, 0.3)]:
        pair = (x, y), (y, x)
        first, second = [row(*xy) if row.arity else row(list(xy)) for xy in pair]
        assert first == second


def test_every_elementwise_row_is_a_method_with_numpys_name():
    for name in METHODS:
        assert hasattr(Value, name)
    missing = {"exp", "log", "arcsin", "arctan2", "hypot", "sigmoid", "asin"} - set(
        METHODS
    )
    assert not missing


@pytest.mark.parametrize("name", ROWS)
def test_value(name):
    row = TABLE[name]
    for xs in cases.operands(name):
        with mp.workdps(50):
            exact = oracles.ORACLES[name](*row.map(mp.mpf, xs))
        conditioning = max(1.0, *map(abs, cases.flat(row, xs)))
        assert close(row(*xs), exact, conditioning), xs


def derivatives_by_mode(row, xs, order):
    """d^order row / d operand^order for each operand, by backward, tape, dual, lifted."""
    flat = cases.flat(row, xs)
    for i, x in enumerate(flat):

        def along(t, i=i):
            moved = [*flat[:i], t, *flat[i + 1 :]]
            return row(*cases.regroup(row, moved, xs))

        reverse, forward = along, along
        node = Value(x)
        y = along(node)
        for _ in range(order):
            reverse = grad(reverse)
            forward = (lambda f: lambda t: jvp(f, (t,), (1.0,))[1])(forward)
            y = gradient(y, node, create_graph=True)
        yield i, {"reverse": reverse(x), "forward": forward(x), "tape": y.data}


@pytest.mark.parametrize("order", [1, 2, 3])
@pytest.mark.parametrize("name", SMOOTH)
def test_derivatives(name, order):
    row = TABLE[name]
    for xs in cases.operands(name):
        positions, flat = cases.positions(row, xs), cases.flat(row, xs)
        for i, found in derivatives_by_mode(row, xs, order):
            if i == 0 and name in ("where", "polygamma"):
                continue  # a condition; a whole number
            exact = oracles.partial(name, xs, positions[i], order)
            following = oracles.partial(name, xs, positions[i], order + 1)
            scale = abs(float(flat[i] * following)) + abs(float(exact))
            for mode, got in found.items():
                assert close(got, exact, 10 * scale), (mode, xs, i)


@pytest.mark.parametrize("name", SMOOTH)
def test_backward_equals_gradient_bit_for_bit(name):
    row = TABLE[name]
    for xs in cases.operands(name):
        nodes = row.map(Value, xs)
        y = row(*nodes)
        flat = cases.flat(row, nodes)
        general = gradient(y, list(flat))
        y.backward()
        swept = [node.grad for node in flat]
        for a, b in zip(swept, general, strict=True):
            assert a == b or (a != a and b != b)


@pytest.mark.parametrize("name", SMOOTH)
def test_plain_operands_on_either_side(name):
    """Every pattern of nodes and numbers gives the gradients of the full one."""
    row = TABLE[name]
    for xs in cases.operands(name):
        flat = cases.flat(row, xs)
        if len(flat) == 1:
            continue
        full = [Value(x) for x in flat]
        row(*cases.regroup(row, full, xs)).backward()
        for i, x in enumerate(flat):
            node = Value(x)
            mixed = [*flat[:i], node, *flat[i + 1 :]]
            y = row(*cases.regroup(row, mixed, xs))
            y.backward()
            assert node.grad == full[i].grad or node.grad != node.grad
            assert [p for p in y.operands if isinstance(p, Value)] == [node]
            assert len(y.operands) == len(flat)


@pytest.mark.parametrize("name", ROWS)
def test_arrays_are_batches(name):
    row = TABLE[name]
    samples = cases.random_operands(name, 40)
    if row.arity is None:
        samples = [xs for xs in samples if len(xs[0]) == len(samples[0][0])]
    columns = np.array([cases.flat(row, xs) for xs in samples]).T
    batch = cases.regroup(row, list(columns), samples[0])
    expected = [row(*xs) for xs in samples]
    np.testing.assert_allclose(row(*batch), expected, rtol=1e-13, atol=1e-300)


@pytest.mark.parametrize("name", [n for n in SMOOTH if TABLE[n].arity == 1])
def test_partials_on_arrays(name):
    """The same rule on a batch: forward mode with arrays inside the dual."""
    row = TABLE[name]
    xs = np.array([x for (x,) in cases.operands(name)])
    dual = row(Dual(xs, np.ones_like(xs), Level("test")))
    expected = [grad(row)(x) for x in xs.tolist()]
    np.testing.assert_allclose(dual.tangent * np.ones_like(xs), expected, rtol=1e-13)


@pytest.mark.parametrize("name", SMOOTH)
def test_partials_give_formulas(name):
    row = TABLE[name]
    symbols = [Symbol("x"), Symbol("y"), Symbol("w")][: row.arity or 2]
    if row.arity is None:
        groups = [tuple(symbols)] * (2 if name == "dot" else 1)
        texts = [str(p) for group in row.joint(*groups, Symbol("z")) for p in group]
    else:
        texts = [str(rule(*symbols, Symbol("z"))) for rule in row.rules]
    assert all(texts)
    assert not any("object at" in text for text in texts)


@pytest.mark.parametrize("name", SMOOTH)
def test_extreme_floats_never_raise(name):
    row = TABLE[name]
    hard = [0.0, -0.0, 1.0, -1.0, math.inf, -math.inf, math.nan, 1e308, -1e308]
    hard += [5e-324, 710.0, -746.0, 0.5, 1e16]
    for x in hard:
        for y in hard if row.arity != 1 else [0.0]:
            xs = [x, y, y][: row.arity or 2]
            groups = ((xs, xs) if name == "dot" else (xs,)) if row.arity is None else xs
            nodes = row.map(Value, tuple(groups))
            result = row(*nodes)
            assert isinstance(result.data, float)
            result.backward()
