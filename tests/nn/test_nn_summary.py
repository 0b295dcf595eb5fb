"""A model in a few lines."""

import pytest

import nn


class Twice(nn.Module):
    def __init__(self):
        self.first = nn.MLP(2, [3, 1], seed=0)
        self.again = self.first


MODELS = {
    "MLP 64 -> 32 relu -> 10, 2,410 parameters\n"
    "  layer0  64 -> 32 relu  2,080\n"
    "  layer1  32 -> 10         330": lambda: nn.MLP(64, [32, 10]),
    "MLP 2 -> 1, 3 parameters": lambda: nn.MLP(2, [1]),
    "Neuron 3 -> 1 tanh, 4 parameters": lambda: nn.Neuron(3, activation="tanh"),
    "Layer 2 -> 2, 6 parameters": lambda: nn.Layer(2, 2, nonlin=False),
    "Sequential 2 -> 4 relu -> tanh -> 3 sigmoid -> 2 -> softmax, 35 parameters\n"
    "  layer0  2 -> 4 relu          12\n"
    "  layer1  tanh\n"
    "  layer2  4 -> 3 sigmoid -> 2  23\n"
    "  layer3  softmax": lambda: nn.Sequential(
        nn.Layer(2, 4), "tanh", nn.MLP(4, [3, 2], activation="sigmoid"), nn.softmax
    ),
    "Twice, 13 parameters\n  first  2 -> 3 relu -> 1  13\n  again  2 -> 3 relu -> 1   0": Twice,
    "Module, 0 parameters": nn.Module,
}


@pytest.mark.parametrize("text", MODELS)
def test_summaries(text):
    assert nn.summary(MODELS[text]()) == text


def test_only_models_have_summaries():
    with pytest.raises(TypeError, match=r"takes a nn\.Module, got list"):
        nn.summary([])
