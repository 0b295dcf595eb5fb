"""Programs written for micrograd, its lectures and microgpt: only the import changes."""

import copy
import math
import pickle
import random

import pytest

from autograd import (
    GraphError,
    Value,
    gradient,
)


def test_micrograds_readme_example():
    a = Value(-4.0)
    b = Value(2.0)
    c = a + b
    d = a * b + b**3
    c += c + 1
    c += 1 + c + (-a)
    d += d * 2 + (b + a).relu()
    d += 3 * d + (b - a).relu()
    e = c - d
    f = e**2
    g = f / 2.0
    g += 10.0 / f
    g.backward()
    assert f"{g.data:.4f}" == "24.7041"
    assert f"{a.grad:.4f}" == "138.8338"
    assert f"{b.grad:.4f}" == "645.5773"


def trace(root):
    """The graph walk of the lecture's drawing, word for word in spirit."""
    nodes, edges = set(), set()

    def build(v):
        if v not in nodes:
            nodes.add(v)
            for child in v._prev:
                edges.add((child, v))
                build(child)

    build(root)
    return nodes, edges


def test_prev_and_op_answer():
    x = Value(2.0, label="x")
    y = (x * x + 3.0).relu()
    nodes, edges = trace(y)
    assert len(nodes) == 5  # x, x*x, 3.0, +, relu
    assert len(edges) == 4
    assert y._op == "relu"
    assert (x * 2)._op == "*"


def lecture_tanh(self):
    t = (math.exp(2 * self.data) - 1) / (math.exp(2 * self.data) + 1)
    out = Value(t, (self,), "tanh", label="o")

    def _backward():
        self.grad += (1 - t**2) * out.grad

    out._backward = _backward
    return out


def test_a_lectures_own_operation_is_honoured():
    x = Value(0.8814)
    n = x * 1.0
    out = lecture_tanh(n)
    (out * 2.0).backward()
    assert x.grad == pytest.approx(2 * (1 - out.data**2))
    assert out._op == "tanh"
    assert out.label == "o"
    assert out._prev == {n}


def test_backward_by_hand_step_by_step():
    x, y = Value(2.0), Value(3.0)
    product = x * y
    out = product + x
    out.grad = 1.0
    out._backward()
    product._backward()
    assert (x.grad, y.grad) == (4.0, 2.0)


@pytest.mark.parametrize(
    "make",
    [
        lambda x, d: Value(x.data**2, (x,), d),
        lambda x, d: Value(x.data**2, children=(x,), local_grads=d),
    ],
)
def test_microgpts_local_gradients(make):
    x = Value(3.0)
    y = make(x, (2 * x.data,))
    (y * 2.0).backward()
    assert x.grad == 12.0
    y.grad = 0
    with pytest.raises(GraphError, match="gradients"):
        make(x, (1.0, 2.0))


def test_an_operation_without_a_rule_is_never_silent():
    x = Value(2.0)
    y = Value(4.0, (x,), "square")
    with pytest.raises(GraphError, match="Primitive"):
        y.backward()
    assert x.grad == 0.0
    with pytest.raises(GraphError, match="Primitive"):
        gradient(lecture_tanh(x), x)
    with pytest.raises(GraphError, match="Primitive"):
        (x * x)._backward = lambda: None
    with pytest.raises(TypeError, match="Values"):
        Value(1.0, (3.0,), "f")
    with pytest.raises(TypeError, match="argument"):
        Value(1.0, lable="x")


def test_a_microgpt_step():
    """Linear layers, softmax, rmsnorm and a loss, written as microgpt writes them."""
    random.seed(42)

    def linear(x, w):
        return [sum(wi * xi for wi, xi in zip(wo, x)) for wo in w]

    def softmax(logits):
        max_val = max(val.data for val in logits)
        exps = [(val - max_val).exp() for val in logits]
        total = sum(exps)
        return [e / total for e in exps]

    def rmsnorm(x):
        ms = sum(xi * xi for xi in x) / len(x)
        scale = (ms + 1e-5) ** -0.5
        return [xi * scale for xi in x]

    w = [[Value(random.gauss(0, 0.8)) for _ in range(4)] for _ in range(5)]
    x = [Value(random.gauss(0, 1)) for _ in range(4)]
    losses = []
    for _ in range(60):
        probs = softmax(linear(rmsnorm(x), w))
        loss = (1 / 1) * sum([-probs[2].log()])
        loss.backward()
        losses.append(loss.data)
        for p in [p for row in w for p in row]:
            p.data -= 0.5 * p.grad
            p.grad = 0
    assert losses[-1] < 0.05 < losses[0]


def test_local_gradients_are_first_class():
    x = Value(3.0)
    y = Value(9.0, (x,), (6.0,)) * 2.0
    assert gradient(y, x) == 12.0
    twin = pickle.loads(pickle.dumps(y))
    twin.backward()
    assert copy.deepcopy(y).data == 18.0


@pytest.mark.parametrize("lecture", ["closure", "local gradients"])
def test_a_rule_may_be_wrapped_and_assigned_again(lecture):
    calls, a = [], Value(2.0)
    if lecture == "closure":
        y = Value(6.0, (a,), "triple")

        def rule():
            a.grad += 3.0 * y.grad

        y._backward = rule
    else:
        y = Value(6.0, (a,), (3.0,))
    inner = y._backward

    def wrapped():
        calls.append(y.grad)
        inner()

    y._backward = wrapped
    (y * 2.0).backward()
    assert (a.grad, calls) == (6.0, [2.0])
