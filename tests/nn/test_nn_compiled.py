"""fit and predict, compiled: the same as eager up to rounding, or eager with a reason."""

import logging
import random
from functools import partial

import numpy as np
import pytest

import nn
from autograd import Value, dot, mean, sin, softmax, where
from autograd import sum as total
from nn import MLP, Layer, Module, Sequential, datasets, fit, predict

pytest.importorskip("sklearn")

X, Y = datasets.moons(40, seed=0)
FLOWERS, SPECIES = datasets.iris()


def small():
    return MLP(2, [4, 1], seed=0)


def run(make, compile, X=X, y=Y, loss="hinge", **settings):
    """A model trained for a few epochs with a last ragged batch, and its history."""
    random.seed(7)
    model = make()
    if isinstance(settings.get("optimiser"), list):
        (optimiser,) = settings["optimiser"]
        settings["optimiser"] = optimiser(model)
    settings = {"epochs": 4, "batch_size": 16, "progress": False} | settings
    return model, fit(model, X, y, loss, compile=compile, **settings)


def both(make=small, engine="compiled", **settings):
    """Train eagerly and compiled; compare everything that is left behind."""
    eager, expected = run(make, False, **settings)
    after = random.random()
    model, history = run(make, True, **settings)
    assert random.random() == after
    assert history.engine.startswith(engine), history.engine
    assert expected.engine == "eager: compile=False"
    numbers = list(eager.state_dict().values())
    found = list(model.state_dict().values())
    assert found == pytest.approx(numbers, rel=1e-9, abs=1e-10)
    slopes = [p.grad for p in eager.parameters()]
    gradients = [p.grad for p in model.parameters()]
    assert gradients == pytest.approx(slopes, rel=1e-9, abs=1e-10)
    assert history.stopped == expected.stopped
    assert history.columns().keys() == expected.columns().keys()
    for name, column in expected.columns().items():
        assert history[name] == pytest.approx(column, rel=1e-9, abs=1e-12)
    return history


def quartic(outputs, targets):
    return total([(p - t) ** 4 for p, t in zip(outputs, targets, strict=True)])


LOSSES = ["hinge", "mse", "l1", "huber", quartic, partial(nn.huber_loss, delta=0.3)]


@pytest.mark.parametrize("loss", [*LOSSES, partial(nn.mse_loss, reduction="sum")])
def test_losses_built_in_and_by_users(loss):
    both(loss=loss)


@pytest.mark.parametrize("optimiser", nn.OPTIMISERS)
def test_optimisers(optimiser):
    both(optimiser=optimiser, lr=0.05)


class Doubled(nn.Optimiser):
    def update(self, x, g, step):
        return x - 2.0 * self.lr * g, {}


@pytest.mark.parametrize(
    "optimiser",
    [
        lambda model: Doubled(model.parameters(), lr=0.1),
        lambda model: nn.Adam(model.parameters()[5:][::-1], lr=0.1),  # some are frozen
        lambda model: nn.SGD([*model.parameters(), Value(1.0)], lr=0.1, momentum=0.9),
    ],
)
def test_optimisers_by_users_and_of_other_parameters(optimiser):
    both(optimiser=[optimiser], clip=0.2)


@pytest.mark.parametrize(
    "settings",
    [
        {"clip": 0.1},
        {"schedule": nn.schedules.cosine(4, warmup=1)},
        {"shuffle": False, "batch_size": None},
        {"metrics": "accuracy"},
        {"metrics": ["accuracy", "r2_score"], "validation": 0.25},
        {"validation": (X[:9], Y[:9]), "patience": 1, "epochs": 40, "lr": 0.5},
        {"callbacks": lambda epoch, model, history: epoch == 2},
    ],
)
def test_settings(settings):
    both(**settings)


PROBABILITIES = [[0.1, 0.2, 0.7] if k % 2 else [0.0, 1.0, 0.0] for k in SPECIES]
FLOWER_MODELS = [
    (lambda: MLP(4, [5, 3], "gelu", seed=0), "cross_entropy", SPECIES),
    (lambda: MLP(4, [5, 3], "tanh", seed=0), "cross_entropy", PROBABILITIES),
    (lambda: Sequential(Layer(4, 3, seed=0), softmax), "mse", PROBABILITIES),
    (
        lambda: MLP(4, [5, 1], activation=lambda x: sin(x) * x, seed=0),
        "binary_cross_entropy_with_logits",
        np.linspace(0.0, 1.0, 150),
    ),
]


@pytest.mark.parametrize(("make", "loss", "y"), FLOWER_MODELS)
def test_targets_of_all_kinds(make, loss, y):
    both(make, X=FLOWERS, y=y, loss=loss, batch_size=64)


class Wrapped(Module):
    """A model of one's own, around a network."""

    def __init__(self):
        self.net, self.factor, self.calls = small(), 1.0, 0
        self.own, self.generator = random.Random(1), np.random.default_rng(1)

    def __call__(self, x):
        return self.net(x) * self.factor


class Centred(Wrapped):
    """Samples of a batch that meet each other."""

    def batch(self, X):
        outputs = [self(x) for x in X]
        middle = mean(outputs)
        return [y - middle for y in outputs]


@pytest.mark.parametrize("settings", [{}, {"metrics": "r2_score"}, {"validation": 0.3}])
def test_samples_that_meet(settings):
    both(Centred, **settings)


class Dropout(Wrapped):
    def __call__(self, x):
        return super().__call__(x) * (0.0 if self.draw() < 0.5 else 2.0)


class GlobalDropout(Dropout):
    draw = staticmethod(lambda: random.random())


class OwnDropout(Dropout):
    def draw(self):
        return self.own.random()


class NumpyDropout(Dropout):
    def draw(self):
        return self.generator.random()


class Counting(Wrapped):
    def __call__(self, x):
        self.calls += 1
        return super().__call__(x) * (1.0 + self.calls / 100.0)


@pytest.mark.parametrize(
    "make",
    [Counting, GlobalDropout, OwnDropout, NumpyDropout],
    ids=lambda c: c.__name__,
)
def test_what_draws_or_changes_itself_stays_eager(make):
    both(make, engine="eager: model or loss draws random numbers, or changes itself")
    first, second = (predict(make(), X, compile=c) for c in (False, True))
    if make is not GlobalDropout:
        assert first.tolist() == second.tolist()


class Branching(Wrapped):
    def __call__(self, x):
        score = self.net(x)
        return score if score > 0.0 else 0.1 * score


class Smooth(Branching):
    def __call__(self, x):
        score = self.net(x)
        return where(score > 0.0, score, 0.1 * score)


def test_branches_on_numbers_stay_eager_and_where_does_not(caplog):
    both(Smooth)
    with caplog.at_level(logging.INFO, "nn"):
        both(Branching, engine="eager: TraceError: a traced number has no truth value")
    assert "no truth value" in caplog.text


class Changing(Wrapped):
    def __call__(self, x):
        return dot(self.net.layers[0].neurons[0].w, x) * self.factor


def colder(epoch, model, history):
    model.factor *= 0.5


def smaller(epoch, model, history):
    for p in model.parameters():
        p.data *= 0.9


def replaced(epoch, model, history):
    model.net.layers[0].neurons[0].w[0] = Value(0.25)


def test_callbacks_that_change_the_model():
    both(Changing, callbacks=smaller)
    both(Changing, callbacks=colder, engine="eager: model or loss was changed")
    both(Changing, callbacks=replaced, engine="eager: model or loss was changed")
