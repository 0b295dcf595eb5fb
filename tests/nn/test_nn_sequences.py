"""Samples that are sequences: of rows, and of different lengths."""

import numpy as np
import pytest

import nn
from autograd import DataError, ShapeError
from nn import GRU, LSTM, MLP, RNN, Embedding, Layer, Sequential, flatten

RNG = np.random.default_rng(0)
UNEVEN = [RNG.normal(size=(n, 2)).tolist() for n in (1, 3, 2, 5) * 6]
FIRST = [float(np.sum(x) > 0.0) for x in UNEVEN]
EVEN = RNG.normal(size=(24, 3, 2))


def recurrent(kind, seed=0):
    return Sequential(kind(2, 4, seed=seed), Layer(4, 1, nonlin=False, seed=seed))


class Own(nn.Module):
    def __init__(self):
        self.last = Layer(2, 1, nonlin=False, seed=0)

    def forward(self, rows):
        return self.last([sum(column) for column in zip(*rows, strict=True)])


@pytest.mark.parametrize(
    "make", [*map(lambda k: lambda: recurrent(k), (RNN, LSTM, GRU)), Own]
)
def test_sequences_of_different_lengths(make):
    model = make()
    history = nn.fit(
        *(model, UNEVEN, FIRST, "bce_with_logits"),
        epochs=40,
        lr=0.05,
        metrics="accuracy",
        validation=(UNEVEN[:4], FIRST[:4]),
        progress=False,
    )
    assert history.losses[-1] < 0.6 * history.losses[0]
    assert history["accuracy"][-1] >= 0.75
    found = nn.predict(model, UNEVEN)
    assert found.tolist() == [model(x).data for x in UNEVEN]
    assert nn.classify(model, UNEVEN).shape == (24,)


@pytest.mark.parametrize("compile", [True, False])
def test_sequences_of_rows_of_one_length(compile):
    y = EVEN.sum(axis=(1, 2))
    model = recurrent(GRU)
    history = nn.fit(model, EVEN, y, lr=0.02, compile=compile, progress=False)
    assert history.engine == ("compiled" if compile else "eager: compile=False")
    assert history.losses[-1] < 0.2 * history.losses[0]
    found = nn.predict(model, EVEN, compile=compile)
    assert np.allclose(found, [model(x.tolist()).data for x in EVEN], rtol=1e-9)


def test_uneven_samples_say_why_they_are_eager():
    history = nn.fit(
        recurrent(RNN), UNEVEN, FIRST, compile=True, epochs=2, progress=False
    )
    assert history.engine == "eager: samples of different lengths"


def test_tokens_of_different_lengths():
    class Mean(nn.Module):
        def __init__(self):
            self.table = Embedding(5, 3, seed=0)
            self.last = Layer(3, 1, nonlin=False, seed=0)

        def forward(self, tokens):
            rows = self.table(tokens)
            return self.last([sum(c) / len(c) for c in zip(*rows, strict=True)])

    X = [[0, 1], [2], [3, 4, 4], [0]]
    model = Mean()
    history = nn.fit(model, X, [0.0, 1.0, 2.0, 0.0], lr=0.1, progress=False)
    assert history.losses[-1] < 0.01
    with pytest.raises(DataError, match="whole numbers from 0 to 4"):
        nn.predict(model, [[7]])


@pytest.mark.parametrize(
    ("X", "error", "message"),
    [
        ([[[1.0, 2.0]], [[1.0, np.nan]]], DataError, r"X\[1\]\[0\]\[1\] is nan"),
        ([[[1.0, 2.0]], [["a", 2.0]]], TypeError, r"X\[1\]\[0\]\[0\] is 'a'"),
        ([[[1.0, 2.0]], []], ShapeError, "at least one step"),
        ([[[1.0, 2.0]], [[1.0]]], ShapeError, "takes 2 inputs, got 1"),
        ([], DataError, "X is empty"),
    ],
)
def test_bad_sequences_change_nothing(X, error, message):
    model = recurrent(RNN)
    before = model.state_dict()
    for use in (
        lambda: nn.fit(model, X, [1.0] * len(X), progress=False, epochs=1),
        lambda: nn.predict(model, X),
    ):
        with pytest.raises(error, match=message):
            use()
        assert model.state_dict() == before


def test_networks_of_layers_take_rows_alone():
    for model in (MLP(2, [1], seed=0), Sequential("tanh", MLP(2, [1], seed=0))):
        with pytest.raises(ShapeError, match=r"flatten an array"):
            nn.fit(model, EVEN, np.ones(24), progress=False)
    model = Sequential(Embedding(9, 2, seed=0), flatten, Layer(4, 1, seed=0))
    with pytest.raises(ShapeError, match="takes 4 inputs, got 2"):
        nn.fit(model, [[1, 2], [3]], [0.0, 1.0], progress=False)


@pytest.mark.parametrize("compile", [True, False])
def test_an_index_that_an_embedding_has_not_is_refused_before_any_step(compile):
    model = Sequential(Embedding(4, 2, seed=0), flatten, Layer(4, 1, seed=0))
    before = model.state_dict()
    X = [[0, 1]] * 40 + [[2, 4]]
    for index, shown in ((4, "4"), (1.5, "1.5"), (-1, "-1")):
        X[-1] = [2, index]
        with pytest.raises(DataError, match=f"whole numbers from 0 to 3, got {shown}"):
            nn.fit(model, X, [1.0] * 41, compile=compile, progress=False)
        assert model.state_dict() == before


def test_targets_that_differ_in_shape_are_trained_on_as_rows():
    def loss(outputs, targets):
        return nn.mse_loss(
            outputs, [t if isinstance(t, float) else t[0] for t in targets]
        )

    found = []
    for X in (np.array([[0.0], [1.0], [2.0]]), [[0.0], [1.0], [2.0]]):
        model = MLP(1, [1], seed=0)
        history = nn.fit(model, X, [1.0, [2.0], 3.0], loss, lr=0.1, progress=False)
        found.append(history.losses)
    assert found[0] == found[1]
    assert found[0][-1] < 0.1 * found[0][0]
