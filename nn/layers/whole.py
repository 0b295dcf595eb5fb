"""Whole models in files: what they are made of, beside what they have learned.

The parameters of a file go into a model built alike; with its architecture the file is
enough. It is plain data (kinds, widths, names of functions), and is built from the two
tables here alone: nothing in a file is executed, and nothing larger is built than there
are numbers in it.

    {"kind": "MLP", "layers": [{"kind": "Layer", "nin": 2, "neurons": 8,
                                "activation": "tanh", "nonlin": true}, ...],
     "inputs": ["age", "height"], "classes": ["no", "yes"]}
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from autograd import FileFormatError, Value, log_softmax, softmax
from nn.datasets.scaling import Scaler
from nn.layers import storage
from nn.layers.activations import ACTIVATIONS
from nn.layers.module import Module
from nn.layers.networks import MLP, Layer, Neuron, Sequential
from nn.layers.parts import Dropout, Embedding, LayerNorm, flatten
from nn.layers.recurrent import GRU, LSTM, RNN

FUNCTIONS: dict[str, Callable[..., Any]] = {
    **ACTIVATIONS,
    "softmax": softmax,
    "log_softmax": log_softmax,
    "flatten": flatten,
}
PARTS: dict[str, type[Module]] = {
    kind.__name__: kind for kind in (Dropout, Embedding, GRU, LSTM, LayerNorm, RNN)
}
_LABELS = {"inputs": (str,), "classes": (str, int, float, bool)}  # of what kinds
_GATES = {"RNN": 1, "GRU": 3, "LSTM": 4}
Plain = dict[str, Any]


class _Foreign(Exception):
    """A part that no table here knows."""


def load(path: str | Path) -> Module:
    """The model of a file that ``model.save`` wrote, as it was, in ``eval()``.

    Raises FileFormatError for a damaged or foreign file, and for one that holds
    parameters alone, as files of models of your own do: build the model, and load them
    into it. OSError when it cannot be read. Nothing in a file is ever executed.

    >>> import tempfile
    >>> from nn import MLP, load
    >>> model = MLP(2, [4, 1], activation="tanh", seed=0)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     model.save(folder + "/model.json")
    ...     again = load(folder + "/model.json")
    >>> again([1.0, 2.0]).data == model([1.0, 2.0]).data
    True
    """
    state, text = storage.read_whole(path)
    if not text:
        raise FileFormatError(
            f"{path} holds parameters, and not what they are of: build the model, and "
            f"load them into it: model.load({Path(path).name!r})"
        )
    try:
        plain = json.loads(text)
        model = _built(plain, len(state))
        model.load_state_dict(state)
        for name, kinds in _LABELS.items():
            setattr(model, name, _labels(plain.get(name), kinds))
        model.eval()
    except Exception as cause:  # foreign data may be wrong in any way
        raise FileFormatError(
            f"{path} cannot be read: its architecture is damaged ({cause}); save the "
            f"model again with model.save({Path(path).name!r})"
        ) from cause
    return model


def described(model: Module) -> str:
    """The architecture as JSON; "" where a part is none of the library's own."""
    try:
        plain = _plain(model)
    except _Foreign:
        return ""
    labels = {name: getattr(model, name) for name in _LABELS}
    plain |= {
        name: [x.item() if hasattr(x, "item") else x for x in given]
        for name, given in labels.items()
        if given is not None
    }
    complete = _count(plain) == len(model.parameters())  # nothing shared, nothing added
    return json.dumps(plain) if complete else ""


Module._describe = staticmethod(described)


def _plain(part: Any) -> Plain:
    kind = type(part)
    if kind is Neuron:
        if not all(isinstance(p, Value) for p in (*part.w, part.b)):
            raise _Foreign(part)
        return {"kind": "Neuron", "nin": len(part.w), **_settings(part)}
    if kind is Layer:
        own = [_plain(neuron) for neuron in part.neurons]
        if any(neuron != own[0] for neuron in own):
            raise _Foreign(part)
        return {**own[0], "kind": "Layer", "neurons": len(own)}
    if kind in (Sequential, MLP):
        return {"kind": kind.__name__, "layers": [_plain(p) for p in part.layers]}
    if kind in PARTS.values():
        return {"kind": kind.__name__, "settings": _part_settings(part)}
    scaler = getattr(part, "__self__", part)
    if type(scaler) is Scaler:
        known = {"mean": scaler.mean.tolist(), "scale": scaler.scale.tolist()}
        return {"kind": "Scaler", "inverse": part is not scaler, **known}
    return {"kind": "function", "name": _name(part)}


def _part_settings(part: Any) -> Plain:
    """What a part is built with again."""
    if isinstance(part, Dropout):
        return {"p": float(part.p)}
    if isinstance(part, LayerNorm):
        return {"n": len(part.weight), "eps": float(part.eps)}
    if isinstance(part, Embedding):
        return {"count": len(part.weight), "width": len(part.weight[0])}
    found = {"nin": part.nin, "width": part.width, "outputs": part.outputs}
    return found | ({"activation": _name(part.activation)} if type(part) is RNN else {})


def _part_count(kind: str, settings: Plain) -> int:
    """The number of parameters of such a part."""
    if kind == "Dropout":
        return 0
    if kind == "LayerNorm":
        return 2 * _whole(settings["n"])
    width = _whole(settings["width"])
    if kind == "Embedding":
        return width * _whole(settings["count"])
    return _GATES[kind] * width * (_whole(settings["nin"]) + width + 2)


def _settings(neuron: Neuron) -> Plain:
    return {"activation": _name(neuron.activation), "nonlin": bool(neuron.nonlin)}


def _name(function: Any) -> str:
    for name, known in FUNCTIONS.items():
        if known is function:
            return name
    raise _Foreign(function)


def _built(plain: Any, most: int) -> Module:
    """The model; ValueError if it would have more parameters than ``most``."""
    if not isinstance(plain, dict) or plain.get("kind") == "function":
        raise ValueError("it begins with no model")
    count = _count(plain)
    if count != most:
        raise ValueError(f"{count} parameters where the file has {most} numbers")
    model: Module = _part(plain)
    return model


def _count(plain: Plain) -> int:
    """The number of parameters, before anything is built."""
    kind = plain["kind"]
    if kind in ("Sequential", "MLP"):
        return sum(_count(layer) for layer in plain["layers"])
    if kind in ("function", "Scaler"):
        return 0
    if kind in PARTS:
        return _part_count(kind, plain["settings"])
    return (_whole(plain["nin"]) + 1) * _whole(plain.get("neurons", 1))


def _labels(given: Any, kinds: tuple[type, ...]) -> list[Any] | None:
    if given is None or (isinstance(given, list) and {*map(type, given)} <= {*kinds}):
        return given
    raise ValueError(f"not names: {given!r:.40}")


def _whole(x: Any) -> int:
    if type(x) is not int or x < 1:
        raise ValueError(f"not a width: {x!r:.40}")
    return x


def _part(plain: Plain) -> Any:
    kind = plain["kind"]
    if kind == "function":
        return FUNCTIONS[plain["name"]]
    if kind == "Scaler":
        scaler = Scaler.of(plain["mean"], plain["scale"])
        return scaler.inverse if plain["inverse"] else scaler
    if kind in ("Sequential", "MLP"):
        made = MLP.__new__(MLP) if kind == "MLP" else Sequential.__new__(Sequential)
        Sequential.__init__(made, *[_part(layer) for layer in plain["layers"]])
        return made
    if kind in PARTS:
        drawn = {"seed": 0} if kind in (*_GATES, "Embedding") else {}  # as layers are
        return PARTS[kind](**plain["settings"], **drawn)
    settings = {"activation": FUNCTIONS[plain["activation"]], "nonlin": plain["nonlin"]}
    if kind == "Neuron":
        return Neuron(plain["nin"], seed=0, **settings)
    if kind == "Layer":
        return Layer(plain["nin"], plain["neurons"], seed=0, **settings)
    raise ValueError(f"unknown kind {kind!r:.40}")
