"""Finding a learning rate: what it suggests, and that it leaves no trace."""

import numpy as np
import pytest

import nn
from autograd import DataError, ShapeError, Value
from nn import MLP, LearningRates, datasets, find_learning_rate, fit

X, Y = datasets.moons(60, seed=0)


def model():
    return nn.Sequential(
        MLP(2, [6, 6], seed=0), nn.Dropout(0.2), nn.Layer(6, 1, seed=1)
    )


def everything(net, optimiser):
    """All that a run could change, in a form that is compared."""
    return (
        [(p.data, p.grad) for p in net.parameters()],
        [(m.training, m.inputs, m.classes) for m in net.layers],
        net.layers[1].rng.getstate(),
        optimiser.state_dict(),
        dict(vars(optimiser)) | {"state": None},
    )


@pytest.mark.parametrize("kind", [nn.SGD, nn.RMSprop, nn.Adam, nn.AdamW])
@pytest.mark.parametrize("compile", [False, None])
def test_nothing_is_changed(kind, compile):
    net = model()
    optimiser = kind(net.parameters(), lr=0.01)
    fit(net, X, Y, "hinge", optimiser, epochs=2, progress=False)  # there are momenta
    net.train()
    before = everything(net, optimiser)
    found = find_learning_rate(net, X, Y, "hinge", optimiser, compile=compile)
    assert everything(net, optimiser) == before
    assert found.rates[0] == pytest.approx(1e-6)


@pytest.mark.parametrize("at", [0, 1, 30])
@pytest.mark.parametrize("error", [KeyboardInterrupt, ZeroDivisionError])
def test_an_interruption_changes_nothing(at, error):
    net, calls = model(), []
    optimiser = nn.Adam(net.parameters())

    def loss(outputs, targets):
        calls.append(1)
        if len(calls) > at:
            raise error
        return nn.hinge_loss(outputs, targets)

    before = everything(net, optimiser)
    with pytest.raises(error):
        find_learning_rate(net, X, Y, loss, optimiser)
    assert everything(net, optimiser) == before


def test_a_second_interruption_still_restores(monkeypatch):
    net = model()
    optimiser = nn.SGD(net.parameters())
    before = everything(net, optimiser)
    interrupted = []

    class Once(Value):
        """A parameter whose restoring is interrupted the first time."""

        def __setattr__(self, name, value):
            super().__setattr__(name, value)
            if name == "grad" and armed and not interrupted:
                interrupted.append(1)
                raise KeyboardInterrupt

    def loss(outputs, targets):
        armed.append(1)
        raise ZeroDivisionError

    armed = []
    net.extra = Once(1.0)
    before = everything(net, optimiser)
    with pytest.raises(KeyboardInterrupt):
        find_learning_rate(net, X, Y, loss, optimiser)
    assert everything(net, optimiser) == before


@pytest.mark.parametrize("optimiser", ["sgd", "adam"])
def test_the_suggestion_trains(optimiser):
    found = find_learning_rate(MLP(2, [8, 1], seed=0), X, Y, "hinge", optimiser)
    net = MLP(2, [8, 1], seed=0)
    losses = fit(
        net, X, Y, "hinge", optimiser, 10, lr=found.suggestion, progress=False
    ).losses
    assert losses[-1] < 0.7 * losses[0]
    assert np.isfinite(losses).all()


def test_the_run_is_that_of_fit():
    """The first loss is that of the first batch, and rates have one ratio."""
    net = MLP(2, [8, 1], seed=0)
    found = find_learning_rate(net, X, Y, "hinge", "sgd", batch_size=None, steps=20)
    assert found.losses[0] == pytest.approx(nn.hinge_loss(net.batch(X), Y).data)
    ratios = np.array(found.rates[1:]) / found.rates[:-1]
    assert ratios == pytest.approx(ratios[0])
    again = find_learning_rate(net, X, Y, "hinge", "sgd", batch_size=None, steps=20)
    assert again == found


def test_it_ends_where_the_loss_runs_away():
    net = MLP(2, [8, 1], seed=0)
    found = find_learning_rate(net, X, Y, "mse", "sgd", highest=1e6)
    assert found.stopped == "the loss grew"
    assert len(found.rates) == len(found.losses) < 100
    assert "suggestion" in str(found) and "stopped" in str(found)


def test_it_ends_where_the_loss_is_not_finite():
    net = MLP(2, [8, 1], seed=0)
    net.layers[1].neurons[0].b.data = 1e200
    found = find_learning_rate(net, X, Y, "mse")
    assert "not finite" in found.stopped
    assert found.losses == []


def test_a_loss_that_never_falls():
    with pytest.raises(DataError, match=r"falls at no rate from 0\.1 to 0\.4"):
        LearningRates([0.1, 0.2, 0.4], [1.0, 2.0, 3.0]).suggestion  # noqa: B018
    with pytest.raises(DataError, match="ended before"):
        LearningRates([], [], "not finite").suggestion  # noqa: B018
    assert "ended before" in str(LearningRates([], [], "not finite"))
    assert "falls at no rate" in str(LearningRates([0.1, 0.2], [1.0, 2.0]))


def test_labels_and_names():
    labels = ["upper" if y > 0 else "lower" for y in Y]
    net = MLP(2, [8, 2], seed=0)
    found = find_learning_rate(net, X, labels, "cross_entropy", optimizer="adam")
    assert found.suggestion > 0
    assert net.classes is None
    same = find_learning_rate(net, X, labels, "cross_entropy", end_lr=10.0, num_it=100)
    assert same == found


@pytest.mark.parametrize(
    ("more", "error", "said"),
    [
        ({"steps": 9}, ValueError, "at least 10"),
        ({"lowest": 0.0}, ValueError, "lowest must be > 0"),
        ({"lowest": 1.0, "highest": 1.0}, ValueError, "grow from lowest to highest"),
        ({"highest": float("inf")}, ValueError, "grow"),
        ({"optimiser": "lbfgs"}, ValueError, "no rate to look for"),
        ({"epochs": 3}, TypeError, "use steps="),
        ({"optimiser": "adamant"}, ValueError, "did you mean 'adam"),
        ({"X": X[:5]}, ShapeError, "5 samples"),
        ({"X": [[np.nan, 1.0]], "y": [1.0]}, DataError, "nan"),
        ({"X": [[1.0]], "y": [1.0]}, ShapeError, "takes 2 inputs"),
        ({"batch_size": 0}, ValueError, "batch_size"),
        ({"model": 3}, TypeError, "Module"),
    ],
)
def test_bad_input(more, error, said):
    settings = {"model": MLP(2, [3, 1], seed=0), "X": X, "y": Y} | more
    with pytest.raises(error, match=said):
        find_learning_rate(**settings)
