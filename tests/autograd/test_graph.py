"""The graph: its one order, cycles; groups that a layer's neurons share."""

import random

import pytest

import autograd as ag
from autograd import ShapeError, Value
from autograd.graph.nodes import operands, topological_order


def random_graph(seed, size=200):
    """A graph of binary, unary and n-ary nodes with much sharing."""
    rng = random.Random(seed)
    nodes = [Value(rng.uniform(0.5, 1.5)) for _ in range(5)]
    for _ in range(size):
        a, b, c = rng.choices(nodes[-20:], k=3)
        kind = rng.randrange(7)
        nodes.append(
            [
                lambda: a + b,
                lambda: a * 0.5,
                lambda: ag.tanh(a),
                lambda: ag.sum([a, 1.0, b, a]),
                lambda: ag.dot([a, b], [c, 2.0], 0.5),
                lambda: ag.affine([[a, b]], [c])([b, a])[0],
                lambda: ag.where(a > b, a, c),
            ][kind]()
        )
    return nodes[-1]


def recursive_order(root):
    """The definition: depth-first postorder, operands first to last."""
    order, seen = [], set()

    def visit(node):
        if node in seen or isinstance(node, float):
            return
        seen.add(node)
        for operand in operands(node):
            visit(operand)
        order.append(node)

    visit(root)
    return [node for node in order if node.operands]


@pytest.mark.parametrize("seed", range(30))
def test_the_walk_gives_the_one_order(seed):
    root = random_graph(seed)
    expected = recursive_order(root)
    interior, leaves = topological_order(root)
    assert interior == expected
    assert all(node.grad == 0.0 for node in interior + leaves)


def test_a_root_given_twice_and_a_leaf():
    x = Value(1.0)
    y = x * x
    assert topological_order(y, y, x) == ([y], [x])
    assert topological_order(x) == ([], [x])


def test_leaves_come_operands_first_to_last():
    a, b, c, d = map(Value, (1.0, 2.0, 3.0, 4.0))
    y = ag.sum([a * b, ag.dot([c, a], [d, 2.0])])
    assert topological_order(y)[1] == [a, b, c, d]


def test_known_nodes_are_taken_as_visited():
    x = Value(2.0)
    known = x * 3.0
    y = known + x
    assert topological_order(y, known={known}) == ([y], [x])


def test_affine_is_a_row_of_dots():
    w = [[Value(1.0), Value(2.0)], [Value(3.0), Value(4.0)]]
    b = [Value(0.5), Value(0.25)]
    for xs in ([1.0, 2.0], [Value(1.0), Value(2.0)], [1, Value(2.0)]):
        layer = ag.affine(w, b)(xs)
        single = [ag.dot(row, xs, bias) for row, bias in zip(w, b, strict=True)]
        assert [n.data for n in layer] == [n.data for n in single] == [5.5, 11.25]
        for p in [*w[0], *w[1], *b]:
            p.grad = 0.0
        ag.sum(layer).backward()
        assert [p.grad for p in w[0]] == [1.0, 2.0]
        assert b[0].grad == 1.0


def test_affine_of_plain_and_lifted_numbers():
    assert ag.affine([[1.0, 2.0]], [0.5])([3.0, 4.0]) == [11.5]
    slope = ag.grad(lambda w: ag.affine([w], [0.0])([3.0, 4.0])[0])([1.0, 2.0])
    assert slope == [3.0, 4.0]
    assert ag.grad(lambda x: ag.affine([[Value(2.0)]], [1.0])([x])[0])(3.0).data == 2.0


def test_widths_that_do_not_fit_name_both_numbers():
    with pytest.raises(ShapeError, match=r"3.*2"):
        ag.dot([1.0, 2.0, 3.0], [1.0, 2.0])
    with pytest.raises(ShapeError, match=r"2.*3"):
        ag.affine([[Value(1.0), Value(2.0)]], [Value(0.0)])([1.0, 2.0, 3.0])
