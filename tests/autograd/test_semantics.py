"""The semantics table, row by row: values and gradients at kinks, poles and ties."""

import itertools
import math
from math import inf

import pytest
from semantics import CASES

import autograd as ag
from autograd import Value, gradient
from autograd.errors import DataError, StaleValueError
from autograd.transforms.gradients import grad, jvp


def same(a, b):
    return a == b or (math.isnan(a) and math.isnan(b))


def by_reverse(f, xs):
    return [grad(f, i)(*xs) for i in range(len(xs))]


def by_forward(f, xs):
    unit = [[float(i == j) for j in range(len(xs))] for i in range(len(xs))]
    return [jvp(f, xs, direction)[1] for direction in unit]


def by_sweep(f, xs):
    nodes = [Value(x) for x in xs]
    f(*nodes).backward()
    return [node.grad for node in nodes]


def by_tape(f, xs):
    nodes = [Value(x) for x in xs]
    return [g.data for g in gradient(f(*nodes), nodes, create_graph=True)]


MODES = [by_reverse, by_forward, by_sweep, by_tape]


@pytest.mark.parametrize("mode", MODES, ids=lambda mode: mode.__name__)
@pytest.mark.parametrize("case", CASES)
def test_value_and_gradient(case, mode):
    f, xs, value, slopes = CASES[case]
    assert same(f(*[Value(x) for x in xs]).data, value)
    found = mode(f, xs)
    assert all(same(a, b) for a, b in zip(found, slopes, strict=True)), found


def test_the_guard_acts_where_the_exact_zero_is():
    """In reverse a zero cotangent, in forward a zero tangent, beats a singular partial.

    Where the zero is on the other side, the product is IEEE's: NaN.
    """
    reverse = [by_reverse, by_sweep, by_tape]
    for f in (lambda x: 0.0 * ag.sqrt(x), lambda x: 0.0 * x**0.5):
        assert [mode(f, [0.0]) for mode in reverse] == [[0.0]] * 3
        assert math.isnan(by_forward(f, [0.0])[0])
    for mode in reverse:
        assert math.isnan(mode(lambda x: ag.sqrt(x * x), [0.0])[0])
    assert by_forward(lambda x: ag.sqrt(x * x), [0.0]) == [0.0]


def test_accurate_in_the_tails():
    """1 - tanh^2 loses every digit at 20; PyTorch and JAX lose sigmoid'(30)."""
    import mpmath as mp

    with mp.workdps(50):
        sech2 = float(mp.sech(20) ** 2)
        logistic = float(mp.exp(-30) / (1 + mp.exp(-30)) ** 2)
    assert math.isclose(grad(ag.tanh)(20.0), sech2, rel_tol=1e-15)
    assert math.isclose(grad(ag.sigmoid)(30.0), logistic, rel_tol=1e-15)


def test_empty_sequences():
    assert ag.sum([]) == 0.0
    assert ag.prod([]) == 1.0
    assert ag.dot([], []) == 0.0
    bias = Value(2.0)
    assert ag.dot([], [], bias).data == 2.0
    assert ag.logsumexp([]) == -inf
    for empty in (ag.maximum, ag.minimum, ag.mean):
        with pytest.raises(DataError, match="empty"):
            empty([])


def test_backward_twice_accumulates_leaves_and_resets_the_interior():
    x = Value(3.0)
    y = x * x
    z = y * y
    z.backward()
    first = x.grad, y.grad
    z.backward()
    assert (x.grad, y.grad) == (2 * first[0], first[1])


def test_a_leafs_own_backward():
    x = Value(3.0)
    x.backward()
    x.backward()
    assert x.grad == 2.0


def test_a_gradient_set_to_int_or_none_is_taken_as_a_number():
    x = Value(3.0)
    for start in (0, None, 1):
        x.grad = start
        (x * x).backward()
        assert x.grad == 6.0 + (start or 0)


def test_first_order_uses_the_operands_of_the_forward_pass():
    x = Value(3.0)
    y = x * x
    x.data = 100.0
    y.backward()
    assert x.grad == 6.0
    assert gradient(y, x) == 6.0
    with pytest.raises(StaleValueError, match=r"3\.0"):
        gradient(y, x, create_graph=True)


def test_in_place_addition_rebinds():
    p = q = Value(1.0)
    p += 2.0
    assert (p.data, q.data) == (3.0, 1.0)
    assert p is not q


def test_sums_are_plain_and_left_to_right():
    tenths = [0.1] * 10
    assert ag.sum(tenths) == 0.9999999999999999  # math.fsum and Python 3.12 give 1.0
    assert ag.dot([1e16, 1.0, -1e16], [1.0] * 3) == 0.0
    assert ag.dot([1e16, 1.0, -1e16], [1.0] * 3, 0.5) == 0.0


def test_the_same_program_twice_gives_the_same_bits():
    def run():
        xs = [Value(math.sin(i)) for i in range(50)]
        y = ag.logsumexp([ag.tanh(a * b + c) for a, b, c in zip(xs, xs[1:], xs[2:])])
        y.backward()
        return y.data.hex(), [x.grad.hex() for x in xs]

    assert run() == run()


GOLDEN = "0x1.2c2789e88e473p+2", "0x1.e5a7e3d726524p-3"


def test_golden_bits():
    """The same on every Python version: no compensated sum, no reordering.

    Only arithmetic takes part, so that the bits do not depend on a libm.
    """
    xs = [Value(1.0 / (i + 3.0)) for i in range(60)]
    y = ag.dot(xs, xs[::-1], xs[0]) + ag.sum(
        [x / (y + 1.0) for x, y in itertools.pairwise(xs)]
    )
    y = y + ag.prod([1.0 + x * x for x in xs[:8]])
    y.backward()
    assert (y.data.hex(), (xs[7].grad - xs[9].grad).hex()) == GOLDEN
