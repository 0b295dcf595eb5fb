"""What choices may leave out: where a cotangent of 0 can mean "not chosen".

There it wins over an infinite or NaN partial, as if the edge were not there.

Shares: what operations push to the cotangents of their operands, and their sums.

(sign, target, factors): the cotangents of ``target`` grow by sign times the product of
one or two factors, where an exact 0 may be ``strong`` (see ``Terms``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from autograd.compiler.adjoint.writer import Writer
from autograd.compiler.bulk.bulk import Bulk, Map, Operation, SumOfProducts, Terms
from autograd.compiler.trace.program import Ints, distinct, starts_of


class Choices:
    """How the reverse pass has reached each position."""

    def __init__(self, size: int) -> None:
        self._behind = np.zeros(size, bool)  # a choice
        self._surely = np.zeros(size, bool)  # also, or only, in another way

    def reach(self, positions: Ints, behind: bool) -> None:
        """Note that a share is pushed to positions, behind a choice or not."""
        (self._behind if behind else self._surely)[positions] = True

    def leave_out(self, positions: Ints) -> bool:
        """Whether some of these positions are reached behind choices only."""
        return bool((self._behind[positions] & ~self._surely[positions]).any())


def read_by_all(bulk: Bulk, owner: Ints, place: Ints, candidates: Ints) -> list[int]:
    """What all candidates read is reached whichever of them is chosen.

    owner, place : for every position the operation that computes it, and where.
    """
    number = int(owner[candidates[0]])
    computed = 0 <= number < len(bulk.operations)  # and no input
    if not computed or (owner[candidates] != number).any():
        return []
    rows = place[candidates]
    columns = [column[rows] for column in _columns(bulk.operations[number])]
    return [int(column[0]) for column in columns if (column == column[0]).all()]


def _columns(operation: Operation) -> list[Ints]:
    """Index arrays with one operand for each result."""
    if isinstance(operation, Map):
        return list(operation.operands)
    parts = operation.terms if isinstance(operation, SumOfProducts) else []
    even = [part for part in parts if (part.counts == 1).all()]
    return [x for part in even for x in part.factors]


# -- Shares: what operations push to the cotangents of their operands, and

Mask = npt.NDArray[np.bool_]
SOURCES = 24  # more sources of one place than this, and those of one form are one
_SIGNATURES = 4  # more groups of targets than this, and one ragged sum serves all
_MARKS = np.random.default_rng(0).integers(1, 2**57, SOURCES).tolist()  # of sources
_TAGS = 4  # more sources than this, and sources of one form become one


@dataclass(eq=False, slots=True)
class Share:
    """Terms of one form for the cotangents of some targets."""

    sign: int
    target: Ints
    factors: tuple[Ints, ...]
    over_batch: bool = False
    strong: int = 0

    def at(self, some: Any) -> Share:
        """Some of them."""
        factors = tuple([x[some] for x in self.factors])
        return replace(self, target=self.target[some], factors=factors)


def form_of(x: Share | Terms) -> Any:
    """What shares, or terms, have in common that can be terms of one sum."""
    return x.sign, len(x.factors), x.over_batch, x.strong


def _factors(parts: Sequence[Share | Terms]) -> tuple[Ints, ...]:
    """The factors of parts of one form, one after the other."""
    columns = zip(*[part.factors for part in parts], strict=True)
    return tuple([np.concatenate(column) for column in columns])


def by_form(shares: list[Share]) -> list[Share]:
    """Shares of one form become one, in the order in which they were pushed."""
    forms: dict[Any, list[Share]] = {}
    for share in shares:
        forms.setdefault(form_of(share), []).append(share)
    return [
        replace(
            same[0],
            target=np.concatenate([share.target for share in same]),
            factors=_factors(same),
        )
        for same in forms.values()
    ]


def terms_of(n: int, share: Share, rows: Ints) -> Terms:
    """The part of a share that belongs to rows 0 to n - 1, ordered by row."""
    order = np.argsort(rows, kind="stable")
    order = order[np.searchsorted(rows[order], 0) :]
    starts = starts_of(rows[order], n)
    factors = tuple([x[order] for x in share.factors])
    return Terms(share.sign, starts, factors, share.over_batch, share.strong)


def merged(parts: list[Terms]) -> list[Terms]:
    """Many sources (time steps, consumers) of one form become one ragged sum."""
    if len(parts) <= _TAGS:
        return parts
    forms: dict[Any, list[Terms]] = {}
    for part in parts:
        forms.setdefault(form_of(part), []).append(part)
    return [_joined(same) for same in forms.values()]


def _joined(parts: list[Terms]) -> Terms:
    if len(parts) == 1:
        return parts[0]
    rows = np.concatenate([part.segments for part in parts])
    order = np.argsort(rows, kind="stable")
    n = len(parts[0].offsets) - 1
    starts = starts_of(rows, n)
    factors = tuple([x[order] for x in _factors(parts)])
    return replace(parts[0], offsets=starts, factors=factors)


def gathered(
    writer: Writer, place_of: Ints, shares: list[Share], n: int, into: Ints | None
) -> Ints:
    """Where the sum of the shares of each of n places is found; -1 where none is.

    Places with the same sources are served by one operation, whose terms keep the
    order in which they were pushed. ``into`` says where results shall be.
    """
    many = len(shares) > SOURCES
    if many:
        shares = by_form(shares)
    places = [place_of[share.target] for share in shares]
    hits = [np.bincount(place, minlength=n) > 0 for place in places]
    wide = into is not None and writer.is_batched(into)
    signature = _signatures(hits, n, many, np.asarray(wide))
    kinds = distinct(signature[signature != 0]).tolist()
    if into is None and len(kinds) > 1:  # one block, so that its order stays plain
        pairs = zip(shares, places, strict=True)
        parts = [terms_of(n, share, place) for share, place in pairs]
        into = writer.room(n, _is_wide(writer, parts))
    cotangent = np.full(n, -1, np.int64)
    for kind in kinds:
        members = np.flatnonzero(signature == kind)
        row = np.full(n, -1, np.int64)
        row[members] = np.arange(len(members))
        used = [
            (share, row[place])
            for share, place, hit in zip(shares, places, hits, strict=True)
            if hit[members].any()
        ]
        own = into[members] if into is not None else None
        cotangent[members] = _summed(writer, used, len(members), own)
    return cotangent


def _signatures(hits: list[Mask], n: int, many: bool, wide: Any) -> Ints:
    """Equal for places with the same sources; 0 without any."""
    reached = np.zeros(n, bool)
    for hit in hits:
        reached |= hit
    if not many:
        signature = np.zeros(n, np.int64)
        for mark, hit in zip(_MARKS, hits, strict=False):
            signature += hit * mark
        kinds = len(distinct(signature[reached]))
        if kinds <= max(_SIGNATURES, int(reached.sum()) // 8):
            return signature
    return np.asarray(reached * (1 + wide.astype(np.int64)))


def _summed(
    writer: Writer, used: list[tuple[Share, Ints]], n: int, own: Ints | None
) -> Ints:
    """Where the sums of shares are found; nothing is done for one that is there."""
    alias = _alias(used, n) if own is None else None
    if alias is not None:
        return alias
    parts = merged([terms_of(n, *pair) for pair in used])
    target = writer.room(n, _is_wide(writer, parts)) if own is None else own
    writer.operations.append(SumOfProducts(target, parts))
    return target


def _is_wide(writer: Writer, parts: list[Terms]) -> bool:
    return any(not part.over_batch and writer.wide(*part.factors) for part in parts)


def _alias(used: list[tuple[Share, Ints]], n: int) -> Ints | None:
    """The positions of the only share, when it is plain and reaches each once."""
    if len(used) != 1:
        return None
    share, rows = used[0]
    mine = rows >= 0
    plain = share.sign > 0 and len(share.factors) == 1 and not share.over_batch
    if not plain or mine.sum() != n:
        return None
    found = np.full(n, -1, np.int64)
    found[rows[mine]] = share.factors[0][mine]
    return found if (found >= 0).all() else None
