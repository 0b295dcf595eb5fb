"""L-BFGS: SciPy's, on a loss of one's own and in fit."""

import sys

import numpy as np
import pytest

import nn
from autograd import MissingDependencyError, Value
from nn import LBFGS, MLP

pytest.importorskip("scipy")

X, Y = nn.datasets.moons(60, seed=0)


def net(seed=0):
    return MLP(2, [8, 1], activation="tanh", seed=seed)


def fit(model, loss="hinge", **settings):
    settings = {"epochs": 60, "progress": False} | settings
    return nn.fit(model, X, Y, loss, settings.pop("optimiser", "lbfgs"), **settings)


@pytest.mark.parametrize("compile", [True, False])
def test_it_learns_in_few_epochs(compile):
    model = net()
    history = fit(model, "mse", compile=compile, metrics="accuracy")
    assert history.losses == sorted(history.losses, reverse=True)
    assert history["accuracy"][-1] > 0.98
    slow = fit(net(), "mse", optimiser="adam", compile=compile)
    assert history.losses[-1] < 0.2 * slow.losses[-1]
    found = nn.mse_loss([model(x).data for x in X], Y)
    assert found == pytest.approx(history.losses[-1], rel=1e-9)
    assert history.engine == ("compiled" if compile else "eager: compile=False")


def test_the_same_as_scipy_alone():
    from scipy.optimize import minimize

    model, numbers = net(), None

    def loss_of(x):
        for parameter, number in zip(numbers, x, strict=True):
            parameter.data = number
        model.zero_grad()
        loss = nn.mse_loss(model.batch(X), Y)
        loss.backward()
        return loss.data, np.array([p.grad for p in numbers])

    numbers = model.parameters()
    options = {"maxiter": 7, "maxcor": 10, "gtol": 1e-7, "ftol": 0.0}
    start = np.array([p.data for p in numbers])
    expected = minimize(loss_of, start, jac=True, method="L-BFGS-B", options=options)
    history = fit(other := net(), "mse", epochs=7, compile=False)
    assert [p.data for p in other.parameters()] == expected.x.tolist()
    assert history.losses[-1] == expected.fun


def test_validation_patience_and_callbacks():
    seen = []

    def stop(epoch, model, history):
        seen.append((epoch, nn.mse_loss([model(x).data for x in X], Y)))
        return epoch == 4

    history = fit(model := net(), "mse", callbacks=stop)
    assert len(history) == 5 and history.stopped == "a callback returned True"
    assert [loss for _, loss in seen] == pytest.approx(history.losses, rel=1e-9)
    history = fit(model, "mse", validation=0.3, patience=3, epochs=400)
    assert len(history.validation_losses) == len(history)
    assert history.stopped


def test_it_says_when_no_step_helps():
    model = MLP(1, [1], seed=0)
    history = nn.fit(model, [[0.0], [1.0]], [1.0, 3.0], "mse", "lbfgs", progress=False)
    assert history.stopped == "no step lowers the loss any further"
    assert model([2.0]).data == pytest.approx(5.0)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"clip": 1.0}, "finds its own steps"),
        ({"schedule": "cosine"}, "finds its own steps"),
        ({"optimiser": LBFGS(net().parameters())}, "no parameter of this model"),
    ],
)
def test_what_does_not_go_with_it(settings, message):
    with pytest.raises(ValueError, match=message):
        fit(net(), **settings)


def test_it_needs_all_parameters():
    model = net()
    with pytest.raises(ValueError, match="changes all parameters of a model"):
        fit(model, optimiser=LBFGS(model.parameters()[1:]))
    with pytest.raises(TypeError, match="each step finds its own length"):
        fit(model, lr=0.1)


def test_steps_of_ones_own():
    x = Value(3.0)
    optimiser = LBFGS([x], max_iter=2)
    with pytest.raises(TypeError, match=r"give step\(\) a function"):
        optimiser.step()

    def failing():
        x.data = 7.0
        raise RuntimeError

    with pytest.raises(RuntimeError):
        optimiser.step(failing)
    assert x.data == 3.0
    state = optimiser.state_dict()
    again = LBFGS([x])
    again.load_state_dict(state)
    assert again.max_iter == 2
    text = "LBFGS(max_iter=2, history_size=10, tolerance_grad=1e-07)"
    assert repr(again) == text


def test_an_interruption_leaves_the_last_iteration():
    def interrupt(epoch, model, history):
        if epoch == 3:
            raise KeyboardInterrupt

    model = net()
    with pytest.raises(KeyboardInterrupt):
        fit(model, "mse", callbacks=interrupt)
    history = fit(other := net(), "mse", epochs=4)
    assert other.state_dict() == model.state_dict()
    assert len(history) == 4


def test_without_scipy(monkeypatch):
    monkeypatch.setitem(sys.modules, "scipy.optimize", None)
    with pytest.raises(MissingDependencyError, match="SciPy"):
        fit(net())


def test_of_estimators():
    model = nn.Regressor((8,), activation="tanh", optimiser="lbfgs", random_state=0)
    assert model.fit(X, X[:, 0] * X[:, 1]).score(X, X[:, 0] * X[:, 1]) > 0.9
