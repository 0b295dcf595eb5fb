"""Products on numpy: of matrices by BLAS, and sums of products along the last axes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from autograd.compiler.bulk import Floats
from autograd.compiler.nests import Nest

__all__ = ["matrix_product", "mended", "products", "sums_along"]

_VECDOT: Any = getattr(np, "vecdot", None)  # numpy 2
_LONG = 1024  # numbers: a longer sum is one of pairs, which loses fewer digits
_LARGE = 4096  # numbers of an outer product
_FEW = 8  # numbers of a strided row that numpy adds as fast as BLAS

Do = Callable[..., None]


def matrix_product(do: Do, nest: Nest, views: list[Floats], result: Floats) -> bool:
    """The product of two factors, if one moves along rows, the other along columns.

    The views have the loops of the nest and a last axis, which is summed.
    """
    moves = nest.steps != 0
    rows = np.flatnonzero(moves[0] & ~moves[1]).tolist()
    columns = np.flatnonzero(~moves[0] & moves[1]).tolist()
    if len(rows) > 1 or len(columns) > 1 or not (rows or columns):
        return False
    both = [i for i in range(len(nest.counts)) if i not in rows + columns]
    k = len(nest.counts)
    left = views[0].transpose(*both, *rows, *columns, k)
    right = views[1].transpose(*both, *columns, *rows, k)
    out = result.transpose(*both, *rows, *columns)
    # a factor has the same entries all along an axis on which it stands still
    left = left[..., 0, :] if columns else left
    right = right[..., 0, :] if rows else right
    if rows and columns:
        _multiply(do, left, right.swapaxes(-1, -2), out)
        return True
    matrix, vector = (left, right) if rows else (right, left)
    if both:
        do(np.matmul, matrix, vector[..., np.newaxis], out[..., np.newaxis])
    else:
        _multiply(do, matrix, vector, out)
    return True


def _multiply(do: Do, left: Floats, right: Floats, out: Floats) -> None:
    """np.dot takes half the time to begin, and copies what is not in one piece."""
    if out.ndim == 2 and not out.flags.c_contiguous and out.flags.f_contiguous:
        left, right, out = right.T, left.T, out.T
    whole = left.ndim == 2 and left.flags.forc and right.flags.forc
    do(np.dot if whole and out.flags.c_contiguous else np.matmul, left, right, out)


def products(do: Do, left: Floats, right: Floats, out: Floats) -> None:
    """out = left * right, arrays of one shape."""
    still = [(0 in x.strides) for x in (left, right)]
    if out.ndim == 2 and out.size >= _LARGE and all(still):
        do(np.einsum, "ij,ij->ij", left, right, out=out)  # a loop of its own for this
    else:
        do(np.multiply, left, right, out)


def sums_along(do: Do, views: list[Floats], result: Floats) -> None:
    """Sums of the only view, or of the products of two, over the last axes."""
    trips = views[0].ndim - result.ndim
    if trips == 1 and result.size == 1:
        rows = [x[(0,) * result.ndim] for x in views]
        if len(rows) > 1 or len(rows[0]) <= _LONG:
            rows.append(np.ones(len(rows[0])))
            do(np.dot, *rows[:2], result.reshape(()))
            return
    if len(views) == 1:
        _sums(do, views[0], trips, result)
    elif trips == 1 and _VECDOT:
        do(_VECDOT, *views, result)
    else:
        names = "xy"[:trips]
        do(np.einsum, f"...{names},...{names}->...", *views, out=result)


def _sums(do: Do, view: Floats, trips: int, result: Floats) -> None:
    strided = view.ndim == 2 and view.strides[0] == 8 < view.strides[1]
    if trips == 1 and strided and view.shape[1] > _FEW:
        _multiply(do, view, np.ones(view.shape[1]), result)
    else:
        do(np.add.reduce, view, tuple(range(-trips, 0)), None, result)


def mended(strong: int, left: Floats, right: Floats, out: Floats) -> None:
    """Sums of products in which an exact 0 wins, in the places where out is NaN."""
    if not np.isnan(out).any():
        return
    zero = (left == 0.0) | (right == 0.0) if strong == 2 else left == 0.0
    terms = np.where(zero, 0.0, left * right)
    sums = terms.sum(axis=tuple(range(out.ndim, terms.ndim)))
    np.copyto(out, sums, where=np.isnan(out))
