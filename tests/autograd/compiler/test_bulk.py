"""Re-rolling: what is recovered from plain loops, and that nothing invalid runs."""

import itertools
import math
from dataclasses import replace

import comparisons
import numpy as np
import programs
import pytest
import regular_programs as regular
import rounding
from tiers import bits, on_values, plain

import autograd as ag
from autograd import TraceError, trace, value_and_grad
from autograd.compiler.adjoint.adjoint import adjoint
from autograd.compiler.adjoint.contributions import (
    SOURCES,
    Contribution,
    sum_contributions,
)
from autograd.compiler.adjoint.lower import lowered
from autograd.compiler.adjoint.writer import Writer
from autograd.compiler.bulk.bulk import (
    Bulk,
    Map,
    SegmentReduce,
    SumOfProducts,
    Terms,
    runs_of,
)
from autograd.compiler.bulk.layout import Layout
from autograd.compiler.bulk.reassociate import reassociate
from autograd.compiler.bulk.reroll import reroll
from autograd.compiler.trace.optimise import optimise
from autograd.table.primitives import TABLE
from autograd.transforms.tree import flatten


def rolled(f, *args, exact=False):
    return reroll(optimise(trace(f, *args)), exact=exact)


def lines(bulk):
    return [line.strip() for line in str(bulk).splitlines()[1:]]


def interpreted(bulk, numbers):
    """What a bulk program computes, one number after the other."""
    memory = Layout(bulk, 0).memory()
    memory[: bulk.inputs] = numbers
    for same in runs_of(bulk.operations):
        if not same[0].scan:
            moments = [(same[0], i) for i in range(len(same[0].target))]
        else:  # step after step, perhaps backwards
            steps = range(len(same[0].target))[:: 1 if same[0].scan > 0 else -1]
            moments = [(operation, i) for i in steps for operation in same]
        for operation, i in moments:
            memory[operation.target[i]] = _one(operation, i, memory)
    return memory[bulk.outputs].tolist()


def _one(operation, i, memory):
    if isinstance(operation, Map):
        return operation.primitive.evaluate(
            *[float(memory[x[i]]) for x in operation.operands]
        )
    if isinstance(operation, SegmentReduce):
        span = slice(operation.offsets[i], operation.offsets[i + 1])
        groups = [tuple(memory[x[span]].tolist()) for x in operation.groups]
        return operation.primitive.evaluate(*groups)
    total = 0.0
    for part in operation.terms:
        for k in range(part.offsets[i], part.offsets[i + 1]):
            total += part.sign * math.prod([float(memory[x[k]]) for x in part.factors])
    return total


# -- The same numbers ----------------------------------------------------------------


@pytest.mark.parametrize("seed", range(60))
def test_regular_programs(seed):
    p, args = regular.generate(seed, largest=800)
    bulk = rolled(p, *args)
    flat, _ = flatten(args)
    bound = rounding.Bound(p, args, seed)
    assert bound.deviation(interpreted(bulk, flat)) is None
    assert bound.deviation(interpreted(lowered(bulk).verify(), flat)) is None


@pytest.mark.parametrize("seed", range(60))
def test_gradients_of_regular_programs(seed):
    """The adjoint is a valid bulk program, and so is what is lowered from it."""
    p, args = regular.generate(seed, largest=800)
    bulk = rolled(p, *args)
    both = adjoint(bulk, bulk.outputs, [1.0], np.arange(bulk.inputs)).verify()
    eager = comparisons.derivative_of(p, args)
    bound = rounding.Bound(eager, args, seed)
    flat, _ = flatten(args)
    assert bound.deviation(interpreted(both, flat)) is None
    assert bound.deviation(interpreted(lowered(both).verify(), flat)) is None


ORDINARY = [  # neither beyond the floats nor at a kink
    (seed, length)
    for seed, length in [(s, 10) for s in range(150)] + [(s, 20) for s in range(400)]
    if programs.is_ordinary(*programs.generate(seed, length))
]


@pytest.mark.parametrize(("seed", "length"), ORDINARY)
def test_irregular_programs(seed, length):
    program, point = programs.generate(seed, length)

    def f(xs):
        return programs.run(program, xs)[-1]

    bound = rounding.Bound(f, [point], seed)
    assert bound.deviation(interpreted(rolled(f, point), point)) is None


@pytest.mark.parametrize("seed", range(40))
def test_exactly_as_it_was_traced(seed):
    p, args = regular.generate(seed, largest=800)
    flat, _ = flatten(args)
    found = interpreted(rolled(p, *args, exact=True), flat)
    assert [x + 0.0 for x in found] == [x + 0.0 for x in plain(on_values(p, args))]


def test_the_adjoint_of_several_outputs():
    def f(xs):
        return [xs[0] * xs[1], ag.tanh(xs[1]), xs[0], 2.0]

    bulk = rolled(f, [1.0, 2.0])
    both = adjoint(bulk, bulk.outputs, [1.0, -2.0, 0.5, 7.0], np.arange(2)).verify()
    x = [0.7, -0.3]
    expected = value_and_grad(lambda x: x[0] * x[1] - 2.0 * ag.tanh(x[1]) + 0.5 * x[0])
    found = interpreted(both, x)
    assert found[:4] == pytest.approx([*f(x)])
    assert found[4:] == pytest.approx(expected(x)[1])


def test_the_adjoint_with_respect_to_some_inputs():
    bulk = rolled(lambda xs: ag.prod(xs), [1.0] * 4)
    both = adjoint(bulk, bulk.outputs, [1.0], np.array([3, 1])).verify()
    assert interpreted(both, [2.0, 3.0, 5.0, 7.0]) == [210.0, 30.0, 70.0]


# -- What is recovered ---------------------------------------------------------------


def loops(row, xs, b):
    total = b
    for w, x in zip(row, xs):
        total = total + w * x
    return total


WAYS = {
    "a loop": loops,
    "a row": lambda row, xs, b: ag.dot(row, xs, b),
    "sum()": lambda row, xs, b: sum(w * x for w, x in zip(row, xs)) + b,
    "backwards": lambda row, xs, b: b - sum(-(x * w) for w, x in zip(row, xs)),
}


def layer(dot, activation, w, xs, b):
    return [activation(dot(row, xs, c)) for row, c in zip(w, b)]


def weights(m, n):
    return [[0.1] * n for _ in range(m)], [0.1] * m


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(("m", "n"), [(3, 5), (16, 16), (40, 30)])
def test_a_layer_is_one_sum_and_one_map(way, m, n):
    w, b = weights(m, n)
    bulk = rolled(lambda w, b, xs: layer(WAYS[way], ag.tanh, w, xs, b), w, b, [1.0] * n)
    assert len(bulk.operations) == 2
    products, tanh = lines(bulk)
    assert tanh == f"tanh x {m}"
    assert products.startswith(f"sum x {m} of ")
    assert f"+{n} products" in products
    assert "+1" in products


@pytest.mark.parametrize("width", [4, 8, 16, 32])
def test_a_network_has_as_many_operations_at_every_width(width):
    sizes = [3, width, width, 1]

    def loss(layers, xs, y):
        for w, b in layers:
            xs = layer(loops, ag.tanh, w, xs, b)
        return (xs[0] - y) ** 2

    layers = [weights(m, n) for n, m in itertools.pairwise(sizes)]
    bulk = rolled(loss, layers, [0.5] * 3, 1.0)
    assert len(bulk.operations) <= 8
    both = adjoint(bulk, bulk.outputs, [1.0], np.arange(bulk.inputs))
    assert len(both.operations) <= 30


def attention(qs, ks, vs):
    out = []
    for i, q in enumerate(qs):
        scores = [loops(q, k, 0.0) * 0.5 for k in ks[: i + 1]]
        top = ag.maximum(scores)
        es = [ag.exp(s - top) for s in scores]
        total = sum(es)
        out.append(
            [sum(e / total * v[j] for e, v in zip(es, vs)) for j in range(len(vs[0]))]
        )
    return out


@pytest.mark.parametrize("steps", [6, 9, 16])
def test_rows_of_a_causal_attention_fall_into_one_class(steps):
    rows = [[0.1 * i + 0.01 * j for j in range(4)] for i in range(steps)]
    bulk = rolled(attention, rows, rows, rows)
    assert len(bulk.operations) <= 12
    text = lines(bulk)
    assert f"maximum x {steps} of 1..{steps}" in text or any(
        line.startswith(f"maximum x {steps - 1} of 2..{steps}") for line in text
    )
    assert f"exp x {steps * (steps + 1) // 2}" in text or any(
        line.startswith("exp") for line in text
    )


@pytest.mark.parametrize("n", [20, 100])
def test_a_rosenbrock_valley(n):
    def f(xs):
        return sum(
            100.0 * (xs[i + 1] - xs[i] ** 2) ** 2 + (1.0 - xs[i]) ** 2
            for i in range(n - 1)
        )

    assert len(rolled(f, [0.5] * n).operations) <= 8


@pytest.mark.parametrize(("h", "w"), [(6, 7), (12, 12)])
def test_a_convolution_is_one_sum(h, w):
    def f(image, kernel):
        return [
            sum(kernel[u][v] * image[i + u][j + v] for u in range(3) for v in range(3))
            for i in range(h - 2)
            for j in range(w - 2)
        ]

    bulk = rolled(f, [[0.1] * w] * h, [[0.1] * 3] * 3)
    assert lines(bulk) == [f"sum x {(h - 2) * (w - 2)} of +9 products"]


def test_a_matrix_product_is_one_sum():
    def f(a, b):
        return [
            [sum(x * b[k][j] for k, x in enumerate(r)) for j in range(5)] for r in a
        ]

    bulk = rolled(f, [[0.1] * 7] * 6, [[0.1] * 5] * 7)
    assert lines(bulk) == ["sum x 30 of +7 products"]


def test_copies_of_one_model_fall_together():
    """A hundred samples traced as one graph are as many operations as one."""

    def model(w, b, xs):
        return sum(layer(loops, ag.relu, w, xs, b))

    def batch(w, b, rows):
        return sum((model(w, b, xs) - 1.0) ** 2 for xs in rows)

    one = rolled(batch, *weights(8, 3), [[0.1] * 3])
    many = rolled(batch, *weights(8, 3), [[0.1] * 3] * 50)
    assert len(many.operations) <= len(one.operations) + 2


def test_powers_of_different_exponents_are_kept_apart():
    bulk = rolled(lambda xs: [x**k for x in xs for k in (0.5, 1.5)], [1.0] * 40)
    assert lines(bulk) == ["power x 40", "power x 40"]


def test_printing():
    bulk = rolled(
        lambda xs: ag.maximum([ag.exp(xs[0]) - xs[1] * xs[2], 1.0]), [1.0] * 3
    )
    head, *rest = str(bulk).splitlines()
    assert head == f"{len(rest)} bulk operations, {bulk.size} numbers"
    assert rest[0] == "  exp x 1"
    assert rest[-1] == "  maximum x 1 of 2"
    assert any("-1 products" in line for line in rest)


def test_nothing_at_all():
    assert lines(rolled(lambda x: x, 1.0)) == []
    assert lines(rolled(list)) == []
    assert interpreted(rolled(lambda xs: [ag.sum([]), xs[0]], [1.0]), [3.0]) == [
        0.0,
        3.0,
    ]


@pytest.mark.parametrize("exact", [False, True])
def test_rerolling_is_deterministic(exact):
    p, args = regular.generate(11)
    program = optimise(trace(p, *args))
    one, two = (reroll(program, exact=exact) for _ in range(2))
    assert str(one) == str(two)
    flat, _ = flatten(args)
    assert bits(interpreted(one, flat)) == bits(interpreted(two, flat))


# -- The parts ------------------------------------------------------------------------


def test_a_chain_of_additions_is_one_sum():
    def f(a, b, c, d, e):
        return a + b * c - (d + e)

    program = trace(f, 1.0, 2.0, 3.0, 4.0, 5.0)
    _, terms, gone = reassociate(program, exact=False)
    signs = dict(zip(terms.left.tolist(), terms.sign.tolist()))
    assert sorted(signs.items()) == [(0, 1), (1, 1), (3, -1), (4, -1)]
    assert (terms.right >= 0).sum() == 1
    assert set(terms.owner) == set(program.outputs)
    assert gone.sum() == 3
    _, terms, gone = reassociate(program, exact=True)
    assert len(terms.owner) == gone.sum() == 0


def cotangents_of(contributions, n):
    """The sums of contributions whose factors are inputs, and the writer."""
    writer = Writer(Bulk([], 100, 100, {}, np.arange(0)))
    return writer, sum_contributions(writer, contributions, n)


def test_contributions_are_summed_by_their_sources():
    """d = a * b pushes d' * b to a and d' * a to b; e = a + c pushes e' to a and c."""
    a, b, d, e = 0, 1, 3, 4
    product = Contribution(1, array(0, 1), (array(d, d), array(b, a)))
    plain = Contribution(1, array(0, 2), (array(e, e),))
    writer, cotangent = cotangents_of([product, plain], 4)
    assert cotangent[3] == -1  # nothing was pushed
    assert lines(writer.finished(cotangent)) == [
        "sum x 1 of +1 products",  # b
        "sum x 1 of +1",  # c
        "sum x 1 of +1 products +1",  # a
    ]


def test_a_plain_contribution_is_the_cotangent_itself():
    writer, cotangent = cotangents_of([Contribution(1, array(1, 0), (array(7, 8),))], 2)
    assert cotangent.tolist() == [8, 7]
    assert writer.operations == []


def test_many_sources_become_one_ragged_sum():
    one = Contribution(1, array(0, 1), (array(5, 6),))
    writer, _ = cotangents_of([one] * (SOURCES + 1), 2)
    assert lines(writer.finished(array(5))) == [f"sum x 2 of +{SOURCES + 1}"]


# -- Damaged bulk programs -----------------------------------------------------------


def example():
    """Inputs 0 to 2, the constant 3, then a map, a sum and a reduction."""
    i = np.array
    return Bulk(
        operations=[
            Map(TABLE["multiply"], i([4, 5]), (i([0, 1]), i([1, 2]))),
            SumOfProducts(
                i([6, 7]), [Terms(1, i([0, 2, 3]), (i([4, 5, 0]), i([1, 1, 3])))]
            ),
            SegmentReduce(TABLE["maximum"], i([8]), i([0, 3]), (i([6, 7, 3]),)),
        ],
        size=9,
        inputs=3,
        constants={3: 0.5},
        outputs=i([8, 4]),
    )


def test_the_undamaged_one_is_verified():
    bulk = example()
    assert bulk.verify() is bulk
    assert interpreted(bulk, [1.0, 2.0, 3.0]) == [16.0, 2.0]


def changed(number, **fields):
    """The example with other arrays in one operation; of a sum, in its terms."""
    bulk = example()
    operation = bulk.operations[number]
    inner = {k: v for k, v in fields.items() if number == 1 and k != "target"}
    if inner:
        part = replace(operation.terms[0], **inner)
        operation = replace(operation, terms=[part])
    outer = {k: v for k, v in fields.items() if k not in inner}
    bulk.operations[number] = replace(operation, **outer)
    return bulk


def array(*numbers):
    return np.array(numbers, np.int64)


@pytest.mark.parametrize(
    ("bulk", "what"),
    [
        (changed(0, operands=(array(0, 9), array(1, 2))), "reads outside"),
        (changed(0, operands=(array(0, -1), array(1, 2))), "reads outside"),
        (changed(0, operands=(array(0, 4), array(1, 2))), "too early"),
        (changed(0, operands=(array(0, 8), array(1, 2))), "too early"),
        (changed(0, operands=(array(0), array(1, 2))), "do not fit"),
        (changed(0, operands=(array(0, 1, 1), array(1, 2, 2))), "do not fit"),
        (changed(0, target=array(4, 9)), "writes outside"),
        (changed(0, target=array(4, -1)), "writes outside"),
        (changed(0, target=array(4, 2)), "writes twice"),
        (changed(0, target=array(4, 3)), "writes twice"),
        (changed(0, target=array(4, 4)), "twice|early"),
        (changed(1, target=array(6, 5)), "writes twice"),
        (changed(1, factors=(array(4, 5, 10), array(1, 1, 3))), "reads outside"),
        (changed(1, factors=(array(4, 5, 0), array(1, 1, 99))), "reads outside"),
        (changed(1, factors=(array(4, 5, 8), array(1, 1, 3))), "too early"),
        (changed(1, offsets=array(0, 2, 4)), "do not fit"),
        (changed(1, offsets=array(1, 2, 3)), "do not fit"),
        (changed(1, offsets=array(0, 4, 3)), "do not fit"),
        (changed(1, offsets=array(0, 3)), "do not fit"),
        (changed(1, offsets=array(0, -1, 3)), "do not fit"),
        (changed(1, factors=(array(4, 5, 0), array(1, 1))), "do not fit"),
        (changed(2, groups=(array(6, 7, 9),)), "reads outside"),
        (changed(2, groups=(array(6, 7),)), "do not fit"),
        (changed(2, offsets=array(0, 2)), "do not fit"),
        (replace(example(), outputs=array(9)), "returns from outside"),
        (replace(example(), outputs=array(-1)), "returns from outside"),
        (replace(example(), size=10, outputs=array(9)), "not computed"),
        (replace(example(), operations=example().operations[::-1]), "too early"),
        (replace(example(), operations=example().operations[:2]), "not computed"),
        (replace(example(), constants={}), "too early"),
    ],
)
def test_damaged_bulk_programs_are_refused(bulk, what):
    with pytest.raises(TraceError, match=what):
        bulk.verify()


@pytest.mark.parametrize(
    "bulk",
    [
        replace(example(), constants={99: 1.0}),
        replace(example(), constants={3: 0.5, -1: 1.0}),
        replace(example(), constants={3: 0.5, 1: 1.0}),
        replace(example(), inputs=99),
        replace(example(), inputs=-1),
        changed(0, operands=(array(0, 1),)),
        changed(0, operands=(array(0, 1),) * 3),
        replace(
            example(),
            operations=[Map(TABLE["sin"], array(4, 4), (array(0, 1),))],
            outputs=array(4),
        ),
        changed(2, groups=()),
    ],
)
def test_other_damage_is_refused(bulk):
    """Constants and inputs in wrong places, rows with a wrong number of operands."""
    with pytest.raises(TraceError):
        bulk.verify()


def test_pruning():
    bulk = example()
    assert len(replace(bulk, outputs=array(5)).pruned().operations) == 1
    assert len(bulk.pruned().operations) == 3
    assert bulk.pruned().verify()


def test_what_runs_was_verified(monkeypatch):
    """Every compiled function's last bulk program is proved before it runs."""
    verified = []
    right = Bulk.verify
    monkeypatch.setattr(Bulk, "verify", lambda b: verified.append(b) or right(b))
    f = ag.jit(value_and_grad(lambda xs: ag.logsumexp([x * x for x in xs])))
    f([1.0, 2.0, 3.0])
    (plan,) = f.plans.values()
    assert any(b is plan.executor.bulk for b in verified) or any(
        b is plan.bulk for b in verified
    )
