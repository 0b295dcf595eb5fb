"""A program: one function, traced, as a struct of arrays.

Instruction i computes number i from earlier ones: ``code[i]`` names the primitive,
``first[i]`` and ``second[i]`` its operands. One of three or more operands keeps them in
``operands``: ``first[i]`` is where they begin, ``second[i]`` how many there are.
Inputs and constants are instructions too, so that every number has one index.

Source: Griewank & Walther 2008, section 2.2 (evaluation procedures, the "tape").
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from autograd.errors import TraceError
from autograd.table.primitive import Primitive
from autograd.table.primitives import TABLE

Number = Any
Ints = npt.NDArray[np.int64]
CONSTANT, INPUT = -1, -2  # codes of numbers that nothing computes
PRIMITIVES: tuple[Primitive, ...] = tuple(TABLE.values())
CODE: dict[str, int] = {name: i for i, name in enumerate(TABLE)}


@dataclass(frozen=True, eq=False)
class Program:
    """Instructions in the order in which they were traced.

    Attributes
    ----------
    primitives : what codes index into; the table first, in its order.
    code, first, second, operands : the instructions, int64 arrays (see the module).
    groups : code of an n-ary primitive -> how many operand sequences it has.
    constants : the numbers that were baked in, float64.
    inputs : how many inputs there are; outputs : the numbers that are returned.
    batched : of each input, whether it is one for each sample of a batch (``vmap``).
    batch : how many samples; batch_sum : the code of the sum over them, or -1.
    """

    primitives: Sequence[Primitive]
    code: Ints
    first: Ints
    second: Ints
    operands: Ints
    constants: npt.NDArray[np.float64]
    inputs: int
    outputs: Ints
    groups: dict[int, int] = field(default_factory=dict)
    batched: npt.NDArray[np.bool_] = field(default_factory=lambda: np.zeros(0, bool))
    batch: int = 0
    batch_sum: int = -1

    def __len__(self) -> int:
        return len(self.code)

    @property
    def computed(self) -> npt.NDArray[np.bool_]:
        """Which numbers a primitive computes."""
        return self.code >= 0

    @property
    def spread(self) -> npt.NDArray[np.bool_]:
        """Which instructions keep their operands in ``operands``."""
        return np.asarray(self._wide[self.code])

    @property
    def _wide(self) -> npt.NDArray[np.bool_]:
        """The same by code; INPUT and CONSTANT index from the end."""
        return np.array(
            [p.arity not in (1, 2) for p in self.primitives] + [False, False]
        )

    def edges(self) -> tuple[Ints, Ints]:
        """(instruction, operand) for every operand of every computed number."""
        spread, index = self.spread, np.arange(len(self))
        near = self.computed & ~spread
        two = near & (self.second >= 0)
        far = np.flatnonzero(spread)
        users = np.concatenate(
            [index[near], index[two], np.repeat(far, self.second[far])]
        )
        spans = ranges(self.first[far], self.second[far])
        used = [self.first[near], self.second[two], self.operands[spans]]
        return users, np.concatenate(used)

    def operands_of(self, i: int) -> list[int]:
        """The indices of the operands of instruction i."""
        a, b = int(self.first[i]), int(self.second[i])
        if self.code[i] < 0:
            return []
        if self.primitives[self.code[i]].arity in (1, 2):
            return [a] if b < 0 else [a, b]
        return [int(k) for k in self.operands[a : a + b]]

    def operands_of_all(self, some: Ints) -> Ints:
        """The operands of some instructions, in no special order."""
        code = self.code[some]
        wide = self._wide[code]
        near, far = some[(code >= 0) & ~wide], some[wide]
        second = self.second[near]
        spans = ranges(self.first[far], self.second[far])
        return np.concatenate(
            [self.first[near], second[second >= 0], self.operands[spans]]
        )

    def validate(self) -> Program:
        """Self, after checking that every operand is computed before it is used."""
        n = len(self)
        if not len(self.first) == len(self.second) == n:
            raise TraceError(
                "an invalid program: arrays of different lengths; please report it"
            )
        codes = range(-2, len(self.primitives))
        _check(np.isin(self.code, codes), "an unknown row")
        spread, room = self.spread, len(self.operands)
        ends = self.first + self.second
        inside = (self.first >= 0) & (self.second >= 0) & (ends <= room)
        _check(inside[spread], "operands beside the list")
        counts = np.array([self.groups.get(k, 1) for k in codes])[self.code + 2]
        _check((self.second % counts == 0)[spread], "groups of different lengths")
        users, used = self.edges()
        _check((used >= 0) & (used < users), "an operand that is computed later")
        known = self.code == CONSTANT
        inside = (self.first >= 0) & (self.first < len(self.constants))
        _check(inside[known], "a constant that is not there")
        given = self.code == INPUT
        inside = (self.first >= 0) & (self.first < self.inputs)
        _check(inside[given], "an input that is not there")
        _check((self.outputs >= 0) & (self.outputs < n), "an output that is not there")
        arity = np.array([p.arity or 0 for p in self.primitives] + [0, 0])[self.code]
        near = self.computed & ~self.spread
        _check((self.second >= 0)[near] == (arity == 2)[near], "a wrong arity")
        return self

    def __call__(self, *numbers: Number) -> list[Number]:
        """The outputs for one number for each input: floats, nodes, duals, tracers."""
        if len(numbers) != self.inputs:
            raise TraceError(
                f"{self.inputs} inputs are needed, got {len(numbers)}: give a number "
                "for each"
            )
        values: list[Number] = []
        constants = self.constants.tolist()
        for i, (code, a) in enumerate(
            zip(self.code.tolist(), self.first.tolist(), strict=True)
        ):
            if code == INPUT:
                values.append(numbers[a])
            elif code == CONSTANT:
                values.append(constants[a])
            else:
                own = [values[k] for k in self.operands_of(i)]
                values.append(self._apply(code, own))
        return [values[k] for k in self.outputs.tolist()]

    def _apply(self, code: int, own: list[Number]) -> Number:
        primitive = self.primitives[code]
        count = self.groups.get(code, 1)
        return primitive.apply(primitive.regroup(own, [len(own) // count] * count))

    def __str__(self) -> str:
        lines = [f"program of {len(self)} instructions, {self.inputs} inputs"]
        for i, code in enumerate(self.code.tolist()):
            if code == INPUT:
                text = f"input {self.first[i]}"
            elif code == CONSTANT:
                text = f"{float(self.constants[self.first[i]])!r}"
            else:
                own = " ".join(f"%{k}" for k in self.operands_of(i))
                text = f"{self.primitives[code].name} {own}"
            lines.append(f"  %{i} = {text}")
            if i == 199 and len(self) > 201:
                lines.append(f"  ... and {len(self) - 200} more")
                break
        returned = " ".join(f"%{k}" for k in self.outputs[:50].tolist())
        more = f" ... and {len(self.outputs) - 50} more" * (len(self.outputs) > 50)
        return "\n".join([*lines, f"  return {returned}{more}"])


def ranges(starts: Ints, lengths: Ints) -> Ints:
    """starts[0] ... starts[0] + lengths[0] - 1, then the same for the next, and so on.

    >>> import numpy as np
    >>> ranges(np.array([5, 20]), np.array([3, 2])).tolist()
    [5, 6, 7, 20, 21]
    """
    ends = np.cumsum(lengths)
    total = int(ends[-1]) if len(ends) else 0
    return np.asarray(np.arange(total) + np.repeat(starts - (ends - lengths), lengths))


def sorted_unique(x: Any) -> Any:
    """The items in order, each once: faster than hashing them."""
    x = np.sort(x)
    new = np.ones(len(x), bool)
    np.not_equal(x[1:], x[:-1], out=new[1:])
    return x[new]


def run_bounds(x: Ints) -> Ints:
    """Where runs of equal items begin, and the end."""
    inside = np.flatnonzero(x[1:] != x[:-1]) + 1
    return np.concatenate([[0], inside, [len(x)]]) if len(x) else np.zeros(1, np.int64)


def offsets_of(segments: Ints, n: int) -> Ints:
    """Where each of n segments begins among their items in order, and the end."""
    counts = np.bincount(segments, minlength=n)
    return np.concatenate([[0], np.cumsum(counts)])


def _check(holds: npt.NDArray[np.bool_], what: str) -> None:
    if not np.all(holds):
        where = int(np.flatnonzero(~np.atleast_1d(holds))[0])
        raise TraceError(
            f"an invalid program: {what} (number {where}); please report it"
        )
