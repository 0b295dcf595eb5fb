"""Trees are compared by structure and by key, wherever two of them meet."""

import numpy as np
import pytest

import autograd as ag
from autograd import hvp, jit, jvp, vjp
from autograd.errors import ShapeError
from autograd.transforms.tree import flatten, matched, tree_map


def two(x):
    return {"a": x, "b": x * x}


def test_cotangents_go_by_key():
    _, pull = vjp(two, 2.0)
    assert pull({"b": 1.0, "a": 0.0}) == (4.0,)
    assert pull({"a": 1.0, "b": 0.0}) == (1.0,)


def test_tangents_go_by_key():
    def f(x):
        return x["a"] * x["b"] * x["b"]

    assert jvp(f, ({"a": 3.0, "b": 2.0},), ({"b": 1.0, "a": 0.0},)) == (12.0, 12.0)
    direction = {"b": 0.0, "a": 1.0}
    expected = {"a": 0.0, "b": 4.0}
    assert hvp(f)({"a": 3.0, "b": 2.0}, direction) == expected
    assert jit(hvp(f))({"a": 3.0, "b": 2.0}, direction) == expected
    assert jit(hvp(f), backend="numpy")({"a": 3.0, "b": 2.0}, direction) == expected


def test_other_trees_go_by_key():
    found = tree_map(lambda x, y: x - y, {"a": 5.0, "b": 7.0}, {"b": 1.0, "a": 2.0})
    assert found == {"a": 3.0, "b": 6.0}


MISFITS = {
    "another key": ({"a": 1.0, "c": 1.0}, {"a": 1.0, "b": 1.0}),
    "a key too many": ({"a": 1.0, "b": 1.0, "c": 1.0}, {"a": 1.0, "b": 1.0}),
    "no dict": ([1.0, 2.0], {"a": 1.0, "b": 1.0}),
    "other lengths inside": ([[1.0], [2.0, 3.0]], [[1.0, 2.0], [3.0]]),
    "flat for nested": ([1.0, 2.0, 3.0], [[1.0, 2.0], [3.0]]),
    "nested for a number": ([[1.0]], [1.0]),
    "another shape": (np.ones((2, 3)), np.ones((3, 2))),
    "a number for an array": (1.0, np.ones(1)),
    "an array for a number": (np.ones(1), 1.0),
}


@pytest.mark.parametrize("name", MISFITS)
def test_what_does_not_fit_is_refused(name):
    tree, like = MISFITS[name]
    with pytest.raises(ShapeError):
        matched(tree, like)
    _, pull = vjp(lambda x: x, like)
    with pytest.raises(ShapeError):
        pull(tree)

    def total(x):
        return ag.sum([t * t for t in flatten(x)[0]])

    for second in (hvp(total), jit(hvp(total))):
        with pytest.raises(ShapeError):
            second(like, tree)
    with pytest.raises(ShapeError):
        jvp(lambda x: x, (like,), (tree,))


def test_lists_tuples_and_arrays_stand_for_each_other():
    assert matched((1.0, [2.0]), [0.0, np.zeros(1)]) == [1.0, 2.0]
    assert matched(np.array([1.0, 2.0]), [0.0, 0.0]) == [1.0, 2.0]
