"""Boxes stand in their order, and arrows say which operand they bring."""

import random
import re
from collections import Counter
from itertools import pairwise

import pytest

import autograd as ag
import nn
from autograd import Value
from viz import draw_dot
from viz.graph.collapse import collapse
from viz.graph.diagram import Trace
from viz.graph.marks import parts

BACKENDS = pytest.mark.parametrize(
    "backend", ["with_dot", "without_dot", "with_graphviz_pure_alone"]
)


def places(picture, across):
    """Where each box stands on the axis across the arrows, from the first on."""
    lines = picture.pipe("plain", encoding="utf-8").splitlines()
    nodes = [line.split() for line in lines if re.match(r"node n\d+ ", line)]
    sign = -1.0 if across == 3 else 1.0  # heights grow upwards
    return {int(words[1][1:]): sign * float(words[across]) for words in nodes}


def drawn(y, rankdir="LR", **options):
    d = collapse(Trace([y], True, False).diagram, options.get("collapse"), 500)
    picture = draw_dot(y, rankdir=rankdir, max_nodes=500, **options)
    return d, places(picture, 3 if rankdir == "LR" else 2)


def is_in_order(where, boxes):
    return all(where[a] < where[b] for a, b in pairwise(boxes))


def tangle(seed):
    draw = random.Random(seed)
    nodes = [Value(draw.uniform(-1.0, 1.0)) for _ in range(5)]
    while len(nodes) < 30 + 5 * seed:
        known, new = draw.choice(nodes[-9:]), Value(draw.random())
        x, y = draw.choice([(known, new), (new, known), (Value(1.5), new)])
        rows = (x - y, x * y, x / y, ag.where(x, y, Value(3.0)))
        nodes.append(draw.choice([*rows, ag.sum([x, Value(2.0), y, Value(5.0)])]))
    return ag.sum(nodes[-9:])


@BACKENDS
@pytest.mark.parametrize("rankdir", ["LR", "TB"])
@pytest.mark.parametrize("seed", range(4))
def test_operands_used_once_stand_in_their_order(seed, rankdir, backend, request):
    request.getfixturevalue(backend)
    d, where = drawn(tangle(seed), rankdir, collapse=None)
    uses = Counter(edge.tail for edge in d.edges)
    for head in range(len(d.boxes)):
        tails = [edge.tail for edge in d.edges if edge.head == head]
        leaves = [i for i in tails if uses[i] == 1 and d.boxes[i].kind != "operation"]
        assert is_in_order(where, leaves)


@BACKENDS
def test_a_quotient_reads_from_above(backend, request):
    request.getfixturevalue(backend)
    for make in (lambda a, b: a / b, lambda a, b: b / a):
        d, where = drawn(make(Value(1.0, "a"), Value(2.0, "b")))
        assert is_in_order(where, [edge.tail for edge in d.edges])


@BACKENDS
@pytest.mark.parametrize("how", [None, "neuron"])
@pytest.mark.parametrize("widths", [(3, [8, 1]), (2, [4, 4, 3])])
def test_neurons_and_inputs_stand_in_their_order(widths, how, backend, request):
    request.getfixturevalue(backend)
    nin, nouts = widths
    out = nn.MLP(nin, nouts, activation="tanh", seed=0)([0.5 * k for k in range(nin)])
    d, where = drawn(ag.sum(out) if isinstance(out, list) else out, collapse=how)
    inputs = {box.label: i for i, box in enumerate(d.boxes) if box.kind == "constant"}
    assert is_in_order(where, [inputs[f"x{k}"] for k in range(nin)])
    for layer, width in enumerate(nouts):
        if how:
            names = [f"layer{layer}.neuron{j}" for j in range(width)]
            row = [[box.symbol for box in d.boxes].index(name) for name in names]
        else:
            labels = [box.label for box in d.boxes]
            biases = [labels.index(f"layer{layer}.neuron{j}.b") for j in range(width)]
            heads = {edge.tail: edge.head for edge in d.edges}
            row = [heads[b] for b in biases]
        assert is_in_order(where, row)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda a, b: a - b, ["+", "−"]),
        (lambda a, b: a / b, ["numerator", "denominator"]),
        (lambda a, b: a // b, ["dividend", "divisor"]),
        (lambda a, b: a % b, ["dividend", "divisor"]),
        (lambda a, b: a**b, ["base", "exponent"]),
        (lambda a, b: 2.0**a, ["base", "exponent"]),
        (lambda a, b: a < b, ["left", "right"]),
        (ag.arctan2, ["y", "x"]),
        (lambda a, b: ag.where(a, b, 3.0), ["condition", "then", "else"]),
        (ag.Primitive("f", max, joint=(1.0, 2.0)), ["1", "2"]),
        *[(f, ["", ""]) for f in (ag.hypot, lambda a, b: a + b, lambda a, b: a * b)],
        *[(lambda a, b, f=f: f([a, b]), ["", ""]) for f in (ag.sum, ag.maximum)],
        (lambda a, b: Value(3.0, (a, b), "f"), ["", ""]),
    ],
)
def test_operands_that_may_not_trade_places_are_marked(make, said):
    y = make(Value(1.0, "a"), Value(2.0, "b"))
    if isinstance(y, Value):
        edges = Trace([y], True, False).diagram.edges
        assert [edge.part for edge in edges] == said
        assert all(f'label=" {part} "' in draw_dot(y).source for part in said if part)


def test_every_row_says_enough():
    """One mark for each operand, or none: by the table."""
    for row in ag.table.primitives.TABLE.values():
        if row.arity is not None and row.arity > 1:
            said = [part for part, _ in zip(parts(row), range(row.arity))]
            assert all(said) or not any(said)
            assert not any(said) if row.symmetric else len({*said}) in (1, row.arity)


def test_marks_and_slopes_share_an_arrow():
    source = draw_dot(Value(3.0) ** Value(2.0), partials=True).source
    assert 'label=" base: 6 "' in source
