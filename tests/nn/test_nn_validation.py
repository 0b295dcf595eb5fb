"""What is refused: an error names the place, the value and the remedy."""

import math
import sys
from fractions import Fraction

import numpy as np
import pytest

import nn
from autograd import DataError, MissingDependencyError, ShapeError, Value
from nn import MLP, Module, datasets, fit, predict

X, Y = [[1.0, 2.0], [3.0, 4.0]], [1.0, -1.0]


def quick(X=X, y=Y, model=None, epochs=2, **settings):
    chosen = MLP(2, [1], seed=0) if model is None else model
    return fit(chosen, X, y, epochs=epochs, progress=False, **settings)


BAD_INPUTS = [
    (None, TypeError, "X must be a sequence .*None"),
    ("ab", TypeError, "X must be a sequence .*'ab'"),
    ([[1.0, 2.0], [None, 1.0]], TypeError, r"X\[1\]\[0\] is None.*real number"),
    ([[1.0, "a"], [1.0, 2.0]], TypeError, r"X\[0\]\[1\] is 'a'.*real number"),
    (np.zeros((2, 2, 2)), ShapeError, r"X\[0\]\[0\] is a row itself.*reshape"),
    ([[1.0, 2.0], [1.0, 10**400]], DataError, r"X\[1\]\[1\].*largest float"),
    ([[Fraction(10**400), 2.0]] * 2, DataError, r"X\[0\]\[0\].*largest float"),
    (np.ma.array(X, mask=[[0, 1], [0, 0]]), DataError, "X has 1 masked"),
    ([np.ma.array([1.0, 2.0], mask=[0, 1])] * 2, DataError, r"X\[0\] has 1 masked"),
    ([[1.0, np.ma.masked]] * 2, DataError, r"X\[0\]\[1\] is masked"),
]


@pytest.mark.parametrize(("inputs", "error", "message"), BAD_INPUTS)
def test_bad_inputs(inputs, error, message):
    with pytest.raises(error, match=message):
        quick(inputs)
    with pytest.raises(error, match=message):
        quick(validation=(inputs, Y))
    with pytest.raises(error, match=message):
        predict(MLP(2, [1], seed=0), inputs)


@pytest.mark.parametrize(
    ("targets", "error", "message"),
    [
        (None, TypeError, "y must be a sequence .*None"),
        ("ab", TypeError, "y must be a sequence .*'ab'"),
        ([1.0, None], TypeError, r"y\[1\] is None.*real number"),
        (["a", 1.0], TypeError, r"y\[0\] is 'a'.*real number"),
        ([1.0, 10**400], DataError, r"y\[1\].*largest float"),
        (np.ma.array([1.0, 2.0], mask=[0, 1]), DataError, "y has 1 masked"),
        ([1.0, np.ma.masked], DataError, r"y\[1\] is masked"),
        ([[1.0], [np.nan]], DataError, r"y\[1\]\[0\] is nan"),
    ],
)
def test_bad_targets(targets, error, message):
    with pytest.raises(error, match=message):
        quick(y=targets)


def test_a_sample_of_text():
    with pytest.raises(ShapeError, match=r"X\[0\] is 'ab'"):
        quick(["ab", "cd"])


def test_masked_arrays_without_a_masked_element_are_arrays():
    plain = quick(np.array(X), np.array(Y))
    assert quick(np.ma.array(X), np.ma.array(Y, mask=[0, 0])) == plain


BAD_SETTINGS = [
    ({"epochs": 1.5}, TypeError, "epochs must be an int.*1.5"),
    ({"epochs": "a"}, TypeError, "epochs must be an int.*'a'"),
    ({"epochs": None}, TypeError, "epochs must be an int.*None"),
    ({"batch_size": 1.5}, TypeError, "batch_size must be an int.*1.5"),
    ({"patience": "a", "validation": 0.5}, TypeError, "patience must be an int"),
    ({"clip": "a"}, TypeError, "clip must be a real number.*'a'"),
    ({"lr": "a"}, TypeError, "lr must be a real number.*'a'"),
    ({"lr": 10**400}, ValueError, "lr must be a finite number"),
    ({"seed": "a"}, TypeError, "seed must be an int.*'a'"),
    ({"validation": (X,)}, ValueError, r"\(X, y\).*got 1 part"),
    ({"validation": [X, Y, Y]}, ValueError, r"\(X, y\).*got 3 parts"),
    ({"validation": "a"}, ValueError, r"\(X, y\), or a share .*'a'"),
    ({"schedule": 3}, TypeError, r"schedule must be a function.*nn\.schedules.*3"),
    ({"callbacks": 3}, TypeError, "callbacks must be .*function.*3"),
    ({"callbacks": [3]}, TypeError, "callbacks must be .*function.*3"),
    ({"metrics": 3}, TypeError, "metrics must be .*3"),
    ({"metrics": [[]]}, ValueError, r"unknown metric \[\]: known are accuracy"),
    ({"metrics": "f1"}, ValueError, "unknown metric 'f1'"),
    ({"loss": []}, ValueError, r"unknown loss \[\]: known are mse_loss"),
    ({"optimiser": nn.Adam}, TypeError, r"Adam'>.*adam.*\(model\.parameters\(\)\)"),
    ({"optimiser": None}, TypeError, "optimiser is None"),
]


@pytest.mark.parametrize(("settings", "error", "message"), BAD_SETTINGS)
def test_bad_settings_of_fit(settings, error, message):
    with pytest.raises(error, match=message):
        quick(**settings)


def test_one_of_many_needs_no_list():
    seen = []
    history = quick(
        metrics="r2_score",
        callbacks=lambda epoch, *_: seen.append(epoch),
        validation=[X, Y],
    )
    assert seen == [0, 1]
    assert len(history.metrics["r2_score"]) == len(history.validation_losses) == 2
    assert quick(metrics=nn.r2_score).metrics.keys() == {"r2_score"}


def test_numpys_true_stops_the_training_too():
    assert len(quick(callbacks=lambda *_: np.True_)) == 1
    assert len(quick(callbacks=lambda *_: np.False_)) == 2


@pytest.mark.parametrize(
    ("build", "error", "message"),
    [
        (lambda: MLP(2, 3), TypeError, r"nouts .*sequence of widths, got 3: .*\[3\]"),
        (lambda: MLP(2, "31"), TypeError, "nouts .*sequence of widths, got '31'"),
        (lambda: MLP("a", [1]), TypeError, "number of inputs must be an int.*'a'"),
        (lambda: MLP(2, [1.5]), TypeError, "number of neurons must be an int.*1.5"),
        (lambda: MLP(2, [1], seed="a"), TypeError, r"seed must be .*int.*'a'"),
        (lambda: MLP(2, [1], init=3), ValueError, "unknown initialiser 3"),
        (lambda: MLP(2, [1], activation="nope"), ValueError, "activation 'nope'"),
        (lambda: MLP(2, [1], activation=3), ValueError, "unknown activation 3"),
        (lambda: MLP(2, [1], activation=[]), ValueError, r"unknown activation \[\]"),
        (lambda: MLP(2, [1], activation="softmax"), ValueError, "whole layer"),
        (lambda: MLP(2, [1], activation=nn.softmax), ValueError, "whole layer"),
        (lambda: nn.SGD(3), TypeError, r"got 3.*model\.parameters\(\)"),
        (lambda: nn.SGD(None), TypeError, r"got None.*model\.parameters\(\)"),
        (lambda: nn.SGD([[Value(1.0)]]), TypeError, "got list"),
        (lambda: nn.SGD([Value(1.0)], momentum="a"), TypeError, "momentum .*'a'"),
        (lambda: nn.clip_grad_norm([], "a"), TypeError, "max_norm .*'a'"),
        (lambda: nn.schedules.step("a"), TypeError, "every .*'a'"),
    ],
)
def test_bad_parts(build, error, message):
    with pytest.raises(error, match=message):
        build()


def test_numpys_integers_are_integers():
    model = MLP(np.int64(2), np.array([3, 1]), seed=np.int64(0))
    assert model.state_dict() == MLP(2, [3, 1], seed=0).state_dict()


def test_an_optimiser_of_a_module():
    model = MLP(2, [1], seed=0)
    assert nn.SGD(model).params == model.parameters()


class Answers(Module):
    """A model that says what it was told to."""

    def __init__(self, *answers):
        self.w, self.answers = Value(1.0), answers

    def __call__(self, x):
        answer = self.answers[int(x[0])]
        return [self.w * a for a in answer] if isinstance(answer, tuple) else answer


SAMPLES = [[0.0], [1.0]]


def test_predict_takes_a_module():
    with pytest.raises(TypeError, match=r"nn\.Module, got int"):
        predict(3, X)


def test_a_model_that_returns_nothing():
    for inputs in (SAMPLES, [1.0]):
        with pytest.raises(TypeError, match=r"outputs\[\d\] is None"):
            predict(Answers(1.0, None), inputs)
    for answers in ((None, None), (1.0, None)):
        with pytest.raises(TypeError, match=r"outputs\[\d\] is None"):
            quick(SAMPLES, Y, Answers(*answers), shuffle=False)


def test_a_model_that_returns_rows_of_different_widths():
    model = Answers((1.0, 2.0), (1.0,))
    with pytest.raises(ShapeError, match=r"outputs\[0\] is \[1.0, 2.0\].*outputs\[1\]"):
        predict(model, SAMPLES)
    with pytest.raises(ShapeError, match="3 predictions"):
        quick(SAMPLES, [[1.0, 1.0], [1.0, 1.0]], model, shuffle=False)


def test_a_model_may_return_any_row():
    class Pair(Answers):
        def __call__(self, x):
            return self.w * x[0], self.w

    model = Pair()
    assert predict(model, SAMPLES).tolist() == [[0.0, 1.0], [1.0, 1.0]]
    assert len(quick(SAMPLES, [[0.0, 1.0]] * 2, model)) == 2


POINTS, LABELS = datasets.moons(40, seed=0)


def train(
    model, X=POINTS, y=LABELS, loss="hinge", optimiser="adam", epochs=3, **settings
):
    return fit(model, X, y, loss, optimiser, epochs, progress=False, **settings)


BAD_DATA = [
    ([], [], DataError, "X is empty"),
    (POINTS, LABELS[:-1], ShapeError, "X has 40 samples, y has 39 targets"),
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
        train(model, inputs, targets)
    with pytest.raises(error, match=message):
        train(model, validation=(inputs, targets))
    assert model.state_dict() == before


SENSELESS = [
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


@pytest.mark.parametrize(("settings", "message"), SENSELESS)
def test_senseless_settings_of_fit(settings, message):
    with pytest.raises(ValueError, match=message):
        train(MLP(2, [1], seed=0), **settings)


def test_bad_progress():
    with pytest.raises(ValueError, match="True, False or 'auto'"):
        fit(MLP(2, [1], seed=0), POINTS, LABELS, progress="maybe")


def test_things_that_are_no_model_or_loss():
    with pytest.raises(TypeError, match=r"nn\.Module, got function"):
        train(lambda x: x)
    with pytest.raises(TypeError, match="a loss returns one Value, got float"):
        train(MLP(2, [1], seed=0), loss=lambda outputs, targets: 1.0)


def test_progress(monkeypatch, capsys):
    pytest.importorskip("tqdm")
    fit(MLP(2, [1], seed=0), POINTS, LABELS, "hinge", epochs=2, progress=True)
    assert "2/2" in capsys.readouterr().err
    train(MLP(2, [1], seed=0))
    monkeypatch.setitem(sys.modules, "tqdm", None)
    fit(MLP(2, [1], seed=0), POINTS, LABELS, "hinge", epochs=2)
    assert capsys.readouterr().err == ""
    with pytest.raises(MissingDependencyError, match="pip install tqdm"):
        fit(MLP(2, [1], seed=0), POINTS, LABELS, "hinge", epochs=2, progress=True)


class Table:
    """What pandas offers: columns when iterated, rows as an array."""

    def __iter__(self):
        return iter(["first", "second"])

    def __array__(self, dtype=None, copy=None):
        return POINTS


def test_tables_and_columns_of_targets():
    expected = train(MLP(2, [1], seed=0), metrics=["accuracy"])
    assert train(MLP(2, [1], seed=0), Table(), metrics=["accuracy"]) == expected
    assert (
        train(MLP(2, [1], seed=0), y=LABELS[:, None], metrics=["accuracy"]) == expected
    )
