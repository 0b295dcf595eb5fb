"""Program to program: fold constants, drop identities, share, prune.

Every pass works on whole arrays and is repeated until nothing changes. Only rewrites
that hold for every float are made (x * 1, x - 0, x / 1, -(-x), ...): x * 0 is not 0
for NaN and infinities, x - x neither.

Source: Aho, Lam, Sethi & Ullman 2006, section 8.5 (value numbering), 8.4 (dead code).
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from autograd.compiler.trace.program import (
    CODE,
    CONSTANT,
    INPUT,
    PRIMITIVES,
    Ints,
    Program,
    ranges,
    sorted_unique,
)

Mask = npt.NDArray[np.bool_]
_VECTOR_ROUNDS = 8  # of sharing; deeper duplicates are found one by one
_COMMUTATIVE = [CODE[p.name] for p in PRIMITIVES if p.symmetric and p.arity == 2]


def optimise(program: Program) -> Program:
    """An equivalent program without the work that constants and copies make needless.

    >>> from autograd import trace
    >>> from autograd.compiler.trace.optimise import optimise
    >>> print(optimise(trace(lambda x: (x * 1.0 + 2.0) * (x + 2.0) - 0.0, 3.0)))
    program of 4 instructions, 1 inputs
      %0 = input 0
      %1 = 2.0
      %2 = add %0 %1
      %3 = multiply %2 %2
      return %3
    """
    rounds, given, program = 0, program, _prune(program)
    while True:
        program, folded = _fold(program)
        program, renamed = _identities(program)
        share = _share if rounds < _VECTOR_ROUNDS else _share_in_order
        program, shared = share(program)
        rounds += 1
        if not (folded or renamed or shared):
            break
        program = _prune(program)
    return program.validate() if program is not given else program


def _fold(program: Program) -> tuple[Program, bool]:
    """What depends on constants alone becomes a constant."""
    users, used = program.edges()
    varying = program.code[used] != CONSTANT
    depends = np.zeros(len(program), bool)
    depends[users[varying]] = True
    steady = np.flatnonzero(program.computed & ~depends).tolist()
    found = [i for i in steady if program.operands_of(i)]
    if not found:
        return program, False
    code, first, second = (program.code.copy(), program.first.copy(), program.second)
    constants = program.constants.tolist()
    for i in found:
        own = [constants[program.first[k]] for k in program.operands_of(i)]
        constants.append(program._apply(int(program.code[i]), own))
        code[i], first[i] = CONSTANT, len(constants) - 1
    return replace(
        program, code=code, first=first, second=second, constants=np.array(constants)
    ), True


def _identities(program: Program) -> tuple[Program, bool]:
    """Numbers that equal an operand of theirs are replaced by it."""
    n, code = len(program), program.code
    first, second = program.first, program.second
    value = np.full(n + 1, np.nan)  # the number of a constant; index -1: no operand
    constant = np.flatnonzero(code == CONSTANT)
    value[constant] = program.constants[first[constant]]
    two = program.computed & ~program.spread
    x = value[np.where(two, first, -1)]
    y = value[np.where(two, second, -1)]

    def named(name: str) -> Mask:
        return np.asarray(code == CODE[name])

    left = (named("multiply") | named("divide")) & (y == 1.0)
    left |= named("subtract") & (y == 0.0) & ~np.signbit(y)
    left |= named("add") & (y == 0.0) & np.signbit(y)
    left |= (named("guarded_multiply") | named("selected_multiply")) & (y == 1.0)
    right = named("multiply") & (x == 1.0)
    right |= (named("guarded_multiply") | named("selected_multiply")) & (x == 1.0)
    right |= named("add") & (x == 0.0) & np.signbit(x)
    alias = np.arange(n)
    alias[left], alias[right] = first[left], second[right]
    double = np.flatnonzero(named("negative"))
    double = double[code[first[double]] == CODE["negative"]]
    alias[double] = first[first[double]]
    if np.array_equal(alias, np.arange(n)):
        return program, False
    return _renamed(program, alias), True


def _renamed(program: Program, alias: Ints) -> Program:
    """The program with every use of number i a use of alias[i] (never a later one)."""
    while not np.array_equal(alias, further := alias[alias]):
        alias = further
    return _renumbered(program, alias)


def _keys(program: Program) -> Ints:
    """Equal for instructions that compute the same; unique for those of many operands
    unless all their operands are the same."""
    n = len(program)
    first, second = program.first.copy(), program.second.copy()
    swap = np.isin(program.code, _COMMUTATIVE) & (first > second)
    first[swap], second[swap] = second[swap], first[swap]
    constant = np.flatnonzero(program.code == CONSTANT)
    bits = program.constants.view(np.int64)
    first[constant] = np.unique(bits, return_inverse=True)[1][first[constant]]
    first[program.code == INPUT] = np.flatnonzero(program.code == INPUT)
    seen: dict[Any, int] = {}
    for i in np.flatnonzero(program.spread).tolist():
        a, b = int(program.first[i]), int(program.second[i])
        own = program.operands[a : a + b].tobytes()
        first[i] = seen.setdefault((int(program.code[i]), own), i)
        second[i] = -1
    size = max(n, len(program.constants)) + 1
    return np.asarray(((program.code + 2) * size + first) * size + second + 1)


def _share(program: Program) -> tuple[Program, bool]:
    """Instructions of one primitive and the same operands become one, the earliest."""
    key = _keys(program)
    ordered = np.sort(key)
    twice = ordered[1:][ordered[1:] == ordered[:-1]]
    if not len(twice):
        return program, False
    found = np.flatnonzero(np.isin(key, twice))
    _, earliest, group = np.unique(key[found], return_index=True, return_inverse=True)
    alias = np.arange(len(program))
    alias[found] = found[earliest[group]]
    return _renamed(program, alias), True


def _share_in_order(program: Program) -> tuple[Program, bool]:
    """The same, one instruction after the other: any depth in one pass."""
    seen: dict[Any, int] = {}
    alias = list(range(len(program)))
    codes = program.code.tolist()
    for i, code in enumerate(codes):
        own: tuple[Any, ...] = tuple([alias[k] for k in program.operands_of(i)])
        if code < 0:
            a = int(program.first[i])
            own = (a, program.constants[a].tobytes() if code == CONSTANT else b"")
        elif code in _COMMUTATIVE:
            own = tuple(sorted(own))
        alias[i] = seen.setdefault((code, own), i)
    if alias == list(range(len(program))):
        return program, False
    return _renamed(program, np.array(alias)), True


def _prune(program: Program) -> Program:
    """Without what no output needs; inputs stay."""
    n = len(program)
    _, used = program.edges()
    uses = np.bincount(used, minlength=n)
    uses += np.bincount(program.outputs, minlength=n)
    dead = np.zeros(n, bool)
    unused = np.flatnonzero((uses == 0) & (program.code != INPUT))
    while len(unused):
        dead[unused] = True
        gone = program.operands_of_all(unused)
        np.subtract.at(uses, gone, 1)
        gone = sorted_unique(gone)
        unused = gone[(uses[gone] == 0) & (program.code[gone] != INPUT) & ~dead[gone]]
    if not dead.any():
        return program
    return _compact(program, ~dead)


def _compact(program: Program, keep: Mask) -> Program:
    kept = replace(
        program,
        code=program.code[keep],
        first=program.first[keep],
        second=program.second[keep],
    )
    wide = np.flatnonzero(kept.spread)
    lengths = kept.second[wide]
    operands = program.operands[ranges(kept.first[wide], lengths)]
    kept.first[wide] = np.cumsum(lengths) - lengths
    return _renumbered(replace(kept, operands=operands), np.cumsum(keep) - 1)


def _renumbered(program: Program, number: Ints) -> Program:
    near = program.computed & ~program.spread
    two = near & (program.second >= 0)
    return replace(
        program,
        first=np.where(near, number[np.where(near, program.first, 0)], program.first),
        second=np.where(two, number[np.where(two, program.second, 0)], program.second),
        operands=number[program.operands],
        outputs=number[program.outputs],
    )
