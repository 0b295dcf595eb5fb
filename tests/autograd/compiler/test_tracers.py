"""Tracers in C and in Python write the same programs, and refuse alike."""

import gc
import math
from fractions import Fraction

import numpy as np
import pytest

import autograd as ag
from autograd import TraceError, Value, jit
from autograd.compiler.trace.program import CODE, CONSTANT
from autograd.compiler.trace.tracer import Source, Trace, Tracer
from autograd.errors import EscapedError
from autograd.numbers.operators import METHODS


def traced(count=3, limit=10_000):
    trace = Trace(limit)
    return trace, trace.inputs(Source("numbers", 0), count)


def written(trace):
    return [np.frombuffer(x, np.int64).tolist() for x in trace.written()]


BINARY = {
    "add": lambda x, y: x + y,
    "subtract": lambda x, y: x - y,
    "multiply": lambda x, y: x * y,
    "divide": lambda x, y: x / y,
    "floor_divide": lambda x, y: x // y,
    "remainder": lambda x, y: x % y,
    "power": lambda x, y: x**y,
    "less": lambda x, y: x < y,
    "equal": lambda x, y: x == y,
}


@pytest.mark.parametrize("name", BINARY)
@pytest.mark.parametrize(
    "other",
    [2.5, 3, True, -0.0, 0, np.float64(0.5), Fraction(1, 4), math.inf, 2**70],
    ids=repr,
)
def test_plain_numbers_are_baked_in_once(name, other):
    trace, (x, *_) = traced()
    first = BINARY[name](x, other)
    assert type(first) is Tracer
    codes, firsts, seconds = written(trace)
    assert codes[-1] == CODE[name]
    assert (firsts[-1], seconds[-1]) == (x.index, 3)
    assert trace.constants == [float(other)]
    again = BINARY[name](x, other)
    assert again.index == first.index + 1
    assert len(trace.constants) == 1


@pytest.mark.parametrize("name", [n for n in BINARY if n not in ("less", "equal")])
def test_reflected(name):
    trace, (x, *_) = traced()
    for other in (2.5, 3, Fraction(1, 4)):
        BINARY[name](other, x)
        codes, firsts, seconds = written(trace)
        assert codes[-1] == CODE[name]
        assert seconds[-1] == x.index
        assert trace.constants[-1] == float(other)
        assert codes[firsts[-1]] == CONSTANT


def test_zeros_keep_their_signs():
    trace, (x, *_) = traced()
    assert [x + 0.0, x + -0.0, x + 0, x - 0.0]
    assert [math.copysign(1.0, c) for c in trace.constants] == [1.0, -1.0]


@pytest.mark.parametrize("name", [n for n, p in METHODS.items() if p.arity == 1])
def test_methods(name):
    trace, (x, *_) = traced()
    y = getattr(x, name)()
    codes, firsts, seconds = written(trace)
    assert (codes[-1], firsts[-1], seconds[-1]) == (CODE[METHODS[name].name], 0, -1)
    assert (y.index, y.trace) == (3, trace)


def test_unary_operators():
    trace, (x, *_) = traced()
    _ = [-x, abs(x), math.floor(x), math.ceil(x), math.trunc(x), +x]
    names = ["negative", "absolute", "floor", "ceil", "trunc"]
    assert written(trace)[0][3:] == [CODE[name] for name in names]


def test_what_is_no_operand():
    _, (x, *_) = traced()
    for other in ("text", None, [1.0], object()):
        with pytest.raises(TypeError):
            _ = x + other
        with pytest.raises(TypeError):
            _ = other * x
    with pytest.raises(TypeError):
        pow(x, 2.0, 3.0)
    with pytest.raises(OverflowError):
        _ = x * 10**400


def test_values_are_read_again_at_every_call():
    w = Value(2.0)
    f = jit(lambda x: w * x + x * w - w)
    assert f(3.0).data == 10.0
    w.data = 3.0
    assert f(3.0).data == 15.0


def test_the_limit_and_the_end():
    trace, (x, *_) = traced(limit=5)
    y = x + x
    _ = y + y
    with pytest.raises(TraceError, match="longer than 5"):
        _ = y * y
    with pytest.raises(TraceError, match="longer than 5"):
        trace.inputs(Source("numbers", 1), 2)
    with Trace(100) as other:
        (z,) = other.inputs(Source("numbers", 0), 1)
        z = z * 2.0
    for late in (
        lambda: z + 1.0,
        lambda: -z,
        lambda: z.exp(),
        lambda: ag.dot([z], [z]),
    ):
        with pytest.raises(EscapedError):
            late()


def test_many_operands():
    trace, xs = traced(4)
    y = ag.dot(xs, [1.0, 2.0, xs[0], 1.0], xs[1])
    assert y.trace is trace
    assert trace.indices([*xs, 1.0]) == [0, 1, 2, 3, 4]
    assert trace.indices([xs[0], "a"]) is None
    _, (other, *_) = traced()
    assert trace.indices([other]) is None
    assert Tracer.alone([1.0, xs[0], xs[1]]).trace is trace
    assert Tracer.alone([xs[0], other]) is None
    assert Tracer.alone([1.0]) is None


def test_long_programs_are_right():
    n = 20_000

    def f(xs):
        total = 0.0
        for k, x in enumerate(xs):
            total = total + x * float(k % 7) - 0.5
        return total

    xs = [0.25] * n
    assert jit(f)(xs) == pytest.approx(f(xs), rel=1e-12)


def test_tracers_die_with_their_trace():
    gc.collect()
    before = sum(isinstance(x, Trace) for x in gc.get_objects())
    for _ in range(20):
        trace, xs = traced(100)
        _ = [x * 2.0 + 1.0 for x in xs]
        trace.me = trace
    del trace, xs, _
    gc.collect()
    assert sum(isinstance(x, Trace) for x in gc.get_objects()) == before
