"""NumPy's functions mean the table's on whatever number flows through."""

import math
from functools import partial
from math import inf, nan

import numpy as np
import pytest

import autograd as ag
from autograd import Value, grad, jacobian, jit, jvp, value_and_grad, vjp, vmap


def same(a, b):
    return np.allclose(a, b, rtol=1e-14, atol=0.0, equal_nan=True)


# a program in numpy's words, and in ours
SCALARS = {
    "maximum": (lambda x: np.maximum(x, 1.0), lambda x: ag.maximum(x, 1.0)),
    "minimum, reflected": (lambda x: np.minimum(1.0, x), lambda x: ag.minimum(1.0, x)),
    "clip": (lambda x: np.clip(x, 0.0, 1.0), lambda x: ag.clip(x, 0.0, 1.0)),
    "clip below": (lambda x: np.clip(x, 0.0, None), lambda x: ag.maximum(x, 0.0)),
    "where": (
        lambda x: np.where(x > 0, x * x, 0.0),
        lambda x: ag.where(x > 0, x * x, 0.0),
    ),
    "where equal": (
        lambda x: np.where(x == 1.0, 3.0 * x, x * x),
        lambda x: ag.where(ag.equal(x, 1.0), 3.0 * x, x * x),
    ),
    "where not equal": (
        lambda x: ag.where(x != 0, 2.0 * x, 5.0),
        lambda x: ag.where(ag.not_equal(x, 0.0), 2.0 * x, 5.0),
    ),
    "sign": (lambda x: np.sign(x) * x, lambda x: ag.sign(x) * x),
    "absolute": (np.abs, ag.absolute),
    "floor": (lambda x: np.floor(x) * x, lambda x: ag.floor(x) * x),
    "exp": (np.exp, ag.exp),
    "arctan2": (lambda x: np.arctan2(x, 2.0), lambda x: ag.arctan2(x, 2.0)),
    "hypot": (lambda x: np.hypot(3.0, x), lambda x: ag.hypot(3.0, x)),
    "power": (lambda x: np.power(x, 3), lambda x: x**3),
    "square": (np.square, lambda x: x * x),
    "isnan": (
        lambda x: np.where(np.isnan(x), 7.0, 2.0 * x),
        lambda x: ag.where(ag.not_equal(x, x), 7.0, 2.0 * x),
    ),
    "isfinite": (
        lambda x: np.where(np.isfinite(x), x * x, 1.0),
        lambda x: ag.where(ag.equal(x - x, 0.0), x * x, 1.0),
    ),
    "isinf": (
        lambda x: np.where(np.isinf(x), 1.0, x * x),
        lambda x: ag.where(ag.equal(abs(x), inf), 1.0, x * x),
    ),
    "numpy's numbers": (
        lambda x: np.float64(3.0) * x - np.float32(1.0),
        lambda x: 3 * x - 1,
    ),
    "reshape to nothing": (
        lambda x: np.reshape(np.array([x * x]), ()),
        lambda x: x * x,
    ),
    "squeeze": (lambda x: np.squeeze(np.array([[x * x]])), lambda x: x * x),
    "a 0-d array": (lambda x: ag.exp(np.array(x, dtype=object)), ag.exp),
    "0-d arithmetic": (
        lambda x: 2.0 * np.array(x, dtype=object) * x,
        lambda x: 2 * x * x,
    ),
    "sum": (lambda x: np.sum([x, x * x]), lambda x: x + x * x),
    "mean": (lambda x: np.mean([x, x * x]), lambda x: (x + x * x) / 2),
    "max of a list": (
        lambda x: np.stack([x * x, x]).max(),
        lambda x: ag.maximum(x * x, x),
    ),
}
POINTS = [2.0, 1.0, 0.0, -1.5, nan, inf]


on_numpy = partial(jit, backend="numpy")
MODES = {
    "backward": lambda f: lambda x: by_sweep(f, x),
    "grad": lambda f: lambda x: tuple(value_and_grad(f)(x)),
    "jvp": lambda f: lambda x: tuple(jvp(f, (x,), (1.0,))),
    "vjp": lambda f: lambda x: (lambda y, pull: (y, pull(1.0)[0]))(*vjp(f, x)),
    "jacobian": lambda f: lambda x: (grad_value(f, x), jacobian(f)(x)),
    "grad in jvp": lambda f: lambda x: tuple(jvp(value_and_grad(f), (x,), (0.0,))[0]),
    "jit": lambda f: lambda x: (jit(f)(x), jit(grad(f))(x)),
    "jit, numpy": lambda f: lambda x: jit(value_and_grad(f), backend="numpy")(x),
    "jit of grad of grad": lambda f: (
        lambda x: (
            on_numpy(f)(x),
            on_numpy(lambda t: jvp(grad(f), (t,), (0.0,))[0])(x),
        )
    ),
    "vmap": lambda f: (
        lambda x: tuple(
            part[1] for part in vmap(value_and_grad(f))(np.array([0.3, x, 0.7]))
        )
    ),
    "jit of vmap": lambda f: (
        lambda x: tuple(
            part[1]
            for part in on_numpy(vmap(value_and_grad(f)))(np.array([0.3, x, 0.7]))
        )
    ),
    "grad of vmap": lambda f: (
        lambda x: (
            on_numpy(vmap(f))(np.array([0.3, x, 0.7]))[1],
            on_numpy(grad(lambda xs: ag.sum(vmap(f)(xs))))(np.array([0.3, x, 0.7]))[1],
        )
    ),
}


def by_sweep(f, x):
    node = Value(x)
    y = f(node)
    y = y.item() if isinstance(y, np.ndarray) else y
    if not isinstance(y, Value):
        return y, 0.0
    y.backward()
    return y.data, node.grad


def grad_value(f, x):
    return value_and_grad(f)(x)[0]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", SCALARS)
def test_scalars(name, mode):
    theirs, ours = SCALARS[name]
    for x in POINTS:
        found, expected = MODES[mode](theirs)(x), MODES["grad"](ours)(x)
        assert same(found, expected), (x, found, expected)


ARRAYS = {
    "maximum": (lambda x: np.maximum(x, 1.0), lambda t: ag.maximum(t, 1.0)),
    "clip": (lambda x: np.clip(x, 0.0, 1.0), lambda t: ag.clip(t, 0.0, 1.0)),
    "clip's method": (lambda x: x.clip(0.0, 1.0), lambda t: ag.clip(t, 0.0, 1.0)),
    "where": (
        lambda x: np.where(x > 0, x * x, 0.0),
        lambda t: ag.where(t > 0, t * t, 0.0),
    ),
    "equal": (
        lambda x: ag.where(x == 1.0, 3.0 * x, 0.0),
        lambda t: ag.where(ag.equal(t, 1.0), 3.0 * t, 0.0),
    ),
    "not equal": (
        lambda x: np.where(x != 1.0, 3.0 * x, 0.0),
        lambda t: ag.where(ag.not_equal(t, 1.0), 3.0 * t, 0.0),
    ),
    "equal, of a part": (
        lambda x: np.where(x[::-1] == 1.0, 2.0 * x[::-1], x[::-1]),
        lambda t: ag.where(ag.equal(t, 1.0), 2.0 * t, t),
    ),
    "sign": (lambda x: np.sign(x) * x, lambda t: ag.sign(t) * t),
    "tanh": (np.tanh, ag.tanh),
    "isnan": (
        lambda x: np.where(np.isnan(x), 0.0, x),
        lambda t: ag.where(ag.not_equal(t, t), 0.0, t),
    ),
}
POINT = np.array([2.0, 1.0, 0.0, -1.5, nan])
ARRAY_MODES = {
    "grad": lambda f: grad(f),
    "jit": lambda f: jit(grad(f)),
    "jit, numpy": lambda f: jit(grad(f), backend="numpy"),
    "jit of a nested grad": lambda f: jit(lambda x: vjp(grad(f), x)[0]),
    "jvp": lambda f: (
        lambda x: np.array(
            [jvp(f, (x,), (direction,))[1] for direction in np.eye(len(x))]
        )
    ),
}


@pytest.mark.parametrize("mode", ARRAY_MODES)
@pytest.mark.parametrize("name", ARRAYS)
def test_arrays(name, mode):
    theirs, one = ARRAYS[name]
    found = ARRAY_MODES[mode](lambda x: np.sum(theirs(x)))(POINT)
    expected = [grad(one)(t) for t in POINT.tolist()]
    assert same(found, expected), (found, expected)


@pytest.mark.parametrize("mode", ["grad", "jit"])
def test_folds_share_ties_equally(mode):
    x = np.array([[1.0, 3.0, 3.0], [3.0, 0.0, -1.0]])
    slopes = ARRAY_MODES[mode]
    assert same(slopes(lambda x: x.max())(x), (x == 3.0) / 3)
    assert same(
        slopes(lambda x: np.max(x, axis=1).sum())(x), [[0, 0.5, 0.5], [1, 0, 0]]
    )
    assert same(
        slopes(lambda x: np.min(x, axis=0, keepdims=True).sum())(x),
        [[1, 0, 0], [0, 1, 1]],
    )


def test_two_traced_numbers_are_equal_by_value():
    assert jit(lambda x, y: ag.where(x == y, 1.0, 0.0))(2.0, 2.0) == 1.0
    assert jit(lambda x, y: ag.where(x == y, 1.0, 0.0))(2.0, 3.0) == 0.0
    assert jit(lambda x, y: ag.where(x != y, 1.0, 0.0))(2.0, 3.0) == 1.0
    p, y = np.array([0.2, 0.7, 0.9, 0.4]), np.array([0.0, 1.0, 1.0, 2.0])
    picked = jit(lambda p, y: ag.sum(list(ag.where(y == 1.0, p, 0.0))))
    assert picked(p, y) == pytest.approx(1.6)
    both = jit(lambda p, y: ag.sum(ag.where(p == y, 1.0, 0.0)))
    assert both(p, p) == 4.0 and both(p, y) == 0.0


def test_numbers_of_a_transform_are_equal_by_value():
    def f(x, y):
        return x * y if x == y else x - y

    assert grad(f)(3.0, 3.0) == 3.0
    assert jvp(f, (3.0, 3.0), (1.0, 0.0)) == (9.0, 3.0)
    assert grad(lambda x, y: x if x != y else 5.0 * x)(2.0, 2.0) == 5.0
    x = Value(2.0)
    assert grad(lambda t: t * 3.0 if t == x else t)(2.0) == 3.0
    assert (Value(1.0) == Value(1.0)) is False  # nodes are told apart


def test_conditions_in_mapped_gradients():
    f = jit(vmap(grad(lambda x: ag.where(x == 0.0, 1.0, x * x))))
    assert f(np.arange(3.0)).tolist() == [0.0, 2.0, 4.0]


def test_batches_take_numpys_functions():
    x = np.array([-1.0, 1.0, 2.0])

    def loss(w, x):
        ys = vmap(lambda t: w * t)(x)
        ys = np.maximum(ys, 1.0) + np.where(ys == 2.0, 10.0, 0.0) + np.exp(ys) * 0.0
        return np.sum(ys) + np.mean(ys)

    assert jit(loss)(1.0, x) == pytest.approx((14.0) * 4 / 3)


def test_many_operands_that_are_rows_of_values():
    rng = np.random.default_rng(0)
    xs = rng.normal(size=(100, 3))
    values = np.empty(xs.shape, object)
    values[:] = [[Value(x) for x in row] for row in xs]
    for name in ("sum", "mean", "prod", "maximum", "minimum", "logsumexp", "softmax"):
        f = getattr(ag, name)
        found, expected = f(values), f(xs)
        assert np.shape(found) == np.shape(expected)
        numbers = [v.data for v in np.asarray(found).ravel()]
        assert np.allclose(numbers, np.ravel(expected), rtol=1e-12)
    ag.sum(ag.maximum(values)).backward()
    assert (
        np.array([[v.grad for v in row] for row in values]).sum(axis=0) == 1.0
    ).all()


def test_what_numpy_cannot_do_is_refused():
    for call in (
        lambda x: np.fmax(x, 1.0),
        lambda x: np.nextafter(x, 1.0),
        lambda x: np.add(x, 1.0, dtype=float),
    ):
        with pytest.raises(TypeError, match="autograd's functions"):
            call(Value(1.0))
        with pytest.raises(TypeError, match="autograd's functions"):
            grad(lambda x, call=call: call(x))(1.0)
        with pytest.raises(TypeError, match="autograd's functions"):
            grad(lambda x, call=call: call(x).sum())(np.ones(2))


def test_integer_powers_and_logarithms_keep_their_domains():
    assert math.isnan(grad(np.log)(-1.0))
    assert grad(lambda x: np.power(x, 0.0))(0.0) == 0.0
