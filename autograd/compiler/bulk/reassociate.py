"""Reassociation: chains of + and - become sums of many terms, products join them.

    t = b * c;  u = a + t;  v = d + e;  w = u - v        w = a + b * c - d - e

is one sum of four signed terms, and t, u, v are gone: a number that is used once, by an
addition, dissolves into it. Products in which zero is strong, as the chain rule writes
them, do so too, beside others of their kind. This undoes the order in which a loop
accumulated, so that equal loops look equal whatever their length.

Pointer doubling finds the roots of the chains (JáJá 1992, section 2.2).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np

from autograd.compiler.bulk.bulk import PRODUCTS, Mask
from autograd.compiler.trace.program import (
    CODE,
    CONSTANT,
    PRIMITIVES,
    Ints,
    Program,
    offsets_of,
    ranges,
)

_SUM_KIND = -3  # the kind of every sum of terms
_SUM, _DOT = CODE["sum"], CODE["dot"]
_SIGNS = {CODE["add"]: (1, 1), CODE["subtract"]: (1, -1), CODE["negative"]: (-1,)}
# by code: -1 for what is no product, else how strong zero is in it (see bulk.Terms)
_STRENGTH = np.full(len(PRIMITIVES) + 2, -1)  # INPUT and CONSTANT index from the end
_STRENGTH[[CODE[primitive.name] for primitive in PRODUCTS]] = np.arange(len(PRODUCTS))


class SignedTerms(NamedTuple):
    """Columns of terms: sign * left, or sign * left * right where right >= 0.

    owner : the sum that a term belongs to.
    strong : how strong zero is in a product.
    traced : orders the terms of a sum as they were traced.
    """

    owner: Ints
    sign: Ints
    left: Ints
    right: Ints
    strong: Ints
    traced: Ints

    def at(self, some: Ints | Mask) -> SignedTerms:
        return SignedTerms(*[column[some] for column in self])


def _terms(
    owner: Ints, sign: int, left: Ints, right: Ints | int, slot: Ints | int
) -> SignedTerms:
    """Terms of which some columns may be one number."""

    def column(x: Ints | int) -> Ints:
        return np.full(len(owner), x) if isinstance(x, int) else x

    return SignedTerms(
        owner, column(sign), left, column(right), column(0), column(slot)
    )


def _joined(parts: Iterable[SignedTerms]) -> SignedTerms:
    return SignedTerms(*[np.concatenate(x) for x in zip(*parts, strict=True)])


class ContractedGraph:
    """The reassociated program as a graph: for each node, the edges to its operands.

    Attributes
    ----------
    nodes : indices of the numbers that are left, in order.
    is_sum, terms : which numbers are sums of terms; these, ordered by the sum they
        belong to, then as they were traced.
    kind : of each number: the code of its primitive, or one for all sums of terms.
    user, used, slot : the edges of nodes that are no sums: used is operand ``slot``.
    edge_offsets, term_offsets : where the edges, and the terms, of a number begin.
    """

    def __init__(self, program: Program, exact: bool) -> None:
        n, self.program = len(program), program
        self.is_sum, self.terms, gone = reassociate(program, exact)
        self.nodes = np.flatnonzero(program.computed & ~gone)
        self.kind = np.where(self.is_sum & (not exact), _SUM_KIND, program.code)
        plain = self.nodes[~self.is_sum[self.nodes]]
        spread = program.spread[plain]
        near, far = plain[~spread], plain[spread]
        two = near[program.second[near] >= 0]
        many = ranges(program.first[far], program.second[far])
        user = np.concatenate([near, two, np.repeat(far, program.second[far])])
        used = [program.first[near], program.second[two], program.operands[many]]
        slot = [0 * near, 0 * two + 1, ranges(0 * far, program.second[far])]
        order = np.argsort(user, kind="stable")
        self.user, self.used = user[order], np.concatenate(used)[order]
        self.slot = np.concatenate(slot)[order]
        self.edge_offsets = offsets_of(self.user, n)
        self.term_offsets = offsets_of(self.terms.owner, n)

    def all_edges(self) -> tuple[Ints, Ints]:
        """(user, operand), terms of sums included."""
        terms = self.terms
        product = terms.right >= 0
        users = np.concatenate([self.user, terms.owner, terms.owner[product]])
        return users, np.concatenate([self.used, terms.left, terms.right[product]])

    def edges(self) -> tuple[Ints, Ints]:
        """(user, operand) among computed numbers."""
        users, used = self.all_edges()
        computed = self.program.code[used] >= 0
        return users[computed], used[computed]


def reassociate(program: Program, exact: bool) -> tuple[Mask, SignedTerms, Mask]:
    """Which numbers are sums; their terms; and which numbers are gone.

    With ``exact``, only the n-ary sums that were traced are (eager order).
    """
    n = len(program)
    terms = _joined(_all_terms(program, exact))
    width = int(terms.traced.max(initial=0)) + 1
    terms = terms._replace(traced=terms.owner * width + terms.traced)
    gone = np.zeros(n, bool)
    if not exact:
        uses = np.bincount(program.edges()[1], minlength=n)
        uses += np.bincount(program.outputs, minlength=n)
        terms = _chains(program, terms, uses == 1, gone)
        terms = _products(program, terms, uses == 1, gone)
    is_sum = np.zeros(n, bool)
    is_sum[terms.owner] = True
    terms = terms.at(np.lexsort((terms.traced, terms.owner)))
    if not exact:
        terms = _without_ones_and_zeros(program, terms)
    return is_sum, terms, gone


def _all_terms(program: Program, exact: bool) -> Iterator[SignedTerms]:
    """Every term of every additive instruction, as its own sum's."""
    code, first, second = program.code, program.first, program.second
    for kind, signs in _SIGNS.items() if not exact else ():
        user = np.flatnonzero(code == kind)
        for slot, sign in enumerate(signs):
            yield _terms(user, sign, (second if slot else first)[user], -1, slot)
    if program.batch_sum >= 0:
        user = np.flatnonzero(code == program.batch_sum)
        yield _terms(user, 1, first[user], -1, 0)
    for kind in (_SUM, _DOT):
        sums = np.flatnonzero(code == kind)
        count = second[sums] // (2 if kind == _DOT else 1)
        user, spans = np.repeat(sums, count), ranges(first[sums], count)
        left: Ints = program.operands[spans]
        right: Ints | int = -1
        if kind == _DOT:
            right = program.operands[spans + np.repeat(count, count)]
        yield _terms(user, 1, left, right, ranges(0 * sums, count))


def _chains(
    program: Program, terms: SignedTerms, once: Mask, gone: Mask
) -> SignedTerms:
    """Sums that one sum uses once dissolve into it."""
    owner, left = terms.owner, terms.left
    additive = np.zeros(len(program), bool)
    additive[owner] = True
    total = _totals(program)
    joined = (terms.right < 0) & additive[left] & once[left]
    joined &= ~total[left] & ~total[owner]
    gone[left[joined]] = True
    root, sign = _roots(len(program), left[joined], owner[joined], terms.sign[joined])
    kept = terms.at(~joined)
    return kept._replace(owner=root[kept.owner], sign=kept.sign * sign[kept.owner])


def _roots(n: int, child: Ints, parent: Ints, sign: Ints) -> tuple[Ints, Ints]:
    """The end of every chain of parents, and the product of the signs on the way."""
    root, parity = np.arange(n), np.ones(n, np.int64)
    root[child], parity[child] = parent, sign
    while len(child):  # nodes whose root is not final
        reached = root[child]
        further, turns = root[reached], parity[reached]
        moving = further != reached
        child = child[moving]
        root[child] = further[moving]
        parity[child] *= turns[moving]
    return root, parity


def _products(
    program: Program, terms: SignedTerms, once: Mask, gone: Mask
) -> SignedTerms:
    """Products that one sum uses once join it; all others are sums of one term."""
    owner, left, right = terms.owner, terms.left, terms.right
    first, second = program.first, program.second
    strength = _STRENGTH[
        np.where(program.code < len(PRIMITIVES), program.code, CONSTANT)
    ]
    product = (right < 0) & (strength[left] >= 0) & once[left]
    product &= ~_totals(program)[owner]
    ieee = np.zeros(len(program), bool)  # sums with products that are IEEE's
    ieee[owner[(right >= 0) | (product & (strength[left] == 0))]] = True
    product &= (strength[left] == 0) | ~ieee[owner]
    factors = left[product]
    gone[factors] = True
    left[product], right[product] = first[factors], second[factors]
    terms.strong[product] = strength[factors]
    alone = np.flatnonzero((strength >= 0) & ~gone)
    more = _terms(alone, 1, first[alone], second[alone], 0)
    return _joined([terms, more._replace(strong=strength[alone])])


def _totals(program: Program) -> Mask:
    """Which numbers are sums over a batch."""
    if program.batch_sum < 0:
        return np.zeros(len(program), bool)
    return np.asarray(program.code == program.batch_sum)


def _without_ones_and_zeros(program: Program, terms: SignedTerms) -> SignedTerms:
    """Terms 1 * x and -1 * x are plain; a term 0 beside others says nothing."""
    constant = np.flatnonzero(program.code == CONSTANT)
    value = program.constants[program.first[constant]]
    units = np.zeros(len(program), np.int8)
    for number in (1, -1):
        units[constant[value == number]] = number
    for swap in (False, True) if units.any() else ():
        x, y = (terms.right, terms.left) if swap else (terms.left, terms.right)
        unit = np.where(terms.right >= 0, units[x], 0)
        is_unit = unit != 0
        terms = terms._replace(
            sign=np.where(is_unit, terms.sign * unit, terms.sign),
            left=np.where(is_unit, y, terms.left),
            right=np.where(is_unit, -1, terms.right),
            strong=np.where(is_unit, 0, terms.strong),
        )
    nothing = np.zeros(len(program), bool)
    nothing[constant[value == 0.0]] = True
    zero = (terms.right < 0) & nothing[terms.left]
    beside = np.zeros(len(program), bool)  # which sums have other terms
    beside[terms.owner[~zero]] = True
    gone = zero & beside[terms.owner]
    return terms.at(~gone) if gone.any() else terms
