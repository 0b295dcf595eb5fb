"""What fit and predict compile, what they say, and that it is what eager code does."""

import logging
import random
import warnings
from functools import partial

import numpy as np
import pytest

import nn
from autograd import (
    GraphError,
    ShapeError,
    Value,
    detect_anomaly,
    dot,
    mean,
    no_grad,
    sin,
    softmax,
    where,
)
from autograd import sum as total
from nn import MLP, Layer, Module, Sequential, datasets, fit, predict
from nn.training import execution

pytest.importorskip("sklearn")

X, Y = datasets.moons(40, seed=0)
FLOWERS, SPECIES = datasets.iris()


def small():
    return MLP(2, [4, 1], seed=0)


def quick(model, loss="mse", **settings):
    settings = {"epochs": 4, "batch_size": 16, "progress": False} | settings
    return fit(model, X, Y, loss, **settings)


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


@pytest.mark.parametrize("optimiser", [n for n in nn.OPTIMISERS if n != "lbfgs"])
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


class Plane(Module):
    def __init__(self, outputs):
        self.w = [Value(0.5 + k) for k in range(outputs)]

    def __call__(self, x):
        found = [w * x[0] - x[1] for w in self.w]
        return found[0] if len(found) == 1 else found


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


@pytest.mark.parametrize("make", [Counting, OwnDropout, NumpyDropout])
def test_what_changes_itself_disagrees_and_stays_eager(make):
    both(make, engine="eager: compiled, it has other results")


def test_draws_from_the_global_generator_are_no_program():
    _, history = run(GlobalDropout, True)
    assert history.engine.startswith("eager: TraceError: ")
    assert "random numbers" in history.engine


def test_predictions_that_depend_on_the_call_stay_eager(caplog):
    predict(Counting(), X, compile=True)
    assert "eager: compiled, it has other results" in caplog.text


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


class HalfFrozen(Module):
    """Its parameters are what its author says they are."""

    def __init__(self):
        self.w, self.fixed = Value(0.5), Value(2.0)

    def parameters(self):
        return [self.w]

    def __call__(self, x):
        return self.w * x[0] - self.fixed * x[1]


def test_values_that_are_no_parameters_stay_in_the_graph():
    both(HalfFrozen, engine="eager: Values take part")
    model = HalfFrozen()
    assert predict(model, X, compile=True).tolist() == predict(model, X).tolist()


class Reaching(Wrapped):
    def __call__(self, x):
        return dot(self.net.layers[0].neurons[0].w, x)


def smaller(epoch, model, history):
    for p in model.parameters():
        p.data *= 0.9


def replaced(epoch, model, history):
    model.net.layers[0].neurons[0].w[0] = Value(0.25)


CHANGED = "eager: the model was changed while it was trained"


def test_callbacks_may_change_numbers_and_parameters_of_ones_own_model():
    both(Reaching, callbacks=smaller)
    both(Reaching, callbacks=replaced, engine=CHANGED)


def linear_neuron(model):
    model.layers[0].neurons[1].nonlin = False


def another_activation(model):
    model.layers[0].neurons[2].activation = nn.tanh


def another_function(model):
    model.layers[1] = nn.sigmoid


def another_weight(model):
    model.layers[0].neurons[0].w[0] = Value(0.25)


def a_frozen_weight(model):
    model.layers[0].neurons[0].w[0] = 0.25


def another_layer(model):
    model.layers.insert(1, Layer(4, 4, seed=3))


def another_kind(model):
    model.layers[0].neurons[0].__class__ = Halved


class Halved(nn.Neuron):
    def __call__(self, x):
        return 0.5 * super().__call__(x)


CHANGES = [linear_neuron, another_activation, another_function, another_weight]
CHANGES += [a_frozen_weight, another_layer, another_kind]


@pytest.mark.parametrize("change", CHANGES)
def test_changes_of_the_librarys_own_layers_are_noticed(change):
    def callback(epoch, model, history):
        if epoch == 1:
            change(model)

    def make():
        return Sequential(Layer(2, 4, seed=0), "tanh", Layer(4, 1, seed=1))

    both(make, engine=CHANGED, callbacks=callback)


def test_a_frozen_number_that_is_changed_is_noticed():
    def make():
        model = small()
        a_frozen_weight(model)
        return model

    def callback(epoch, model, history):
        model.layers[0].neurons[0].w[0] *= 2.0

    both(make, engine=CHANGED, callbacks=callback)
    both(make)


# -- When, and what it says ------------------------------------------------------------


def test_short_runs_stay_eager_and_long_ones_are_compiled():
    assert quick(small()).engine == "eager: too few and too small steps to be worth it"
    long = quick(small(), epochs=3000, callbacks=stop)
    assert (long.engine, len(long)) == ("compiled", 4)


def stop(epoch, model, history):
    return epoch == 3


class Own(MLP):
    pass


OTHERS = "eager: a model or loss of one's own compiles on request, by compile=True"
OWN = [
    (small, "mse"),
    (lambda: MLP(2, [4, 1], "gelu", output="tanh", seed=0), "mse"),
    (lambda: Sequential(nn.Neuron(2, seed=0)), "huber"),
    (lambda: Sequential(Layer(2, 3), "relu", MLP(3, [1])), nn.l1_loss),
    (small, partial(nn.huber_loss, delta=0.3)),
]
USERS = [
    (lambda: Own(2, [4, 1], seed=0), "mse"),
    (lambda: MLP(2, [4, 1], activation=lambda x: x * x, seed=0), "mse"),
    (lambda: Sequential(Layer(2, 1), lambda ys: ys), "mse"),
    (lambda: Sequential(Plane(1)), "mse"),
    (lambda: Plane(1), "mse"),
    (small, lambda outputs, targets: nn.mse_loss(outputs, targets)),
]


@pytest.mark.parametrize(("make", "loss"), OWN)
def test_the_librarys_own_compiles_by_itself(make, loss):
    settings = {"epochs": 3000, "callbacks": stop, "batch_size": None}
    assert quick(make(), loss, **settings).engine == "compiled"


@pytest.mark.parametrize(("make", "loss"), USERS)
def test_what_is_the_users_compiles_on_request(make, loss):
    assert quick(make(), loss, epochs=3000, callbacks=stop).engine == OTHERS
    assert quick(make(), loss, compile=True).engine == "compiled"


def test_softmax_is_the_librarys_own():
    model = Sequential(Layer(4, 3, seed=0), softmax)
    settings = {"epochs": 3000, "callbacks": stop, "progress": False}
    assert fit(model, FLOWERS, PROBABILITIES, "mse", **settings).engine == "compiled"


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


def test_a_loss_that_counts_is_eager_by_itself_and_disagrees_on_request():
    def run(compile):
        calls, model = [], small()

        def loss(outputs, targets):
            calls.append(len(targets))
            return nn.mse_loss(outputs, targets) / len(calls)

        return calls, model, quick(model, loss, compile=compile, epochs=300)

    (calls, model, history), (expected, eager, _) = run(None), run(False)
    assert history.engine == OTHERS
    assert (calls, model.state_dict()) == (expected, eager.state_dict())
    assert run(True)[2].engine == "eager: compiled, it has other results"


def test_the_reason_is_logged(caplog):
    def loss(outputs, targets):
        return nn.mse_loss(outputs, [float(t) for t in targets])

    with caplog.at_level(logging.WARNING, "nn"):
        history = quick(small(), loss, compile=True)
    assert history.engine.startswith("eager: TraceError: ")
    (record,) = caplog.records
    assert record.name == "nn"
    assert record.getMessage() == history.engine


def bits(model, history):
    return history.losses, history.validation_losses, model.state_dict()


@pytest.fixture
def compilations(monkeypatch):
    """The programs made from here on, by what they are for."""
    made = []
    for name in ("gradient_program", "streamed_program", "output_program"):
        make = getattr(execution, name)

        def noted(*args, make=make, name=name):
            made.append(name)
            return make(*args)

        monkeypatch.setattr(execution, name, noted)
    return made


@pytest.mark.parametrize("requested", [True, None])
def test_programs_are_kept_for_models_alike(requested, compilations):
    """Run after run: nothing is compiled again, and the results have the same bits."""
    X, y = nn.datasets.moons(70, seed=3)
    settings = {"validation": 0.2, "metrics": "accuracy", "epochs": 99, "lr": 0.05}
    runs, count = [], 0
    for seed in (0, 0, 1, 0):
        model = MLP(2, [16, 16, 1], seed=seed)
        history = fit(
            *(model, X, y, "hinge"), compile=requested, progress=False, **settings
        )
        assert history.engine == "compiled"
        runs.append(bits(model, history))
        count = count or len(compilations)
    assert runs[0] == runs[1] == runs[3] != runs[2]
    assert len(compilations) == count


@pytest.mark.parametrize(
    ("count", "size"), [(1, 1), (5, 1), (5, 2), (5, 4), (9, 4), (7, 100)]
)
@pytest.mark.parametrize("loss", ["mse", "huber"])
def test_batches_of_every_size(count, size, loss, compilations):
    """The last ones are filled up; none is compiled twice, and all are right."""
    settings = {"epochs": 3, "batch_size": size, "lr": 0.05, "progress": False}
    found = []
    for compile in (True, False):
        model = small()
        fit(model, X[:count], Y[:count], loss, compile=compile, **settings)
        found.append([p.data for p in model.parameters()])
    assert found[0] == pytest.approx(found[1], rel=1e-9, abs=1e-12)
    assert compilations == ["streamed_program"]


@pytest.mark.parametrize(
    "change",
    [
        lambda: {"make": lambda: MLP(2, [4, 1], activation="tanh", seed=0)},
        lambda: {"make": lambda: MLP(2, [5, 1], seed=0)},
        lambda: {"loss": "huber"},
        lambda: {"y": np.array([[float(t)] for t in Y])},
    ],
)
def test_other_models_losses_and_shapes_get_their_own(change, compilations):
    def run(make=lambda: MLP(2, [4, 1], seed=0), loss="mse", y=Y):
        model = make()
        return model, fit(model, X, y, loss, epochs=3, compile=True, progress=False)

    run()
    count = len(compilations)
    model, history = run(**change())
    assert history.engine == "compiled"
    assert len(compilations) > count
    execution.programs._known.clear()
    assert bits(model, history) == bits(*run(**change()))


def test_only_so_many_programs_are_kept():
    for width in range(1, execution.programs.KEPT + 4):
        model = MLP(2, [width, 1], seed=0)
        fit(model, X, Y, epochs=1, compile=True, progress=False)
    assert len(execution.programs._known) == execution.programs.KEPT


def test_wrong_compiled_code_would_be_noticed(monkeypatch):
    make = execution.streamed_program

    def wrong(*args):
        program = make(*args)
        return lambda *numbers: (program(*numbers)[0], 1.001 * program(*numbers)[1])

    monkeypatch.setattr(execution, "streamed_program", wrong)
    monkeypatch.setattr(execution, "gradient_program", lambda *args: wrong(*args, 16))
    history = quick(small(), compile=True)
    assert history.engine == "eager: compiled, it has other results"


def test_where_samples_do_not_stream_the_batch_is_compiled(monkeypatch):
    expected = quick(small(), compile=False)
    make = execution.streamed_program

    def wrong(*args):
        program = make(*args)
        return lambda *numbers: (program(*numbers)[0], 1.001 * program(*numbers)[1])

    monkeypatch.setattr(execution, "streamed_program", wrong)
    history = quick(small(), compile=True)
    assert history.engine == "compiled"
    assert history.losses == pytest.approx(expected.losses, rel=1e-9)


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
