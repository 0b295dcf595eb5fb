"""Recurrent layers against PyTorch's equations and, where installed, PyTorch."""

import math

import pytest

import nn
from autograd import ShapeError, Value, gradcheck
from autograd import sum as total

SEQUENCES = [
    [[0.5, -1.0]],
    [[0.5, -1.0], [2.0, 0.25], [-0.75, 1.5]],
    [[0.1 * i, 1.0 - 0.3 * i] for i in range(5)],
]
KINDS = {
    "RNN": lambda **s: nn.RNN(2, 3, seed=1, **s),
    "RNN of relu": lambda **s: nn.RNN(2, 3, seed=2, activation="relu", **s),
    "LSTM": lambda **s: nn.LSTM(2, 2, seed=3, **s),
    "GRU": lambda **s: nn.GRU(2, 2, seed=4, **s),
    "GRU of width 1": lambda **s: nn.GRU(2, 1, seed=5, **s),
}
each_kind = pytest.mark.parametrize("make", KINDS.values(), ids=KINDS)
each_sequence = pytest.mark.parametrize("sequence", SEQUENCES, ids=len)


def sigmoid(x):
    return 1.0 / (1.0 + math.exp(-x))


def by_hand(net, sequence):
    """The outputs of all steps, number by number."""
    data = lambda row: [w.data for w in row]  # noqa: E731
    n, h, c, found = net.width, [0.0] * net.width, [0.0] * net.width, []
    for x in sequence:
        xs, hs = [
            [
                b + sum(w * y for w, y in zip(data(row), inputs, strict=True))
                for row, b in zip(rows, data(biases), strict=True)
            ]
            for rows, biases, inputs in (
                (net.weight_ih, net.bias_ih, x),
                (net.weight_hh, net.bias_hh, h),
            )
        ]
        if isinstance(net, nn.LSTM):
            z = [a + b for a, b in zip(xs, hs, strict=True)]
            for j in range(n):
                gates = map(sigmoid, (z[j], z[n + j], z[3 * n + j]))
                i, f, o = gates
                c[j] = f * c[j] + i * math.tanh(z[2 * n + j])
                h[j] = o * math.tanh(c[j])
        elif isinstance(net, nn.GRU):
            for j in range(n):
                r, z = sigmoid(xs[j] + hs[j]), sigmoid(xs[n + j] + hs[n + j])
                new = math.tanh(xs[2 * n + j] + r * hs[2 * n + j])
                h[j] = (1.0 - z) * new + z * h[j]
        else:
            f = math.tanh if net.activation is nn.tanh else lambda a: max(a, 0.0)
            h = [f(a + b) for a, b in zip(xs, hs, strict=True)]
        found.append([*h])
    return found


@each_kind
@each_sequence
def test_equations(make, sequence):
    outputs, _ = make().run(sequence)
    for row, expected in zip(outputs, by_hand(make(), sequence), strict=True):
        assert [y.data for y in row] == pytest.approx(expected, rel=1e-12)


@each_kind
@each_sequence
def test_gradients_against_differences(make, sequence):
    net = make(outputs="all")
    weights = [p.data for p in net.parameters()]

    def loss(*numbers):
        return total([y * y for row in net._bound(numbers)(sequence) for y in row])

    assert gradcheck(loss, *weights)


@each_kind
@each_sequence
def test_pytorch(make, sequence):
    torch = pytest.importorskip("torch")
    net = make(outputs="all")
    settings = {"dtype": torch.float64, "batch_first": True}
    if getattr(net, "activation", nn.tanh) is nn.relu:
        settings["nonlinearity"] = "relu"
    theirs = getattr(torch.nn, type(net).__name__)(2, net.width, **settings)
    ours = net.parameters()
    with torch.no_grad():
        torch.nn.utils.vector_to_parameters(
            torch.tensor([p.data for p in ours], dtype=torch.float64),
            theirs.parameters(),
        )
    xs = torch.tensor([sequence], dtype=torch.float64, requires_grad=True)
    inputs = [[Value(a) for a in x] for x in sequence]
    outputs, _ = theirs(xs)
    found = net(inputs)
    for row, expected in zip(found, outputs[0].tolist(), strict=True):
        assert [y.data for y in row] == pytest.approx(expected, rel=1e-12, abs=1e-12)
    (outputs**2).sum().backward()
    total([y * y for row in found for y in row]).backward()
    slopes = torch.cat([p.grad.reshape(-1) for p in theirs.parameters()]).tolist()
    assert [p.grad for p in ours] == pytest.approx(slopes, rel=1e-12, abs=1e-12)
    slopes = xs.grad.reshape(-1).tolist()
    assert [x.grad for x in nn.flatten(inputs)] == pytest.approx(
        slopes, rel=1e-12, abs=1e-12
    )


@each_kind
def test_batches_of_unequal_length(make):
    last, every = make(), make(outputs="all")
    found = every.batch(SEQUENCES)
    assert [len(rows) for rows in found] == [1, 3, 5]
    for sequence, output, rows in zip(
        SEQUENCES, last.batch(SEQUENCES), found, strict=True
    ):
        assert isinstance(output, list)
        assert [y.data for y in output] == [y.data for y in rows[-1]]
        assert [y.data for y in last(sequence)] == [y.data for y in output]


@each_kind
def test_going_on_from_a_state(make):
    net, sequence = make(), SEQUENCES[2]
    whole, end = net.run(sequence)
    first, state = net.run(sequence[:3])
    rest, again = net.run(sequence[3:], state)
    values = [[y.data for y in row] for row in (*first, *rest)]
    assert values == [[y.data for y in row] for row in whole]
    flat = nn.flatten
    assert [y.data for y in flat(list(end))] == [y.data for y in flat(list(again))]


@each_kind
def test_what_does_not_fit(make):
    net = make()
    with pytest.raises(ShapeError, match="at least one step, got none"):
        net([])
    with pytest.raises(ShapeError, match="takes 2 inputs, got 3"):
        net([[1.0, 2.0], [1.0, 2.0, 3.0]])
    with pytest.raises(ShapeError, match="takes 2 inputs, got 1"):
        net([1.0, 2.0])
    with pytest.raises(ShapeError, match=r"two vectors|inputs, got 9"):
        net.run(
            [[1.0, 2.0]], [[0.0] * 9] * 9 if isinstance(net, nn.LSTM) else [0.0] * 9
        )
    with pytest.raises(
        ValueError, match="outputs must be 'last' or 'all', got 'every'"
    ):
        make(outputs="every")


@each_kind
def test_a_number_is_no_sequence(make):
    with pytest.raises(TypeError, match=r"takes a sequence of vectors of 2.*got 5"):
        make()(5)


@pytest.mark.parametrize("kind", [nn.RNN, nn.LSTM, nn.GRU])
def test_widths(kind):
    with pytest.raises(ShapeError, match="at least one input"):
        kind(0, 1)
    with pytest.raises(ShapeError, match="at least one output"):
        kind(1, 0)
    net = kind(1, 4, seed=0)
    assert [y.data for y in net([1.0, 2.0])] == [y.data for y in net([[1.0], [2.0]])]
    assert kind(1, 4, seed=0).state_dict() == net.state_dict()
    assert max(abs(p.data) for p in net.parameters()) <= 0.5
    names = [name.partition(".")[0] for name in net.named_parameters()]
    assert [*dict.fromkeys(names)] == ["weight_ih", "weight_hh", "bias_ih", "bias_hh"]


def test_sequences_inside_networks():
    net = nn.Sequential(nn.LSTM(1, 3, outputs="all", seed=0))
    assert [len(y) for y in (net([1.0]), net([1.0, 2.0]))] == [1, 2]
    assert len(net([1.0])[0]) == 3
    assert nn.Sequential(nn.GRU(1, 1, seed=0))([1.0]).data < 1.0


def test_a_loop_of_ones_own():
    """Which of two letters came first, for words of any length."""
    words = ["ab", "ba", "aab", "bbba", "abab", "baa", "aaaab", "bab"]
    net = nn.Sequential(nn.GRU(2, 4, seed=0), nn.Layer(4, 1, nonlin=False, seed=1))
    adam, codes = nn.Adam(net, lr=0.05), {"a": [1.0, 0.0], "b": [0.0, 1.0]}
    samples = [[codes[letter] for letter in word] for word in words]
    for _ in range(40):
        loss = nn.hinge_loss(
            net.batch(samples), [1 if w[0] == "a" else -1 for w in words]
        )
        adam.zero_grad()
        loss.backward()
        adam.step()
    assert loss.data < 0.1
