"""Dropout, LayerNorm, Embedding, flatten, activations by layer: alone and in fit."""

import copy
import random

import pytest

import nn
from autograd import DataError, ShapeError, Value, gradcheck, jit, value_and_grad
from autograd import sum as total
from nn import (
    MLP,
    Dropout,
    Embedding,
    Layer,
    LayerNorm,
    Module,
    Sequential,
    fit,
    predict,
)

PARTS = {
    "LayerNorm": lambda: LayerNorm(3),
    "Embedding": lambda: Embedding(4, 3, seed=1),
    "RNN": lambda: nn.RNN(2, 3, seed=1),
    "LSTM": lambda: nn.LSTM(2, 3, outputs="all", seed=1),
    "GRU": lambda: nn.GRU(2, 3, seed=1),
}
REPRS = ["LayerNorm(3)", "Embedding(4, 3)", "RNN(2, 3)", "LSTM(2, 3, outputs='all')"]


def numbers(x):
    return (
        [numbers(y) for y in x] if isinstance(x, list) else float(getattr(x, "data", x))
    )


@pytest.mark.parametrize("make", PARTS.values(), ids=PARTS)
@pytest.mark.parametrize("suffix", ["json", "npz"])
def test_states_files_and_copies(make, suffix, tmp_path):
    part, other = make(), make()
    for i, p in enumerate(part.parameters()):
        p.data = 0.25 * i
    part.save(tmp_path / f"part.{suffix}")
    other.load(tmp_path / f"part.{suffix}")
    assert other.state_dict() == part.state_dict()
    assert [*part.state_dict().values()] == [
        0.25 * i for i in range(len(part.parameters()))
    ]
    assert copy.deepcopy(part).state_dict() == part.state_dict()


@pytest.mark.parametrize("make", PARTS.values(), ids=PARTS)
def test_labels_are_names(make):
    part = make()
    assert {p.label: p for p in part.parameters()} == part.named_parameters()
    Sequential("relu", part)
    assert [p.label for p in part.parameters()] == [
        f"layer1.{name}" for name in part.named_parameters()
    ]


@pytest.mark.parametrize("text", REPRS)
def test_texts(text):
    assert repr(PARTS[text.partition("(")[0]]()) == text


def test_texts_in_networks():
    net = Sequential(Embedding(2, 1), nn.flatten, Dropout(0.25), LayerNorm(2))
    assert repr(net) == (
        "Sequential 2 -> 1 embedding -> flatten -> dropout -> layernorm, 6 parameters"
    )


# -- Dropout and modes ---------------------------------------------------------------


def test_dropout_keeps_the_mean():
    drop = Dropout(0.3, seed=0)
    found = drop([1.0] * 20_000)
    assert {*found} == {0.0, 1.0 / 0.7}
    assert sum(found) / len(found) == pytest.approx(1.0, abs=0.02)
    assert drop.eval()([1.0, 2.0]) == [1.0, 2.0]
    assert Dropout(0.0)([1.0, 2.0]) == [1.0, 2.0]
    nested = drop.train()([[1.0, 2.0], [3.0]])
    assert [len(x) for x in nested] == [2, 1]


def test_dropout_and_seeds():
    x = [1.0] * 50
    assert Dropout(seed=3)(x) == Dropout(seed=3)(x) != Dropout(seed=4)(x)
    random.seed(5)
    one = Dropout()(x)
    random.seed(5)
    assert Dropout()(x) == one
    drop = Dropout(seed=3)
    assert drop(x) != drop(x)


@pytest.mark.parametrize("p", [1.0, -0.1, float("nan")])
def test_a_share_to_drop(p):
    with pytest.raises(ValueError, match=r"p must lie in \[0, 1\)"):
        Dropout(p)


@pytest.mark.parametrize("training", [True, False])
def test_dropout_takes_lists(training):
    with pytest.raises(TypeError, match=r"Dropout\(0.5\) takes a list of num.*got 5"):
        Dropout(0.5).train(training)(5)


def test_gradients_follow_what_is_kept():
    xs = [Value(float(i)) for i in range(1, 9)]
    out = Dropout(0.5, seed=0)(xs)
    total(out).backward()
    assert [x.grad for x in xs] == [2.0 if y.data else 0.0 for y in out]
    assert {x.grad for x in xs} == {0.0, 2.0}


def test_modes_reach_every_module():
    net = Sequential(Layer(1, 2), Sequential(Dropout()))
    assert net.training
    assert net.eval() is net
    assert not any(
        m.training for m in (net, net.layers[1].layers[0], net.layers[0].neurons[0])
    )
    assert net.train() is net
    assert net.layers[1].layers[0].training
    assert not net.train(False).layers[1].training


X, Y = [[0.1 * i, 0.3] for i in range(16)], [0.2 * i for i in range(16)]


def dropping(p=0.5):
    return Sequential(
        Layer(2, 6, activation="tanh", seed=0), Dropout(p, 1), Layer(6, 1, seed=2)
    )


@pytest.mark.parametrize("compile", [None, True])
def test_fit_drops_and_predict_does_not(compile):
    model, modes = dropping(), []
    history = fit(
        *(model, X, Y, "mse", "sgd"),
        lr=0.01,
        epochs=3,
        validation=(X, Y),
        progress=False,
        compile=compile,
        callbacks=lambda *_: modes.append(model.training),
    )
    assert history.engine == "eager: dropout draws anew for every sample"
    assert modes == [False] * 3
    assert not model.training
    found = predict(model, X)
    assert (predict(model, X) == found).all()
    errors = [(a - b) ** 2 for a, b in zip(found, Y, strict=True)]
    assert history.validation_losses[-1] == pytest.approx(sum(errors) / 16)
    again = dropping()
    other = fit(again, X, Y, "mse", "sgd", lr=0.01, epochs=3, progress=False)
    assert other.losses == history.losses


def test_predict_leaves_the_mode():
    model = dropping().train()
    expected = predict(model.eval(), X)
    assert (predict(model.train(), X) == expected).all()
    assert model.training
    assert predict(model, X, compile=True) == pytest.approx(expected, rel=1e-12)


def test_what_drops_nothing_compiles():
    model = dropping(0.0)
    history = fit(model, X, Y, compile=True, epochs=2, progress=False)
    assert history.engine == "compiled"


def test_dropout_goes_on_in_transforms():
    model, losses = dropping(), set()
    for _ in range(6):
        losses.add(value_and_grad(lambda m: m([0.5, 0.5]))(model)[0])
    assert len(losses) > 1


def test_modules_of_ones_own_read_the_mode():
    class Noisy(Module):
        def __init__(self):
            self.w, self.seen = Value(1.0), []

        def __call__(self, x):
            self.seen.append(self.training)
            return self.w * x[0]

    model = Noisy()
    fit(model, X, Y, batch_size=16, epochs=1, progress=False)
    assert model.seen == [False] + [True] * 16


# -- LayerNorm -----------------------------------------------------------------------


def test_layer_norm():
    norm = LayerNorm(4, eps=0.5)
    for i, p in enumerate(norm.parameters()):
        p.data = 0.3 * i - 1.0
    assert list(norm.named_parameters())[3:5] == ["weight.3", "bias.0"]
    x = [1.0, -2.0, 0.5, 4.0]
    m = sum(x) / 4
    s = (sum((a - m) ** 2 for a in x) / 4 + 0.5) ** 0.5
    expected = [
        (a - m) / s * (0.3 * i - 1.0) + 0.3 * (i + 4) - 1.0 for i, a in enumerate(x)
    ]
    assert numbers(norm(x)) == pytest.approx(expected, rel=1e-13)
    assert numbers(norm([x, x])) == [numbers(norm(x))] * 2
    weights = [p.data for p in norm.parameters()]
    assert gradcheck(lambda *ps: total([y**3 for y in norm._bound(ps)(x)]), *weights)
    assert gradcheck(lambda *xs: total([y**3 for y in norm(xs)]), *x)
    assert all(
        y.data == b.data for y, b in zip(norm([7.0] * 4), norm.bias, strict=True)
    )


def test_layer_norm_and_widths():
    with pytest.raises(ShapeError, match="LayerNorm takes 3 inputs, got 2"):
        LayerNorm(3)([1.0, 2.0])
    with pytest.raises(TypeError, match="a sequence of 3 number"):
        LayerNorm(3)(5)
    with pytest.raises(ShapeError, match="at least one number"):
        LayerNorm(0)
    with pytest.raises(ValueError, match="eps must be > 0"):
        LayerNorm(3, eps=0.0)


def test_layer_norm_as_in_pytorch():
    torch = pytest.importorskip("torch")
    norm, x = LayerNorm(5), [1.0, -2.0, 0.5, 4.0, 0.25]
    theirs = torch.nn.LayerNorm(5, dtype=torch.float64)
    with torch.no_grad():
        for i in range(5):
            theirs.weight[i] = norm.weight[i].data = 0.5 + i
            theirs.bias[i] = norm.bias[i].data = 0.1 * i
    xs = torch.tensor(x, dtype=torch.float64, requires_grad=True)
    inputs = [Value(a) for a in x]
    (theirs(xs) ** 3).sum().backward()
    total([y**3 for y in norm(inputs)]).backward()
    slopes = [p.grad for p in [*inputs, *norm.parameters()]]
    expected = [*xs.grad, *theirs.weight.grad, *theirs.bias.grad]
    assert slopes == pytest.approx([float(g) for g in expected], rel=1e-12, abs=1e-12)


# -- Embedding -----------------------------------------------------------------------


def test_embedding():
    table = Embedding(3, 2, seed=0)
    assert table(2) == table.weight[2]
    assert table([2, 0.0, Value(2.0)]) == [table.weight[i] for i in (2, 0, 2)]
    total(nn.flatten(table([1, 1, 2]))).backward()
    assert [[w.grad for w in row] for row in table.weight] == [[0, 0], [2, 2], [1, 1]]
    assert Embedding(2, 2, init="zeros").state_dict()["weight.1.1"] == 0.0


@pytest.mark.parametrize("index", [3, -1, 0.5, float("nan"), "a"])
def test_no_row_of_an_embedding(index):
    with pytest.raises(DataError, match="whole numbers from 0 to 2, got"):
        Embedding(3, 2)([index])


def test_embeddings_of_traced_integers():
    table = Embedding(5, 2, seed=0)
    program = jit(lambda p, i: total([y**2 for y in table._bound(p)(i)]))
    weights = [p.data for p in table.parameters()]
    for i in range(5):
        assert program(weights, float(i)) == pytest.approx(
            sum(w.data**2 for w in table.weight[i])
        )


# -- In fit, eager and compiled ------------------------------------------------------

TOKENS = [[i % 4, (i * 7 + 1) % 4, (i // 2) % 4] for i in range(24)]
SERIES = [[0.1 * i, 0.2 * (i % 5), 1.0, -0.1 * i] for i in range(24)]
TARGETS = [0.1 * (a + 2 * b - c) for a, b, c in TOKENS]

NETWORKS = {
    "norm": (
        lambda: Sequential(Layer(4, 5, seed=0), LayerNorm(5), Layer(5, 1, seed=1)),
        SERIES,
    ),
    "tokens": (
        lambda: Sequential(Embedding(4, 3, seed=0), nn.flatten, MLP(9, [4, 1], seed=1)),
        TOKENS,
    ),
    "normed tokens": (
        lambda: Sequential(
            *(
                Embedding(4, 3, seed=0),
                LayerNorm(3),
                Dropout(0.0),
                nn.GRU(3, 4, seed=1),
            ),
            Layer(4, 1, nonlin=False, seed=2),
        ),
        TOKENS,
    ),
    "activations": (
        lambda: MLP(4, [5, 4, 1], activation=["tanh", "swish"], seed=0),
        SERIES,
    ),
    "rnn": (
        lambda: Sequential(nn.RNN(1, 4, seed=0), Layer(4, 1, nonlin=False, seed=1)),
        SERIES,
    ),
    "rnn of relu": (
        lambda: Sequential(
            nn.RNN(1, 3, seed=0, activation="relu"), Layer(3, 1, seed=1)
        ),
        SERIES,
    ),
    "lstm of lstm": (
        lambda: Sequential(
            *(nn.LSTM(1, 3, "all", seed=0), nn.LSTM(3, 3, seed=1), Layer(3, 1, seed=2)),
        ),
        SERIES,
    ),
    "all steps": (
        lambda: Sequential(
            nn.GRU(1, 3, "all", seed=0), nn.flatten, Layer(12, 1, seed=2)
        ),
        SERIES,
    ),
}


@pytest.mark.parametrize(("make", "inputs"), NETWORKS.values(), ids=NETWORKS)
def test_eager_and_compiled_runs_agree(make, inputs):
    runs = []
    for compile in (False, True):
        model = make()
        history = fit(
            *(model, inputs, TARGETS, "mse", "adam", 3, 7),
            lr=0.05,
            validation=0.25,
            compile=compile,
            progress=False,
        )
        runs.append((history, model))
    assert runs[1][0].engine == "compiled"
    for name in ("losses", "validation_losses"):
        found, expected = getattr(runs[1][0], name), getattr(runs[0][0], name)
        assert found == pytest.approx(expected, rel=1e-9)
    outputs = [predict(runs[0][1], inputs, compile=how) for how in (False, True)]
    assert outputs[0] == pytest.approx(outputs[1], rel=1e-12)


@pytest.mark.parametrize(("make", "inputs"), NETWORKS.values(), ids=NETWORKS)
def test_they_are_the_librarys_own(make, inputs):
    from nn.training.programs import by_samples, is_own_model

    assert is_own_model(make())
    assert by_samples(make())


def test_a_change_while_training_is_noticed():
    model = NETWORKS["norm"][0]()

    def change(epoch, model, history):
        model.layers[1].eps = 0.5

    history = fit(
        *(model, SERIES, TARGETS),
        epochs=3,
        compile=True,
        callbacks=change,
        progress=False,
    )
    assert history.engine == "eager: the model was changed while it was trained"


# -- Activations by layer ------------------------------------------------------------


def test_activations_by_layer():
    model = MLP(2, [3, 3, 1], activation=("tanh", nn.silu), output="sigmoid", seed=0)
    assert [layer.neurons[0].activation for layer in model.layers] == [
        *(nn.tanh, nn.silu, nn.sigmoid),
    ]
    same = MLP(2, [3, 3, 1], activation="tanh", seed=0)
    assert same.state_dict() == model.state_dict()


def test_as_many_activations_as_layers():
    with pytest.raises(ShapeError, match=r"1 activations for 2 hidden layer\(s\)"):
        MLP(2, [3, 3, 1], activation=["tanh"])
    with pytest.raises(ValueError, match="did you mean 'tanh'"):
        MLP(2, [3, 1], activation=["tahn"])


# -- Whole models --------------------------------------------------------------------


@pytest.mark.parametrize(("make", "inputs"), NETWORKS.values(), ids=NETWORKS)
@pytest.mark.parametrize("suffix", ["json", "npz"])
def test_whole_models_come_back(make, inputs, suffix, tmp_path):
    model = make()
    for i, p in enumerate(model.parameters()):
        p.data += 0.01 * i
    model.save(tmp_path / f"model.{suffix}")
    again = nn.load(tmp_path / f"model.{suffix}")
    assert repr(again) == repr(model)
    assert not again.training
    assert predict(again, inputs).tolist() == predict(model, inputs).tolist()


def test_what_drops_comes_back(tmp_path):
    model = dropping()
    model.save(tmp_path / "model.json")
    again = nn.load(tmp_path / "model.json")
    assert repr(again) == repr(model)
    assert predict(again, X).tolist() == predict(model, X).tolist()


def test_summaries_of_parts():
    model = Sequential(Embedding(9, 4), nn.LSTM(4, 8), LayerNorm(8), Layer(8, 2))
    assert nn.summary(model).splitlines() == [
        "Sequential 9 -> 4 embedding -> 8 lstm -> layernorm -> 2 relu, 518 parameters",
        "  layer0  9 -> 4 embedding   36",
        "  layer1  4 -> 8 lstm       448",
        "  layer2  layernorm          16",
        "  layer3  8 -> 2 relu        18",
    ]
