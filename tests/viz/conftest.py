"""Machines with and without the ``dot`` program, and graphs to draw."""

import shutil
from itertools import pairwise
from pathlib import Path

import pytest

import autograd as ag
from autograd import Value
from viz.graph import picture


@pytest.fixture
def with_dot():
    if shutil.which("dot") is None:
        pytest.skip("the dot program is not installed")


@pytest.fixture
def without_dot(monkeypatch, tmp_path):
    pytest.importorskip("pygraphviz")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert shutil.which("dot") is None


@pytest.fixture
def nothing_to_draw_with(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    monkeypatch.setattr("viz.graph.picture.SCRIPTS", str(tmp_path))


@pytest.fixture
def with_graphviz_pure_alone(monkeypatch, tmp_path):
    if not list(Path(picture.SCRIPTS).glob("graphviz-pure*")):
        pytest.skip("graphviz-pure is not installed")
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)


@pytest.fixture
def neuron():
    """tanh(w1 x1 + w2 x2 + b) with its gradients, one dot node inside."""
    ws = [Value(-3.0, label="w1"), Value(1.0, label="w2")]
    xs = [Value(2.0, label="x1"), Value(0.5, label="x2")]
    y = ag.tanh(ag.dot(ws, xs, Value(5.8, label="b")))
    y.label = "y"
    y.backward()
    return y


def network(sizes, samples, activation=ag.tanh):
    """The squared loss of a network with labelled parameters."""

    def name(i, j):
        return f"layer{i}.neuron{j}"

    def neuron(i, j, n):
        name = f"layer{i}.neuron{j}"
        weights = [Value(0.1 * (k - j) + 0.05, f"{name}.w{k}") for k in range(n)]
        return weights, Value(0.1, f"{name}.b")

    layers = [
        [neuron(i, j, n) for j in range(m)] for i, (n, m) in enumerate(pairwise(sizes))
    ]
    losses = []
    for sample in range(samples):
        out = [Value(0.1 * sample + k, f"x{k}") for k in range(sizes[0])]
        for i, layer in enumerate(layers):
            out = [ag.dot(ws, out, b) for ws, b in layer]
            if i < len(layers) - 1:
                out = [activation(s) for s in out]
        losses.append((out[0] - 1.0) ** 2)
    loss = losses[0]
    for other in losses[1:]:
        loss = loss + other
    loss.label = "loss"
    loss.backward()
    return loss


@pytest.fixture
def make_network():
    return network
