"""Predictions: what a trained model says of new samples.

A network of layers is computed by matrices; any other model sample by sample, or by a
program compiled from it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from autograd import no_grad, sigmoid
from autograd.spelling import spelled
from nn.layers import matrices
from nn.layers.module import Module, in_mode
from nn.layers.networks import Neuron
from nn.losses.metrics import to_array
from nn.training import programs
from nn.training.labels import check_columns
from nn.training.mismatches import (
    check_model,
    last_activation,
    refuse_unordered,
    takes_sequences,
)
from nn.training.progress import progress_bar
from nn.training.samples import checked_inputs, table_of
from nn.validation import elements, is_sequence, plain

Floats = NDArray[np.float64]

MANY = 1_000  # products and sums, for which matrices are made
TOGETHER = 64  # samples between two looks at the clock


@spelled(remedies={"verbose": "progress=True or progress=False"})
def predict(
    model: Module,
    X: Any,
    *,
    compile: bool | None = None,
    progress: bool | str = "auto",
) -> Floats:
    """The model's outputs as an array of floats; no graph is kept.

    For many samples the shape is (samples,) when the model has one output, else
    (samples, outputs); for a single one, () or (outputs,). ``compile`` is True to
    compile the model, False to compute sample by sample; by itself (None) a network of
    layers is computed by matrices, and others are compiled where it pays. All ways give
    the same numbers up to rounding. ``progress`` is as in ``fit``; a bar appears after
    one second. Raises ShapeError for widths that do not fit and for the columns of
    another table, DataError for empty or non-finite inputs.

    >>> from nn import MLP, predict
    >>> predict(MLP(2, [4, 3], seed=0), [[1.0, 2.0], [3.0, 4.0]]).shape
    (2, 3)
    """
    return _predicted(model, X, compile, progress)[0]


def _predicted(
    model: Module, X: Any, compile: bool | None, progress: bool | str
) -> tuple[Floats, bool]:
    """The outputs, and whether they are those of a single sample."""
    check_model(model, "predict takes")
    refuse_unordered(X=X)
    check_columns(model, X)
    table = table_of(X)
    samples: Any = elements("X", X) if table is None else table
    single = len(samples) > 0 and not is_sequence(samples[0])
    with in_mode(model, False) as modules:
        if table is not None and compile is None:
            found = _by_matrices(model, modules, table)
            if found is not None:
                return found, False
        checked = (
            checked_inputs([samples] if single else samples, takes_sequences(model))
            if table is None
            else table.tolist()
        )
        outputs = to_array(_outputs(model, checked, compile, progress))
    return (np.array(outputs[0]) if single else outputs), single


def classify(model: Module, X: Any) -> NDArray[Any]:
    """The likeliest class of each sample, (samples,); of a single one, ().

    By its name, where the model was trained on names, or ``model.classes`` was set;
    else by its number, 0, 1, ... . One output tells two classes apart: by 1/2 where the
    model ends in a sigmoid, else by 0. Raises as ``predict`` does.

    >>> from nn import MLP, classify, fit
    >>> X, y = [[0.0], [1.0], [4.0], [5.0]], ["low", "low", "high", "high"]
    >>> model = MLP(1, [4, 2], activation="tanh", seed=0)
    >>> history = fit(model, X, y, "cross_entropy", lr=0.1, progress=False)
    >>> classify(model, [[0.5], [4.5]]).tolist()
    ['low', 'high']
    """
    scores, single = _predicted(model, X, None, "auto")
    if scores.ndim == (1 if single else 2):
        numbers = np.asarray(scores.argmax(axis=-1))
    else:
        threshold = 0.5 if last_activation(model) is sigmoid else 0.0
        numbers = np.asarray(scores > threshold).astype(int)
    return np.array(model.classes)[numbers] if model.classes else numbers


def _by_matrices(model: Module, modules: list[Module], table: Floats) -> Floats | None:
    """The outputs of a network of layers, where they are worth a matrix."""
    weights = sum(len(m.w) for m in modules if isinstance(m, Neuron))
    if weights * len(table) < MANY or programs.reason_against(None, own=True):
        return None
    found = matrices.outputs_of(model, table)
    single = found is not None and found.shape[1:] == (1,)
    return found[:, 0] if found is not None and single else found


def _outputs(
    model: Module, X: list[list[float]], compile: bool | None, progress: bool | str
) -> list[Any]:
    """The outputs for many samples, compiled where that pays.

    A program's first and last output must agree with the eager ones.
    """
    edges = len(model.parameters())
    own = programs.is_own_model(model)
    if programs.reason_against(compile, own) or not (
        compile or programs.is_worth_compiling(edges * len(X), edges, 1)
    ):
        return _one_by_one(model, X, progress)
    program = programs.output_program(model, programs.by_samples(model))
    outputs: list[Any] = []

    def ends(*arguments: Floats) -> list[Any]:
        outputs[:] = program(*arguments)
        return [outputs[0], outputs[-1]]

    try:
        table = np.array(X)
    except ValueError:  # samples of different lengths
        return _one_by_one(model, X, progress)
    numbers = np.array([p.data for p in model.parameters()])
    expected = eager_outputs(model, [X[0], X[-1]])
    reason = programs.disagreement(ends, (numbers, table), expected)
    if not reason:
        return outputs
    programs.log_eager(reason, compile is True)
    return _one_by_one(model, X, progress)


def _one_by_one(model: Module, X: list[list[float]], progress: bool | str) -> list[Any]:
    """The outputs in the graph's way, some samples at a time where none meet."""
    size = TOGETHER if programs.by_samples(model) else len(X)
    outputs: list[Any] = []
    with progress_bar(len(X), "sample", progress, delay=1.0) as bar:
        for start in range(0, len(X), size):
            part = X[start : start + size]
            outputs += eager_outputs(model, part)
            bar.update(len(part))
    return outputs


def eager_outputs(model: Module, X: list[list[float]]) -> list[Any]:
    """The outputs as the graph computes them, as plain numbers."""
    with no_grad():
        outputs: list[Any] = plain("outputs", list(model.batch(X)))
    return outputs
