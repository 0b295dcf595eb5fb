"""Whole models in files: they come back as they were, and nothing else comes."""

import json
import random

import numpy as np
import pytest

import nn
from autograd import FileFormatError, Value

MODELS = {
    "mlp": lambda: nn.MLP(3, [8, 4, 2], activation="tanh", output="sigmoid", seed=0),
    "sequential": lambda: nn.Sequential(
        nn.Layer(3, 4, seed=1), "tanh", nn.MLP(4, [2], seed=2), nn.softmax
    ),
    "layer": lambda: nn.Layer(3, 2, nonlin=False, seed=3),
    "neuron": lambda: nn.Neuron(3, activation="gelu", seed=4),
    **{
        name: lambda name=name: nn.MLP(3, [2, 1], activation=name, seed=5)
        for name in nn.ACTIVATIONS
    },
}


def outputs(model):
    out = model([0.5, -1.0, 2.0])
    return [p.data for p in (out if isinstance(out, list) else [out])]


@pytest.mark.parametrize("suffix", ["json", "npz"])
@pytest.mark.parametrize("name", MODELS)
def test_models_come_back(name, suffix, tmp_path):
    model = MODELS[name]()
    model.save(tmp_path / f"model.{suffix}")
    again = nn.load(tmp_path / f"model.{suffix}")
    assert type(again) is type(model)
    assert repr(again) == repr(model)
    assert again.state_dict() == model.state_dict()
    assert outputs(again) == outputs(model)
    labels = [p.label for p in model.parameters()]
    assert [p.label for p in again.parameters()] == labels


def test_a_model_that_came_back_trains(tmp_path):
    X, y = nn.datasets.moons(60)
    model = nn.MLP(2, [8, 1], activation="tanh", seed=0)
    model.save(tmp_path / "model.json")
    runs = [
        nn.fit(m, X, y, "hinge", epochs=5, progress=False).losses
        for m in (model, nn.load(tmp_path / "model.json"))
    ]
    assert runs[0] == runs[1]


def test_load_gives_the_model(tmp_path):
    model = nn.MLP(2, [1], seed=0)
    model.save(tmp_path / "a.npz")
    other = nn.MLP(2, [1], seed=1)
    assert other.load(tmp_path / "a.npz") is other


class Own(nn.Module):
    def __init__(self):
        self.w = Value(2.0)


def tied():
    model = nn.MLP(2, [2, 1], seed=0)
    model.layers[1].neurons[0].w[0] = model.layers[0].neurons[0].w[0]
    return model


def with_more():
    model = nn.MLP(2, [1], seed=0)
    model.temperature = Value(1.0)
    return model


@pytest.mark.parametrize(
    "make",
    [
        Own,
        tied,
        with_more,
        lambda: nn.MLP(2, [2, 1], activation=lambda x: x),
        lambda: nn.Sequential(Own()),
    ],
)
def test_what_is_not_the_librarys_own_keeps_its_parameters(make, tmp_path):
    model = make()
    model.save(tmp_path / "model.json")
    with pytest.raises(FileFormatError, match="build the model, and load them into it"):
        nn.load(tmp_path / "model.json")
    assert make().load(tmp_path / "model.json").state_dict() == model.state_dict()


DAMAGE = {
    "no text": 3,
    "no json": "{",
    "a function": '{"kind": "function", "name": "relu"}',
    "a list": "[]",
    "another kind": '{"kind": "os.system", "nin": 2}',
    "an unknown function": '{"kind": "Neuron", "nin": 2, "activation": "eval", "nonlin": true}',
    "too wide": '{"kind": "Layer", "nin": 1000000000, "neurons": 1000000000, "activation": "relu", "nonlin": true}',
    "negative": '{"kind": "Neuron", "nin": -3, "activation": "relu", "nonlin": true}',
    "a bool": '{"kind": "Neuron", "nin": true, "activation": "relu", "nonlin": true}',
    "deep": '{"kind": "Sequential", "layers": [' * 2000 + "]}" * 2000,
    "missing": '{"kind": "Layer", "nin": 2}',
}


@pytest.mark.parametrize("what", DAMAGE)
def test_damaged_and_hostile_files(what, tmp_path):
    path = tmp_path / "model.json"
    nn.MLP(2, [1], seed=0).save(path)
    document = json.loads(path.read_text())
    document["architecture"] = DAMAGE[what]
    path.write_text(json.dumps(document))
    with pytest.raises(FileFormatError, match="cannot be read"):
        nn.load(path)


def test_files_without_an_architecture_are_still_read(tmp_path):
    path = tmp_path / "model.json"
    model = nn.MLP(2, [1], seed=0)
    model.save(path)
    document = json.loads(path.read_text())
    del document["architecture"]
    path.write_text(json.dumps(document))
    assert nn.MLP(2, [1], seed=1).load(path).state_dict() == model.state_dict()
    with pytest.raises(FileFormatError, match="build the model"):
        nn.load(path)


def test_an_npz_of_numpy_alone_reads_it(tmp_path):
    nn.MLP(2, [1], seed=0).save(tmp_path / "model.npz")
    with np.load(tmp_path / "model.npz", allow_pickle=False) as archive:
        assert json.loads(str(archive["architecture"]))["kind"] == "MLP"


def test_loading_draws_no_random_numbers(tmp_path):
    models = [
        nn.MLP(2, [2, 1]),
        nn.Embedding(3, 2),
        nn.RNN(2, 3),
        nn.LSTM(2, 3),
        nn.GRU(2, 3),
    ]
    for model in models:
        model.save(tmp_path / "model.json")
        random.seed(5)
        nn.load(tmp_path / "model.json")
        left = random.random()
        random.seed(5)
        assert left == random.random(), model
