"""The numpy backend: its steps against the eager engine, and large arrays in place."""

import math
import random

import numpy as np
import pytest
from tiers import bits

import autograd as ag
from autograd import jit, value_and_grad, vmap
from autograd.compiler.bulk.bulk import Bulk, Map, SumOfProducts, Terms
from autograd.compiler.numpy.machine import Binding, NumpyMachine
from autograd.compiler.numpy.memory import LARGE
from autograd.compiler.numpy.primitives import EXACT, STEPS
from autograd.numbers.arrays import NUMPY
from autograd.table.primitives import TABLE

SPECIAL = [0.0, -0.0, 1.0, -1.0, 0.3, -2.5, 5e-324, -1e-310, 1e308, 40.0, -800.0]
SPECIAL += [800.0, math.inf, -math.inf, math.nan]


def machine(operations, size, inputs, constants=None, strict=False):
    """A machine and its memory."""
    bulk = Bulk(operations, size, inputs, constants or {}, np.arange(0))
    found = NumpyMachine(bulk.verify(), strict)
    return found, found.memory


def evaluated(name, columns, strict):
    """A row on columns of numbers, by the backend."""
    n, arity = len(columns[0]), len(columns)
    streams = tuple([np.arange(k * n, (k + 1) * n) for k in range(arity)])
    target = np.arange(arity * n, arity * n + n)
    run, memory = machine(
        [Map(TABLE[name], target, streams)], target[-1] + 1, arity * n, strict=strict
    )
    memory[: arity * n] = np.concatenate(columns)
    memory[target] = 7.0  # whatever an earlier run has left
    run.run()
    return memory[target].tolist()


# -- Rows ------------------------------------------------------------------------------


@pytest.mark.parametrize("strict", [False, True])
@pytest.mark.parametrize("name", sorted(STEPS))
def test_a_row_in_steps_is_the_row(name, strict):
    arity = TABLE[name].arity
    rng = random.Random(3)
    columns = [
        [rng.choice(SPECIAL) for _ in range(500)] + SPECIAL for _ in range(arity)
    ]
    found = evaluated(name, columns, strict)
    wanted = [TABLE[name].evaluate(*xs) for xs in zip(*columns, strict=True)]
    if strict or name in EXACT:
        assert bits(found) == bits(wanted)
    else:
        assert np.allclose(found, wanted, rtol=2e-15, atol=5e-324, equal_nan=True)


def test_sech2_is_accurate_everywhere():
    x = np.concatenate([np.linspace(-372.0, 372.0, 50_001), np.linspace(-2, 2, 50_001)])
    exact = np.array([TABLE["sech2"].evaluate(a) for a in x.tolist()])
    large = exact > 1e-300
    found = np.array(evaluated("sech2", [x.tolist()], False))
    for ours in (found, NUMPY["sech2"](x)):
        assert np.abs(ours / exact - 1.0)[large].max() < 8 * 2.0**-52
        assert (ours <= 1.0).all()
        assert np.allclose(ours[~large], exact[~large], rtol=0.0, atol=1e-307)


# -- Sums ------------------------------------------------------------------------------


def added(parts, numbers, n, order=None):
    """A sum of parts (sign, left, right), rows of one length; and what it should be."""
    inputs = len(numbers)
    target = inputs + (np.arange(n) if order is None else np.array(order))
    terms, wanted = [], np.zeros(n)
    for sign, left, right in parts:
        factors = tuple([np.array(x) for x in (left, right) if x is not None])
        starts = np.arange(n + 1) * (len(factors[0]) // n)
        terms.append(Terms(sign, starts, factors))
        products = np.prod([numbers[x] for x in factors], axis=0)
        wanted += sign * products.reshape(n, -1).sum(axis=1)
    run, memory = machine([SumOfProducts(target, terms)], int(target.max()) + 1, inputs)
    memory[:inputs] = numbers
    for _ in range(2):
        run.run()
        assert np.allclose(memory[target], wanted, rtol=1e-14, atol=1e-12)


def irregular(rng, count, inputs):
    return rng.integers(0, inputs, count)


@pytest.mark.parametrize("n", [1, 2, 7, 2000])
@pytest.mark.parametrize("order", ["block", "backwards", "apart", "scattered"])
@pytest.mark.parametrize("signs", [(1,), (-1,), (1, -1), (-1, -1), (1, 1, -1), (-1, 1)])
def test_sums_of_plain_parts_and_products(n, order, signs):
    rng = np.random.default_rng(n)
    numbers = rng.normal(size=4 * n + 3)
    places = {
        "block": None,
        "backwards": np.arange(n)[::-1],
        "apart": 3 * np.arange(n),
        "scattered": rng.permutation(n),
    }[order]
    streams = {
        "regular": lambda k: np.arange(n) + k,
        "still": lambda k: np.full(n, k),
        "irregular": lambda k: irregular(rng, n, len(numbers)),
    }
    for left in streams.values():
        for right in (None, *streams.values()):
            parts = [
                (s, left(k), None if right is None or k == 1 else right(k + 1))
                for k, s in enumerate(signs)
            ]
            added(parts, numbers, n, places)


@pytest.mark.parametrize("k", [1, 2, 3, 4, 5, 9, 1500])
@pytest.mark.parametrize("n", [1, 3, 20])
def test_sums_of_rows(n, k):
    """Matrix products, dot products and gathered ones; strided and transposed."""
    rng = np.random.default_rng(k)
    numbers = rng.normal(size=3 * n * k + 5)
    along, across = np.arange(n * k), np.arange(n * k).reshape(k, n).T.ravel()
    vector, wild = np.tile(np.arange(k), n), irregular(rng, n * k, len(numbers))
    for left in (along, across, 2 * along, vector, wild):
        for right in (None, along + 1, across, vector, wild):
            added([(1, left, right)], numbers, n)
            added([(-1, left, right), (1, np.arange(n), None)], numbers, n)
            added([(1, left, right)], numbers, n, 2 * np.arange(n))


def test_a_matrix_product_with_every_layout():
    m, k, n = 5, 3, 4
    numbers = np.random.default_rng(0).normal(size=100)
    i, j, x = np.indices((m, n, k)).reshape(3, -1)
    layouts = [(i * k + x), (x * m + i), (i * (k + 2) + x + 3)]
    others = [(x * n + j), (j * k + x), (j * 9 + 2 * x)]
    flipped = np.arange(m * n).reshape(m, n).T.argsort(axis=None, kind="stable")
    for left in layouts:
        for right in others:
            for order in (
                None,
                flipped,
                [a * 7 + b for a in range(m) for b in range(n)],
            ):
                added([(1, left, 40 + right)], numbers, m * n, order)


def test_a_gather_is_made_once_and_never_written_into():
    rng = np.random.default_rng(5)
    wild, other = irregular(rng, 12, 9), irregular(rng, 12, 9)
    starts = np.array([0, 5, 6, 12])
    operations = [
        SumOfProducts(np.arange(9 + 3 * k, 12 + 3 * k), [Terms(1, starts, factors)])
        for k, factors in enumerate(((wild, other), (wild, wild), (wild,)))
    ]
    run, memory = machine(operations, 18, 9)
    memory[:9] = x = rng.normal(size=9)
    run.run()
    for k, right in enumerate((x[other], x[wild], 1.0)):
        wanted = np.add.reduceat(x[wild] * right, starts[:-1])
        assert np.allclose(memory[9 + 3 * k : 12 + 3 * k], wanted, rtol=1e-14)


# -- Binding -----------------------------------------------------------------------------


def bound(outputs, numbers, buffers):
    """A call on a memory of 3 inputs and 3 results, both regions."""
    memory = np.full(6, -1.0)
    binding = Binding(memory, 3, [(0, 3), (3, 6)], outputs)
    given, stand_ins = binding.enter(numbers, buffers)
    results = binding.results(buffers, stand_ins)
    if stand_ins[1] is not None:
        stand_ins[1][:] = [7.0, 8.0, 9.0]
    else:
        memory[3:] = [7.0, 8.0, 9.0]
    binding.collect(results, stand_ins)
    assert given == 3
    return memory[:3].tolist(), stand_ins, results


def test_arguments_and_results_stand_in_for_regions():
    x, buffer = np.arange(3.0), np.zeros(3)
    memory, stand_ins, results = bound([(slice(3, 6), (3,))], [x], [buffer])
    assert memory == [-1.0] * 3
    assert stand_ins[0] is x
    assert np.may_share_memory(stand_ins[1], buffer)
    assert results[0] is buffer
    assert buffer.tolist() == [7.0, 8.0, 9.0]


def test_what_overlaps_or_comes_in_parts_is_copied():
    x = np.arange(3.0)
    memory, (first, _), _ = bound([(slice(3, 6), (3,))], [x], [x])
    assert (memory, first) == ([0.0, 1.0, 2.0], None)
    y = np.arange(3.0)
    memory, (first, _), _ = bound([(slice(3, 6), (3,))], [y[:1], y[1:]], [None])
    assert (memory, first) == ([0.0, 1.0, 2.0], None)


def test_a_region_with_a_part_of_a_result_stays_inside():
    outputs = [(slice(3, 6), (3,)), (np.array([5, 3]), (2,)), (slice(1, 3), (2, 1))]
    memory, stand_ins, results = bound(outputs, [np.arange(3.0)], [None] * 3)
    assert memory == [0.0, 1.0, 2.0]
    assert stand_ins == [None, None]
    assert [x.ravel().tolist() for x in results] == [[7, 8, 9], [9, 7], [1, 2]]


def test_two_results_of_one_region():
    outputs = [(slice(3, 6), (3,)), (slice(3, 6), (3, 1))]
    _, _, results = bound(outputs, [np.arange(3.0)], [None, None])
    assert [x.ravel().tolist() for x in results] == [[7, 8, 9], [7, 8, 9]]


# -- Large arrays in place -------------------------------------------------------------

N = LARGE + 5


def energy(xs, scale):
    return ag.sum([ag.tanh(x) * x * scale for x in xs])


def answers(xs, scale):
    t = np.tanh(xs)
    return (t * xs).sum() * scale, scale * (t + xs * (1.0 - t * t))


def test_large_arrays_are_not_copied():
    both = jit(value_and_grad(energy), backend="numpy")
    xs, out = np.linspace(-2.0, 2.0, N), (np.empty(()), np.empty(N))
    both(xs, 0.5, out=out)
    (plan,) = both.plans.values()
    (found,) = plan.executor.machines
    assert len(found.binding.regions) == 2
    assert not any(
        found.memory[begin:end].any() for begin, end in found.binding.regions
    )
    for scale in (0.5, -2.0):
        for given in (
            xs,
            xs[::-1],
            (2 * xs).reshape(N, 1)[:, 0],
            xs.astype(np.float32),
        ):
            both(given, scale, out=out)
            value, slopes = both(given, scale)
            wanted, expected = answers(given.astype(float), scale)
            assert math.isclose(value, wanted, rel_tol=1e-12)
            assert math.isclose(out[0][()], value, rel_tol=1e-15)
            assert np.array_equal(slopes, out[1])
            assert np.allclose(slopes, expected, rtol=1e-13)


def test_results_may_be_written_over_the_arguments():
    both = jit(value_and_grad(energy), backend="numpy")
    xs, room = np.linspace(-2.0, 2.0, N), np.empty(N + 1)
    both(xs, 0.5)
    for start in (0, 1):
        given = room[:N]
        given[:] = xs
        both(given, 0.5, out=(np.empty(()), room[start : start + N]))
        assert np.allclose(room[start : start + N], answers(xs, 0.5)[1], rtol=1e-13)


def test_arguments_that_are_results_and_results_within_results():
    doubled = jit(lambda xs: ([2.0 * x for x in xs], xs[3]), backend="numpy")
    xs = np.arange(float(N))
    found, one = doubled(xs)
    assert found == (2.0 * xs).tolist()
    assert one == 3.0
    linear = jit(ag.grad(lambda ws, xs: ag.dot(ws, xs)), backend="numpy")
    assert np.array_equal(linear(xs + 1.0, xs), xs)
    again = jit(lambda xs: [x + 1.0 for x in xs], backend="numpy")
    first = again(xs)
    assert again(-xs) == (1.0 - xs).tolist()
    assert first == (xs + 1.0).tolist()


def test_read_only_arguments_and_lists():
    both = jit(value_and_grad(energy), backend="numpy")
    xs = np.linspace(-2.0, 2.0, N)
    xs.flags.writeable = False
    value, slopes = both(xs, 0.5)
    assert np.allclose(slopes, answers(xs, 0.5)[1], rtol=1e-13)
    assert math.isclose(both(xs.tolist(), 0.5)[0], value, rel_tol=1e-12)


def test_a_node_among_large_arrays():
    """The compiled backward of a program with regions takes all inputs as one part."""
    f = jit(energy, backend="numpy")
    xs, scale = np.linspace(-2.0, 2.0, N), ag.Value(0.5)
    y = f(xs, scale)
    y.backward()
    assert math.isclose(scale.grad, answers(xs, 1.0)[0], rel_tol=1e-12)


def test_a_batch_with_large_parameters():
    width = LARGE // 4

    def unit(w, x):
        return ag.sum([ag.tanh(w[k] * x[k % 3]) for k in range(len(w))])

    def loss(w, xs):
        return ag.mean(vmap(unit, in_axes=(None, 0))(w, xs))

    rng = np.random.default_rng(2)
    w, xs = rng.normal(size=4 * width), rng.normal(size=(5, 3))
    value, slopes = jit(value_and_grad(loss), backend="numpy")(w, xs)
    z = np.tanh(w * xs[:, np.arange(len(w)) % 3])
    wide = xs[:, np.arange(len(w)) % 3]
    assert math.isclose(value, z.sum(axis=1).mean(), rel_tol=1e-11)
    assert np.allclose(slopes, ((1 - z * z) * wide).mean(axis=0), rtol=1e-12)
