"""Copies and pickles: any depth, sharing kept, labels and gradients travel."""

import copy
import gc
import io
import pickle
import sys
import threading

import pytest

import autograd as ag
from autograd import (
    GraphError,
    Value,
)
from autograd.numbers import persistence


def graph():
    x = Value(2.0, label="x")
    x.momentum = [1, 2]
    y = x * x + 3.0
    y.backward()
    return x, y


def roundtrip(thing):
    return pickle.loads(pickle.dumps(thing))


@pytest.mark.parametrize(
    "clone", [roundtrip, copy.deepcopy], ids=["pickle", "deepcopy"]
)
def test_everything_travels(clone):
    x, y = clone(graph())
    assert (x.data, x.grad, x.label, x.momentum) == (2.0, 4.0, "x", [1, 2])
    assert (y.data, y.grad, y.op) == (7.0, 1.0, "+")
    assert y.operands[0].operands == (x, x)
    assert y.operands[1] == 3.0
    y.backward()
    assert x.grad == 8.0


@pytest.mark.parametrize(
    "clone", [roundtrip, copy.deepcopy], ids=["pickle", "deepcopy"]
)
def test_sharing_is_kept_in_any_order(clone):
    x, y = graph()
    shared = {"late": y, "early": x, "both": [ag.sum([x, y]), ag.dot([x], [y], x)]}
    got = clone(shared)
    assert got["late"].operands[0].operands[0] is got["early"]
    assert got["both"][0].operands == (got["early"], got["late"])
    assert got["both"][1].operands == (
        got["early"],
        got["early"],
        1.0,
        got["late"],
    ) or (got["both"][1].operands[0] is got["early"])


def test_a_copy_is_independent():
    x, y = graph()
    x2, y2 = copy.deepcopy((x, y))
    y2.backward()
    assert (x.grad, x2.grad) == (4.0, 8.0)
    x2.momentum.append(3)
    assert x.momentum == [1, 2]


def test_a_shallow_copy_shares_the_operands():
    x, y = graph()
    twin = copy.copy(y)
    assert twin.operands[0] is y.operands[0]
    assert twin is not y and twin.data == y.data
    assert copy.copy(x).momentum is x.momentum


def test_an_attribute_may_point_back():
    x, y = graph()
    x.user = y
    x2, y2 = roundtrip((x, y))
    assert x2.user is y2
    x3, y3 = copy.deepcopy((x, y))
    assert x3.user is y3


def test_a_pickler_kept_alive_does_not_freeze_what_later_ones_see():
    x, y = graph()
    keeper = pickle.Pickler(io.BytesIO())
    keeper.dump(y)
    x.data = 5.0
    assert roundtrip(x).data == 5.0
    z = y * x
    got = roundtrip(z)
    assert got.operands[1].data == 5.0


def test_an_attribute_that_another_pickler_holds_is_written_whole():
    x = Value(3.0, label="x")
    keeper = pickle.Pickler(io.BytesIO())
    keeper.dump(x)
    v = Value(1.0)
    v.friend = x
    assert (roundtrip(v).friend.data, roundtrip(v).friend.label) == (3.0, "x")


def test_many_roots_of_one_graph_cost_no_more_than_the_graph():
    x = Value(1.0)
    chain = [x]
    for _ in range(500):
        chain.append(chain[-1] + 1.0)
    one, many = len(pickle.dumps(chain[-1])), len(pickle.dumps(chain))
    assert many < 3 * one


def test_handmade_closures_are_refused():
    x = Value(1.0)
    y = Value(2.0, (x,), "f")
    y._backward = lambda: None
    for clone in (roundtrip, copy.deepcopy):
        with pytest.raises(GraphError, match="Primitive"):
            clone(y)


def chain(length):
    x = y = Value(1.0)
    for _ in range(length):
        y = y + 1.0
    return x, y


def test_a_million_operations():
    """Built, differentiated and freed, without recursion anywhere."""
    x, y = chain(1_000_000)
    y.backward()
    assert x.grad == 1.0
    assert y.data == 1_000_001.0
    assert ag.gradient(y, x) == 1.0
    del y


def test_copies_and_pickles_of_any_depth():
    """Deeper than Python's own stack, or C's, could go."""
    _, y = chain(150_000)
    twin = copy.deepcopy(y)
    assert twin.data == y.data == 150_001.0
    again = pickle.loads(pickle.dumps(y))
    again.backward()
    assert again.data == y.data
    del y, twin, again


def test_exponentially_many_paths():
    x = y = Value(1.0)
    for _ in range(60):
        y = y + y
    y.backward()
    assert x.grad == 2.0**60
    assert ag.gradient(y, x) == 2.0**60


# -- Threads -------------------------------------------------------------------------


def labelled_leaves(root):
    """The leaves below a root that have a label, by label."""
    found, seen, waiting = {}, set(), [root]
    while waiting:
        node = waiting.pop()
        if isinstance(node, Value) and id(node) not in seen:
            seen.add(id(node))
            waiting += node.operands
            if node.label:
                found[node.label] = node
    return found


def test_threads_that_pickle_graphs_with_shared_nodes():
    """Each thread gets whole graphs, with the gradients of its own root."""
    leaves = [Value(0.01 * k, label=f"x{k}") for k in range(200)]
    shared = [ag.tanh(x * leaves[1]) for x in leaves]
    roots = [
        ag.sum([y * (1.0 + i + k) for k, y in enumerate(shared)]) for i in range(4)
    ]
    expected = [[float(g) for g in ag.gradient(root, leaves)] for root in roots]
    wrong, before = [], sys.getswitchinterval()

    def work(i):
        for _ in range(40):
            try:
                copy = pickle.loads(pickle.dumps(roots[i]))
                copy.backward()
                found = labelled_leaves(copy)
                grads = [found[x.label].grad for x in leaves]
            except Exception as error:
                grads = error
            if grads != expected[i] or copy.data != roots[i].data:
                wrong.append(grads)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(4)]
    sys.setswitchinterval(1e-6)
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(before)
    assert not wrong, wrong[:3]


def test_the_collector_may_run_in_the_middle_of_a_pickle(monkeypatch):
    """What an earlier pickle left behind is gone at the next look, or still there."""
    x = Value(0.5, label="x")
    y = ag.tanh(x)
    z = ag.exp(y)
    left_behind = [persistence.reduce(x)]
    look = persistence._refuse_closure

    def collect(node):
        left_behind.clear()
        gc.collect()
        look(node)

    gc.disable()
    try:
        with monkeypatch.context() as patch:
            patch.setattr(persistence, "_refuse_closure", collect)
            pickle.dumps(y)
        copy_of_z = pickle.loads(pickle.dumps(z))
    finally:
        gc.enable()
    copy_of_z.backward()
    assert labelled_leaves(copy_of_z)["x"].grad == ag.gradient(z, x)


def test_values_linked_through_attributes():
    previous = None
    for _ in range(20_000):
        value = Value(1.0) * 2
        value.previous = previous
        previous = value
    for twin in (pickle.loads(pickle.dumps(previous)), copy.deepcopy(previous)):
        length = 0
        while twin is not None:
            twin, length = twin.previous, length + 1
        assert length == 20_000
