"""From graphs to boxes and edges: what is drawn, and with which numbers."""

import math

import pytest
from cases import nodes_below

import autograd as ag
from autograd import GraphError, Value
from viz.graph.diagram import Trace


def diagram(y, expand_dots=True, partials=False):
    roots = y if isinstance(y, list) else [y]
    return Trace(roots, expand_dots, partials).diagram


def by_label(d):
    return {box.label: box for box in d.boxes if box.label}


def kinds(d):
    return sorted((box.kind, box.symbol) for box in d.boxes)


def test_boxes_hold_data_and_gradient():
    x = Value(3.0, label="x")
    y = x * 2.0
    y.label = "y"
    y.backward()
    boxes = by_label(diagram(y))
    assert (boxes["x"].kind, boxes["x"].data, boxes["x"].grad) == (
        "leaf",
        (3, 3),
        (2, 2),
    )
    assert (boxes["y"].kind, boxes["y"].symbol) == ("operation", "*")


def test_a_single_leaf():
    d = diagram(Value(1.0))
    assert len(d.boxes) == 1
    assert not d.edges
    assert d.results == {0}


def test_operands_come_before_users(neuron):
    assert all(edge.tail < edge.head for edge in diagram(neuron).edges)


def test_a_leaf_used_twice_has_two_edges():
    x = Value(3.0)
    assert [(e.tail, e.head) for e in diagram(x * x).edges] == [(0, 1), (0, 1)]


def test_several_results_share_their_leaves():
    x = Value(3.0)
    d = diagram([x + 1.0, x * 2.0])
    assert len(d.results) == 2
    assert sum(box.kind == "leaf" for box in d.boxes) == 1


def test_a_dot_is_its_products_and_their_sum(neuron):
    d = diagram(neuron)
    operations = [symbol for kind, symbol in kinds(d) if kind == "operation"]
    assert operations == ["*", "*", "+", "tanh"]
    assert not any(box.kind == "constant" for box in d.boxes)
    total = next(i for i, box in enumerate(d.boxes) if box.symbol == "+")
    addends = [d.boxes[e.tail] for e in d.edges if e.head == total]
    assert [a.label or a.data[0] for a in addends] == ["b", -6.0, 0.5]
    assert d.boxes[total].data[0] == pytest.approx(0.3)
    assert {a.grad for a in addends} == {d.boxes[total].grad}


def test_a_dot_in_one_box_has_no_constant_for_its_bias(neuron):
    d = diagram(neuron, expand_dots=False)
    assert kinds(d) == [("leaf", "")] * 5 + [("operation", "tanh"), ("operation", "·")]
    assert len(d.edges) == 6


def test_a_dot_without_bias_and_with_plain_numbers():
    d = diagram(ag.dot([Value(2.0), 3.0], [4.0, 5.0]))
    data = [box.data[0] for box in d.boxes if box.symbol == "*"]
    assert data == [8.0, 15.0]


def test_neurons_share_the_boxes_of_plain_inputs():
    layer = ag.affine([[Value(1.0)], [Value(2.0)]], [Value(0.0), Value(0.0)])
    d = diagram(layer([7.0]))
    assert [box.data[0] for box in d.boxes if box.kind == "constant"] == [7.0]


def test_equal_constants_of_different_operations_stay_apart():
    x = Value(1.0)
    d = diagram((x + 2.0) * 2.0)
    assert sum(box.kind == "constant" for box in d.boxes) == 2


@pytest.mark.parametrize("expand", [True, False])
def test_the_chain_rule_holds_along_the_edges(neuron, expand):
    """Each gradient is the sum over its users of gradient times partial."""
    y = neuron * neuron + ag.maximum(neuron, 0.2)
    y.backward()
    d = diagram(y, expand, partials=True)
    for i, box in enumerate(d.boxes):
        if box.kind == "operation" and i not in d.results:
            uses = [e for e in d.edges if e.tail == i]
            expected = sum(d.boxes[e.head].grad[0] * e.partial for e in uses)
            assert box.grad[0] == pytest.approx(expected)


def test_partials_are_absent_unless_asked_for(neuron):
    assert all(edge.partial is None for edge in diagram(neuron).edges)


def test_constants_have_no_partial():
    x = Value(3.0)
    d = diagram(2.0 * x, partials=True)
    found = {d.boxes[e.tail].kind: e.partial for e in d.edges}
    assert found == {"constant": None, "leaf": 2.0}


def test_nodes_made_by_hand():
    x = Value(0.5, label="x")
    y = Value(math.tanh(x.data), (x,), "tanh")
    d = diagram(y, partials=True)
    assert [box.symbol for box in d.boxes] == ["", "tanh"]
    assert d.edges[0].partial is None
    z = Value(0.25, (x,), (1.0,))
    assert diagram(z, partials=True).edges[0].partial == 1.0


def test_a_cycle_is_an_error():
    x = Value(1.0)
    y = x + 1.0
    y._operands = (y, y)
    with pytest.raises(GraphError, match="cycle"):
        diagram(y)


def test_numeric_gradients_agree_and_change_nothing(neuron):
    leaves = [v for v in nodes_below(neuron) if not v.op]
    before = [(v.data, v.grad) for v in leaves]
    trace = Trace([neuron], True, False)
    d = trace.with_numeric(trace.diagram)
    for box in d.boxes:
        if box.kind == "leaf":
            assert box.numeric == pytest.approx(box.grad[0], abs=1e-8)
        else:
            assert box.numeric is None
    assert [(v.data, v.grad) for v in leaves] == before


def test_numeric_covers_every_shape_of_row():
    a, b, c = Value(0.3, label="a"), Value(0.7, label="b"), Value(2.0, label="c")
    y = ag.where(a, b, c) * ag.sum([a, b, 1.0]) + ag.dot([2.0, a], [b, c], 1.0) - c**3
    y.backward()
    trace = Trace([y], False, False)
    boxes = by_label(trace.with_numeric(trace.diagram))
    for name, leaf in {"a": a, "b": b, "c": c}.items():
        assert boxes[name].numeric == pytest.approx(leaf.grad, abs=1e-6)


def test_numeric_of_a_wrong_gradient_differs(neuron):
    w = next(v for v in nodes_below(neuron) if v.label == "w1")
    w.grad += 1.0
    trace = Trace([neuron], True, False)
    box = by_label(trace.with_numeric(trace.diagram))["w1"]
    assert box.grad[0] - box.numeric == pytest.approx(1.0)


def test_numeric_behind_a_node_made_by_hand():
    x, z = Value(0.5, label="x"), Value(2.0, label="z")
    y = Value(math.tanh(x.data), (x,), "tanh") * z
    trace = Trace([y], True, False)
    boxes = by_label(trace.with_numeric(trace.diagram))
    assert boxes["x"].numeric is None
    assert boxes["x"].note == "numeric n/a"
    assert boxes["z"].numeric == pytest.approx(math.tanh(0.5))
