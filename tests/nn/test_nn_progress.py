"""Bars: steps within an epoch, the loss, and none where none is wanted."""

import sys

import pytest

import nn
from autograd import MissingDependencyError
from nn import MLP, Module
from nn.training import progress

pytest.importorskip("tqdm")

X, Y = nn.datasets.moons(64, seed=0)


class Own(Module):
    def __init__(self):
        self.net = MLP(2, [4, 1], seed=0)

    def forward(self, x):
        return self.net(x)


def test_a_bar_counts_the_steps_of_all_epochs(capsys):
    nn.fit(Own(), X, Y, "mse", epochs=3, batch_size=16, progress=True)
    shown = capsys.readouterr().err
    assert "12/12" in shown
    assert "epoch 3/3" in shown
    assert "loss 0." in shown.rpartition("12/12")[2]


def test_a_bar_of_lbfgs_counts_iterations(capsys):
    pytest.importorskip("scipy")
    nn.fit(Own(), X, Y, "mse", "lbfgs", epochs=3, progress=True)
    assert "3/3" in capsys.readouterr().err


def test_predictions_that_take_long_have_one(capsys, monkeypatch):
    assert nn.predict(Own(), X, progress=True).shape == (64,)
    assert capsys.readouterr().err == ""
    bar = progress.progress_bar
    monkeypatch.setattr(
        "nn.training.predict.progress_bar",
        lambda *settings, delay: bar(*settings, delay=0.0),
    )
    nn.predict(Own(), X, progress=True)
    assert "64/64" in capsys.readouterr().err


def test_none_where_none_is_wanted(capsys, monkeypatch):
    nn.fit(Own(), X, Y, "mse", epochs=1, progress=False)
    monkeypatch.setitem(sys.modules, "tqdm", None)
    nn.fit(Own(), X, Y, "mse", epochs=1, progress="auto")
    assert capsys.readouterr().err == ""
    with pytest.raises(MissingDependencyError, match="needs tqdm"):
        nn.fit(Own(), X, Y, "mse", epochs=1, progress=True)
    for wrong in (2, "yes", None):
        with pytest.raises(ValueError, match="progress must be"):
            nn.predict(Own(), X, progress=wrong, compile=False)


def test_predict_shows_no_bar_for_matrices(capsys):
    assert nn.predict(MLP(2, [200, 1], seed=0), X, progress=True).shape == (64,)
    assert capsys.readouterr().err == ""
