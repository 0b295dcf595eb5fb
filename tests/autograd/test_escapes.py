"""Numbers of a transform live as long as its call: later they are refused, by name."""

import math
import operator

import numpy as np
import pytest

import autograd as ag
from autograd import (
    Value,
    grad,
    hvp,
    jacobian,
    jit,
    jvp,
    trace,
    value_and_grad,
    vjp,
    vmap,
)
from autograd.errors import EscapedError


def kept_by(run):
    """A number that the function kept while ``run`` called it."""
    kept = []

    def square(x):
        kept.append(x * 1.0)
        return x * x

    run(square)
    return kept[0]


KEEPERS = {
    "grad(square)": lambda f: grad(f)(2.0),
    "jvp(square)": lambda f: jvp(f, (2.0,), (1.0,)),
    "vjp(square)": lambda f: vjp(f, 2.0),
    "jit(square)": lambda f: jit(f)(2.0),
}
USES = {
    "an operator": lambda x: x + 1.0,
    "reflected": lambda x: 1.0 - x,
    "a function": lambda x: ag.exp(x),
    "a method": lambda x: x.tanh(),
    "a sum": lambda x: ag.sum([x, 2.0]),
    "numpy": lambda x: np.exp(x),
    "numpy's maximum": lambda x: np.maximum(x, 1.0),
    "an array": lambda x: np.array([1.0, 2.0]) * x,
    "a comparison": lambda x: x < 1.0,
    "equality": lambda x: x == 1.0,
    "its truth": lambda x: bool(x),
    "with a Value": lambda x: Value(2.0) * x,
    "another transform": lambda x: grad(lambda t: t * x)(2.0),
    "returned by another": lambda x: grad(lambda t: x)(2.0),
    "returned by value_and_grad": lambda x: value_and_grad(lambda t: x)(2.0),
    "returned by jvp": lambda x: jvp(lambda t: [t, x], (2.0,), (1.0,)),
    "returned by vjp": lambda x: vjp(lambda t: [t, x], 2.0),
    "an argument": lambda x: grad(lambda t: t * t)(x),
    "a tangent": lambda x: jvp(lambda t: t * t, (2.0,), (x,)),
    "traced": lambda x: trace(lambda t: t * x, 2.0),
    "compiled": lambda x: jit(lambda t: t * x)(2.0),
    "returned compiled": lambda x: jit(lambda t: x)(2.0),
    "mapped": lambda x: vmap(lambda t: t * x)(np.ones(3)),
}


@pytest.mark.parametrize("use", USES)
@pytest.mark.parametrize("name", KEEPERS)
def test_every_later_use_names_the_transform(name, use):
    x = kept_by(KEEPERS[name])
    with pytest.raises(EscapedError) as caught:
        USES[use](x)
    assert name in str(caught.value)
    assert "return it" in str(caught.value)
    assert repr(x)  # a debugger may look


def test_an_iterate_that_is_kept_between_calls():
    """Newton's method that starts where the last call ended."""
    state = {"start": 1.0}

    def newton(a):
        x = state["start"]
        for _ in range(5):
            x = 0.5 * (x + a / x)
        state["start"] = x
        return x

    assert math.isclose(grad(newton)(2.0), 0.5 / math.sqrt(2.0))
    with pytest.raises(EscapedError, match=r"grad\(newton\)"):
        grad(newton)(2.0)
    with pytest.raises(EscapedError, match=r"grad\(newton\)"):
        newton(2.0)


def test_a_memo_inside_an_outer_derivative():
    """Its entries belong to the call that made them, within which they are good."""
    memo = {}

    def square(x):
        key = "square"
        if key not in memo:
            memo[key] = x * x
        return memo[key]

    assert grad(lambda x: square(x) + grad(lambda t: t * square(x))(1.0))(3.0) == 12.0
    with pytest.raises(EscapedError):
        grad(square)(3.0)


def test_a_level_closes_when_its_function_raises():
    kept = []

    def fails(x):
        kept.append(x)
        raise KeyError("no")

    for run in (lambda: grad(fails)(1.0), lambda: jit(fails)(1.0)):
        with pytest.raises(KeyError):
            run()
    for x in kept:
        with pytest.raises(EscapedError):
            operator.add(x, 1.0)


def test_what_a_transform_returns_is_good():
    _, pull = vjp(lambda x: [x * x, 3.0 * x], 2.0)
    assert pull([1.0, 1.0]) == (7.0,)
    inner = grad(lambda x: grad(lambda y: x * y * y)(x))
    assert inner(3.0) == 12.0
    assert hvp(lambda x: x[0] ** 3)([2.0], [1.0]) == [12.0]
    assert jacobian(lambda x: [x[0] * x[1]])([2.0, 3.0]) == [[3.0, 2.0]]
    # a pull of an outer number, used inside its own transform
    assert grad(lambda x: vjp(lambda y: x * y * y, x)[1](1.0)[0])(3.0) == 12.0
