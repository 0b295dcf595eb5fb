"""vmap: batches of every size through one program, and what they add up to."""

import math
import random
from importlib.util import find_spec

import comparisons
import numpy as np
import pytest
from tiers import BACKENDS, NO_LLVM, plain

import autograd as ag
import nn
from autograd import ShapeError, TraceError, Value, grad, jit, value_and_grad, vmap

SIZES = [1, 2, 3, 7, 8, 9, 15, 16, 17, 33, 100, 1000]


def model(x, w):
    return ag.tanh(ag.dot(w, x)) * x[0] + ag.exp(-x[1] * x[1])


W = [0.5, -1.0, 2.0]


def rows(n, m=3, seed=0):
    rng = random.Random(f"{n} {m} {seed}")
    return np.array([[rng.gauss(0, 1) for _ in range(m)] for _ in range(n)]).reshape(
        n, m
    )


def each(f, X, *shared):
    return [f(x, *shared) for x in X.tolist()]


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("n", SIZES)
def test_batches_of_every_size(n, backend):
    X = rows(n)
    compiled = jit(vmap(model, in_axes=(0, None)), backend=backend)
    found = compiled(X, W)
    assert found.shape == (n,)
    np.testing.assert_allclose(found, each(model, X, W), rtol=1e-13, atol=1e-15)
    np.testing.assert_allclose(vmap(model, in_axes=(0, None))(X, W), each(model, X, W))
    again = compiled(X[::-1], W)
    np.testing.assert_allclose(again, found[::-1], rtol=1e-13, atol=1e-15)


def loss(X, y, w):
    return ag.mean((vmap(model, in_axes=(0, None))(X, w) - y) ** 2)


def loss_in_a_loop(X, y, w):
    return ag.sum([(model(x, w) - t) ** 2 for x, t in zip(X, y)]) / float(len(y))


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("n", SIZES)
@pytest.mark.parametrize("argnums", [0, 1, 2, (0, 1, 2), (2,)])
def test_gradients_of_sums_over_batches(argnums, n, backend):
    X, y = rows(n), rows(n, 1)[:, 0]
    compiled = jit(value_and_grad(loss, argnums), backend=backend)
    found = compiled(X, y, W)
    expected = value_and_grad(loss_in_a_loop, argnums)(X.tolist(), y.tolist(), W)
    assert plain(list(found)) == pytest.approx(
        plain(list(expected)), rel=1e-11, abs=1e-14
    )


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("n", [8191, 8192, 8193, 16_385, 50_000])
def test_large_batches(n, backend):
    """Sums are taken in blocks of rows, the last of them ragged; twice the same bits."""
    X = np.sin(np.arange(3.0 * n)).reshape(n, 3)
    y, w = np.cos(np.arange(float(n))), np.array(W)
    inner = np.tanh(X @ w)
    values = inner * X[:, 0] + np.exp(-(X[:, 1] ** 2))
    compiled = jit(vmap(model, in_axes=(0, None)), backend=backend)
    np.testing.assert_allclose(compiled(X, w), values, rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(
        compiled(X[::-1], w)[::-1], values, rtol=1e-12, atol=1e-15
    )
    both = jit(value_and_grad(loss, (0, 2)), backend=backend)
    value, (to_rows, to_weights) = both(X, y, w)
    error = values - y
    assert value == pytest.approx(np.mean(error**2), rel=1e-12)
    along = (2.0 / n * error * X[:, 0] * (1.0 - inner**2))[:, None]
    np.testing.assert_allclose(to_weights, (along * X).sum(0), rtol=1e-10, atol=1e-14)
    expected = along * w
    expected[:, 0] += 2.0 / n * error * inner
    expected[:, 1] -= 4.0 / n * error * X[:, 1] * np.exp(-(X[:, 1] ** 2))
    np.testing.assert_allclose(to_rows, expected, rtol=1e-9, atol=1e-16)
    again, (_, more) = both(X.copy(), y.copy(), w)
    assert again == value
    assert np.array_equal(more, to_weights)


@pytest.mark.parametrize("backend", BACKENDS)
def test_sizes_may_change(backend):
    compiled = jit(value_and_grad(loss, 2), backend=backend)
    for n in (5, 100, 1, 5, 9):
        X, y = rows(n), rows(n, 1)[:, 0]
        expected = value_and_grad(loss_in_a_loop, 2)(X.tolist(), y.tolist(), W)
        assert plain(list(compiled(X, y, W))) == pytest.approx(plain(list(expected)))


FOUND = [70034, 70275, 70559, 80939, 81133]  # by the fuzzer, and mended


@pytest.mark.parametrize("seed", [*range(15), *FOUND])
def test_regular_programs_over_batches(seed):
    backends = ["numpy", *["llvm"] * (find_spec("llvmlite") is not None)]
    assert not comparisons.batch_complaints(seed, backends)


@pytest.fixture
def small_blocks(monkeypatch):
    """Large batches of large programs, at the size of tests."""
    from autograd.compiler.llvm import blocked, straight

    monkeypatch.setattr(blocked, "FITTING", 1)
    monkeypatch.setattr(blocked, "LEAST", 8)
    monkeypatch.setattr(straight, "LIMIT", 0)


@NO_LLVM
@pytest.mark.parametrize("seed", range(6))
def test_regular_programs_in_blocks_of_rows(seed, small_blocks):
    count = [33, 40, 71][seed % 3]
    assert not comparisons.batch_complaints(seed, ["llvm"], count)


@NO_LLVM
def test_results_do_not_depend_on_the_number_of_threads(small_blocks, monkeypatch):
    import os

    X, y = rows(203), rows(203, 1)[:, 0]
    found = []
    for cores in (1, 2, 7):
        monkeypatch.setattr(
            os, "sched_getaffinity", lambda _, n=cores: set(range(n)), raising=False
        )
        both = jit(value_and_grad(loss, (0, 2)), backend="llvm")
        value, slopes = both(X, y, W)
        assert (value, plain(list(slopes))) == (both(X, y, W)[0], plain(list(slopes)))
        found.append((value, plain(list(slopes))))
    assert found[0] == found[1] == found[2]
    expected = value_and_grad(loss_in_a_loop, (0, 2))(X.tolist(), y.tolist(), W)
    assert found[0][0] == pytest.approx(expected[0])
    assert found[0][1] == pytest.approx(plain(list(expected[1])), rel=1e-9, abs=1e-15)


@NO_LLVM
def test_batches_in_blocks_keep_their_results(small_blocks):
    X = rows(100)
    f = jit(vmap(model, in_axes=(0, None)), backend="llvm")
    np.testing.assert_allclose(f(X, W), each(model, X, W), rtol=1e-13, atol=1e-15)
    out = np.zeros(100)
    assert f(X, W, out=out) is out
    np.testing.assert_array_equal(out, f(X, W))
    np.testing.assert_array_equal(f(X[::-1], W), out[::-1])


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("axis", [0, 1, -1, -2])
def test_axes(axis, backend):
    X = rows(6, 4)
    f = vmap(lambda x: ag.sum([v * (k + 1) for k, v in enumerate(x)]), in_axes=axis)
    along = np.moveaxis(X, axis, 0)
    expected = [sum(v * (k + 1) for k, v in enumerate(x)) for x in along.tolist()]
    np.testing.assert_allclose(jit(f, backend=backend)(X), expected, rtol=1e-13)
    np.testing.assert_allclose(f(X), expected, rtol=1e-13)


@pytest.mark.parametrize("backend", BACKENDS)
def test_several_mapped_arguments_and_results(backend):
    def f(x, p, t):
        return {"a": x * t, "b": [p["u"][0] + x, p["u"][1] * p["v"]]}

    n = 11
    x, u, v = rows(n, 1)[:, 0], rows(n, 2), rows(n, 1, 1)[:, 0]
    found = jit(vmap(f, in_axes=(0, 0, None)), backend=backend)(
        x, {"u": u, "v": v}, 3.0
    )
    np.testing.assert_allclose(found["a"], x * 3.0)
    np.testing.assert_allclose(found["b"][0], u[:, 0] + x)
    np.testing.assert_allclose(found["b"][1], u[:, 1] * v)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize(
    "convert",
    [
        np.asfortranarray,
        lambda a: a[::-1],
        lambda a: np.repeat(a, 2, axis=0)[::2],
        lambda a: np.repeat(a, 3, axis=1)[:, ::3],
        lambda a: a.astype(np.float32),
        lambda a: (a * 10).astype(int),
        lambda a: a > 0,
        lambda a: np.broadcast_to(a[0], a.shape),
    ],
)
def test_batches_of_every_kind(convert, backend):
    X = convert(rows(13))
    compiled = jit(vmap(model, in_axes=(0, None)), backend=backend)
    compiled(rows(13), W)
    expected = each(model, np.array(X, float), W)
    np.testing.assert_allclose(compiled(X, W), expected, rtol=1e-13, atol=1e-15)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_one_bad_row_spoils_its_own_result_only(bad, backend):
    X = rows(19)
    compiled = jit(vmap(model, in_axes=(0, None)), backend=backend)
    good = compiled(X, W)
    for k in (0, 7, 8, 18):
        spoiled = X.copy()
        spoiled[k, 1] = bad
        found = compiled(spoiled, W)
        np.testing.assert_array_equal(np.delete(found, k), np.delete(good, k))
        np.testing.assert_allclose(found[k], model(spoiled[k].tolist(), W))


WITH_CONSTANTS = {
    "maximum": lambda x: ag.maximum(0.25, x[0], x[1]),
    "minimum": lambda x: ag.minimum(x[0], 0.25),
    "prod": lambda x: ag.prod([0.5, x[0], 2.0]),
    "sum": lambda x: ag.sum([0.5, x[0], 2.0]),
    "dot": lambda x: ag.dot([0.5, x[0], 2.0], [x[1], 3.0, 4.0]),
    "logsumexp": lambda x: ag.logsumexp([0.5, *x, -2.0]),
    "cross entropy": lambda x: -ag.log_softmax([0.5, *x])[0],
    "where": lambda x: ag.where(x[0] > x[1], 0.5, x[2]),
    "constant": lambda x: 2.5,
    "leaf": lambda x: x[1],
}


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("name", WITH_CONSTANTS)
def test_shared_numbers_beside_those_of_the_rows(name, backend):
    f, X = WITH_CONSTANTS[name], rows(11)
    found = jit(vmap(f), backend=backend)(X)
    np.testing.assert_allclose(found, each(f, X), rtol=1e-13, atol=1e-15)
    slopes = jit(grad(lambda X: ag.sum(vmap(f)(X))), backend=backend)(X)
    np.testing.assert_allclose(slopes, each(grad(f), X), rtol=1e-13, atol=1e-15)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("m", [1, 2, 3])
@pytest.mark.parametrize("f", [lambda x: 2.5, lambda x: x[-1], lambda x: x[0] * x[0]])
def test_rows_that_do_not_matter(f, m, backend):
    """Their slopes are 0 at every call, whatever the memory held before."""
    X = rows(13, m)
    slopes = jit(grad(lambda X: ag.sum(vmap(f)(X))), backend=backend)
    both = jit(grad(lambda X, Y: ag.sum(vmap(f)(X)), (0, 1)), backend=backend)
    expected = each(grad(f), X)
    for _ in range(4):
        noise = np.full(X.shape, 7.0)
        del noise
        np.testing.assert_allclose(slopes(X), expected)
        noise = np.full(X.shape, 7.0)
        del noise
        one, two = both(X, X + 1.0)
        np.testing.assert_allclose(one, expected)
        assert not two.any()


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("count", [3, 20, 66, 90])
def test_long_chains_of_rows_and_shared_numbers(count, backend):
    """So many different operations that they are no longer told apart by hash."""

    def f(xs, w, u):
        h = 0.1
        for x in xs:
            h = ag.sigmoid(w * h + u * x) - 0.5 * h
        square = total = 0.5 * ag.tanh(h)
        for k in range(count):
            total = ag.sin(total) + square * (0.1 * k)
        return total

    X = rows(5, 4)
    compiled = jit(vmap(f, in_axes=(0, None, None)), backend=backend)
    expected = each(f, X, 0.7, 0.3)
    np.testing.assert_allclose(compiled(X, 0.7, 0.3), expected, rtol=1e-12)


@pytest.mark.parametrize("backend", BACKENDS)
def test_per_sample_gradients(backend):
    X = rows(10)
    slopes = jit(vmap(grad(model), in_axes=(0, None)), backend=backend)(X, W)
    expected = np.array([grad(model)(x, W) for x in X.tolist()])
    found = np.array(slopes)
    found = found.T if found.shape != expected.shape else found
    np.testing.assert_allclose(found, expected, rtol=1e-12)


@pytest.mark.parametrize("backend", BACKENDS)
def test_empty_batches(backend):
    X = np.zeros((0, 3))
    found = jit(vmap(model, in_axes=(0, None)), backend=backend)(X, W)
    assert np.shape(found) == (0,)
    assert jit(lambda X: ag.sum(vmap(lambda x: x[0])(X)), backend=backend)(X) == 0.0
    with pytest.raises(ag.DataError, match="empty"):
        jit(lambda X: ag.mean(vmap(lambda x: x[0])(X)), backend=backend)(X)


@pytest.mark.parametrize("compiled", [lambda f: f, jit])
def test_wrong_batches_are_refused(compiled):
    f = compiled(vmap(lambda x, y: x * y))
    np.testing.assert_allclose(f(np.ones(3), np.ones(3)), np.ones(3))
    with pytest.raises(ShapeError, match="samples"):
        f(np.ones(3), np.ones(4))
    with pytest.raises(ShapeError):
        f(np.ones(3), 2.0)
    with pytest.raises(ShapeError):
        compiled(vmap(lambda x: x, in_axes=1))(np.ones(3))
    with pytest.raises(ShapeError):
        compiled(vmap(lambda x, y: x, in_axes=(0,)))(np.ones(3), np.ones(3))
    with pytest.raises(ShapeError):
        compiled(vmap(lambda x: x, in_axes=(None,)))(np.ones(3))


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_network_over_a_batch(backend):
    net = nn.MLP(3, [5, 1], activation="tanh", seed=0)
    X, y = rows(21), rows(21, 1)[:, 0]

    def loss(net, X, y):
        return ag.mean((vmap(lambda x: net(list(x)))(X) - y) ** 2)

    def loop(net):
        parts = [(net(x) - t) ** 2 for x, t in zip(X.tolist(), y.tolist())]
        return ag.mean(parts)

    value, slopes = jit(value_and_grad(loss), backend=backend)(net, X, y)
    wanted, expected = value_and_grad(loop)(net)
    assert value == pytest.approx(wanted, rel=1e-12)
    assert plain(slopes) == pytest.approx(plain(expected), rel=1e-10, abs=1e-14)
    assert list(slopes) == list(net.named_parameters())


def test_results_do_not_depend_on_calls_before():
    f = jit(value_and_grad(loss, 2))
    X, y = rows(100), rows(100, 1)[:, 0]
    first = f(X, y, W)
    for n in (3, 50, 100):
        f(rows(n, seed=1), rows(n, 1, 1)[:, 0], [0.0, 1.0, 2.0])
    assert f(X, y, W) == first


def test_vmap_outside_of_jit_takes_samples_one_by_one():
    w = Value(2.0)
    found = vmap(lambda x: x * w)(np.array([1.0, 2.0, 3.0]))
    assert found.dtype == object
    ag.sum(list(found)).backward()
    assert w.grad == 6.0
    assert vmap(lambda x: x + 1.0)([1.0, 2.0]).tolist() == [2.0, 3.0]
    assert (
        grad(lambda w: ag.sum(list(vmap(lambda x: x * w)(np.arange(4.0)))))(3.0) == 6.0
    )


@pytest.mark.parametrize("backend", BACKENDS)
def test_reductions_that_are_not_sums(backend):
    """Elements of a batch cannot be picked: the error says what can be done."""

    def largest(X):
        return ag.maximum(list(vmap(lambda x: x * x)(X)))

    with pytest.raises((ag.TraceError, TypeError), match=r"batch|sum|mean"):
        jit(largest, backend=backend)(rows(9, 1)[:, 0])


@pytest.mark.parametrize(
    "use",
    [
        lambda batch, y: batch[0],
        lambda batch, y: list(batch),
        lambda batch, y: nn.mse_loss(batch, y),
    ],
)
def test_rows_are_not_picked(use):
    """Also by the losses of nn, which take lists: the error says what to do."""
    f = jit(lambda X, y: use(vmap(lambda x: x * x)(X), y))
    with pytest.raises(ag.TraceError, match=r"in the mapped function"):
        f(rows(9, 1)[:, 0], np.zeros(9))


def test_strict_batches():
    X = rows(9)
    f = vmap(model, in_axes=(0, None))
    found = jit(f, strict=True)(X, W)
    assert [x.hex() for x in found.tolist()] == [x.hex() for x in each(model, X, W)]


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("used", [(1, 2), (1, 3), (2, 3)])
@pytest.mark.parametrize("count", [1, 2, 4, 13, 17])
def test_unused_numbers_of_rows_and_of_all(count, used, backend):
    """Their slopes are zeros beside each other: for each row, and for all."""
    a, b = used

    def loss(X, w):
        rows = vmap(lambda x, w: x[0] * w[a] + w[b], in_axes=(0, None))
        return ag.mean(rows(X, w))

    X, w = np.arange(2.0 * count).reshape(count, 2), np.array([2.0, 5.0, 7.0, 9.0])
    slopes = jit(grad(loss, argnums=(0, 1)), backend=backend)
    for _ in range(2):
        by_row, shared = slopes(X, w)
        expected = [0.0] * 4
        expected[a], expected[b] = X[:, 0].mean(), 1.0
        assert shared.tolist() == pytest.approx(expected)
        assert by_row[:, 0].tolist() == pytest.approx([w[a] / count] * count)
        assert by_row[:, 1].tolist() == [0.0] * count


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("n", [9, 8192, 8193, 50_000])
@pytest.mark.parametrize("shift", [-3, -1, 0, 1, 3])
def test_results_over_arguments(backend, n, shift):
    """An ``out`` that shares memory with an argument gets what it would get alone."""
    f = jit(vmap(lambda x: ag.sin(x) * x), backend=backend)
    numbers = np.linspace(0.0, 1.0, n + 6)
    expected = f(numbers[3 : n + 3].copy())
    target = numbers[3 + shift : n + 3 + shift]
    f(numbers[3 : n + 3], out=target)
    assert np.array_equal(target, expected)


def deep_row(w, x):
    """More operations than there is room for in registers."""
    total = 0.0
    for i in range(60):
        total = total + ag.tanh(w[i] * x[0] + w[i + 1] * x[1]) * w[i]
    return total


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("shift", [0, 1, 5])
def test_results_of_blocks_over_arguments(backend, shift):
    f = jit(vmap(deep_row, in_axes=(None, 0)), backend=backend)
    w, numbers = np.linspace(-1.0, 1.0, 61), np.linspace(0.0, 1.0, 40_006)
    X = numbers[:40_000].reshape(20_000, 2)
    expected = f(w, X.copy())
    target = numbers[shift : 20_000 + shift]
    f(w, X, out=target)
    assert np.array_equal(target, expected)


@pytest.mark.parametrize("backend", BACKENDS)
def test_arrays_of_a_mapped_function(backend):
    """out= gets the rows first, as what is returned has them."""
    f = jit(vmap(lambda x: x * 2.0), backend=backend)
    for X in (
        rows(3, 2),
        rows(9, 5),
        rows(9, 1),
        rows(1, 3),
        rows(1, 1),
        rows(8200, 2),
    ):
        room, columns = np.empty(X.shape), np.empty(X.size)
        own = jit(vmap(lambda x: x * 2.0), backend=backend)
        for g in (f, own, own, own):
            assert np.array_equal(g(X), 2.0 * X)
        assert own(X, out=room) is room
        assert np.array_equal(room, 2.0 * X)
        room[:] = 0.0
        assert f(X, out=room) is room
        assert np.array_equal(room, 2.0 * X)
        f(X, out=columns)
        assert np.array_equal(columns.reshape(X.shape), 2.0 * X)
    pair = jit(vmap(lambda x: (x[0], x * x[1])), backend=backend)
    X = rows(5, 2)
    first, second = np.empty(5), np.empty((5, 2))
    pair(X, out=(first, second))
    assert np.array_equal(first, X[:, 0])
    assert np.array_equal(second, X * X[:, 1:])


def test_lists_of_numpy_numbers():
    xs = list(np.array([1.0, 2.0]))
    assert vmap(lambda x: x * 2.0)(xs).tolist() == [2.0, 4.0]
    assert jit(vmap(lambda x: x * 2.0))(xs).tolist() == [2.0, 4.0]


BESIDE = {
    "operator": lambda batch, other: batch + other,
    "reflected": lambda batch, other: other + batch,
    "function": ag.add,
    "function reflected": lambda batch, other: ag.hypot(other, batch),
    "ufunc": np.multiply,
    "where": lambda batch, other: ag.where(batch > 1.0, other, batch),
    "many": lambda batch, other: ag.maximum(batch, other),
    "dot": lambda batch, other: ag.dot([batch, other], [2.0, 3.0]),
}


def _doubled(x):
    return x * 2.0


@pytest.mark.parametrize("name", BESIDE)
@pytest.mark.parametrize("given", [True, False])
def test_an_array_beside_a_batch_is_a_batch_too(name, given):
    """Through operators, functions and ufuncs alike; never one number for all rows."""
    operation, X, Y = BESIDE[name], np.arange(3.0), np.array([0.5, 3.0, 1.0])
    if given:
        found = jit(lambda x, y: operation(vmap(_doubled)(x), y))(X, Y)
    else:
        found = jit(lambda x: operation(vmap(_doubled)(x), Y))(X)
    assert found.tolist() == operation(2.0 * X, Y).tolist()


@pytest.mark.parametrize("name", BESIDE)
def test_what_does_not_fit_beside_a_batch_is_refused(name):
    operation, X, Y = BESIDE[name], np.arange(3.0), np.arange(4.0)
    with pytest.raises(ShapeError, match=r"a batch of 3 rows .* \(4,\)"):
        jit(lambda x: operation(vmap(_doubled)(x), Y))(X)
    with pytest.raises(ShapeError, match=r"a batch of 3 rows .* \(4,\)"):
        jit(lambda x, y: operation(vmap(_doubled)(x), vmap(_doubled)(y)))(X, Y)
    with pytest.raises(TraceError, match="compute both in one mapped function"):
        jit(lambda x, y: operation(vmap(_doubled)(x), y[:3] * 2.0))(X, Y)


def test_an_array_argument_is_not_changed_in_place():
    def changed(x):
        x[0] = 3.0
        return ag.sum(x)

    with pytest.raises(TraceError, match=r"xs = list\(x\)"):
        jit(changed)(np.arange(3.0))
