"""Tables: files of comma-separated values, and data frames of pandas, as arrays."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches
from numbers import Real
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from autograd import DataError
from autograd.missing import missing
from autograd.spelling import spelled
from autograd.table.reals import short

Floats = NDArray[np.float64]


class Table(NamedTuple):
    """``X, y, columns, classes``: samples, targets, and what they are called."""

    X: Floats
    y: NDArray[Any]
    columns: list[str]
    classes: list[str] | None


@spelled(
    {"label": "target", "y": "target", "features": "columns", "usecols": "columns"},
    {"sep": "pandas.read_csv(path, sep=...), whose frame this takes"},
)
def table(
    source: Any,
    target: str,
    columns: Sequence[str] | None = None,
    classes: Sequence[str] | None = None,
) -> Table:
    """X, y, the names of X's columns, and of the classes, from a table.

    Parameters
    ----------
    source : the path of a CSV file whose first line has the names, or a DataFrame. What
        else pandas reads comes as a frame: table(pandas.read_excel(path), ...).
    target : the column of the targets. Text becomes the classes' numbers 0, 1, ... in
        the order of the sorted names, which are given back; numbers stay as they are,
        and the classes are None.
    columns : those of X, in this order; all others by default.
    classes : the names in the order of their numbers, as of the data a model was
        trained on.

    X is (samples, columns), y (samples,): they go into ``split``, ``standardise``,
    ``nn.Scaler`` and ``nn.fit``; names into ``model.inputs`` and ``model.classes``.
    Raises DataError for missing or infinite values, text among the inputs, a class that
    is not among ``classes``, and for what is no table; ValueError for unknown columns;
    OSError for a file that cannot be read; MissingDependencyError without pandas.

    >>> import pandas
    >>> frame = pandas.DataFrame({"cm": [3.0, 5.5], "kind": ["setosa", "iris"]})
    >>> X, y, columns, classes = table(frame, "kind")
    >>> X.tolist(), y.tolist(), columns, classes
    ([[3.0], [5.5]], [1, 0], ['cm'], ['iris', 'setosa'])
    """
    frame = _frame(source)
    known = [str(name) for name in frame.columns]
    if len({*known}) != len(known):
        twice = next(name for name in known if known.count(name) > 1)
        raise DataError(
            f"two columns are called {twice!r}: give each a name of its own"
        )
    frame = frame.set_axis(known, axis=1)
    chosen = [c for c in known if c != target] if columns is None else [*columns]
    for name in (target, *chosen):
        _refuse_unknown(name, known)
    if target in chosen:
        raise ValueError(
            f"{target!r} is the target, and among the columns of X too: leave it out "
            "of columns="
        )
    if not chosen or not len(frame):
        what = "column besides the target" if not chosen else "row"
        raise DataError(
            f"the table has no {what}: there is nothing to learn from: give one that "
            "has"
        )
    X, wanted = np.column_stack([_inputs(frame[c]) for c in chosen]), frame[target]
    _refuse_missing(wanted)
    if classes is None and _is_numeric(wanted):
        whole = wanted.dtype.kind in "biu"
        return Table(X, _finite(wanted, np.int64 if whole else float), chosen, None)
    y, names = _numbered(wanted, classes)
    return Table(X, y, chosen, names)


def _frame(source: Any) -> Any:
    if hasattr(source, "to_pandas"):
        source = source.to_pandas()
    if hasattr(source, "columns") and hasattr(source, "set_axis"):
        return source
    if not isinstance(source, str | Path):
        raise TypeError(
            f"a table is the path of a CSV file or a DataFrame, got {short(source)}: "
            "write pandas.DataFrame(...) of other data"
        )
    try:
        import pandas
    except ImportError as cause:
        raise missing("tables are read by pandas", "pandas") from cause
    try:
        return pandas.read_csv(Path(source), skipinitialspace=True)
    except ValueError as cause:  # empty, ragged, or in another encoding
        raise DataError(
            f"{source} is no table of CSV: {cause}; save it as CSV in UTF-8, with one "
            "row for the names and as many cells in every row"
        ) from cause


def _refuse_unknown(name: str, known: list[str]) -> None:
    if name not in known:
        close = get_close_matches(str(name), known, n=1)
        meant = f"; did you mean {close[0]!r}?" if close else ""
        raise ValueError(
            f"the table has no column {short(name)}, but {', '.join(known)}{meant}"
        )


def _is_numeric(column: Any) -> bool:
    return getattr(column.dtype, "kind", "O") in "bfiu"


def _inputs(column: Any) -> Floats:
    """A column of X; DataError for what is no number."""
    _refuse_missing(column)
    if not _is_numeric(column):
        for i, cell in enumerate(column):
            if not isinstance(cell, Real):
                raise DataError(
                    f"column {column.name!r} has {short(cell)} in row {i}, which is no "
                    f"number: leave the column out by columns=, or turn it into "
                    f"numbers, as pandas.get_dummies(frame, columns=[{column.name!r}]) "
                    f"does"
                )
    return _finite(column, np.float64)


def _finite(column: Any, dtype: Any) -> NDArray[Any]:
    found = column.to_numpy(dtype=dtype)
    if not np.isfinite(found).all():
        i = int(np.flatnonzero(~np.isfinite(found))[0])
        raise DataError(
            f"column {column.name!r} is {found[i]} in row {i}: remove that row"
        )
    return np.asarray(found)


def _refuse_missing(column: Any) -> None:
    missing = np.flatnonzero(column.isna().to_numpy())
    if len(missing):
        count = f"{len(missing)} missing value{'s' * (len(missing) != 1)}"
        raise DataError(
            f"column {column.name!r} has {count}, the first in row {missing[0]}: leave "
            f"these rows out by frame.dropna(), or fill them in by frame.fillna(...)"
        )


def _numbered(
    column: Any, classes: Sequence[str] | None
) -> tuple[NDArray[Any], list[str]]:
    """The numbers of the classes, and their names."""
    labels = [str(label) for label in column]
    names = sorted({*labels}) if classes is None else [str(name) for name in classes]
    for i, label in enumerate(labels):
        if label not in names:
            close = get_close_matches(label, names, n=1)
            meant = f"; did you mean {close[0]!r}?" if close else ""
            raise DataError(
                f"column {column.name!r} is {label!r} in row {i}, which is none of the "
                f"classes {', '.join(names)}{meant}"
            )
    return np.array([names.index(label) for label in labels]), names
