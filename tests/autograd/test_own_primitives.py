"""Users' own primitives: what they return is checked, and named when it is wrong."""

import numpy as np
import pytest

from autograd import (
    Primitive,
    Value,
    gradient,
)


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


def test_rules_of_plain_numbers_are_not_asked():
    def refuse(*_):
        raise NotImplementedError

    power = Primitive(
        "mypow", lambda x, n: x**n, lambda x, n, r: n * x ** (n - 1), refuse
    )
    x = Value(-2.0)
    power(x, 2.0).backward()
    assert x.grad == -4.0


@pytest.mark.parametrize("partials", [{0: 3.0, 1: 2.0}, {3.0, 2.0}, "32", 3.0])
def test_partials_that_are_no_sequence_are_named(partials):
    row = Primitive("odd", lambda a, b: a * b, joint=lambda *_: partials, arity=2)
    with pytest.raises(TypeError, match="'odd'"):
        row(Value(2.0), Value(3.0)).backward()
    if isinstance(partials, float):
        a = Value(2.0)
        with pytest.raises(TypeError, match="'odd'"):
            gradient(row(a, Value(3.0)), a)
