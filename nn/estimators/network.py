"""What both estimators are: settings, a network, and its training."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import KW_ONLY, dataclass
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, is_classifier
from sklearn.utils import check_random_state
from sklearn.utils.validation import (
    _check_sample_weight,
    check_is_fitted,
    validate_data,
)

from autograd import DataError
from autograd.spelling import spelled
from autograd.table.reals import short
from nn.datasets import split
from nn.datasets.scaling import Floats, Scaler
from nn.layers.activations import Activation
from nn.layers.initialisers import Initialiser
from nn.layers.networks import MLP, Sequential
from nn.losses.named import Loss, Weighted, find_loss
from nn.optimisers.named import find_optimiser
from nn.optimisers.optimiser import Optimiser
from nn.optimisers.schedules import Schedule
from nn.training.fit import fit
from nn.training.history import History
from nn.training.predict import predict
from nn.validation import is_sequence, real, refuse_masked

T = TypeVar("T", bound=type)

_ELSEWHERE = {  # what scikit-learn's own networks call it
    "hidden_layer_sizes": "hidden=",
    "learning_rate": "schedule=, see nn.schedules; lr= for the rate",
    "learning_rate_init": "lr=",
    "solver": "optimiser=",
    "optimizer": "optimiser=",
    "alpha": "weight_decay=",
    "max_iter": "epochs=",
    "early_stopping": "patience=, with validation=",
    "n_iter_no_change": "patience=, with validation=",
    "validation_fraction": "validation=",
    "seed": "random_state=",
    "verbose": "progress=True or progress=False",
}


def answering(made: T) -> T:
    """A class whose constructor answers to settings that are called otherwise."""
    constructor: Any = made.__init__  # type: ignore[misc]
    made.__init__ = spelled(remedies=_ELSEWHERE)(constructor)  # type: ignore[misc]
    return made


@dataclass(eq=False, repr=False)
class Network(BaseEstimator):
    """A multi-layer perceptron as an estimator: the settings, checked by ``fit``.

    They are fields, from which ``dataclass`` makes the constructor that scikit-learn
    reads the names of its parameters from.
    """

    hidden: Sequence[int] = (16,)
    _: KW_ONLY
    activation: str | Activation = "relu"
    init: str | Initialiser = "xavier_uniform"
    loss: str | Loss | None = None
    optimiser: str | Callable[..., Optimiser] = "adam"
    lr: float | None = None
    weight_decay: float | None = None
    schedule: Schedule | None = None
    epochs: int = 200
    batch_size: int | None = 32
    validation: float | None = None
    patience: int | None = None
    standardise: bool = True
    warm_start: bool = False
    random_state: Any = None
    compile: bool | None = None
    progress: bool | str = False

    # -- Data ------------------------------------------------------------------------

    def _checked(self, X: Any, y: Any, reset: bool, **rules: Any) -> tuple[Any, Any]:
        """X as floats (samples, features), and y; names and number of the features
        are noted down if ``reset``, else compared."""
        refuse_masked("y", y)
        found = self._validated(X, y, reset=reset, **rules)
        return found[0], found[1]

    def _validated(self, X: Any, *y: Any, reset: bool, **rules: Any) -> Any:
        """X, and y if it is given, as scikit-learn checks them; and what it lets pass:
        masked elements, and integers beyond all floats."""
        refuse_masked("X", X)
        try:
            return validate_data(self, X, *y, dtype=np.float64, reset=reset, **rules)
        except OverflowError as cause:
            raise DataError(
                f"X has a number beyond the largest float ({cause}): scale the data "
                "down"
            ) from cause

    def _weighed(
        self, X: Floats, y: NDArray[Any], sample_weight: Any, total: bool
    ) -> tuple[Floats, NDArray[Any], Floats | None]:
        """The samples whose weight is not 0, and the weights: None if all are 1.

        Of ``total`` samples, all that are known, they are made to have the mean 1.
        """
        if sample_weight is None:
            return X, y, None
        weights = checked_weights(sample_weight, X)
        kept = weights > 0.0
        X, y, weights = X[kept], y[kept], weights[kept]
        if total:
            weights = weights / weights.mean()
        return X, y, None if (weights == 1.0).all() else weights

    # -- Training --------------------------------------------------------------------

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "model_")

    def _goes_on(self) -> bool:
        """Whether ``fit`` starts from what was learned before."""
        return bool(self.warm_start) and hasattr(self, "model_")

    def _begin(self, X: Floats, weights: Floats | None, outputs: int) -> None:
        """A network of new weights, its optimiser, and what standardises its inputs."""
        if not is_sequence(self.hidden):
            raise TypeError(
                f"hidden is a sequence of widths, got {short(self.hidden)}: write "
                f"({short(self.hidden)},) for one layer"
            )
        make = self.optimiser
        if isinstance(make, str):
            make = find_optimiser(make)
        elif not callable(make):
            raise TypeError(
                f"optimiser is {short(make)}: give a name, or a function that makes an "
                f"Optimiser of parameters, such as nn.SGD"
            )
        inputs = Scaler(X, weights) if self.standardise else None
        seed = int(check_random_state(self.random_state).randint(2**31 - 1))
        widths = [*self.hidden, outputs]
        model = MLP(X.shape[1], widths, self.activation, seed=seed, init=self.init)
        named = {"lr": self.lr, "weight_decay": self.weight_decay}
        settings = {name: x for name, x in named.items() if x is not None}
        self._seed, self._optimiser = seed, make(model.parameters(), **settings)
        self._inputs, self.model_, self.n_iter_ = inputs, model, 0

    def _learn_all(
        self, X: Floats, targets: Any, weights: Floats | None, loss: str | Loss
    ) -> None:
        """The training of ``fit``: epochs, held-out samples, schedule.

        Of every class the same share is held out; targets are its numbers then.
        """
        held = None
        if self.validation is not None:
            share = real("validation", self.validation)
            if not 0.0 < share < 1.0:
                raise ValueError(
                    f"validation must be a share between 0 and 1, got {short(share)}"
                )
            order, alike = np.arange(len(X)), is_classifier(self)
            _, held, *_ = split(order, targets, share, self._seed, stratify=alike)
        self._learn(
            X,
            targets,
            weights,
            loss,
            held,
            epochs=self.epochs,
            patience=self.patience,
            schedule=self.schedule,
            seed=self._seed,
            progress=self.progress,
        )

    def _learn_once(
        self, X: Floats, targets: Any, weights: Floats | None, loss: str | Loss
    ) -> None:
        """The training of ``partial_fit``: once through the samples, in new order."""
        seed = self._seed + self.n_iter_
        self._learn(X, targets, weights, loss, epochs=1, seed=seed, progress=False)

    def _learn(
        self,
        X: Floats,
        targets: NDArray[Any],
        weights: Floats | None,
        loss: str | Loss,
        held: Any = None,
        **settings: Any,
    ) -> None:
        """Train on targets as the loss takes them, and record the run.

        ``held`` are the places of the samples for validation.
        """
        X, chosen = self._seen(X), find_loss(loss)
        if weights is not None:
            targets = np.column_stack([targets, weights])
            chosen = Weighted(chosen)
        if held is not None:
            settings["validation"] = X[held], targets[held]
            X, targets = np.delete(X, held, axis=0), np.delete(targets, held, axis=0)
        self.history_: History = fit(
            self.model_,
            X,
            targets,
            chosen,
            self._optimiser,
            batch_size=self.batch_size,
            compile=self.compile,
            **settings,
        )
        best = self.history_.best_epoch if settings.get("patience") else None
        self.loss_ = self.history_.losses[-1 if best is None else best]
        self.n_iter_ += len(self.history_)

    def as_model(self) -> Sequential:
        """A copy as a network that takes and gives the units of the data.

        For ``nn`` and ``viz``, and to be saved: it holds what scales, and the names of
        inputs and classes. Raises NotFittedError before ``fit``.

        >>> from nn import Regressor, predict
        >>> line = Regressor((), random_state=0).fit([[0.0], [1.0]], [100.0, 300.0])
        >>> model = line.as_model()
        >>> bool(np.allclose(predict(model, [[2.0]]), line.predict([[2.0]])))
        True
        """
        check_is_fitted(self)
        first, last = self._inputs, getattr(self, "_units", None)  # of the targets
        made = Sequential(
            *([] if first is None else [first]),
            deepcopy(self.model_),
            *([] if last is None else [last.inverse]),
        )
        made.eval()
        for name, ours in (("feature_names_in_", "inputs"), ("classes_", "classes")):
            if hasattr(self, name):
                setattr(made, ours, getattr(self, name).tolist())
        return made

    # -- Outputs ---------------------------------------------------------------------

    def _seen(self, X: Floats) -> Floats:
        """X as the network sees it."""
        return X if self._inputs is None else self._inputs(X)

    def _outputs(self, X: Any) -> Floats:
        """The network's outputs: (samples,), or (samples, outputs) for several."""
        check_is_fitted(self)
        X = self._validated(X, reset=False)
        return predict(self.model_, self._seen(X), compile=self.compile)


def checked_weights(sample_weight: Any, X: Floats) -> Floats:
    """A weight for each sample, (samples,): DataError if one is negative, or all 0."""
    weights: Floats = _check_sample_weight(sample_weight, X, dtype=np.float64)
    if (weights < 0.0).any():
        raise DataError(f"sample_weight has {weights.min()}: weights must be >= 0")
    if not weights.any():
        raise DataError(
            "sample_weight is 0 for every sample: give at least one a weight above 0"
        )
    return weights
