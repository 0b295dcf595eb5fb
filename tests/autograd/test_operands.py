"""Operands from strangers: objects without a text, masked entries, endless integers."""

import math
import operator
from fractions import Fraction

import numpy as np
import pytest

import autograd as ag
import nn
from autograd import (
    Value,
    grad,
    jit,
    jvp,
    vmap,
)
from autograd.table.reals import short


class Nameless:
    """Its repr raises."""

    def __repr__(self):
        raise RuntimeError("no text")


HUGE = [10**400, -(10**400), 10**5000, -(10**5000), Fraction(10**5000, 3)]
MASKED = [np.ma.masked, np.ma.array(3.0, mask=True), np.ma.array([1.0], mask=[1])[0]]
BINARY = [operator.add, operator.sub, operator.mul, operator.truediv, operator.mod]
BINARY += [operator.floordiv, operator.pow]
ORDERED = [operator.lt, operator.le, operator.gt, operator.ge]

# How a number meets an operand: eager, in reverse and forward mode, compiled, batched.
PLACES = {
    "a Value": lambda f: f(Value(2.0)),
    "grad": lambda f: grad(lambda x: f(x) * 1.0)(2.0),
    "nested": lambda f: grad(grad(lambda x: f(x) * 1.0))(2.0),
    "jvp": lambda f: jvp(lambda x: f(x) * 1.0, (2.0,), (1.0,)),
    "jit": lambda f: jit(f)(2.0),
    "vmap": lambda f: jit(vmap(f))(np.array([2.0, 3.0])),
}
anywhere = pytest.mark.parametrize("place", PLACES.values(), ids=PLACES)


@anywhere
@pytest.mark.parametrize("combine", BINARY)
def test_objects_without_a_text_are_refused(combine, place):
    for f in (lambda x: combine(x, Nameless()), lambda x: combine(Nameless(), x)):
        with pytest.raises(TypeError, match="Nameless"):
            place(f)


@anywhere
def test_objects_without_a_text_given_to_functions(place):
    functions = [
        lambda x: ag.exp(Nameless()) + x,
        lambda x: ag.arctan2(x, Nameless()),
        lambda x: ag.sum([x, Nameless()]),
        lambda x: ag.dot([x], [Nameless()]),
        lambda x: ag.maximum(x, Nameless()),
        lambda x: ag.sum(Nameless()) + x,
        lambda x: ag.where(x, Nameless(), x),
    ]
    for f in functions:
        with pytest.raises(TypeError, match="Nameless"):
            place(f)


@pytest.mark.parametrize(
    "use",
    [
        Value,
        lambda x: Value(1.0, label=x),
        lambda x: grad(lambda y: y)(x),
        lambda x: jit(lambda y: y)(x),
        lambda x: ag.gradcheck(lambda y: y, x),
        lambda x: nn.MLP(x, [1]),
        lambda x: nn.MLP(1, x),
        lambda x: nn.MLP(1, [1])(x),
        lambda x: nn.MLP(1, [1], activation=x),
        lambda x: nn.SGD(x),
        lambda x: nn.SGD([Value(1.0)], lr=x),
        lambda x: nn.fit(nn.MLP(1, [1]), [[1.0]], [1.0], loss=x),
        lambda x: nn.fit(nn.MLP(1, [1]), [[1.0]], [1.0], optimiser=x),
        lambda x: nn.fit(nn.MLP(1, [1]), [x], [1.0]),
        lambda x: nn.mse_loss([1.0], [x]),
        lambda x: nn.mse_loss([1.0], [1.0], reduction=x),
        lambda x: nn.cross_entropy([[1.0, 2.0]], [x]),
    ],
)
def test_arguments_without_a_text(use):
    """The complaint is written, whatever the object."""
    with pytest.raises((TypeError, ValueError)) as error:
        use(Nameless())
    assert not isinstance(error.value, RuntimeError)


def test_nothing_equals_an_object_without_a_text():
    assert Value(1.0) != Nameless()
    assert (Value(1.0) == Nameless()) is False


@anywhere
@pytest.mark.parametrize("masked", MASKED, ids=["constant", "array", "entry"])
def test_masked_entries_are_no_numbers(masked, place):
    uses = [
        lambda x: x + masked,
        lambda x: x * masked,
        lambda x: ag.exp(masked) + x,
        lambda x: ag.sum([x, masked]),
        lambda x: ag.dot([x], [masked]),
        lambda x: ag.maximum(x, masked),
    ]
    for use in uses:
        with pytest.raises(TypeError, match="masked"):
            place(use)


@pytest.mark.parametrize("masked", MASKED, ids=["constant", "array", "entry"])
def test_a_masked_entry_is_no_data(masked):
    for use in (Value, lambda m: setattr(Value(1.0), "data", m), grad(lambda x: x)):
        with pytest.raises(TypeError, match="masked"):
            use(masked)


@pytest.mark.parametrize("huge", HUGE, ids=short)
@anywhere
def test_arithmetic_beyond_the_floats_is_refused(place, huge):
    for combine in BINARY:
        for f in (lambda x: combine(x, huge), lambda x: combine(huge, x)):
            with pytest.raises(OverflowError, match=r"scale it down|too large"):
                place(f)


@pytest.mark.parametrize("huge", HUGE, ids=short)
def test_comparisons_beyond_the_floats(huge):
    """As of floats; traced ones choose alike."""
    assert Value(2.0) != huge
    assert (Value(2.0) == huge) is False
    for compare in ORDERED:
        right, mirrored = compare(2.0, huge), compare(huge, 2.0)
        assert compare(Value(2.0), huge) is right
        assert compare(huge, Value(2.0)) is mirrored
        for f in (
            lambda x: ag.where(compare(x, huge), x, -x),
            lambda x: ag.where(compare(huge, x), -x, x),
        ):
            slope = 1.0 if f(2.0) == 2.0 else -1.0
            assert grad(f)(2.0) == slope
            assert grad(grad(lambda x: f(x) * x))(2.0) == 2.0 * slope
            assert jvp(f, (2.0,), (1.0,))[1] == slope
            assert jit(f)(2.0) == 2.0 * slope
            assert jit(vmap(f))(np.array([2.0])).tolist() == [2.0 * slope]


@pytest.mark.parametrize("x", [np.timedelta64(1, "s"), np.timedelta64("NaT", "s")])
def test_durations_are_no_numbers(x):
    with pytest.raises(TypeError, match="expected a real number, got timedelta64"):
        Value(x)
    with pytest.raises(TypeError):
        Value(1.0) + x


def test_short_texts():
    assert short("x" * 100) == "'" + "x" * 56 + "..."
    assert short(10**5000) == "an integer of 16,610 bits"
    assert short(Nameless()) == "an object of type Nameless without a text"
    assert math.isfinite(Value(10**300).data)


def test_numbers_beyond_floats_are_named():
    for call in (lambda: Value(10**400), lambda: Value(1.0) + 10**400):
        with pytest.raises(OverflowError, match="range of floats"):
            call()
