"""Defects that a review found, each a test of its own."""

import copy
import math
import pickle

import numpy as np
import pytest

import autograd as ag
from autograd import (
    AnomalyError,
    Primitive,
    ShapeError,
    StaleValueError,
    Value,
    detect_anomaly,
    grad,
    gradcheck,
    gradient,
    jvp,
    no_grad,
    numerical_gradient,
    where,
)


def test_numerical_gradient_in_any_memory_order():
    x = np.ones((2, 3)).T
    assert numerical_gradient(lambda a: float((a**2).sum()), x) == pytest.approx(2 * x)


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


@pytest.mark.parametrize(
    "make",
    [
        lambda: Primitive(
            "t", lambda a, b, c: a * b * c, joint=lambda a, b, c, r: (b, a), arity=3
        ),
        lambda: Primitive("t", lambda a, b: a, joint=lambda a, b, r: (1.0,), arity=2),
        lambda: Primitive("t", lambda xs: xs[0], joint=lambda xs, r: ([],)),
        lambda: Primitive(
            "t", lambda xs, ys: 1.0, joint=lambda xs, ys, r: ([1.0] * 3,)
        ),
    ],
)
def test_a_row_with_too_few_partials_is_named(make):
    row = make()
    xs = [Value(2.0), Value(3.0), Value(4.0)][: row.arity or 3]
    groups = (xs, xs) if "ys" in row.joint.__code__.co_varnames else (xs,)
    y = row(*xs) if row.arity else row(*groups)
    for call in (y.backward, lambda: gradient(y, xs)):
        with pytest.raises(TypeError, match=r"'t'.*partial"):
            call()


def test_what_where_does_not_choose_sends_nothing():
    hard = [
        (lambda x: where(x > 0, x * ag.log(x), 0.0), 0.0),
        (lambda x: where(x < 700, ag.exp(x), 0.0), 1000.0),
        (lambda x: where(x > 0, ag.lgamma(x), 0.0), 0.0),
        (lambda x: where(ag.not_equal(x, 0.0), 5.0 % x, 0.0), 0.0),
        (lambda x: where(x > 0, ag.log(x) * ag.sqrt(x), 0.0), 0.0),
    ]
    for f, at in hard:
        x = Value(at)
        y = f(x)
        y.backward()
        assert (
            x.grad == gradient(y, x) == grad(f)(at) == jvp(f, (at,), (1.0,))[1] == 0.0
        )
        assert gradient(y, x, create_graph=True).data == 0.0
        assert grad(grad(f))(at) == 0.0


def test_repeated_argnums_are_refused():
    for argnums in ((0, 0), (0, -2)):
        with pytest.raises(ValueError, match="twice"):
            grad(lambda x, y: x * y, argnums=argnums)(2.0, 3.0)


def test_numpys_clip_is_the_tables():
    x = Value(1.0)
    np.clip(x, 0.0, 1.0).backward()
    assert x.grad == 0.5
    assert math.isnan(np.clip(Value(math.nan), 0.0, 1.0).data)
    assert np.clip(Value(2.0), 0.0, 1.0).data == 1.0
    assert Value(2.0).clip(3.0).data == 3.0


def test_an_edited_result_does_not_change_derivatives():
    x = Value(2.0)
    y = x.exp()
    z = y * 1.0
    y.data = 100.0
    z.backward()
    assert x.grad == gradient(z, x) == ag.exp(2.0)
    with pytest.raises(StaleValueError, match="exp"):
        gradient(y, x, create_graph=True)


def test_no_grad_and_anomalies_see_nodes_made_by_hand():
    x = Value(2.0)
    with no_grad():
        assert Value(4.0, (x,), (4.0,)).operands == ()
    with pytest.raises(AnomalyError), detect_anomaly():
        Value(math.nan, (x,), (4.0,))
    with pytest.raises(AnomalyError), detect_anomaly():
        (Value(1.0, (x,), (math.inf,)) * 1.0).backward()


def test_anomalies_of_every_mode():
    x = Value(0.0)
    for call in (
        lambda: grad(ag.log)(0.0),
        lambda: jvp(ag.log, (0.0,), (1.0,)),
        lambda: gradient(x.sqrt(), x),
        lambda: gradient(x.sqrt(), x, create_graph=True),
    ):
        with pytest.raises(AnomalyError), detect_anomaly():
            call()


def test_the_way_from_the_anomaly_to_the_result():
    x = Value(0.0, label="x")
    with detect_anomaly():
        z = (x.sqrt() + 1.0) * 2.0
        z.label = "loss"
        with pytest.raises(AnomalyError) as caught:
            z.backward()
    assert "from there to the result: add -> multiply 'loss'" in str(caught.value)


@pytest.mark.parametrize("bad", [None, 1j, "x", [1.0, 2.0], np.ones(2)])
def test_what_a_users_row_returns_is_checked(bad):
    with pytest.raises(TypeError, match="value of primitive 'f'"):
        Primitive("f", lambda x: bad, lambda x, y: 1.0)(1.0)
    row = Primitive("f", lambda x: x, lambda x, y: bad)
    with pytest.raises(TypeError, match=r"partial.* of primitive 'f'"):
        row(Value(1.0)).backward()


def test_numpy_floats_of_a_users_row_become_floats():
    row = Primitive("f", lambda x: np.exp(x), lambda x, y: np.float64(3.0))
    x = Value(1.0)
    row(x).backward()
    assert type(x.grad) is float
    assert type(row(1.0)) is float


def test_a_gradient_that_is_not_a_number_is_refused():
    x = Value(1.0)
    x.grad = Value(2.0)
    with pytest.raises(TypeError):
        (x * 2.0).backward()


def test_gradcheck_of_methods_and_of_ieee():
    assert gradcheck(lambda x: x.tanh() + (x * 2).relu(), 0.5)
    assert gradcheck(lambda x: 1 / x, 0.0).entries[0].verdict == "not finite here"
    assert gradcheck(lambda x: x**0.5, 1e-9)


@pytest.mark.parametrize(
    ("f", "at"),
    [
        (ag.log, 1e-7),
        (ag.sqrt, 1e-6),
        (lambda x: x * x, 1e300),
        (lambda x: x, math.nan),
        (lambda x: x * abs(x), 0.0),
    ],
)
def test_gradcheck_does_not_call_right_wrong(f, at):
    assert gradcheck(f, at)


def test_gradcheck_tells_kinks_from_curvature():
    for f, at in ((ag.log, 1e-3), (lambda x: x**-2, 0.01), (ag.sqrt, 1e-4)):
        assert gradcheck(f, at).entries[0].verdict == "ok"
    assert gradcheck(abs, 0.0, order=2)
    with pytest.raises(ValueError, match="order"):
        gradcheck(abs, 0.0, order=0)


def test_values_linked_through_attributes():
    previous = None
    for _ in range(20_000):
        value = Value(1.0) * 2
        value.previous = previous
        previous = value
    for twin in (pickle.loads(pickle.dumps(previous)), copy.deepcopy(previous)):
        length = 0
        while twin is not None:
            twin, length = twin.previous, length + 1
        assert length == 20_000


def test_local_gradients_are_first_class():
    x = Value(3.0)
    y = Value(9.0, (x,), (6.0,)) * 2.0
    assert gradient(y, x) == 12.0
    twin = pickle.loads(pickle.dumps(y))
    twin.backward()
    assert copy.deepcopy(y).data == 18.0


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


def test_inside_a_transform_numbers_behave_like_values():
    assert grad(lambda x: where((x > 0) & (x < 2), x, 2 * x))(1.0) == 1.0
    with pytest.raises(TypeError, match=r"autograd\.exp"):
        grad(math.exp)(1.0)
    assert divmod(Value(7.0), 2)[1].data == 1.0


def test_structures_that_differ():
    with pytest.raises(ShapeError, match="tangents"):
        jvp(lambda x, y: x, ([1.0, 2.0], 3.0), (1.0, [2.0, 3.0]))


def test_numbers_beyond_floats_are_named():
    for call in (lambda: Value(10**400), lambda: Value(1.0) + 10**400):
        with pytest.raises(OverflowError, match="range of floats"):
            call()


def test_any_iterable_is_a_sequence():
    assert ag.dot((x for x in [1.0, 2.0]), [3.0, 4.0]) == 11.0
    for call in (ag.mean, ag.softmax, ag.logsumexp):
        with pytest.raises(TypeError, match="sequence"):
            call(Value(1.0))
    with pytest.raises(ShapeError, match="biases"):
        ag.affine([[1.0]], [])


def test_the_way_from_the_first_nan_to_the_result():
    x = Value(-1.0, label="x")
    with detect_anomaly(at_once=False):
        y = (x * 2.0).log()
        y.label = "root"
        z = ag.sum([y, x]) * 3.0
        with pytest.raises(AnomalyError) as caught:
            z.backward()
    message = str(caught.value)
    assert "log 'root' gave nan from operands -2.0" in message
    assert "y = (x * 2.0).log()" in message
    assert "from there to the result: sum -> multiply" in message
    assert x.grad == 0.0
