"""Data sets that scikit-learn holds: nothing is downloaded."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from autograd.missing import missing

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def iris() -> tuple[Floats, Ints]:
    """Fisher's irises: X (150, 4) in cm, y (150,) of the species 0, 1, 2.

    Raises MissingDependencyError without scikit-learn, which holds the data.
    """
    return _of_sklearn("iris")


def wine() -> tuple[Floats, Ints]:
    """Wines by 13 measurements: X (178, 13), y (178,) of the growers 0, 1, 2.

    Raises MissingDependencyError without scikit-learn, which holds the data.
    """
    return _of_sklearn("wine")


def breast_cancer() -> tuple[Floats, Ints]:
    """Tumours by 30 measurements: X (569, 30), y (569,) of 0 malignant, 1 benign.

    Raises MissingDependencyError without scikit-learn, which holds the data.
    """
    return _of_sklearn("breast_cancer")


def diabetes() -> tuple[Floats, Floats]:
    """Patients by 10 measurements: X (442, 10), y (442,) how far the disease came.

    Raises MissingDependencyError without scikit-learn, which holds the data.
    """
    return _of_sklearn("diabetes")


def digits() -> tuple[Floats, Ints]:
    """Handwritten digits, 8 x 8 pixels: X (1797, 64) in [0, 1], y (1797,) of 0 to 9.

    Raises MissingDependencyError without scikit-learn, which holds the data.
    """
    X, y = _of_sklearn("digits")
    return X / 16.0, y


def _of_sklearn(name: str) -> tuple[Floats, Any]:
    try:
        from sklearn import datasets
    except ImportError as cause:
        raise missing(
            "this data set comes with scikit-learn", "scikit-learn"
        ) from cause
    data = getattr(datasets, f"load_{name}")()
    return data.data, data.target
