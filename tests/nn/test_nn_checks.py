"""What fit refuses before the first step, and its progress bar."""

import math
import sys

import pytest

import nn
from autograd import DataError, MissingDependencyError, ShapeError, Value
from nn import MLP, datasets, fit

X, Y = datasets.moons(40, seed=0)


def quick(model, X=X, y=Y, loss="hinge", optimiser="adam", epochs=3, **settings):
    return fit(model, X, y, loss, optimiser, epochs, progress=False, **settings)


BAD_DATA = [
    ([], [], DataError, "X is empty"),
    (X, Y[:-1], ShapeError, "X has 40 samples, y has 39 targets"),
    ([[1.0, math.nan]], [1], DataError, r"X\[0\]\[1\] is nan"),
    ([[1.0, 2.0], [math.inf, 0.0]], [1, 1], DataError, r"X\[1\]\[0\] is inf"),
    ([[1.0, 2.0]] * 2, [1.0, math.nan], DataError, r"y\[1\] is nan"),
    ([[1.0, 2.0], [1.0]], [1, 1], ShapeError, r"X\[0\] has 2 .* X\[1\] has 1"),
    ([[1.0, 2.0, 3.0]], [1], ShapeError, "takes 2 inputs, got 3"),
    ([1.0, 2.0], [1, 1], ShapeError, r"write \[\[x\] for x in X\]"),
    ([["a", "b"]], [1], TypeError, "real number"),
    ([[1.0, 2.0]] * 40, [1] * 39 + [0], DataError, "target 39 is 0.0: hinge_loss"),
    ([[1.0, 2.0]], [[1, 1]], ShapeError, "1 predictions with 2 targets"),
]


@pytest.mark.parametrize(("inputs", "targets", "error", "message"), BAD_DATA)
def test_bad_data_is_refused_before_any_step(inputs, targets, error, message):
    model = MLP(2, [3, 1], seed=0)
    before = model.state_dict()
    with pytest.raises(error, match=message):
        quick(model, inputs, targets)
    with pytest.raises(error, match=message):
        quick(model, validation=(inputs, targets))
    assert model.state_dict() == before


BAD_SETTINGS = [
    ({"epochs": 0}, "epochs must be > 0"),
    ({"batch_size": 0}, "batch_size must be > 0"),
    ({"clip": -1.0}, "clip must be > 0"),
    ({"patience": 0, "validation": 0.5}, "patience must be > 0"),
    ({"patience": 3}, "give validation="),
    ({"validation": 1.5}, "share between 0 and 1"),
    ({"validation": 0.001}, "too few"),
    ({"loss": "hinges"}, "unknown loss"),
    ({"optimiser": "adamant"}, "unknown optimiser"),
    ({"metrics": ["f1"]}, "unknown metric"),
    ({"lr": -1.0}, "lr must be"),
    ({"optimiser": nn.SGD([Value(1.0)]), "lr": 0.1}, "lr= goes with"),
    ({"optimiser": nn.SGD([Value(1.0)])}, "no parameter of this model"),
]


@pytest.mark.parametrize(("settings", "message"), BAD_SETTINGS)
def test_bad_settings(settings, message):
    with pytest.raises(ValueError, match=message):
        quick(MLP(2, [1], seed=0), **settings)


def test_bad_progress():
    with pytest.raises(ValueError, match="True, False or 'auto'"):
        fit(MLP(2, [1], seed=0), X, Y, progress="maybe")


def test_things_that_are_no_model_or_loss():
    with pytest.raises(TypeError, match=r"nn\.Module, got function"):
        quick(lambda x: x)
    with pytest.raises(TypeError, match="a loss returns one Value, got float"):
        quick(MLP(2, [1], seed=0), loss=lambda outputs, targets: 1.0)


def test_progress(monkeypatch, capsys):
    pytest.importorskip("tqdm")
    fit(MLP(2, [1], seed=0), X, Y, "hinge", epochs=2, progress=True)
    assert "2/2" in capsys.readouterr().err
    quick(MLP(2, [1], seed=0))
    monkeypatch.setitem(sys.modules, "tqdm", None)
    fit(MLP(2, [1], seed=0), X, Y, "hinge", epochs=2)
    assert capsys.readouterr().err == ""
    with pytest.raises(MissingDependencyError, match=r"scalar-autograd\[progress\]"):
        fit(MLP(2, [1], seed=0), X, Y, "hinge", epochs=2, progress=True)


class Table:
    """What pandas offers: columns when iterated, rows as an array."""

    def __iter__(self):
        return iter(["first", "second"])

    def __array__(self, dtype=None, copy=None):
        return X


def test_tables_and_columns_of_targets():
    expected = quick(MLP(2, [1], seed=0), metrics=["accuracy"])
    assert quick(MLP(2, [1], seed=0), Table(), metrics=["accuracy"]) == expected
    assert quick(MLP(2, [1], seed=0), y=Y[:, None], metrics=["accuracy"]) == expected
