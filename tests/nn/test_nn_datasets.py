"""Data sets: shapes, reproducibility, splitting, scaling."""

import math
import sys

import numpy as np
import pytest

from autograd import DataError, MissingDependencyError, ShapeError
from nn import Scaler, datasets


def test_small_ones():
    X, y = datasets.xor()
    assert [(*x, t) for x, t in zip(X.tolist(), y.tolist(), strict=True)] == [
        (0, 0, -1),
        (0, 1, 1),
        (1, 0, 1),
        (1, 1, -1),
    ]
    X, y = datasets.hours_and_grades()
    assert X.tolist() == [[2], [4], [6], [8], [10]]
    assert y.tolist() == [3, 5, 4, 6, 8]
    X, y = datasets.descent_points()
    assert X.tolist() == [[0.5], [2.0], [1.0]]
    assert y.tolist() == [0.8, 1.0, 1.5]


@pytest.mark.parametrize("n", [2, 101])
def test_moons(n):
    X, y = datasets.moons(n, noise=0.0, seed=3)
    assert X.shape == (n, 2)
    assert np.sum(y == -1) == n // 2
    assert np.sum(y == 1) == n - n // 2
    upper, lower = X[y == -1], X[y == 1] - [1.0, 0.5]
    assert np.hypot(*upper.T) == pytest.approx(1.0)
    assert np.hypot(*lower.T) == pytest.approx(1.0)
    assert (upper[:, 1] >= 0).all()
    assert (lower[:, 1] <= 1e-15).all()


def test_moons_and_their_seed():
    X, y = datasets.moons(50, seed=1)
    again, labels = datasets.moons(50, seed=1)
    assert np.array_equal(X, again)
    assert np.array_equal(y, labels)
    assert not np.array_equal(X, datasets.moons(50, seed=2)[0])
    spread = datasets.moons(4000, noise=0.3)[0] - datasets.moons(4000, noise=0.0)[0]
    assert spread.std() == pytest.approx(0.3, rel=0.05)


@pytest.mark.parametrize(("n", "noise"), [(1, 0.1), (10, -0.1), (10, math.nan)])
def test_moons_that_make_no_sense(n, noise):
    with pytest.raises(ValueError, match="n >= 2 and noise >= 0"):
        datasets.moons(n, noise)


def test_iris_and_digits():
    pytest.importorskip("sklearn")
    X, y = datasets.iris()
    assert X.shape == (150, 4)
    assert np.bincount(y).tolist() == [50, 50, 50]
    X, y = datasets.digits()
    assert X.shape == (1797, 64)
    assert (X.min(), X.max()) == (0.0, 1.0)
    assert set(y.tolist()) == set(range(10))


@pytest.mark.parametrize("load", [datasets.iris, datasets.digits])
def test_without_scikit_learn(monkeypatch, load):
    monkeypatch.setitem(sys.modules, "sklearn", None)
    with pytest.raises(MissingDependencyError, match='pip install "scikit-learn'):
        load()


def test_split():
    X, y = np.arange(20.0).reshape(10, 2), np.arange(10)
    X_train, X_test, y_train, y_test = datasets.split(X, y, test=0.3, seed=1)
    assert (len(y_train), len(y_test)) == (7, 3)
    assert sorted([*y_train, *y_test]) == list(range(10))
    assert np.array_equal(X_train, X[y_train])
    assert np.array_equal(X_test, X[y_test])
    assert np.array_equal(datasets.split(X, y, test=0.3, seed=1)[3], y_test)
    assert not np.array_equal(datasets.split(X, y, test=0.3, seed=2)[3], y_test)


def test_stratified_split():
    y = np.repeat([0, 1, 2], [40, 20, 4])
    _, _, train, test = datasets.split(y[:, None], y, test=0.25, stratify=True)
    assert np.bincount(test).tolist() == [10, 5, 1]
    assert np.bincount(train).tolist() == [30, 15, 3]
    assert train.tolist() != sorted(train.tolist())


def test_splits_that_make_no_sense():
    with pytest.raises(ShapeError, match="2 samples with 3 targets"):
        datasets.split([[1.0], [2.0]], [1, 2, 3])
    with pytest.raises(ValueError, match="share between 0 and 1"):
        datasets.split([[1.0], [2.0]], [1, 2], test=1.0)
    with pytest.raises(DataError, match="too few"):
        datasets.split([[1.0], [2.0]], [1, 2], test=0.1)


def test_standardise():
    train, test = datasets.standardise([[1.0, 5.0], [3.0, 5.0]], [[5.0, 6.0]])
    assert train.tolist() == [[-1.0, 0.0], [1.0, 0.0]]
    assert test.tolist() == [[3.0, 1.0]]
    assert datasets.standardise([[1.0]]).tolist() == [[0.0]]


POINTS = ["moons", "circles", "spirals", "blobs", "checkerboard", "ripples"]


@pytest.mark.parametrize("name", POINTS)
def test_points_are_the_same_every_time(name):
    make = getattr(datasets, name)
    X, y = make(60, noise=0.1, seed=3)
    assert X.shape == (60, 2)
    assert y.shape == (60,)
    assert np.isfinite(X).all()
    again = make(60, noise=0.1, seed=3)
    assert (X == again[0]).all() and (y == again[1]).all()
    assert (make(60, noise=0.1, seed=4)[0] != X).any()
    for bad in ({"n": 0}, {"n": 60, "noise": -1.0}, {"n": 60, "noise": np.nan}):
        with pytest.raises(ValueError, match="noise >= 0"):
            make(**bad)


@pytest.mark.parametrize(
    ("name", "option"),
    [
        ("circles", "factor"),
        ("spirals", "arms"),
        ("blobs", "centres"),
        ("checkerboard", "cells"),
    ],
)
def test_points_refuse_what_makes_no_picture(name, option):
    with pytest.raises(ValueError, match=r"at least one|between 0 and 1"):
        getattr(datasets, name)(50, **{option: 0})


@pytest.mark.parametrize(
    "name", ["moons", "circles", "spirals", "blobs", "checkerboard"]
)
def test_classes_are_even_and_mixed(name):
    _, y = getattr(datasets, name)(300)
    counts = np.unique(y, return_counts=True)[1]
    assert counts.min() >= 0.4 * len(y) / len(counts)
    assert (np.diff(y[:50]) != 0).sum() > 10


@pytest.mark.parametrize(
    ("name", "shape"),
    [("wine", (178, 13)), ("breast_cancer", (569, 30)), ("diabetes", (442, 10))],
)
def test_data_of_scikit_learn(name, shape):
    pytest.importorskip("sklearn")
    X, y = getattr(datasets, name)()
    assert X.shape == shape
    assert len(y) == len(X)


def test_a_scaler_goes_there_and_back():
    X = np.random.RandomState(0).normal(3.0, 5.0, (40, 3))
    X[:, 1] = 0.1  # constant, and no power of two
    scaler = Scaler(X)
    scaled = scaler(X)
    assert np.allclose(scaled.mean(axis=0), 0.0)
    assert np.allclose(scaled.std(axis=0), [1.0, 0.0, 1.0])
    assert np.allclose(scaler.inverse(scaled), X)
    y = Scaler(X[:, 0])
    assert np.allclose(y.inverse(y(X[:, 0])), X[:, 0])


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: Scaler([]), "no sample"),
        (lambda: Scaler([[1.0], [np.nan]]), "are not finite"),
        (lambda: Scaler(3.0), "a single number"),
        (lambda: Scaler([[1.0, 2.0]])([[1.0]]), "2 columns, and got 1 column"),
    ],
)
def test_scalers_refuse(call, said):
    with pytest.raises((DataError, ShapeError), match=said):
        call()


def test_a_scaler_of_weights_is_one_of_repetitions():
    X, counts = np.random.RandomState(0).normal(size=(20, 3)), np.arange(20)
    weighed, repeated = Scaler(X, counts), Scaler(np.repeat(X, counts, axis=0))
    np.testing.assert_allclose(weighed.mean, repeated.mean)
    np.testing.assert_allclose(weighed.scale, repeated.scale)


def test_a_scaler_takes_columns_of_any_size():
    X = np.array([[1.0, 2.0, 3.0], [2.0, 5.0, 3.0], [7.0, 1.0, 3.0]])
    sizes = np.array([2.0**600, 2.0**-600, 2.0**900])
    assert np.array_equal(Scaler(X * sizes)(X * sizes), Scaler(X)(X))


def test_a_number_of_points_is_a_number():
    with pytest.raises(TypeError, match="n must be"):
        datasets.moons("100")
    with pytest.raises(TypeError, match="noise must be"):
        datasets.moons(100, noise="much")
