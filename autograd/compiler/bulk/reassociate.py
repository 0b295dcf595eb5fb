"""Reassociation: chains of + and - become sums of many terms, products join them.

    t = b * c;  u = a + t;  v = d + e;  w = u - v        w = a + b * c - d - e

is one sum of four signed terms, and t, u, v are gone: a number that is used once, by an
addition, dissolves into it. Products in which zero is strong, as the chain rule writes
them, do so too, beside others of their kind. This undoes the order in which a loop
accumulated, so that equal loops look equal whatever their length.

Pointer doubling finds the roots of the chains (JáJá 1992, section 2.2).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from autograd.compiler.bulk.bulk import PRODUCTS, Mask
from autograd.compiler.trace.program import (
    CODE,
    CONSTANT,
    ROWS,
    Ints,
    Program,
    ranges,
    starts_of,
)

Columns = tuple[Ints, ...]  # user, sign, left, right, slot, strong
_SUM_KIND = -3  # the kind of every sum of terms
_SUM, _DOT = CODE["sum"], CODE["dot"]
_SIGNS = {CODE["add"]: (1, 1), CODE["subtract"]: (1, -1), CODE["negative"]: (-1,)}
# by code: -1 for what is no product, else how strong zero is in it (see bulk.Terms)
_STRENGTH = np.full(len(ROWS) + 2, -1)  # INPUT and CONSTANT index from the end
_STRENGTH[[CODE[primitive.name] for primitive in PRODUCTS]] = np.arange(len(PRODUCTS))


@dataclass
class Reassociated:
    """The numbers that are left, and the terms of those that are sums.

    Attributes
    ----------
    nodes : indices of the numbers that are left, in order.
    is_sum : of each number of the program, whether it is a sum of terms.
    owner, sign, left, right : the terms, ordered by the sum they belong to, then as
        they were traced: sign * left, or sign * left * right where right >= 0.
    strong : how strong zero is in each product.
    """

    nodes: Ints
    is_sum: Mask
    owner: Ints
    sign: Ints
    left: Ints
    right: Ints
    strong: Ints


class ContractedGraph:
    """The reassociated program as a graph: for each node, the edges to its operands.

    Attributes
    ----------
    sums, nodes : see ``Reassociated``.
    kind : of each number: the code of its primitive, or one for all sums of terms.
    user, used, slot : the edges of nodes that are no sums: used is operand ``slot``.
    edge_offsets, term_offsets : where the edges, and the terms, of a number begin.
    """

    def __init__(self, program: Program, exact: bool) -> None:
        self.program = program
        self.sums = reassociate(program, exact)
        self.nodes = self.sums.nodes
        n = len(program)
        self.kind = np.where(self.sums.is_sum & (not exact), _SUM_KIND, program.code)
        plain = self.nodes[~self.sums.is_sum[self.nodes]]
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
        self.edge_offsets = starts_of(self.user, n)
        self.term_offsets = starts_of(self.sums.owner, n)

    def all_edges(self) -> tuple[Ints, Ints]:
        """(user, operand), terms of sums included."""
        terms = self.sums
        product = terms.right >= 0
        users = np.concatenate([self.user, terms.owner, terms.owner[product]])
        return users, np.concatenate([self.used, terms.left, terms.right[product]])

    def edges(self) -> tuple[Ints, Ints]:
        """(user, operand) among computed numbers."""
        users, used = self.all_edges()
        computed = self.program.code[used] >= 0
        return users[computed], used[computed]


def reassociate(program: Program, exact: bool = False) -> Reassociated:
    """The sums of a program; with ``exact``, only its own n-ary ones (eager order)."""
    n = len(program)
    terms = _all_terms(program, exact)
    gone = np.zeros(n, bool)
    owner = terms[0]
    if not exact:
        uses = np.bincount(program.edges()[1], minlength=n)
        uses += np.bincount(program.outputs, minlength=n)
        owner, terms = _chains(program, terms, uses == 1, gone)
        owner, terms = _products(program, owner, terms, uses == 1, gone)
    user, sign, left, right, slot, strong = terms
    is_sum = np.zeros(n, bool)
    is_sum[owner] = True
    order = np.lexsort((slot, user, owner))
    ordered = owner[order], sign[order], left[order], right[order], strong[order]
    if not exact:
        ordered = _without_ones_and_zeros(program, *ordered)
    return Reassociated(np.flatnonzero(program.computed & ~gone), is_sum, *ordered)


def _all_terms(program: Program, exact: bool) -> Columns:
    """Every term of every additive instruction."""
    code, first, second = program.code, program.first, program.second
    parts = []

    def put(user: Ints, sign: int, left: Ints, right: Ints, slot: Ints) -> None:
        signs = np.full(len(user), sign)
        parts.append((user, signs, left, right, slot, np.zeros(len(user), np.int64)))

    if not exact:
        for kind, signs in _SIGNS.items():
            user = np.flatnonzero(code == kind)
            for slot, sign in enumerate(signs):
                operand = second[user] if slot else first[user]
                put(user, sign, operand, 0 * user - 1, 0 * user + slot)
    if program.total >= 0:
        user = np.flatnonzero(code == program.total)
        put(user, 1, first[user], 0 * user - 1, 0 * user)
    for kind in (_SUM, _DOT):
        sums = np.flatnonzero(code == kind)
        count = second[sums] // (2 if kind == _DOT else 1)
        user, spans = np.repeat(sums, count), ranges(first[sums], count)
        left, right = program.operands[spans], 0 * user - 1
        if kind == _DOT:
            right = program.operands[spans + np.repeat(count, count)]
        put(user, 1, left, right, ranges(0 * sums, count))
    return tuple([np.concatenate(x) for x in zip(*parts, strict=True)])


def _chains(program: Program, terms: Columns, once: Mask, gone: Mask) -> Any:
    """Sums that one sum uses once dissolve into it; who owns the terms then."""
    user, sign, left, right, slot, strong = terms
    n = len(program)
    additive = np.zeros(n, bool)
    additive[user] = True
    total = _totals(program)
    joined = (right < 0) & additive[left] & once[left]
    joined &= ~total[left] & ~total[user]
    root, parity = _roots(n, left[joined], user[joined], sign[joined])
    gone[left[joined]] = True
    keep = ~joined
    user = user[keep]
    signs = sign[keep] * parity[user]
    rest = left[keep], right[keep], slot[keep], strong[keep]
    return root[user], (user, signs, *rest)


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
    program: Program, owner: Ints, terms: Columns, once: Mask, gone: Mask
) -> Any:
    """Products that one sum uses once join it; all others are sums of one term."""
    user, sign, left, right, slot, strong = terms
    code = np.where(program.code < len(ROWS), program.code, CONSTANT)
    strength = _STRENGTH[code]
    product = (right < 0) & (strength[left] >= 0) & once[left]
    product &= ~_totals(program)[owner]
    plain = np.zeros(len(program), bool)  # sums with products that are IEEE's
    plain[owner[(right >= 0) | (product & (strength[left] == 0))]] = True
    product &= (strength[left] == 0) | ~plain[owner]
    factors = left[product]
    gone[factors] = True
    left[product], right[product] = program.first[factors], program.second[factors]
    strong[product] = strength[factors]
    alone = np.flatnonzero((strength >= 0) & ~gone)
    ones, none = np.ones(len(alone), np.int64), 0 * alone
    factors_alone = program.first[alone], program.second[alone]
    more = (alone, ones, *factors_alone, none, strength[alone])
    columns = zip((user, sign, left, right, slot, strong), more, strict=True)
    return (
        np.concatenate([owner, alone]),
        tuple([np.concatenate(pair) for pair in columns]),
    )


def _totals(program: Program) -> Mask:
    """Which numbers are sums over a batch."""
    if program.total < 0:
        return np.zeros(len(program), bool)
    return np.asarray(program.code == program.total)


def _without_ones_and_zeros(
    program: Program, owner: Ints, sign: Ints, left: Ints, right: Ints, strong: Ints
) -> tuple[Ints, Ints, Ints, Ints, Ints]:
    """Terms 1 * x and -1 * x are plain; a term 0 beside others says nothing."""
    constant = np.flatnonzero(program.code == CONSTANT)
    value = program.constants[program.first[constant]]
    marks = np.zeros(len(program) + 1, np.int8)  # of constants 1 and -1
    for number in (1, -1):
        marks[constant[value == number]] = number
    if marks.any():
        for swap in (False, True):
            mark = np.where(right >= 0, marks[right if swap else left], 0)
            unit = mark != 0
            sign = np.where(unit, sign * mark, sign)
            left = left if swap else np.where(unit, right, left)
            right = np.where(unit, -1, right)
            strong = np.where(unit, 0, strong)
    nothing = np.zeros(len(program), bool)
    nothing[constant[value == 0.0]] = True
    zero = (right < 0) & nothing[left]
    if not zero.any():
        return owner, sign, left, right, strong
    beside = np.zeros(len(program), bool)  # which sums have other terms
    beside[owner[~zero]] = True
    keep = ~(zero & beside[owner])
    return owner[keep], sign[keep], left[keep], right[keep], strong[keep]
