"""Contributions to cotangents, and the operations that sum them up.

An operation pushes *contributions* to its operands: their cotangents grow by a sign
times the product of one or two factors. For d = a * b and e = a + c:

    pushed: d' * b to a, d' * a to b (source 1);  e' to a and c (source 2)
    summed: a' = d' * b + e' (both sources)       b' = d' * a (1)       c' = e' (2)

Results with the same sources are served by one ``SumOfProducts``, whose terms keep the
order in which they were pushed. Where all results have but one source, and it is plain,
the cotangents are its factor itself, and no operation is needed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from autograd.compiler.adjoint.writer import Writer
from autograd.compiler.bulk.bulk import Mask, SumOfProducts, Terms
from autograd.compiler.trace.program import Ints, offsets_of, sorted_unique

SOURCES = 24  # more sources than this, and those of one form become one
_GROUPS = 4  # more groups of results than this, and one ragged sum serves all
_MERGE_ABOVE = 4  # more sources of a sum than this, and those of one form become one


@dataclass(eq=False, slots=True)
class Contribution:
    """Terms of one form for the cotangents of some targets (see ``Terms``)."""

    sign: int
    target: Ints
    factors: tuple[Ints, ...]
    over_batch: bool = False
    strong: int = 0

    @property
    def is_product(self) -> bool:
        return len(self.factors) == 2

    def at(self, some: Any) -> Contribution:
        """Some of the terms, by a mask, indices or a slice."""
        factors = tuple([x[some] for x in self.factors])
        form = self.over_batch, self.strong
        return Contribution(self.sign, self.target[some], factors, *form)

    def where(self, mask: Mask) -> Contribution:
        """The terms where a mask is true; itself if it is everywhere."""
        return self if mask.all() else self.at(mask)


def by_form(contributions: Sequence[Contribution]) -> list[Contribution]:
    """Those of one form become one, in the order in which they were pushed."""
    forms: dict[Any, list[Contribution]] = {}
    for given in contributions:
        form = given.sign, given.is_product, given.over_batch, given.strong
        forms.setdefault(form, []).append(given)
    joined = []
    for alike in forms.values():
        columns = zip(*[(x.target, *x.factors) for x in alike], strict=True)
        target, *factors = [np.concatenate(column) for column in columns]
        joined.append(replace(alike[0], target=target, factors=tuple(factors)))
    return joined


def terms_of(n: int, given: Contribution, segments: Ints) -> Terms:
    """The terms in segments 0 to n - 1, in order; those with another are left out."""
    order = np.argsort(segments, kind="stable")
    order = order[np.searchsorted(segments[order], 0) :]
    offsets = offsets_of(segments[order], n)
    factors = tuple([x[order] for x in given.factors])
    return Terms(given.sign, offsets, factors, given.over_batch, given.strong)


def sum_contributions(
    writer: Writer, contributions: list[Contribution], n: int, into: Ints | None = None
) -> Ints:
    """Positions of the sums for each of n results; -1 where nothing was pushed.

    Targets are indices of results; ``into`` says where the sums shall be.
    """
    many = len(contributions) > SOURCES
    if many:
        contributions = by_form(contributions)
    hits = [np.bincount(given.target, minlength=n) > 0 for given in contributions]
    batched = np.zeros(n, bool) if into is None else writer.is_batched(into)
    group = _groups(hits, batched, many)
    kinds = sorted_unique(group[group != 0]).tolist()
    if into is None and len(kinds) > 1:  # one block, so that its order stays plain
        into = writer.room(n, _any_batched(writer, contributions))
    cotangent = np.full(n, -1, np.int64)
    for kind in kinds:
        members = np.flatnonzero(group == kind)
        segment = np.full(n, -1, np.int64)
        segment[members] = np.arange(len(members))
        sources = [
            given
            for given, hit in zip(contributions, hits, strict=True)
            if hit[members].any()
        ]
        target = into[members] if into is not None else None
        cotangent[members] = _sum(writer, sources, segment, len(members), target)
    return cotangent


def _groups(hits: list[Mask], batched: Mask, many: bool) -> Ints:
    """Equal for results with the same sources, or, if these would be many groups, for
    all that are batched alike; 0 for those without a source."""
    group = np.zeros(len(batched), np.int64)
    for k, hit in enumerate(hits):  # a set of sources, bit by bit
        group |= hit.astype(np.int64) << k
    reached = group != 0
    few = max(_GROUPS, int(reached.sum()) // 8)
    if many or len(sorted_unique(group[reached])) > few:
        return np.asarray(reached * (1 + batched.astype(np.int64)))
    return group


def _sum(
    writer: Writer,
    sources: list[Contribution],
    segment: Ints,
    n: int,
    target: Ints | None,
) -> Ints:
    """Positions of the sums of n segments: at the target, or somewhere."""
    if target is None and len(sources) == 1:
        alias = _alias(sources[0], segment[sources[0].target], n)
        if alias is not None:
            return alias
    if len(sources) > _MERGE_ABOVE:
        sources = by_form(sources)
    parts = [terms_of(n, given, segment[given.target]) for given in sources]
    if target is None:
        target = writer.room(n, _any_batched(writer, parts))
    writer.operations.append(SumOfProducts(target, parts))
    return target


def _any_batched(writer: Writer, parts: Sequence[Terms | Contribution]) -> bool:
    """Whether the sum of the parts is one number for each sample."""
    return any(not part.over_batch and writer.batched(*part.factors) for part in parts)


def _alias(given: Contribution, segments: Ints, n: int) -> Ints | None:
    """The sums themselves, when each is a plain term."""
    inside = segments >= 0
    plain = given.sign > 0 and not given.is_product and not given.over_batch
    if not plain or inside.sum() != n:
        return None
    positions = np.full(n, -1, np.int64)
    positions[segments[inside]] = given.factors[0][inside]
    return positions if (positions >= 0).all() else None
