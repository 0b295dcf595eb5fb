"""Large graphs become a readable few boxes, by themselves."""

import random

import pytest
from cases import nodes_below

import autograd as ag
import nn
from autograd import RenderError, Value
from viz import draw_dot
from viz.graph.collapse import READABLE_BOXES, collapse
from viz.graph.diagram import Trace


def diagram(y):
    return Trace([y], True, False).diagram


def titles(d):
    return {box.symbol for box in d.boxes if box.kind == "group"}


def is_acyclic(d):
    below = {i: set() for i in range(len(d.boxes))}
    for edge in d.edges:
        below[edge.head].add(edge.tail)
    while ready := [i for i, tails in below.items() if not tails]:
        for i in ready:
            del below[i]
        for tails in below.values():
            tails.difference_update(ready)
    return not below


def tangle(count):
    """A graph without labels or layers."""
    draw = random.Random(0)
    nodes = [Value(draw.uniform(-1.0, 1.0)) for _ in range(10)]
    while len(nodes) < count:
        x, y = draw.sample(nodes[-20:], 2)
        nodes.append(draw.choice([x * y, x + y, x.tanh()]))
    return ag.sum(nodes[-20:])


def chain(count):
    y = Value(1.0, label="start")
    for i in range(count):
        y = y * 1.01 if i % 2 else y + 0.01
    return y


def test_small_graphs_are_left_alone(neuron):
    d = diagram(neuron)
    assert collapse(d, "auto", 150) is d


def test_neurons_hold_their_operations_and_parameters(make_network):
    d = collapse(diagram(make_network([2, 3, 1], 1)), "neuron", 150)
    hidden = {f"layer0.neuron{j}" for j in range(3)}
    assert titles(d) == hidden | {"layer1.neuron0"}
    outside = [box for box in d.boxes if box.kind != "group"]
    assert sorted(box.symbol for box in outside if box.kind == "operation") == [
        "**",
        "-",
    ]
    assert {box.label for box in outside} >= {"x0", "x1", "loss"}
    box = next(box for box in d.boxes if box.symbol == "layer0.neuron1")
    assert box.note == "3 parameters: 2 *, 1 +, 1 tanh"
    assert "collapsed by neuron" in d.caption


def test_a_neuron_shows_its_output(make_network):
    loss = make_network([2, 3, 1], 1)
    nodes = nodes_below(loss)
    outputs = {(v.data, v.grad) for v in nodes if v.op == "tanh"}
    d = collapse(diagram(loss), "neuron", 150)
    shown = [b for b in d.boxes if b.kind == "group" and "layer0" in b.symbol]
    assert {(b.data[0], b.grad[0]) for b in shown} == outputs
    assert all(b.data[0] == b.data[1] for b in shown)


@pytest.mark.parametrize("activation", [ag.gelu, ag.silu, ag.leaky_relu, lambda x: x])
def test_composite_activations_belong_to_hidden_neurons(make_network, activation):
    d = collapse(diagram(make_network([2, 3, 1], 1, activation)), "neuron", 150)
    outside = [box.symbol for box in d.boxes if box.kind == "operation"]
    assert sorted(outside) == ["**", "-"]


def test_neurons_of_added_products_as_in_lectures():
    ws = [Value(0.1, f"layer0.neuron0.w{k}") for k in range(3)]
    total = Value(0.5, "layer0.neuron0.b")
    for k, w in enumerate(ws):
        total = total + w * Value(1.0 + k, f"x{k}")
    d = collapse(diagram(total.tanh() * 2.0), "neuron", 150)
    assert titles(d) == {"layer0.neuron0"}
    assert [box.symbol for box in d.boxes if box.kind == "operation"] == ["*"]


def test_weight_decay_stays_outside(make_network):
    loss = make_network([2, 2, 1], 1)
    w = next(v for v in nodes_below(loss) if v.label == "layer0.neuron0.w0")
    d = collapse(diagram(loss + 0.01 * (w * w)), "neuron", 150)
    box = next(box for box in d.boxes if box.symbol == "layer0.neuron0")
    assert box.note == "3 parameters: 2 *, 1 +, 1 tanh"


def test_layers_hold_their_neurons(make_network):
    d = collapse(diagram(make_network([2, 3, 1], 1)), "layer", 150)
    assert titles(d) == {"layer0", "layer1"}
    assert next(b for b in d.boxes if b.symbol == "layer0").note.startswith("9 param")


def test_samples_share_a_neuron(make_network):
    d = collapse(diagram(make_network([2, 4, 4, 1], 12)), "auto", 150)
    assert "layer1.neuron3 × 12" in titles(d)
    assert "12 × **" in titles(d)
    counts = [edge.count for edge in d.edges]
    assert max(counts) >= 12
    assert len(d.boxes) <= READABLE_BOXES
    assert any(box.label == "loss" for box in d.boxes)


def test_dense_layers_become_layers(make_network):
    d = collapse(diagram(make_network([8, 20, 20, 1], 2)), "auto", 150)
    assert titles(d) >= {"layer0 × 2", "layer1 × 2", "layer2 × 2"}


@pytest.mark.parametrize("make", [lambda: tangle(1000), lambda: chain(1000)])
def test_without_labels_by_depth(make):
    d = collapse(diagram(make()), "auto", 150)
    assert 2 < len(d.boxes) <= READABLE_BOXES
    assert is_acyclic(d)
    assert "collapsed by depth" in d.caption


def test_alike_operations_of_one_depth():
    xs = [Value(float(i), f"x{i}") for i in range(100)]
    d = collapse(diagram(ag.sum([x.tanh() for x in xs])), "auto", 150)
    assert [box.symbol for box in d.boxes] == ["x0 … x99", "100 × tanh", "Σ"]
    assert d.boxes[0].data == (0.0, 99.0)
    assert [edge.count for edge in d.edges] == [100, 100]


def test_twenty_thousand_deep():
    picture = draw_dot(chain(20_000))
    assert picture.source.count("shape=plain") <= READABLE_BOXES


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("cap", [10, 40, 150])
def test_no_edge_is_lost(seed, cap):
    full = diagram(tangle(200 + 50 * seed))
    d = collapse(full, "auto", cap)
    assert len(d.boxes) <= cap
    assert is_acyclic(d)
    assert {e.tail for e in d.edges} | {e.head for e in d.edges} == set(
        range(len(d.boxes))
    )


def test_what_is_not_collapsed_keeps_its_arrows(make_network):
    loss = make_network([2, 3, 1], 1) ** 3.0
    full = Trace([loss], True, True).diagram
    d = collapse(full, "neuron", 150)
    ends = {d.boxes[e.tail].symbol or "constant": e for e in d.edges}
    assert ends["-"].partial is not None and ends["-"].part == "base"
    assert {(e.part, e.partial) for e in d.edges} >= {("exponent", None)}
    lost = next(e for e in d.edges if d.boxes[e.tail].symbol == "layer1.neuron0")
    assert (lost.part, lost.partial, lost.count) == ("+", None, 1)


def test_nan_is_shown():
    xs = [Value(float("nan") if i == 7 else 1.0) for i in range(200)]
    d = collapse(diagram(ag.sum(xs)), "auto", 150)
    assert d.boxes[0].data[0] != d.boxes[0].data[0]


def test_over_the_cap_without_collapse():
    with pytest.raises(RenderError, match=r"2001 boxes.*max_nodes=150.*collapse="):
        draw_dot(chain(1000), collapse=None)


def test_over_the_cap_even_collapsed():
    with pytest.raises(RenderError, match="max_nodes=1"):
        draw_dot(chain(1000), max_nodes=1)


def test_the_cap_can_be_raised():
    picture = draw_dot(chain(100), collapse=None, max_nodes=500, legend=False)
    assert picture.source.count("shape=") == 201


def test_nothing_to_collapse_is_said(neuron):
    assert "nothing to collapse" in draw_dot(neuron, collapse="neuron").source


def test_the_labels_of_the_library_are_the_ones_known_here():
    model = nn.MLP(2, [3, 1], activation="tanh", seed=0)
    d = collapse(diagram(model([0.5, 1.0])), "neuron", 150)
    hidden = {f"layer0.neuron{j}" for j in range(3)}
    assert titles(d) == hidden | {"layer1.neuron0"}
