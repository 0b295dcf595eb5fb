"""Transforms over trees; what they refuse."""

import math

import numpy as np
import pytest

import autograd as ag
from autograd import (
    ShapeError,
    Value,
    grad,
    gradient,
    jvp,
    value_and_grad,
    vjp,
    where,
)
from autograd.transforms.tree import flatten, structure, tree_map


def test_gradients_have_the_arguments_shape():
    def f(params, x):
        return ag.dot(params["w"], x, params["b"]) ** 2

    params = {"w": [1.0, 2.0], "b": 0.5}
    x = np.array([3.0, 4.0])
    value, slopes = value_and_grad(f)(params, x)
    assert value == 11.5**2
    assert slopes == {"w": [69.0, 92.0], "b": 23.0}
    both = grad(f, argnums=(0, 1))(params, x)
    assert both[1].tolist() == [23.0, 46.0]
    assert both[1].dtype == float


def test_no_dependence_is_an_exact_zero():
    assert grad(lambda x: 3.0)(1.0) == 0.0
    assert jvp(lambda x: 3.0, (1.0,), (1.0,)) == (3.0, 0.0)
    assert gradient(Value(1.0) * 2.0, Value(5.0)) == 0.0
    assert gradient(3.0, Value(5.0)) == 0.0


def test_vjp_and_jvp_are_adjoint():
    def f(x, y):
        return [x * y, ag.sin(x), y]

    u, v = (0.3, -0.7), [1.0, 2.0, 3.0]
    tangent = jvp(f, (1.5, 2.5), u)[1]
    _, pull = vjp(f, 1.5, 2.5)
    left = sum(a * b for a, b in zip(v, tangent, strict=True))
    right = sum(a * b for a, b in zip(pull(v), u, strict=True))
    assert left == pytest.approx(right, rel=1e-14)


def test_mistakes_are_named():
    with pytest.raises(IndexError, match="argnums=2"):
        grad(lambda x: x, argnums=2)(1.0)
    with pytest.raises(TypeError, match="one number"):
        grad(lambda x: [x])(1.0)
    with pytest.raises(TypeError, match="real number"):
        grad(lambda x: x)("text")
    with pytest.raises(ShapeError, match="tangents"):
        jvp(lambda x: x, (1.0,), (1.0, 2.0))
    with pytest.raises(ShapeError, match="cotangent"):
        vjp(lambda x: [x, x], 1.0)[1]([1.0])
    with pytest.raises(TypeError, match="Values"):
        gradient(Value(1.0), 3.0)


def test_transforms_touch_no_gradient():
    x = Value(2.0)
    assert gradient(x * x, x) == 4.0
    assert grad(lambda t: t * x)(1.0).data == 2.0
    assert x.grad == 0.0


def test_trees():
    tree = {"a": [1.0, (2.0, 3.0)], "b": np.array([[4.0, 5.0]])}
    leaves, rebuild = flatten(tree)
    assert leaves == [1.0, 2.0, 3.0, 4.0, 5.0]
    again = rebuild([x * 10 for x in leaves])
    assert again["a"] == [10.0, (20.0, 30.0)]
    assert again["b"].tolist() == [[40.0, 50.0]]
    with pytest.raises(ShapeError, match="5 leaves, got 1"):
        rebuild([1.0])
    assert structure(tree) == structure(again)
    assert structure([1.0]) != structure((1.0,))
    assert tree_map(lambda x, y: x + y, [1.0], [2.0]) == [3.0]
    with pytest.raises(ShapeError, match="1 items, got 2"):
        tree_map(lambda x, y: x, [1.0], [2.0, 3.0])


def test_repeated_argnums_are_refused():
    for argnums in ((0, 0), (0, -2)):
        with pytest.raises(ValueError, match="twice"):
            grad(lambda x, y: x * y, argnums=argnums)(2.0, 3.0)


def test_inside_a_transform_numbers_behave_like_values():
    assert grad(lambda x: where((x > 0) & (x < 2), x, 2 * x))(1.0) == 1.0
    with pytest.raises(TypeError, match=r"autograd\.exp"):
        grad(math.exp)(1.0)
    assert divmod(Value(7.0), 2)[1].data == 1.0


def test_structures_that_differ():
    with pytest.raises(ShapeError, match="tangents"):
        jvp(lambda x, y: x, ([1.0, 2.0], 3.0), (1.0, [2.0, 3.0]))
