"""Values inside numpy, and arrays inside autograd."""

import math

import numpy as np
import pytest

import autograd as ag
from autograd import (
    Value,
)
from autograd.numbers.operators import METHODS
from autograd.table.primitives import ALIASES


def values(*xs):
    out = np.empty(len(xs), dtype=object)
    out[:] = [Value(x) for x in xs]
    return out


def test_ufuncs_on_a_value_are_rows():
    x = Value(0.5)
    for name in METHODS:
        ufunc = getattr(np, name, None)
        if not isinstance(ufunc, np.ufunc):
            continue
        args = (x, 1.5)[: ufunc.nin]
        result = ufunc(*args)
        assert isinstance(result, Value), name
        row = getattr(ag, ALIASES.get(name, name))
        expected = row(*[a.data if a is x else a for a in args])
        assert result.data == expected or math.isnan(expected)


def test_numpys_maximum_has_the_tables_gradient():
    x = Value(2.0)
    np.maximum(x, 2.0).backward()
    assert x.grad == 0.5
    y = Value(2.0)
    np.minimum(np.array([2.0, 3.0]), y)[0].backward()
    assert y.grad == 0.5


def test_numpy_scalars_and_arrays_on_both_sides():
    x = Value(2.0)
    assert isinstance(np.float64(3.0) * x, Value)
    assert isinstance(x - np.float32(3.0), Value)
    for result in (np.array([1.0, 2.0]) * x, x * np.array([1.0, 2.0])):
        assert result.dtype == object
        assert [v.data for v in result] == [2.0, 4.0]
    assert (np.array([1.0, 3.0]) < x).tolist() == [True, False]
    assert (x >= np.array([1.0, 3.0])).tolist() == [True, False]


def test_object_arrays():
    xs = values(1.0, 2.0, 3.0)
    matrix = np.arange(6.0).reshape(2, 3)
    product = matrix @ xs
    assert [v.data for v in product] == [8.0, 26.0]
    product.sum().backward()
    assert [v.grad for v in xs] == [3.0, 5.0, 7.0]
    assert xs.mean().data == 2.0
    assert math.isclose(xs.var().data, 2.0 / 3.0)
    assert math.isclose(xs.std().data, math.sqrt(2.0 / 3.0))
    assert [v.data for v in np.exp(xs)] == [ag.exp(x) for x in (1.0, 2.0, 3.0)]
    assert [v.data for v in ag.exp(xs)] == [ag.exp(x) for x in (1.0, 2.0, 3.0)]
    assert np.dot(xs, xs).data == 14.0
    assert xs.prod().data == 6.0
    assert np.hypot(xs, 1.0)[0].data == ag.hypot(1.0, 1.0)
    assert np.arctan2(xs, 1.0)[0].data == ag.arctan2(1.0, 1.0)


def test_arrays_are_sequences_of_their_first_axis():
    matrix = np.array([[1.0, 2.0], [3.0, 4.0]])
    assert ag.sum(matrix).tolist() == [4.0, 6.0]
    assert ag.maximum(matrix).tolist() == [3.0, 4.0]
    assert ag.sum(values(1.0, 2.0)).data == 3.0
    assert ag.softmax(np.array([0.0, 0.0])).tolist() == [0.5, 0.5]
    assert ag.where(np.array([1.0, 0.0]), 5.0, 7.0).tolist() == [5.0, 7.0]
    assert ag.sum(np.array([1, 2])) == 3.0


def test_batches_follow_ieee_without_warnings():
    assert ag.log(np.array([0.0, -1.0]))[0] == -math.inf
    assert np.isnan(ag.divide(np.array([0.0]), 0.0)).all()
    assert ag.power(np.array([-8.0]), np.array([1 / 3])).dtype == float


def test_an_array_never_becomes_data():
    with pytest.raises(TypeError):
        Value(np.array([1.0]))
    with pytest.raises(TypeError, match="does not know Values"):
        np.logaddexp(Value(1.0), 2.0)
    with pytest.raises(TypeError, match=r"fmax\.reduce"):
        np.fmax.reduce(Value(1.0))
    with pytest.raises(TypeError):
        np.array([Value(1.0)], dtype=float)


def test_mixed_arrays_of_values_and_floats():
    w = Value(3.0)
    result = ag.multiply(w, np.array([1.0, 2.0]))
    assert [v.data for v in result] == [3.0, 6.0]
    ag.sum(result).backward()
    assert w.grad == 3.0


def test_masked_arrays_keep_the_graph_or_are_refused():
    for result in (
        np.ma.array([1.0, 2.0], mask=[False, True]) * Value(3.0),
        Value(3.0) * np.ma.array([1.0, 2.0]),
    ):
        assert isinstance(result[0], Value)
    with pytest.raises(TypeError, match="masked"):
        ag.exp(np.ma.array([1.0]))


def test_subclasses_of_arrays_are_batches():
    class Sub(np.ndarray):
        pass

    assert ag.exp(np.zeros(2).view(Sub)).tolist() == [1.0, 1.0]


def test_numpys_clip_is_the_tables():
    x = Value(1.0)
    np.clip(x, 0.0, 1.0).backward()
    assert x.grad == 0.5
    assert math.isnan(np.clip(Value(math.nan), 0.0, 1.0).data)
    assert np.clip(Value(2.0), 0.0, 1.0).data == 1.0
    assert Value(2.0).clip(3.0).data == 3.0


def test_equality_is_identity_inside_an_array_too():
    assert (Value(1.0) == np.array(Value(1.0), dtype=object)) is not True
    assert Value(1.0) == np.array(1.0)
    assert Value(1.0) != 10**400


def test_in_place_operators_on_arrays_of_values():
    a = np.array([Value(1.0), Value(2.0)], dtype=object)
    x = Value(3.0)
    a += x
    a *= 2.0
    assert [v.data for v in a] == [8.0, 10.0]
    ag.sum(a).backward()
    assert x.grad == 4.0
