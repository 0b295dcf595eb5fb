"""Tracing: what a function writes down, what it may not ask, and what runs it again."""

import math
import random
from dataclasses import replace

import numpy as np
import pytest
from tiers import bits

import autograd as ag
from autograd import TraceError, Value, grad, jit, jvp, trace
from autograd.compiler.trace.program import CODE, CONSTANT, INPUT, ranges
from autograd.compiler.trace.trace import record
from autograd.errors import EscapedError


def mixed(x, y):
    z = ag.dot([x, y, 2.0], [y, x, x], 0.5)
    return ag.where(x > y, ag.tanh(z) * x, ag.logsumexp([x, y, z])) - abs(y) ** 3


POINTS = [(0.7, 1.3), (1.3, 0.7), (-0.5, 0.25)]


# -- Programs ------------------------------------------------------------------------


def test_a_program_is_a_struct_of_arrays():
    program = trace(lambda x, y: x * y + 1.0, 2.0, 3.0)
    assert program.code.tolist() == [
        *(INPUT, INPUT, CODE["multiply"], CONSTANT, CODE["add"])
    ]
    assert program.first.tolist() == [0, 1, 0, 0, 2]
    assert program.second.tolist() == [-1, -1, 1, -1, 3]
    assert program.constants.tolist() == [1.0]
    assert (program.inputs, program.outputs.tolist(), len(program)) == (2, [4], 5)
    assert program.computed.tolist() == [False, False, True, False, True]
    assert program.operands_of(4) == [2, 3]
    assert program.operands_of(0) == []
    users, used = program.edges()
    assert sorted(zip(users.tolist(), used.tolist())) == [
        (2, 0),
        (2, 1),
        (4, 2),
        (4, 3),
    ]


def test_printing():
    program = trace(lambda xs: ag.sum([xs[0], 0.5, -xs[1]]), [1.0, 2.0])
    assert str(program).splitlines() == [
        "program of 5 instructions, 2 inputs",
        "  %0 = input 0",
        "  %1 = input 1",
        "  %2 = negative %1",
        "  %3 = 0.5",
        "  %4 = sum %0 %3 %2",
        "  return %4",
    ]


def test_printing_of_a_long_program_is_short():
    program = trace(lambda xs: [ag.sin(x) for x in xs], [0.0] * 5000)
    text = str(program)
    assert len(text.splitlines()) < 210
    assert "and 9800 more" in text
    assert "and 4950 more" in text


@pytest.mark.parametrize("point", POINTS)
def test_a_program_runs_on_floats_as_the_function_does(point):
    program = trace(mixed, 0.0, 0.0)
    assert bits(program(*point)) == bits([mixed(*point)])


@pytest.mark.parametrize("point", POINTS)
def test_a_program_runs_on_values(point):
    program = trace(mixed, 0.0, 0.0)
    found, expected = ([Value(x) for x in point] for _ in range(2))
    program(*found)[0].backward()
    mixed(*expected).backward()
    assert bits([x.grad for x in found]) == bits([x.grad for x in expected])


@pytest.mark.parametrize("point", POINTS)
def test_a_program_runs_on_duals_and_lifted_numbers(point):
    program = trace(mixed, 0.0, 0.0)

    def again(*xs):
        return program(*xs)[0]

    for i in range(2):
        assert grad(again, i)(*point) == grad(mixed, i)(*point)
        second = grad(grad(again, i), i)(*point)
        assert second == grad(grad(mixed, i), i)(*point)
    for v in ((1.0, 0.0), (0.5, -2.0)):
        assert bits(jvp(again, point, v)) == bits(jvp(mixed, point, v))


def test_a_program_can_be_traced_again():
    program = trace(mixed, 0.0, 0.0)
    again = trace(lambda x, y: program(x, y)[0], 0.0, 0.0)
    assert str(again) == str(program)


def test_a_trace_of_a_trace_is_a_number_of_its_own():
    """Tracing inside tracing: the inner trace sees the outer's numbers as Values."""

    def outer(x):
        inner = trace(lambda y: y * y + 1.0, 0.0)
        return inner(x)[0] * x

    assert trace(outer, 0.0)(3.0) == [30.0]


def test_a_trace_of_derivatives():
    program = trace(grad(lambda x: x**3), 2.0)
    assert program(2.0) == pytest.approx([12.0])
    program = trace(lambda x: jvp(ag.sin, (x,), (1.0,))[1], 0.0)
    assert program(0.5) == [math.cos(0.5)]


def test_trees_of_arguments_and_of_results():
    def f(point, weights):
        return {"a": point["x"] * weights[0], "b": [point["y"], (weights[1][0], 3)]}

    program = trace(f, {"x": 1.0, "y": 2.0}, [3.0, np.array([4.0, 5.0])])
    assert program.inputs == 5
    assert program(1.0, 2.0, 3.0, 4.0, 5.0) == [3.0, 2.0, 4.0, 3.0]


def test_the_number_of_inputs_is_checked():
    program = trace(mixed, 0.0, 0.0)
    for numbers in ((), (1.0,), (1.0, 2.0, 3.0)):
        with pytest.raises(TraceError, match="2 inputs"):
            program(*numbers)


@pytest.mark.parametrize("xs", [[], [1.0]])
def test_empty_and_single_sequences(xs):
    program = trace(lambda xs: [ag.sum(xs), ag.prod(xs), ag.dot(xs, xs)], xs)
    assert program(*xs) == [ag.sum(xs), ag.prod(xs), ag.dot(xs, xs)]


def test_nothing_computed():
    assert trace(lambda x: x, 1.0)(5.0) == [5.0]
    assert trace(lambda x: 2, 1.0)(5.0) == [2.0]
    assert trace(lambda x: [], 1.0)(5.0) == []
    assert trace(lambda: 3.5)() == [3.5]


def test_a_sum_of_many_operands_is_one_instruction():
    program = trace(lambda xs: ag.sum(xs), [0.0] * 1000)
    assert len(program) == 1001
    assert program.operands_of(1000) == list(range(1000))


# -- Damaged programs ----------------------------------------------------------------


def damaged(**changes):
    program = trace(lambda x, y: ag.sum([x * y, x, 2.0]), 0.0, 0.0)
    arrays = {}
    for name, change in changes.items():
        old = getattr(program, name)
        if isinstance(change, tuple):
            place, number = change
            old = old.copy()
            old[place] = number
            change = old
        arrays[name] = change
    return replace(program, **arrays)


def test_the_undamaged_program_is_valid():
    # %0 %1 inputs, %2 multiply, %3 = 2.0, %4 sum of %2 %0 %3
    program = damaged()
    assert program.validate() is program


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"code": (2, 1000)}, "unknown row"),
        ({"code": (2, -3)}, "unknown row"),
        ({"first": (2, 2)}, "computed later"),
        ({"first": (2, 4)}, "computed later"),
        ({"second": (2, 3)}, "computed later"),
        ({"first": (2, -1)}, "computed later"),
        ({"operands": (0, 4)}, "computed later"),
        ({"operands": (1, 99)}, "computed later"),
        ({"operands": (1, -1)}, "computed later"),
        ({"first": (3, 1)}, "constant"),
        ({"first": (3, -1)}, "constant"),
        ({"constants": np.zeros(0)}, "constant"),
        ({"first": (0, 2)}, "input"),
        ({"first": (1, -1)}, "input"),
        ({"inputs": 1}, "input"),
        ({"outputs": (0, 5)}, "output"),
        ({"outputs": (0, -1)}, "output"),
        ({"second": (2, -1)}, "arity"),
        ({"code": (2, CODE["sin"])}, "arity"),
    ],
)
def test_damaged_programs_are_refused(changes, what):
    with pytest.raises(TraceError, match=what):
        damaged(**changes).validate()


@pytest.mark.parametrize(
    "changes",
    [
        {"operands": np.zeros(2, np.int64)},  # too short for the sum
        {"first": (4, 7)},  # begins behind its end
        {"first": (4, -2)},
        {"second": (4, 4)},  # is longer than they are
        {"second": (4, -1)},
    ],
)
def test_operands_beside_the_list_are_refused(changes):
    with pytest.raises(TraceError):
        damaged(**changes).validate()


@pytest.mark.parametrize("name", ["code", "first", "second"])
def test_arrays_of_different_lengths_are_refused(name):
    program = damaged()
    with pytest.raises(TraceError):
        replace(program, **{name: getattr(program, name)[:-1]}).validate()


def test_groups_of_a_row_must_divide_its_operands():
    program = trace(lambda xs: ag.dot(xs, xs), [1.0, 2.0])
    second = program.second.copy()
    second[-1] = 3
    with pytest.raises(TraceError):
        replace(program, second=second).validate()


def test_ranges():
    starts, lengths = np.array([5, 20, 7]), np.array([3, 0, 2])
    assert ranges(starts, lengths).tolist() == [5, 6, 7, 7, 8]
    assert ranges(starts[:0], lengths[:0]).tolist() == []


# -- What a traced function may not do -----------------------------------------------


@pytest.mark.parametrize(
    "f",
    [
        lambda x: x if x > 0 else -x,
        lambda x: x and 1.0,
        lambda x: not x,
        lambda x: max(x, 1.0),
        lambda x: min([x, 2.0]),
        lambda x: sorted([x, 1.0])[0],
        lambda x: [y for y in (x, 1.0) if y == 1.0],
        lambda x: any([x > 1]),
        lambda x: x > 0 and x < 1,
    ],
)
def test_truth_values_name_where(f):
    with pytest.raises(TraceError, match="where"):
        trace(f, 1.0)


@pytest.mark.parametrize(
    "f",
    [
        lambda x: [1.0, 2.0][x],
        lambda x: sum(range(x)),
        lambda x: [0.0] * x,
    ],
)
def test_indices_name_take_and_static(f):
    with pytest.raises(TraceError, match="take") as caught:
        trace(f, 1.0)
    assert "static" in str(caught.value)


@pytest.mark.parametrize(
    "f", [lambda x: x.data * 2.0, lambda x: setattr(x, "data", 1.0)]
)
def test_data_is_refused(f):
    with pytest.raises((TraceError, AttributeError), match="data"):
        trace(f, 1.0)


@pytest.mark.parametrize("convert", [float, int, math.sin, complex, round])
def test_conversions_are_refused(convert):
    with pytest.raises(TraceError, match="become a float") as caught:
        trace(lambda x: convert(x), 1.0)
    assert ".data" not in str(caught.value)


def test_a_traced_number_has_no_digits():
    with pytest.raises(TraceError, match="format the results"):
        trace(lambda x: [x, f"{x:.2f}"], 1.0)
    seen = []
    trace(lambda x: [seen.append(f"{x}"), x][1], 1.0)
    assert "Tracer" in seen[0]


def test_numbers_put_into_arrays_of_floats():
    def filled(xs):
        squares = np.zeros(2)
        squares[0] = xs[0] ** 2
        return squares[0]

    with pytest.raises(TraceError, match="dtype=object"):
        trace(filled, [1.0])
    with pytest.raises(TypeError, match="dtype=object"):
        filled([ag.Value(1.0)])


@pytest.mark.parametrize(
    "draw", [random.random, np.random.rand, lambda: random.gauss(0, 1)]
)
def test_random_numbers_are_refused(draw):
    def noisy(x):
        return x + draw()

    with pytest.raises(TraceError, match="noisy drew random numbers"):
        trace(noisy, 1.0)
    with pytest.raises(TraceError, match="pass them as arguments"):
        jit(noisy)(1.0)


def test_a_generator_of_ones_own_is_not_noticed():
    assert trace(lambda x: x + random.Random(3).random(), 1.0).inputs == 1


def test_the_limit_is_a_clear_error():
    def long(x):
        for _ in range(1000):
            x = x * 1.5 + x
        return x

    with pytest.raises(TraceError, match="100 instructions"):
        trace(long, 1.0, limit=100)
    for way in ("vmap", "limit="):
        with pytest.raises(TraceError, match=way):
            jit(long, limit=500)(1.0)
    assert len(trace(long, 1.0, limit=3000)) < 3000


@pytest.mark.parametrize(
    "step", [lambda x: -x, ag.tanh, lambda x: ag.sum([x, x]), lambda x: 2.0**x]
)
def test_the_limit_holds_for_every_way_to_write(step):
    def long(x):
        for _ in range(200):
            x = step(x)
        return x

    with pytest.raises(TraceError, match="longer than 100"):
        trace(long, 1.0, limit=100)


def test_a_tracer_that_escapes_is_refused():
    kept = []
    trace(lambda x: kept.append(x) or x, 1.0)
    with pytest.raises((TraceError, TypeError)):
        float(kept[0])
    with pytest.raises(EscapedError):
        trace(lambda x: x + kept[0], 1.0)


@pytest.mark.parametrize("result", ["text", None, 1j, object(), [1.0, "text"]])
def test_results_must_be_numbers(result):
    with pytest.raises((TraceError, TypeError)):
        trace(lambda x: result, 1.0)


@pytest.mark.parametrize("operand", ["text", None, 1j, [1.0]])
def test_operands_must_be_numbers(operand):
    with pytest.raises(TypeError):
        trace(lambda x: x + operand, 1.0)
    with pytest.raises(TypeError):
        trace(lambda x: operand * x, 1.0)


def test_sequences_of_different_lengths_are_refused():
    with pytest.raises(ag.ShapeError):
        trace(lambda xs: ag.dot(xs, xs[:1]), [1.0, 2.0])


# -- Values from outside -------------------------------------------------------------


def test_closed_over_values_are_inputs():
    w = Value(3.0)
    program = trace(lambda x: x * w + w, 2.0)
    assert program.inputs == 2
    assert program(2.0, 10.0) == [30.0]
    _, source = record(lambda x: x * w, (2.0,)).sources
    assert source.kind == "value" and source.data is w


def test_closed_over_values_are_read_at_each_call():
    w = Value(3.0)
    f = jit(lambda x: x * w)
    assert f(2.0).data == 6.0
    w.data = 10.0
    assert f(2.0).data == 20.0
    f(2.0).backward()
    assert w.grad == 2.0


def test_numbers_computed_from_closed_over_values_are_fresh_too():
    """Values meet each other inside the function, before any argument does."""
    w, b = Value(2.0), Value(0.5)
    f = jit(lambda x: w * w * x + ag.tanh(b) + ag.dot([w, b], [b, 1.0]))

    def expected(x):
        return w * w * x + ag.tanh(b) + ag.dot([w, b], [b, 1.0])

    for data in (2.0, 3.0, -1.0):
        w.data, b.data = data, data / 2
        w.grad = b.grad = 0.0
        y = f(1.5)
        assert y.data == pytest.approx(expected(1.5).data)
        y.backward()
        found = w.grad, b.grad
        w.grad = b.grad = 0.0
        expected(1.5).backward()
        assert found == pytest.approx((w.grad, b.grad))


def test_nodes_made_before_the_trace():
    """An interior node from outside keeps its path to the leaves."""
    w = Value(2.0)
    node = w * w
    f = jit(lambda x: node * x)
    y = f(3.0)
    assert y.data == 12.0
    y.backward()
    assert w.grad == 12.0


def test_constants_are_shared_and_signed_zeros_are_not():
    program = trace(lambda x: [x + 0.0, x * -0.0, x - 0.0, x / 2.0, x * 2], 1.0)
    assert sorted(map(str, program.constants.tolist())) == ["-0.0", "0.0", "2.0"]


def test_nan_constants():
    program = trace(lambda x: [x + math.nan, x * math.nan, x - math.inf], 1.0)
    assert bits(program(1.0)) == ["nan", "nan", "-inf"]


@pytest.mark.parametrize(
    "number", [2, True, np.float32(2.0), np.int64(2), np.array(2.0)]
)
def test_numbers_of_all_kinds_are_baked_in(number):
    program = trace(lambda x: number * x + number, 1.0)
    assert program(3.0) == [float(number) * 3.0 + float(number)]


# -- Conditions ----------------------------------------------------------------------

CONDITIONS = {
    "less": lambda x, y: x < y,
    "less or equal": lambda x, y: x <= y,
    "greater": lambda x, y: x > y,
    "greater or equal": lambda x, y: x >= y,
    "equal": lambda x, y: ag.equal(x, y),
    "not equal": lambda x, y: ag.not_equal(x, y),
    "a number": lambda x, y: x - y,
    "both": lambda x, y: (x > 0) * (y > 0),
    "with a constant": lambda x, y: 0.5 < x,
    "equal to a constant": lambda x, y: x == 1.0,
    "not equal to a constant": lambda x, y: x != 1.0,
}


@pytest.mark.parametrize("name", CONDITIONS)
def test_conditions_choose(name):
    def f(x, y):
        return ag.where(CONDITIONS[name](x, y), x * 10.0, y * 100.0)

    program = trace(f, 0.0, 0.0)
    numbers = [0.0, 1.0, -1.0, 0.5, math.nan, math.inf]
    for x in numbers:
        for y in numbers:
            assert bits(program(x, y)) == bits([f(x, y)])


def test_equality_of_tracers_is_a_condition():
    """It is not known yet, whichever objects they are."""
    program = trace(lambda x, y: (x == y) + 2.0 * (x != y) + 4.0 * (x == x), 1.0, 2.0)
    assert program(1.0, 2.0) == [6.0]
    assert program(2.0, 2.0) == [5.0]
    with pytest.raises(TraceError, match="where"):
        trace(lambda x: 1.0 if x == 1.0 else 0.0, 1.0)


def test_tracers_have_the_methods_of_values():
    names = ["exp", "tanh", "sqrt", "relu", "sigmoid", "arctan2", "hypot", "asin"]
    for name in names:
        assert hasattr(Value(1.0), name)
        two = name in ("arctan2", "hypot")
        program = trace(
            lambda x, name=name, two=two: getattr(x, name)(*([2.0] if two else [])),
            1.0,
        )
        expected = getattr(ag, name)(0.5, *([2.0] if two else []))
        assert program(0.5) == [expected]


def test_numpy_functions_of_tracers():
    program = trace(lambda x: np.exp(x) + np.sum(np.array([x, x * 2.0])), 1.0)
    assert program(0.5) == [math.exp(0.5) + 1.5]


def test_python_numbers_on_both_sides():
    def f(x):
        return [2 - x, 2 / x, 2**x, 7 % x, 7 // x, x // 2, x % 2, -x, +x, abs(x), x - 2]

    assert trace(f, 1.0)(1.5) == f(1.5)


def test_a_trace_that_is_given_up_leaves_the_generators_where_they_stood():
    def draws(x):
        return x * random.random() + np.random.random()

    def draws_and_fails(x):
        return 1.0 if x * random.random() > 0 else 0.0

    for f in (draws, draws_and_fails):
        random.seed(3), np.random.seed(3)
        wanted = random.random(), np.random.random()
        random.seed(3), np.random.seed(3)
        with pytest.raises(TraceError):
            trace(f, 1.0)
        assert (random.random(), np.random.random()) == wanted
