"""fit and predict: what they learn, record and leave behind."""

import math

import numpy as np
import pytest

import nn
from autograd import DataError, ShapeError, Value
from nn import MLP, Module, datasets, fit, predict, schedules

X, Y = datasets.moons(40, seed=0)
LINE_X, LINE_Y = [[0.0], [1.0], [2.0], [3.0]], [1.0, 3.0, 5.0, 7.0]


def quick(model, X=X, y=Y, loss="hinge", optimiser="adam", epochs=3, **settings):
    return fit(model, X, y, loss, optimiser, epochs, progress=False, **settings)


def test_a_regression_of_two_outputs():
    targets = [[2.0 * x, -x + 1.0] for (x,) in LINE_X]
    model = MLP(1, [2], seed=0)
    quick(model, LINE_X, targets, "mse", "sgd", 400, lr=0.1)
    assert predict(model, LINE_X) == pytest.approx(np.array(targets), abs=1e-4)


@pytest.mark.parametrize("optimiser", ["sgd", "rmsprop", "adam", "adamw"])
def test_one_epoch_is_what_it_says(optimiser):
    """Against the loop that everybody would write."""
    by_fit, by_hand = MLP(2, [3, 1], seed=0), MLP(2, [3, 1], seed=0)
    quick(by_fit, optimiser=optimiser, lr=0.1, epochs=2, batch_size=16, shuffle=False)
    stepper = nn.OPTIMISERS[optimiser](by_hand.parameters(), lr=0.1)
    for _ in range(2):
        for start in (0, 16, 32):
            batch = slice(start, start + 16)
            by_hand.zero_grad()
            outputs = [by_hand(x) for x in X[batch]]
            nn.hinge_loss(outputs, Y[batch]).backward()
            stepper.step()
    assert by_fit.state_dict() == by_hand.state_dict()


def test_the_same_bits_from_the_same_seed():
    def run(seed):
        model = MLP(2, [4, 1], seed=0)
        history = quick(model, seed=seed, batch_size=8, validation=0.25, patience=2)
        return model.state_dict(), history

    assert run(1) == run(1)
    assert run(1)[0] != run(2)[0]


def test_the_order_is_new_in_every_epoch():
    seen = []

    def loss(outputs, targets):
        seen.append(list(targets))
        return nn.mse_loss(outputs, targets)

    for shuffle in (True, False):
        seen.clear()
        model = MLP(1, [1], seed=0)
        xs, ys = [[float(i)] for i in range(20)], list(range(20))
        quick(model, xs, ys, loss, epochs=2, shuffle=shuffle, lr=1e-6)
        first, second = seen[1:]  # the first call checks the data
        assert sorted(first) == sorted(second) == ys
        assert (first == ys, first == second) == (not shuffle, not shuffle)


def test_history():
    model = MLP(2, [4, 1], seed=0)
    history = quick(
        model,
        epochs=4,
        batch_size=10,
        lr=0.1,
        validation=(X[:10], Y[:10]),
        metrics=["accuracy", worst],
        schedule=schedules.exponential(0.5),
    )
    assert len(history) == len(history.validation_losses) == 4
    assert history.metrics["accuracy"][-1] == nn.accuracy(model.batch(X[:10]), Y[:10])
    assert history["loss"] is history.losses
    assert history["worst"] is history.metrics["worst"]
    assert history.learning_rates == pytest.approx(
        [0.1 * 0.5 ** (epoch + 0.75) for epoch in range(4)]
    )
    expected = nn.hinge_loss(list(predict(model, X[:10])), Y[:10])
    assert history.validation_losses[-1] == expected
    assert history.best_epoch == np.argmin(history.validation_losses)
    assert str(history).startswith("4 epoch(s): loss ")
    with pytest.raises(KeyError):
        history["unknown"]
    assert nn.History()
    assert str(nn.History()) == "0 epoch(s): no numbers yet"


def worst(outputs, targets):
    return min(y * t for y, t in zip(outputs, targets, strict=True))


def test_losses_are_means_over_samples():
    model = MLP(1, [1], seed=0)
    before = nn.mse_loss(list(predict(model, LINE_X)), LINE_Y)
    history = quick(
        model,
        LINE_X,
        LINE_Y,
        "mse",
        nn.SGD(model.parameters(), lr=0.0),
        1,
        batch_size=3,
    )
    assert history.losses == [pytest.approx(before, rel=1e-12)]
    assert quick(model, LINE_X, LINE_Y, "mse", metrics=["r2_score"]).metrics["r2_score"]


def test_early_stopping_restores_the_best():
    model = MLP(1, [1], seed=0)
    seen = []

    def remember(epoch, model, history):
        seen.append(model.state_dict())

    history = quick(
        model,
        LINE_X,
        LINE_Y,
        "mse",
        "sgd",
        epochs=100,
        lr=0.02,
        validation=([[0.0]], [-3.0]),  # training leads away from it after a while
        patience=3,
        callbacks=[remember],
    )
    assert history.stopped == "no lower validation loss for 3 epoch(s)"
    assert len(history) == history.best_epoch + 4
    assert model.state_dict() == seen[history.best_epoch]


def test_callbacks_may_stop_the_training():
    def enough(epoch, model, history):
        return epoch == 1

    history = quick(MLP(2, [1], seed=0), epochs=9, callbacks=[enough])
    assert len(history) == 2
    assert "callback" in str(history)


def test_clip_limits_the_step():
    model = MLP(1, [1], seed=0)
    before = np.array(list(model.state_dict().values()))
    quick(model, LINE_X, LINE_Y, "mse", "sgd", epochs=1, lr=1.0, clip=0.01)
    step = np.array(list(model.state_dict().values())) - before
    assert np.linalg.norm(step) == pytest.approx(0.01, rel=1e-3)


def test_divergence_stops_and_says_so():
    model = MLP(1, [1], seed=0)
    with pytest.warns(RuntimeWarning, match="lower lr, or set clip=") as caught:
        history = quick(model, LINE_X, LINE_Y, "mse", "sgd", epochs=999, lr=1e6)
    assert caught[0].filename == __file__
    assert 0 < len(history) < 999
    assert not math.isfinite(history.losses[-1])
    assert "loss became" in history.stopped
    assert all(map(math.isfinite, model.state_dict().values()))


def test_a_gradient_that_is_not_finite_makes_no_step():
    class Root(Module):
        def __init__(self):
            self.w = Value(0.0)

        def __call__(self, x):
            return self.w.sqrt() * x[0]

    model = Root()
    with pytest.warns(RuntimeWarning, match="gradient became nan"):
        quick(model, [[1.0]], [1.0], "mse")
    assert model.w.data == 0.0


def test_an_interruption_leaves_the_last_complete_step():
    model, states = MLP(2, [3, 1], seed=0), []

    def loss(outputs, targets):
        states.append(model.state_dict())
        if len(states) == 5:
            raise KeyboardInterrupt
        return nn.hinge_loss(outputs, targets)

    optimiser = nn.SGD(model.parameters(), lr=0.1)
    with pytest.raises(KeyboardInterrupt):
        quick(
            model, loss=loss, optimiser=optimiser, schedule=schedules.exponential(0.5)
        )
    assert model.state_dict() == states[-1] != states[-2]
    assert optimiser.lr == 0.1


def test_a_module_of_ones_own():
    class Line(Module):
        def __init__(self):
            self.w, self.b = Value(0.0), Value(0.0)

        def __call__(self, x):
            return self.w * x[0] + self.b

    line = Line()
    quick(line, LINE_X, LINE_Y, "mse", "sgd", epochs=300, lr=0.1)
    assert (line.w.data, line.b.data) == pytest.approx((2.0, 1.0), abs=1e-4)
    assert predict(line, [[10.0], [20.0]]) == pytest.approx([21.0, 41.0], abs=1e-2)


@pytest.mark.parametrize(("nouts", "shape"), [([1], ()), ([3], (3,)), ([2, 1], ())])
def test_shapes_of_predictions(nouts, shape):
    model = MLP(2, nouts, seed=0)
    many = predict(model, X[:5])
    assert many.shape == (5, *shape)
    assert many.dtype == float
    one = predict(model, X[0])
    assert isinstance(one, np.ndarray)
    assert one.shape == shape
    assert np.array_equal(one, many[0])
    assert predict(model, [[1, 2]]).shape == (1, *shape)


def test_predictions_check_their_inputs():
    with pytest.raises(ShapeError, match="takes 2 inputs, got 1"):
        predict(MLP(2, [1]), [1.0])
    with pytest.raises(DataError, match="empty"):
        predict(MLP(2, [1]), [])
    with pytest.raises(DataError, match=r"X\[0\]\[1\] is nan"):
        predict(MLP(2, [1]), [1.0, math.nan])


def test_training_leaves_the_graph_modes_alone():
    model = MLP(2, [1], seed=0)
    predict(model, X)
    assert model(X[0]).operands
