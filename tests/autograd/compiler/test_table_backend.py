"""Irregular programs from descriptors: the same numbers, however tables are cut."""

import random
from itertools import pairwise

import comparisons
import numpy as np
import pytest
import rounding

import autograd as ag
from autograd import jit, value_and_grad

pytest.importorskip("llvmlite")

from autograd.compiler.bulk.bulk import Bulk, Map, SumOfProducts, Terms
from autograd.compiler.llvm import tables
from autograd.compiler.llvm.backend import LLVMMachine
from autograd.compiler.llvm.kernels.ragged import Slices
from autograd.compiler.llvm.tables import TableProgram
from autograd.table.primitives import TABLE


def tangled(seed, length=150):
    """A program in which hardly any two operations are alike."""
    rng = random.Random(f"tangled {seed}")
    plan = [
        (rng.randrange(8), [rng.randrange(4 + k) for _ in range(rng.randint(1, 5))])
        for k in range(length)
    ]

    def f(xs):
        xs = list(xs)
        for kind, places in plan:
            x, y = xs[places[0]], xs[places[-1]]
            some = [xs[place] for place in places]
            xs.append(
                [
                    lambda x, y, some: ag.tanh(x),
                    lambda x, y, some: x - y,
                    lambda x, y, some: 0.5 - x * y,
                    lambda x, y, some: ag.sin(x) + y,
                    lambda x, y, some: ag.tanh(ag.sum(some)),
                    lambda x, y, some: ag.maximum(some) - ag.minimum([*some, 0.1]),
                    lambda x, y, some: ag.tanh(ag.prod(some)),
                    lambda x, y, some: ag.sin(x * y - ag.sum(some) * x),
                ][kind](x, y, some)
            )
        return ag.mean([ag.tanh(x) for x in xs])

    return f, [[rng.gauss(0.0, 1.0) for _ in range(4)]]


@pytest.mark.parametrize("many", [1, 20, 1 << 16])
@pytest.mark.parametrize("seed", range(4))
def test_tangled_programs(seed, many, monkeypatch):
    monkeypatch.setattr(tables, "_MANY", 0)
    monkeypatch.setattr(tables, "_SOME", 0)
    monkeypatch.setattr(tables, "_LONG", many)
    f, args = tangled(seed)
    eager = comparisons.derivative_of(f, args)
    compiled = jit(eager, backend="llvm")
    found = compiled(*args)
    assert "descriptors" in compiled.report()
    assert rounding.Bound(eager, args, seed).deviation(found) is None
    again = jit(comparisons.derivative_of(f, args), backend="llvm")
    assert again(*args)[0] == found[0] == compiled(*args)[0]


def test_irregular_programs_get_descriptors_and_regular_ones_loops():
    f, args = tangled(0)
    compiled = jit(comparisons.derivative_of(f, args))
    compiled(*args)
    assert "descriptors" in compiled.report()

    def layers(xs):
        for k in range(40):
            xs = [ag.tanh(x * y + 0.1 * k) for x, y in pairwise(xs)] + [xs[0]]
        return ag.sum(xs)

    compiled = jit(value_and_grad(layers))
    compiled([0.1 * k for k in range(60)])
    count = int(compiled.report().split(" with gradient")[0].split()[-1])
    assert 50 < count < 300
    assert "descriptors" not in compiled.report()


def test_sums_of_nothing():
    """Empty sums, operations without rows, and rows without terms among others."""
    nothing = np.zeros(0, np.int64)
    few = Terms(1, np.array([0, 2, 2, 3]), (np.array([0, 1, 1]),))
    less = Terms(-1, np.array([0, 0, 1, 1]), (np.array([0]), np.array([1])))
    operations = [
        SumOfProducts(nothing, []),
        SumOfProducts(np.array([2, 3]), []),
        SumOfProducts(np.array([4, 5, 6]), [few, less]),
        Map(TABLE["negative"], nothing, (nothing,)),
        Map(TABLE["negative"], np.array([7, 8]), (np.array([4, 5]),)),
        SumOfProducts(nothing, [Terms(1, np.zeros(1, np.int64), (nothing,))]),
    ]
    bulk = Bulk(operations, 9, 2, {}, np.arange(2, 9)).verify()
    machine = LLVMMachine(TableProgram(bulk))
    machine.memory[:2] = 3.0, 5.0
    machine.run()
    assert machine.memory[2:9].tolist() == [0, 0, 8, -15, 5, -8, 15]


@pytest.mark.parametrize("width", [2, 4, 8])
@pytest.mark.parametrize("pad", [None, 99])
def test_sliced_groups_are_what_each_alone_would_be(width, pad):
    rng = np.random.default_rng(width)
    members = np.array([0, 5, 1, 0, 17, 8, 0])
    least = 1 if pad is None else 0
    lengths = rng.integers(least, 5, members.sum())
    starts = np.concatenate([[0], np.cumsum(lengths)])
    target, stream = rng.integers(0, 50, len(lengths)), rng.integers(0, 50, starts[-1])

    def tables(slices, target, stream):
        return [
            slices.lengths,
            slices.lanes(target, 98),
            slices.entries(stream, pad, 97),
        ]

    slices = Slices(width, starts, members)
    together, block, offset = (
        tables(slices, target, stream),
        slices.block,
        slices.offset,
    )
    row = 0
    for number, count in enumerate(members.tolist()):
        own = starts[row : row + count + 1]
        alone = tables(
            Slices(width, own - own[0]),
            target[row : row + count],
            stream[own[0] : own[-1]],
        )
        first, last = block[number], block[number + 1]
        scales = 1, width, width
        bounds = [(first, last), (first, last), (offset[first], offset[last])]
        for table, part, by, (a, b) in zip(
            together, alone, scales, bounds, strict=True
        ):
            assert table[a * by : b * by].tolist() == part.tolist()
        row += count
