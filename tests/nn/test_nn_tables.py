"""Tables: CSV files and data frames as arrays, and what is said of bad ones."""

import sys

import numpy as np
import pytest

import nn
from autograd import DataError, MissingDependencyError
from nn.datasets import split, standardise, table

pandas = pytest.importorskip("pandas")


def frame(**columns):
    return pandas.DataFrame({"a": [1.0, 2.0, 3.0], "b": [4, 5, 6], **columns})


@pytest.fixture
def csv(tmp_path):
    def write(text):
        path = tmp_path / "data.csv"
        path.write_text(text)
        return path

    return write


@pytest.mark.parametrize("kind", [str, lambda path: path, pandas.read_csv])
def test_a_file_and_its_frame(csv, kind):
    path = csv("cm, kg,kind\n1.5,2,oak\n3,4,ash\n5,6,oak\n")
    X, y, columns, classes = table(kind(path), "kind", columns=None)
    assert X.tolist() == [[1.5, 2.0], [3.0, 4.0], [5.0, 6.0]]
    assert X.dtype == np.float64
    assert y.tolist() == [1, 0, 1]
    assert [c.strip() for c in columns] == ["cm", "kg"]
    assert classes == ["ash", "oak"]


def test_numbers_as_targets():
    X, y, columns, classes = table(frame(), target="b")
    assert (y.tolist(), y.dtype, classes) == ([4, 5, 6], np.int64, None)
    assert (X.tolist(), columns) == ([[1.0], [2.0], [3.0]], ["a"])
    assert table(frame(), "a").y.dtype == np.float64
    assert table(frame(yes=[True, False, True]), "yes").y.tolist() == [1, 0, 1]


def test_columns_in_the_order_asked_for():
    X, _, columns, _ = table(frame(t=[0, 1, 0]), "t", ["b", "a"])
    assert (X[0].tolist(), columns) == ([4.0, 1.0], ["b", "a"])
    assert table(frame(t=[0, 1, 0]), "t", features=["b"]).columns == ["b"]


@pytest.mark.parametrize(
    "column",
    [
        pandas.Series([1, 2, 3], dtype="Int64"),
        pandas.Series([True, False, True]),
        pandas.Series([True, False, True], dtype="boolean"),
        pandas.Series([1, 2, 3], dtype="category"),
        pandas.Series([1, 2, 3], dtype="object"),
        pandas.Series([1, 2, 3], dtype="float32"),
        pandas.Series([1, 2, 3], dtype="uint8"),
    ],
    ids=lambda column: str(column.dtype),
)
def test_all_kinds_of_numbers_are_inputs(column):
    assert table(frame(c=column), "a").X[:, 1].tolist() == [float(x) for x in column]


@pytest.mark.parametrize("dtype", ["object", "category", "str", "string"])
def test_all_kinds_of_text_are_classes(dtype):
    kinds = pandas.Series(["no", "yes", "no"], dtype=dtype)
    _, y, _, classes = table(frame(t=kinds), "t")
    assert (y.tolist(), classes) == ([0, 1, 0], ["no", "yes"])


def test_classes_of_the_data_that_a_model_was_trained_on():
    test = table(frame(t=["c", "a", "c"]), "t", classes=["a", "b", "c"])
    assert (test.y.tolist(), test.classes) == ([2, 0, 2], ["a", "b", "c"])
    with pytest.raises(DataError, match=r"is 'cat' in row 0.*none of.*mean 'cart'"):
        table(frame(t=["cat", "a", "a"]), "t", classes=["cart", "a"])


def test_it_goes_into_split_scaler_and_fit(tmp_path):
    rng = np.random.RandomState(0)
    cm = rng.uniform(100.0, 200.0, 60)
    path = tmp_path / "people.csv"
    kinds = np.where(cm > 150.0, "tall", "short")
    pandas.DataFrame({"cm": cm, "kind": kinds}).to_csv(path, index=False)
    X, y, columns, classes = table(path, target="kind")
    X_train, X_test, y_train, y_test = split(X, y, stratify=True)
    assert standardise(X_train).mean() == pytest.approx(0.0, abs=1e-12)
    model = nn.Sequential(nn.Scaler(X_train), nn.MLP(1, [2], seed=0))
    nn.fit(model, X_train, y_train, "cross_entropy", lr=0.1, progress=False)
    model.inputs, model.classes = columns, classes
    model.save(tmp_path / "model.json")
    again = nn.load(tmp_path / "model.json")
    assert nn.accuracy(nn.classify(again, X_test), [classes[k] for k in y_test]) > 0.8


@pytest.mark.parametrize(
    ("arguments", "error", "said"),
    [
        ((frame(), "bb"), ValueError, r"no column 'bb', but a, b; did you mean 'b'"),
        ((frame(), "zzz"), ValueError, r"no column 'zzz', but a, b$"),
        ((frame(), "a", ["c"]), ValueError, "no column 'c'"),
        ((frame(), "a", ["a", "b"]), ValueError, "the target, and among"),
        ((frame(), "a", []), DataError, "no column besides the target"),
        ((frame()[["a"]], "a"), DataError, "no column besides the target"),
        ((frame()[:0], "a"), DataError, "no row"),
        (
            (frame(c=["x", "y", "z"]), "a"),
            DataError,
            r"'c' has 'x' in row 0.*no number.*get_dummies",
        ),
        ((frame(c=[1, "two", 3]), "a"), DataError, "'c' has 'two' in row 1"),
        (
            (frame(c=pandas.to_datetime(["2020-01-01"] * 3)), "a"),
            DataError,
            "which is no number",
        ),
        (
            (frame(c=[1.0, None, None]), "a"),
            DataError,
            r"2 missing values, the first in row 1.*dropna",
        ),
        ((frame(t=["x", None, "y"]), "t"), DataError, "'t' has 1 missing value,"),
        ((frame(t=[1.0, np.nan, 2.0]), "t"), DataError, "'t' has 1 missing value,"),
        ((frame(c=[1.0, np.inf, 2.0]), "a"), DataError, "'c' is inf in row 1"),
        ((frame(t=[1.0, -np.inf, 2.0]), "t"), DataError, "'t' is -inf in row 1"),
        ((frame(c=[1.0, np.nan, 2.0]), "c"), DataError, "missing"),
        (
            (pandas.DataFrame([[1, 2, 3]], columns=["a", "a", "b"]), "b"),
            DataError,
            "two columns are called 'a'",
        ),
        (([[1.0, 2.0]], "a"), TypeError, "path of a CSV file or a DataFrame"),
    ],
)
def test_bad_tables(arguments, error, said):
    with pytest.raises(error, match=said):
        table(*arguments)


@pytest.mark.parametrize("text", ["", "a,b\n1,2\n1,2,3,4\n", "a,b\n\udcff,1\n"])
def test_files_that_are_no_table(tmp_path, text):
    path = tmp_path / "data.csv"
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(DataError, match="no table of CSV"):
        table(path, "b")


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(FileNotFoundError):
        table(tmp_path / "none.csv", "a")


def test_a_separator_is_for_pandas(csv):
    path = csv("a;b\n1;2\n")
    with pytest.raises(ValueError, match="no column 'b', but a;b"):
        table(path, "b")
    with pytest.raises(TypeError, match="read_csv"):
        table(path, "b", sep=";")
    assert table(pandas.read_csv(path, sep=";"), "b").X.tolist() == [[1.0]]


def test_without_pandas(monkeypatch, csv):
    path = csv("a,b\n1,2\n")
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(MissingDependencyError, match="pip install pandas"):
        table(path, "b")
