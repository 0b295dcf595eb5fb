"""Networks as a practitioner trains them, beside scikit-learn and PyTorch.

``python benchmarks/practice.py`` needs scikit-learn, and torch where that is compared.
Every peer has the same start, order, batches and Adam; the losses of the first epochs
must agree before anything is timed. Then each fit runs in a process of its own, on one
processor, with no machine code kept from before: the first fit compiles and loads what
it needs, the later ones are what a search over settings pays. All numbers are doubles.
"""

from __future__ import annotations

import argparse
import inspect
import json
import os
import subprocess
import sys
import tempfile
import time
import warnings
from itertools import pairwise
from pathlib import Path

PEERS = ("nn", "estimator", "sklearn", "torch")
SAME_START = ("nn", "sklearn", "torch")
# The widths of the hidden layer, and how often to go through the samples.
WORKS = {
    "moons": (32, 100),
    "iris": (32, 100),
    "wine": (32, 100),
    "breast_cancer": (32, 100),
    "diabetes": (32, 100),
    "digits": (32, 100),
    "100,000 parameters": (128, 5),
}
BATCH, RATE = 200, 1e-3
AGAIN = 3  # fits and predictions after the first
CHECKED = 5  # epochs whose losses are compared
# Relative; scikit-learn's Adam adds its eps to a root that is not corrected yet.
TOLERANCE = {"nn": 0.0, "torch": 1e-12, "sklearn": 1e-4}


class Task:
    """The data of a work, standardised, and the network for them."""

    def __init__(self, name):
        import numpy as np

        from nn import datasets

        self.name, (self.hidden, self.epochs) = name, WORKS[name]
        if name == "100,000 parameters":
            rng = np.random.RandomState(0)
            X, y = rng.normal(size=(1000, 784)), rng.randint(10, size=1000)
        else:
            made = {"moons": (400, 0.2)}.get(name, ())
            X, y = getattr(datasets, name)(*made)
        self.amounts = name == "diabetes"
        if name == "moons":
            y = (y + 1) // 2
        parts = datasets.split(X, y, seed=0, stratify=not self.amounts)
        if name == "100,000 parameters":  # where nothing can be learned
            parts = X, X, y, y
        self.X, self.X_test = datasets.standardise(*parts[:2])
        self.y, self.y_test = (
            datasets.standardise(*parts[2:]) if self.amounts else parts[2:]
        )
        classes = 1 if self.amounts else len(np.unique(y))
        self.outputs = 1 if classes == 2 else classes
        self.batch = min(BATCH, len(self.X))

    def start(self):
        """Weights (inputs, outputs) and biases of each layer."""
        import numpy as np

        rng = np.random.RandomState(1)
        widths = [self.X.shape[1], self.hidden, self.outputs]
        ends = list(pairwise(widths))
        weights = [rng.normal(scale=(2.0 / n) ** 0.5, size=(n, m)) for n, m in ends]
        return weights, [np.zeros(m) for _, m in ends]


# -- The programs of a user, and how each begins at the given start --------------------


class Nn:
    def build(task):
        import nn

        return nn.MLP(task.X.shape[1], [task.hidden, task.outputs], seed=0)

    def fit(model, task, epochs):
        import nn

        several = "cross_entropy" if task.outputs > 1 else "bce_with_logits"
        loss = "mse" if task.amounts else several
        settings = {"lr": RATE, "shuffle": False, "progress": False}
        history = nn.fit(
            *(model, task.X, task.y, loss, "adam", epochs, task.batch), **settings
        )
        return history.losses

    def predict(model, task):
        import nn

        outputs = nn.predict(model, task.X_test)
        if task.amounts:
            return outputs
        return outputs.argmax(axis=1) if task.outputs > 1 else outputs > 0

    def begin(model, task):
        for layer, weights, biases in zip(model.layers, *task.start(), strict=True):
            for neuron, w, b in zip(layer.neurons, weights.T, biases, strict=True):
                neuron.b.data = b
                for parameter, number in zip(neuron.w, w, strict=True):
                    parameter.data = number


class Estimator:
    def build(task):
        import nn

        make = nn.Regressor if task.amounts else nn.Classifier
        return make((task.hidden,), lr=RATE, batch_size=task.batch, random_state=0)

    def fit(model, task, epochs):
        return model.set_params(epochs=epochs).fit(task.X, task.y).history_.losses

    def predict(model, task):
        return model.predict(task.X_test)


class Sklearn:
    def build(task):
        from sklearn.neural_network import MLPClassifier, MLPRegressor

        return (MLPRegressor if task.amounts else MLPClassifier)(
            hidden_layer_sizes=(task.hidden,),
            alpha=0.0,
            batch_size=task.batch,
            learning_rate_init=RATE,
            shuffle=False,
            tol=0.0,
            n_iter_no_change=10_000,
            random_state=0,
        )

    def fit(model, task, epochs):
        model.set_params(max_iter=epochs).fit(task.X, task.y)
        return model.loss_curve_

    def predict(model, task):
        return model.predict(task.X_test)

    def begin(model, task):
        """The network is made by a first epoch, and then set back."""
        model.set_params(max_iter=1).fit(task.X, task.y)
        model.coefs_, model.intercepts_ = task.start()
        model.loss_curve_ = []
        model.set_params(warm_start=True)


class Torch:
    def build(task):
        from torch import nn

        return nn.Sequential(
            nn.Linear(task.X.shape[1], task.hidden),
            nn.ReLU(),
            nn.Linear(task.hidden, task.outputs),
        )

    def fit(model, task, epochs):
        import torch

        X, y = torch.tensor(task.X), torch.tensor(task.y)
        if task.outputs == 1:
            y = y.double().reshape(-1, 1)
        loss_of = torch.nn.CrossEntropyLoss()
        if task.outputs == 1:
            loss_of = torch.nn.BCEWithLogitsLoss()
        if task.amounts:
            loss_of = torch.nn.MSELoss()
        optimiser = torch.optim.Adam(model.parameters(), lr=RATE)
        losses = []
        for _ in range(epochs):
            total = 0.0
            for i in range(0, len(X), task.batch):
                optimiser.zero_grad()
                loss = loss_of(model(X[i : i + task.batch]), y[i : i + task.batch])
                loss.backward()
                optimiser.step()
                total += loss.item() * len(X[i : i + task.batch])
            losses.append(total / len(X))
        return losses

    def predict(model, task):
        import torch

        with torch.no_grad():
            outputs = model(torch.tensor(task.X_test))
        if task.amounts:
            return outputs[:, 0].numpy()
        found = outputs.argmax(dim=1) if task.outputs > 1 else outputs[:, 0] > 0
        return found.numpy()

    def begin(model, task):
        import torch

        layers = [part for part in model if hasattr(part, "weight")]
        with torch.no_grad():
            for layer, w, b in zip(layers, *task.start(), strict=True):
                layer.weight.copy_(torch.tensor(w.T))
                layer.bias.copy_(torch.tensor(b))


PROGRAMS = dict(zip(PEERS, (Nn, Estimator, Sklearn, Torch), strict=True))


def lines(peer):
    """Lines of code of the three functions that a user writes."""
    count = 0
    for name in ("build", "fit", "predict"):
        source = inspect.getsource(getattr(PROGRAMS[peer], name)).splitlines()
        count += sum(bool(line.strip()) for line in source[1:])
    return count


# -- Equal answers, then times ---------------------------------------------------------


def losses(peer, task):
    program = PROGRAMS[peer]
    model = program.build(task)
    program.begin(model, task)
    found = program.fit(model, task, CHECKED)
    half = peer == "sklearn" and task.amounts  # its squared error is halved
    return [2.0 * loss if half else loss for loss in found]


def assert_equal_answers(name, peers):
    task = Task(name)
    found = {peer: losses(peer, task) for peer in peers if peer in SAME_START}
    for peer, other in found.items():
        for a, b in zip(found["nn"], other, strict=True):
            assert abs(a - b) <= TOLERANCE[peer] * abs(a), (name, peer, found)


def timed(function, *arguments):
    start = time.perf_counter()
    result = function(*arguments)
    return result, time.perf_counter() - start


def measure(name, peer):
    """Seconds of fits and predictions, the least of the later ones; and the score."""
    import numpy as np

    program, task, fits = PROGRAMS[peer], Task(name), []
    for _ in range(1 + AGAIN):
        model = program.build(task)
        if peer in SAME_START and peer != "sklearn":  # where that trains no epoch
            program.begin(model, task)
        fits.append(timed(program.fit, model, task, task.epochs)[1])
    predictions = [timed(program.predict, model, task) for _ in range(1 + AGAIN)]
    found = predictions[0][0]
    row = {
        "first fit": fits[0],
        "later fits": min(fits[1:]),
        "predict": min(seconds for _, seconds in predictions[1:]),
    }
    wrong = np.asarray(found, float) - task.y_test
    score = np.mean(wrong == 0.0)
    if task.amounts:
        score = 1.0 - np.mean(wrong**2) / np.var(task.y_test)
    return row | {"score": float(score)}


def alone(name, peer):
    """``measure`` in a process of its own."""
    with tempfile.TemporaryDirectory() as cache:
        run = subprocess.run(
            [sys.executable, __file__, "--measure", name, peer],
            env=os.environ | {"SCALAR_AUTOGRAD_CACHE": cache},
            capture_output=True,
            text=True,
            check=True,
        )
    return json.loads(run.stdout.splitlines()[-1])


def settle(peers):
    """One thread, one processor, doubles; no words about runs that end early."""
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[name] = "1"
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    sys.path.insert(0, str(Path(__file__).parent.parent))
    warnings.simplefilter("ignore")
    if "torch" in peers:
        import torch

        torch.set_num_threads(1)
        torch.set_default_dtype(torch.float64)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("works", nargs="*", default=list(WORKS))
    parser.add_argument("--peers", nargs="+", default=list(PEERS), choices=PEERS)
    parser.add_argument("--measure", nargs=2)
    chosen = parser.parse_args()
    if chosen.measure:
        settle(chosen.measure[1:])
        print(json.dumps(measure(*chosen.measure)))
        return
    settle(chosen.peers)
    print("lines of the user's program:", {p: lines(p) for p in chosen.peers})
    head = ["work", "peer", "score", "first fit", "later fits", "predict"]
    print("| " + " | ".join(head) + " |\n" + "|---" * len(head) + "|")
    for name in chosen.works:
        assert_equal_answers(name, chosen.peers)
        for peer in chosen.peers:
            row = alone(name, peer)
            fits = [f"{row[which]:.3f} s" for which in ("first fit", "later fits")]
            predict = f"{1e3 * row['predict']:.2f} ms"
            cells = [name, peer, f"{row['score']:.3f}", *fits, predict]
            print("| " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main()
