"""Regressor: numbers in, numbers out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.base import RegressorMixin
from sklearn.utils.validation import column_or_1d

from autograd import DataError, ShapeError
from nn.datasets.scaling import Floats, Scaler
from nn.estimators.network import Network, answering
from nn.losses.amounts import mse_loss
from nn.losses.named import Loss
from nn.validation import array


@answering
@dataclass(eq=False, repr=False)
class Regressor(RegressorMixin, Network):
    """A network that predicts numbers, as an estimator of scikit-learn.

    Parameters
    ----------
    loss : None for the mean squared error. Else a name in ``nn.LOSSES``, or a function
        ``(outputs, targets) -> Value``. It sees targets of mean 0 and deviation 1.
    standardise : give the network inputs, and the loss targets, of mean 0 and deviation
        1; predictions are in the units of y.
    others : those of ``nn.Classifier``, but for ``class_weight``.

    Attributes
    ----------
    model_ : the ``nn.MLP``, with an output for each number of a target.
    others : those of ``nn.Classifier``, but for ``classes_``.

    >>> from nn import Regressor
    >>> X, y = [[0.0], [1.0], [2.0]], [100.0, 300.0, 500.0]
    >>> line = Regressor((), lr=0.1, random_state=0).fit(X, y)
    >>> line.predict([[3.0]]).round().tolist()
    [700.0]
    """

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Regressor:
        """Learn from X (samples, features) and y (samples,) or (samples, outputs).

        Returns the estimator. A sample of weight 2 counts as two. Raises ValueError for
        what is empty or not finite, for lengths that do not fit, and settings that make
        no sense; TypeError for a sparse matrix.
        """
        again = self._goes_on()
        X, y = self._table(X, y, reset=not again)
        X, y, weights = self._weighed(X, y, sample_weight, total=True)
        if not again:
            self._start(X, y, weights)
        self._learn_all(X, self._targets(y), weights, self._loss)
        return self

    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None) -> Regressor:
        """Go once through more samples; shapes and errors are those of ``fit``.

        What standardises inputs and targets is taken from the first call's. Nothing is
        held out, and no schedule asked. Weights count as they are.
        """
        first = not hasattr(self, "model_")
        X, y = self._table(X, y, reset=first)
        X, y, weights = self._weighed(X, y, sample_weight, total=False)
        if first:
            self._start(X, y, weights)
        self._learn_once(X, self._targets(y), weights, self._loss)
        return self

    def predict(self, X: Any) -> Floats:
        """The number of each row of X (samples, features): (samples,), or
        (samples, outputs) where y was so.

        Raises NotFittedError before ``fit``, ValueError for another number of features
        or numbers that are not finite.
        """
        found = self._outputs(X)
        return found if self._units is None else self._units.inverse(found)

    @property
    def _loss(self) -> str | Loss:
        return mse_loss if self.loss is None else self.loss

    def _table(self, X: Any, y: Any, reset: bool) -> tuple[Floats, Floats]:
        X, y = self._checked(X, y, reset, multi_output=True, y_numeric=True)
        if y.ndim == 2 and y.shape[1] == 1:
            y = column_or_1d(y, warn=True)
        if not reset and y.shape[1:] != self._shape:
            raise ShapeError(
                f"y has the shape {y.shape}, and each target of the last call "
                f"{self._shape}: give targets of that shape"
            )
        found = array("y", y)
        if not np.isfinite(found).all():  # None became nan
            raise DataError("y has targets that are missing: remove those samples")
        return X, found

    def _start(self, X: Floats, y: Floats, weights: Floats | None) -> None:
        self._begin(X, weights, y.shape[1] if y.ndim == 2 else 1)
        self._shape = y.shape[1:]
        self._units = Scaler(y, weights) if self.standardise else None

    def _targets(self, y: Floats) -> Floats:
        """y as the loss sees it."""
        return y if self._units is None else self._units(y)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags
