"""Jacobians, Hessians, sparse ones, checkpoints, explanations, and their identities."""

import itertools
import math
import random
import tracemalloc

import numpy as np
import pytest
from cases import nodes_below

import autograd as ag
import nn
from autograd import (
    GraphError,
    StaleValueError,
    Value,
    checkpoint,
    explain,
    grad,
    gradient,
    hessian,
    hvp,
    jacobian,
    jvp,
    value_and_grad,
    vjp,
)
from autograd.table.primitives import TABLE
from autograd.transforms.sparse import colour, hessian_pattern

X = [0.3, 0.5, -1.2, 0.7]


pairs = itertools.pairwise


def rosenbrock(x):
    return ag.sum([100.0 * (b - a * a) ** 2 + (1.0 - a) ** 2 for a, b in pairs(x)])


def mixed(x):
    a, b, c, d = x
    return ag.tanh(a * b) * ag.exp(c) + ag.logsumexp([a, c, d]) + ag.prod([a, b, d]) / d


def many(x):
    a, b, c, d = x
    return [a * b, ag.sin(c) / d, ag.where(a > 0, d * d, c), ag.hypot(a, d), b]


def test_jacobian_by_rows_and_by_columns():
    rows = jacobian(lambda x: many(x)[:2])(X)
    columns = jacobian(many)(X)
    np.testing.assert_allclose(columns[:2], rows, rtol=1e-15)
    for i, f in enumerate(range(5)):
        assert columns[i] == pytest.approx(grad(lambda x, f=f: many(x)[f])(X))


def test_shapes():
    x = np.array(X)
    assert jacobian(lambda x: np.array(many(list(x))))(x).shape == (5, 4)
    assert hessian(mixed)(x).shape == (4, 4)
    assert jacobian(ag.sin)(0.5) == math.cos(0.5)
    tree = hessian(lambda p: p["a"] * p["a"] * p["b"][0])({"a": 2.0, "b": [3.0]})
    assert tree == {"a": {"a": 6.0, "b": [4.0]}, "b": [{"a": 4.0, "b": [0.0]}]}


@pytest.mark.parametrize("f", [rosenbrock, mixed])
def test_hessians_are_symmetric_and_hvp_is_their_product(f):
    h = np.array(hessian(f)(X))
    np.testing.assert_allclose(h, h.T, rtol=1e-13, atol=1e-13)
    v = [0.2, -1.0, 0.5, 2.0]
    np.testing.assert_allclose(hvp(f)(X, v), h @ v, rtol=1e-12, atol=1e-12)


def test_all_orders_of_transforms_agree():
    """Forward over reverse, reverse over reverse, reverse over forward."""
    v = [0.2, -1.0, 0.5, 2.0]
    forward_reverse = hvp(mixed)(X, v)
    reverse_reverse = grad(lambda x: ag.dot(grad(mixed)(x), v))(X)
    reverse_forward = grad(lambda x: jvp(mixed, (x,), (v,))[1])(X)
    np.testing.assert_allclose(forward_reverse, reverse_reverse, rtol=1e-12)
    np.testing.assert_allclose(forward_reverse, reverse_forward, rtol=1e-12)


def test_jvp_and_vjp_are_adjoint():
    rng = random.Random(0)
    for _ in range(20):
        x = [rng.uniform(0.1, 2.0) for _ in range(4)]
        u = [rng.gauss(0, 1) for _ in range(4)]
        v = [rng.gauss(0, 1) for _ in range(5)]
        forward = jvp(many, (x,), (u,))[1]
        backward = vjp(many, x)[1](v)[0]
        assert np.dot(v, forward) == pytest.approx(np.dot(backward, u), rel=1e-12)


def test_a_transform_of_a_composition_is_the_composition_of_transforms():
    g = lambda x: [ag.exp(x[0]) * x[1], x[2] - x[3] * x[0], x[1]]  # noqa: E731
    f = lambda y: [y[0] * y[1], ag.sin(y[2])]  # noqa: E731
    whole = np.array(jacobian(lambda x: f(g(x)))(X))
    parts = np.array(jacobian(f)(g(X))) @ np.array(jacobian(g)(X))
    np.testing.assert_allclose(whole, parts, rtol=1e-13)


def test_sparse_equals_dense():
    for f in (rosenbrock, mixed):
        dense = np.array(hessian(f)(X))
        sparse = hessian(f, sparse=True)(X).toarray()
        np.testing.assert_allclose(sparse, dense, rtol=1e-13, atol=1e-13)
    sparse = jacobian(many, sparse=True)(X)
    np.testing.assert_allclose(sparse.toarray(), jacobian(many)(X), rtol=1e-14)
    assert hessian(lambda x: 3.0, sparse=True)(X).nnz == 0


def test_three_colours_whatever_the_dimension():
    for n in (10, 100, 1000):
        leaves = [Value(math.sin(i)) for i in range(n)]
        pattern = hessian_pattern(rosenbrock(leaves), leaves)
        assert max(colour(pattern)) + 1 == 3
        assert sum(map(len, pattern)) == 3 * n - 2


@pytest.mark.parametrize("name", [n for n in TABLE if not TABLE[n].predicate])
def test_the_pattern_covers_every_row(name):
    import cases

    row = TABLE[name]
    for xs in cases.operands(name)[:2]:
        flat = cases.flat(row, xs)
        if name == "polygamma":
            continue

        def f(t, row=row, xs=xs):
            return row(*cases.regroup(row, t, xs))

        dense = np.array(hessian(f)(list(flat)))
        leaves = [Value(x) for x in flat]
        pattern = hessian_pattern(f(leaves), leaves)
        for i, j in itertools.product(range(len(flat)), repeat=2):
            assert dense[i][j] == 0.0 or i in pattern[j]


def test_sparse_refuses_what_would_be_lost():
    w = Value(2.0)
    with pytest.raises(GraphError, match="outside"):
        hessian(lambda x: w * x[0] * x[0], sparse=True)([1.0])


def count_evaluations(monkeypatch, call):
    """How many primitive evaluations on floats a call makes."""
    counted = [0]
    for row in TABLE.values():

        def evaluate(*xs, old=row.evaluate):
            counted[0] += 1
            return old(*xs)

        monkeypatch.setattr(row, "evaluate", evaluate)
    call()
    monkeypatch.undo()
    return counted[0]


def test_hvp_costs_at_most_five_gradients(monkeypatch):
    x = [math.sin(i) for i in range(50)]
    v = [math.cos(i) for i in range(50)]
    one = count_evaluations(monkeypatch, lambda: grad(rosenbrock)(x))
    two = count_evaluations(monkeypatch, lambda: hvp(rosenbrock)(x, v))
    assert two <= 5 * one, (one, two)


def test_modules_are_read_as_floats_and_answer_by_name():
    model = nn.MLP(2, [3, 1], activation="tanh", seed=0)
    value, slopes = value_and_grad(lambda m: m([1.0, -2.0]) ** 2)(model)
    loss = model([1.0, -2.0]) ** 2
    loss.backward()
    named = model.named_parameters()
    assert type(value) is float
    assert list(slopes) == list(named)
    for name, p in named.items():
        assert slopes[name] == pytest.approx(p.grad, rel=1e-12)


def chain(t):
    for _ in range(30):
        t = ag.sin(t) * 1.1 + 0.1
    return t


def test_checkpoints_change_nothing_but_memory():
    inner = checkpoint(chain)
    x = Value(0.5)
    y = inner(inner(x))
    assert len(nodes_below(y)) == 3
    y.backward()
    plain = Value(0.5)
    chain(chain(plain)).backward()
    assert x.grad == pytest.approx(plain.grad, rel=1e-14)
    assert gradient(inner(x), x) == pytest.approx(grad(chain)(0.5), rel=1e-14)
    assert grad(grad(inner))(0.5) == pytest.approx(grad(grad(chain))(0.5), rel=1e-12)
    assert jvp(inner, (0.5,), (1.0,)) == pytest.approx(jvp(chain, (0.5,), (1.0,)))


def test_checkpoints_refuse_what_they_would_get_wrong():
    w = Value(2.0)
    with pytest.raises(TypeError, match="argument"):
        checkpoint(lambda t: t * w)(Value(1.0))
    factor = [2.0]
    x = Value(3.0)
    y = checkpoint(lambda t: t * factor[0])(x)
    factor[0] = 5.0
    with pytest.raises(StaleValueError, match="same each time"):
        y.backward()
    assert x.grad == 0.0


def test_explanations():
    x, w = Value(3.0, label="x"), Value(2.0, label="w")
    y = ag.tanh(w * x) * x
    found = explain(y, wrt=x)
    assert (found.count, found.y) == (2, "y")
    assert found.value == pytest.approx(gradient(y, x), rel=1e-15)
    assert sum(p.contribution for p in found.paths) == pytest.approx(found.value)
    assert abs(found.paths[0].contribution) >= abs(found.paths[1].contribution)
    assert "w = 2" in str(found)
    assert r"\frac{\partial" in found.latex()
    assert explain(y, wrt=Value(1.0)).count == 0


def test_a_great_many_paths_are_counted_at_once():
    x = y = Value(1.0, label="x")
    for _ in range(60):
        y = y + y
    found = explain(y, wrt=x, largest=3)
    assert found.count == 2**60
    assert len(found.paths) == 3
    assert len(found.paths[0].steps) == 60
    with pytest.raises(TypeError, match="Values"):
        explain(3.0, wrt=x)


def dense(xs):
    return ag.tanh(ag.sum([x * x for x in xs]))


def chained(xs):
    return ag.sum([a * b for a, b in itertools.pairwise(xs)])


def each_with_all(xs):
    total = ag.sum(xs)
    return [x * total for x in xs]


@pytest.mark.parametrize(
    ("derivative", "count", "said"),
    [
        (hessian(dense), 10_000, r"10,000 x 10,000: 100,000,000 .* 3\.2 GB"),
        (jacobian(each_with_all), 2000, r"2,000 x 2,000: 4,000,000 .* 2,000 passes"),
        (hessian(dense, sparse=True), 10_000, "not sparse: at least 100,000,000"),
        (jacobian(each_with_all, sparse=True), 1100, "not sparse: at least 1,00"),
        (jacobian(lambda xs: [xs[0]] * 600_000), 2, "600,000 x 2: 1,200,000 .* 2 pas"),
    ],
)
def test_what_many_derivatives_will_cost_is_said_first(derivative, count, said):
    """Before the work: the tests turn the warning into the end of it."""
    with pytest.raises(RuntimeWarning, match=said):
        derivative([0.01] * count)


def test_pairs_that_make_a_matrix_dense_are_counted(monkeypatch):
    monkeypatch.setattr("autograd.transforms.costs.LARGE", 1000)
    xs = [0.1] * 40
    f = hessian(lambda xs: ag.sum([a * b for a in xs for b in xs]), sparse=True)
    with pytest.warns(RuntimeWarning, match=r"at least 1,600 .* 40 passes") as said:
        assert f(xs).nnz == 1600
    assert [warning.filename for warning in said] == [__file__]


@pytest.mark.parametrize("sparse", [False, True])
@pytest.mark.parametrize(
    ("derivative", "f"), [(jacobian, each_with_all), (hessian, dense)]
)
def test_the_warning_names_the_line_that_asked(derivative, f, sparse, monkeypatch):
    monkeypatch.setattr("autograd.transforms.costs.LARGE", 1000)
    with pytest.warns(RuntimeWarning, match="passes over the graph") as said:
        derivative(f, sparse=sparse)([0.01] * 40)
    assert [warning.filename for warning in said] == [__file__]


def test_sparse_matrices_are_made_without_a_word():
    assert hessian(chained, sparse=True)([0.1] * 3000).nnz == 2 * 2999
    assert len(hessian(dense)([0.1] * 30)) == 30


def doubled(steps):
    x = y = Value(1.0, label="x")
    for _ in range(steps):
        y = y + y
    return x, y


def test_more_paths_than_digits_that_python_writes():
    x, y = doubled(20_000)
    found = explain(y, wrt=x, largest=2)
    assert found.count == 2**20_000
    assert "inf: about 3.98e+6020 path(s), the 2 largest" in str(found)
    assert repr(found) == "<dy/dx = inf: about 3.98e+6020 path(s)>"
    assert found.latex().endswith("inf")


def test_of_long_paths_both_ends_are_printed():
    x = y = Value(1.0, label="x")
    for _ in range(5000):
        y = 0.5 * y
    text = str(explain(y, wrt=x))
    assert text.startswith("dy/dx = 0.0: 1 path(s)\n1. x -> v1 -> v2 -> ")
    assert " -> v50 -> ... -> v4951 -> " in text
    assert "     dv1/dx = 0.5" in text
    assert "     ... 4900 steps ..." in text
    assert "     dy/dv4999 = 0.5" in text
    assert len(text.splitlines()) == 2 + 50 + 1 + 50


def test_explanations_take_memory_for_the_graph_only():
    """Four times the depth, four times the memory, however many the paths."""

    def peak(steps):
        x, y = doubled(steps)
        tracemalloc.start()
        try:
            explain(y, wrt=x)
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    assert peak(8000) < 4.6 * peak(2000)


def test_what_does_not_lead_there_takes_no_part():
    x, other = Value(2.0, label="x"), Value(3.0, label="other")
    y = x * ag.sum([ag.exp(other) for _ in range(10)]) + other
    found = explain(y, wrt=x)
    assert (found.count, found.value) == (1, pytest.approx(gradient(y, x)))
    assert explain(x, wrt=other).count == 0
    inner = x * x
    assert explain(inner * inner + x, wrt=inner).count == 2


def test_explanations_of_every_kind_of_node():
    a, b = Value(2.0, label="a"), Value(3.0, label="b")
    y = ag.where(a > 1, ag.dot([a, b], [b, 2.0], a), b) + ag.affine([[a]], [b])([a])[0]
    y = y + Value(6.0, (a,), (5.0,)) + ag.maximum(a, b) + 2.0**a
    for leaf in (a, b):
        found = explain(y, wrt=leaf, largest=100)
        assert found.value == pytest.approx(gradient(y, leaf))
        assert sum(p.contribution for p in found.paths) == pytest.approx(found.value)
        assert str(found)


@pytest.mark.parametrize("name", [n for n in TABLE if not TABLE[n].predicate])
def test_central_differences_agree_with_every_row(name):
    import cases

    row = TABLE[name]
    for xs in cases.operands(name):
        fixed = 1 if name in ("where", "polygamma") else 0
        flat = cases.flat(row, xs)

        def f(*ts, row=row, xs=xs, head=flat[:fixed]):
            return row(*cases.regroup(row, [*head, *ts], xs))

        assert ag.gradcheck(f, *flat[fixed:], rtol=1e-4), xs


@pytest.mark.parametrize(
    ("f", "kink"), [(ag.relu, 0.0), (abs, 0.0), (ag.floor, 1.0), (ag.sign, 0.0)]
)
def test_one_sided_differences_at_kinks(f, kink):
    assert ag.gradcheck(f, kink).entries[0].verdict == "kink at this input"


def test_trees_may_change_their_structure_between_calls():
    f = grad(lambda t: ag.sum([x * x for x in t]))
    assert f([1.0, 2.0]) == [2.0, 4.0]
    assert f((3.0,)) == (6.0,)
    assert f(np.array([1.0])).tolist() == [2.0]
    with pytest.raises(ag.ShapeError, match="cotangent"):
        vjp(many, X)[1]([1.0])


@pytest.mark.parametrize("labels", [("y", "L"), ("v1", "x2"), ("y", ""), ("", "x1")])
def test_names_of_explain_are_nobody_elses(labels):
    """A node without a label is never called like one that has it."""
    a, b = (ag.Value(x, label=label) for x, label in zip((2.0, 3.0), labels))
    said = str(ag.explain(ag.tanh(a * b) + a, wrt=b))
    (path,) = (line for line in said.splitlines() if line.startswith("1. "))
    names = path.removeprefix("1. ").partition(":")[0].split(" -> ")
    assert len({*names}) == len(names)
    assert names[0] == (labels[1] or "x2")
    assert labels[0] not in names
