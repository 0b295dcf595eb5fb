"""When fit compiles, what it says about it, and how a compiled run ends."""

import logging
import random
import warnings

import numpy as np
import pytest

import nn
from autograd import GraphError, ShapeError, Value, detect_anomaly, no_grad
from autograd import sum as total
from nn import MLP, Module, datasets, fit, predict


X, Y = datasets.moons(40, seed=0)


def quick(model, loss="mse", **settings):
    settings = {"epochs": 4, "batch_size": 16, "progress": False} | settings
    return fit(model, X, Y, loss, **settings)


def small():
    return MLP(2, [4, 1], seed=0)


def test_short_runs_stay_eager_and_long_ones_are_compiled():
    assert quick(small()).engine == "eager: too few and too small steps to be worth it"
    assert quick(small(), epochs=3000, callbacks=stop).engine == "compiled"


def stop(epoch, model, history):
    return epoch == 3


def test_the_same_bits_from_the_same_seed():
    def run():
        model = small()
        return quick(model, compile=True, metrics="accuracy"), model.state_dict()

    assert run() == run()


def test_modes_are_respected():
    with detect_anomaly():
        history = quick(small(), compile=True)
    assert history.engine == "eager: a mode is on that looks at every node"
    model = small()
    before = model.state_dict()
    with no_grad(), pytest.raises(GraphError, match="no_grad"):
        quick(model, compile=True)
    assert model.state_dict() == before


def test_values_of_a_loss_stay_in_the_graph():
    scale = Value(0.5)

    def run(compile):
        model = small()

        def loss(outputs, targets):
            penalty = total([p * p for p in model.parameters()])
            return nn.mse_loss(outputs, targets) * scale + 1e-2 * penalty

        history = quick(model, loss, compile=compile, lr=0.05)
        slope, scale.grad = scale.grad, 0.0
        return model.state_dict(), slope, history

    eager, compiled = run(False), run(True)
    assert compiled[2].engine.startswith("eager: ")
    assert compiled == eager


def test_a_loss_that_counts():
    def run(compile):
        calls, model = [], small()

        def loss(outputs, targets):
            calls.append(len(targets))
            return nn.mse_loss(outputs, targets) / len(calls)

        history = quick(model, loss, compile=compile)
        return calls, model.state_dict(), history

    assert run(True) == run(False)


def test_the_reason_is_logged(caplog):
    def loss(outputs, targets):
        return nn.mse_loss(outputs, [float(t) for t in targets])

    with caplog.at_level(logging.WARNING, "nn"):
        history = quick(small(), loss, compile=True)
    assert history.engine.startswith("eager: TraceError: ")
    (record,) = caplog.records
    assert record.name == "nn"
    assert record.getMessage() == history.engine


def test_wrong_compiled_code_would_be_noticed(monkeypatch):
    from nn.training import execution as engine

    make = engine.gradient_program

    def wrong(*args):
        program = make(*args)
        return lambda *numbers: (program(*numbers)[0], 1.001 * program(*numbers)[1])

    monkeypatch.setattr(engine, "gradient_program", wrong)
    history = quick(small(), compile=True)
    assert history.engine == "eager: compiled, it has other results"


def test_divergence_stops_and_warns_here():
    model = small()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        history = quick(model, compile=True, optimiser="sgd", lr=60.0, epochs=400)
    assert history.engine == "compiled"
    assert history.stopped
    assert [w.filename for w in caught] == [__file__]
    assert np.isfinite(list(model.state_dict().values())).all()


def test_an_interruption_leaves_the_last_complete_step(monkeypatch):
    def interrupted(steps):
        model, count = small(), []

        def schedule(time):
            count.append(time)
            if len(count) > steps:
                raise KeyboardInterrupt
            return 1.0

        with pytest.raises(KeyboardInterrupt):
            quick(model, compile=True, schedule=schedule)
        return list(model.state_dict().values())

    def complete(steps):
        model = small()
        quick(model, compile=False, callbacks=lambda *_: True)
        return list(model.state_dict().values())

    assert interrupted(3) == pytest.approx(complete(3), rel=1e-9, abs=1e-12)


class Plane(Module):
    def __init__(self, outputs):
        self.w = [Value(0.5 + k) for k in range(outputs)]

    def __call__(self, x):
        found = [w * x[0] - x[1] for w in self.w]
        return found[0] if len(found) == 1 else found


@pytest.mark.parametrize("model", [Plane(1), Plane(3), MLP(2, [3, 2], seed=0)])
def test_predict(model):
    eager, compiled = (predict(model, X, compile=c) for c in (False, True))
    assert compiled.shape == eager.shape
    assert compiled == pytest.approx(eager, rel=1e-12)
    with no_grad():
        assert predict(model, X, compile=True).tolist() == compiled.tolist()
    single = predict(model, X[0], compile=True)
    assert single == pytest.approx(predict(model, X[0]), rel=1e-12)


def test_predict_refuses_the_same():
    for compile in (False, True):
        with pytest.raises(ShapeError, match="takes 2"):
            predict(small(), [[1.0]], compile=compile)


def test_predict_says_why_it_is_eager(caplog):
    class Rounded(Plane):
        def __call__(self, x):
            return self.w[0] * int(x[0])

    predict(Rounded(1), X, compile=True)
    assert "eager: TraceError" in caplog.text


SCALE = [2.0]


class Scaled:
    factor = 3.0

    def __call__(self, x):
        return x * SCALE[0] * self.factor


def test_a_snapshot_sees_globals_classes_closures_and_generators(monkeypatch):
    cell, generator, table = [1.0], np.random.default_rng(0), np.zeros(3)
    roots = [Scaled(), lambda x: x + cell[0], generator, random, table]
    before = Snapshot(*roots)
    assert not before.changed()
    draw = generator.random()
    assert before.changed()
    before.restore()
    assert not before.changed()
    assert generator.random() == draw
    before.restore()
    for change in (
        lambda: monkeypatch.setattr(Scaled, "factor", 4.0),
        lambda: SCALE.__setitem__(0, 5.0),
        lambda: cell.append(2.0),
        lambda: table.__setitem__(1, 1.0),
        lambda: setattr(roots[0], "bias", 1.0),
        random.random,
        np.random.random,
    ):
        before = Snapshot(*roots)
        change()
        assert before.changed()
    SCALE[0] = 2.0


def test_a_snapshot_of_too_much_trusts_nothing():
    assert Snapshot([[k] for k in range(200_000)]).changed()
