"""Users' own primitives in compiled functions."""

import compiled_functions as functions
import pytest
from jit_cases import close
from tiers import BACKENDS

import autograd as ag
from autograd import (
    Primitive,
    hessian,
    jit,
    value_and_grad,
)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("count", [1, 3, 20])
def test_users_elementwise_rows(count, backend):
    def f(xs):
        return ag.sum([functions.cube(x) * x for x in xs])

    xs = [0.5 * k - 1.0 for k in range(count)]
    compiled = jit(value_and_grad(f), backend=backend)
    close(list(compiled(xs)), list(value_and_grad(f)(xs)))
    close(
        jit(hessian(f), backend=backend)(xs[:2]),
        hessian(f)(xs[:2]),
    )
    assert "cube" in compiled.report()


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("count", [1, 2, 5])
def test_users_rows_of_many_operands(count, backend):
    def f(ws, xs):
        return functions.weighted(ws, xs) * xs[0]

    ws, xs = [1.0 + k for k in range(count)], [0.5 * k - 1.0 for k in range(count)]
    compiled = jit(value_and_grad(f, (0, 1)), backend=backend)
    close(list(compiled(ws, xs)), list(value_and_grad(f, (0, 1))(ws, xs)))
    assert "weighted" in compiled.report()


@pytest.mark.parametrize("backend", BACKENDS)
def test_users_rows_of_three_operands(backend):
    lerp = Primitive(
        "lerp",
        lambda a, b, t: a + t * (b - a),
        lambda a, b, t, z: 1.0 - t,
        lambda a, b, t, z: t,
        lambda a, b, t, z: b - a,
    )
    f = jit(
        value_and_grad(lambda a, b, t: lerp(a, b, t) * t, (0, 1, 2)), backend=backend
    )
    assert f(1.0, 3.0, 0.5) == (1.0, (0.25, 0.25, 3.0))


@pytest.mark.parametrize("backend", BACKENDS)
def test_users_rows_that_raise(backend):
    def refuse(x):
        if x < 0:
            raise ValueError("below zero")
        return x

    picky = Primitive("picky", refuse, lambda x, y: 1.0)
    f = jit(lambda x: picky(x) * 2.0, backend=backend)
    assert f(1.0) == 2.0
    with pytest.raises(ValueError, match="below zero"):
        f(-1.0)
    assert f(3.0) == 6.0
    with pytest.raises(ValueError, match="below zero"):
        f(-1.0)
    assert f(3.0) == 6.0


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("result", ["text", None, 1j, [1.0]])
def test_users_rows_that_return_no_number(result, backend):
    odd = Primitive("odd", lambda x: result if x > 5 else x, lambda x, y: 1.0)
    f = jit(lambda x: odd(x) * 2.0, backend=backend)
    assert f(1.0) == 2.0
    with pytest.raises((TypeError, ValueError)):
        f(9.0)
    assert f(1.0) == 2.0


@pytest.mark.parametrize("backend", BACKENDS)
def test_users_rows_that_shadow_the_table(backend):
    """A row of your own is your own, whatever its name."""
    tanh = Primitive("tanh", lambda x: x + 1.0, lambda x, y: 1.0)
    total = Primitive(
        "sum", lambda xs: xs[0], joint=lambda xs, z: ([1.0, *[0.0] * (len(xs) - 1)],)
    )
    maximum = Primitive(
        "maximum", lambda xs: -1.0, joint=lambda xs, z: ([0.0] * len(xs),)
    )

    def f(x):
        return tanh(x) + ag.tanh(x) + total([x, 5.0]) + maximum([x, 7.0])

    found = jit(value_and_grad(f), backend=backend)(0.5)
    close(list(found), list(value_and_grad(f)(0.5)))
