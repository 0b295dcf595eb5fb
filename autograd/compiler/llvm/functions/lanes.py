"""A builder of LLVM IR text over lanes: ``<width x double>``, or one plain double.

An expression becomes one line for each operation, in static single assignment: every
result has a fresh name. No optimisation pass runs over the text, so it must be good as
it stands. Only generic intrinsics are used: LLVM lowers them to AVX-512, AVX2, SSE2 or
Arm alike. ``vector_value`` wraps the names in operators.

Source: the LLVM Language Reference, "Instruction Reference" and "Standard C/C++ Library
Intrinsics".
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence

WIDTHS = (1, 2, 4, 8)
_COMPARISONS = {"integer": "icmp", "double": "fcmp"}


def literal(x: float) -> str:
    """The bits of a double, as LLVM reads them back exactly.

    >>> literal(1.0)
    '0x3FF0000000000000'
    """
    return f"0x{struct.unpack('<Q', struct.pack('<d', x))[0]:016X}"


class Lanes:
    """Lines of IR over ``width`` doubles at a time.

    Parameters
    ----------
    width : 1, 2, 4 or 8 doubles.
    contract : additions may be fused with the products they consume.
    prefix : what fresh names begin with, after the ``%``.
    block : the label of the basic block the lines stand in.
    """

    def __init__(
        self,
        width: int = 1,
        *,
        contract: bool = False,
        prefix: str = "v",
        block: str = "entry",
    ) -> None:
        if width not in WIDTHS:
            raise ValueError(f"the number of lanes is one of {WIDTHS}, got {width}")
        self.width, self.prefix, self.block = width, prefix, block
        self.flags = " contract" if contract else ""
        self.type, self.integers, self.mask = map(self._of, ("double", "i64", "i1"))
        self.lines: list[str] = []
        self.called: set[str] = set()  # declarations of the functions outside LLVM
        self._fresh = 0

    def _of(self, scalar: str) -> str:
        return scalar if self.width == 1 else f"<{self.width} x {scalar}>"

    def fresh(self) -> str:
        self._fresh += 1
        return f"{self.prefix}{self._fresh}"

    def emit(self, text: str) -> str:
        """One line that computes a value; returns its name."""
        name = f"%{self.fresh()}"
        self.lines.append(f"  {name} = {text}")
        return name

    # -- Constants -------------------------------------------------------------------

    def constant(self, x: float) -> str:
        """A double in every lane."""
        return self._splat("double", literal(x))

    def integer(self, n: int) -> str:
        """A 64-bit integer in every lane; what exceeds 64 bits is cut off."""
        n &= 2**64 - 1
        return self._splat("i64", str(n - 2**64 if n >> 63 else n))

    def _splat(self, scalar: str, text: str) -> str:
        return text if self.width == 1 else f"splat ({scalar} {text})"

    # -- Arithmetic ------------------------------------------------------------------

    def _arithmetic(self, operation: str, a: str, b: str) -> str:
        return self.emit(f"{operation}{self.flags} {self.type} {a}, {b}")

    def add(self, a: str, b: str) -> str:
        return self._arithmetic("fadd", a, b)

    def subtract(self, a: str, b: str) -> str:
        return self._arithmetic("fsub", a, b)

    def multiply(self, a: str, b: str) -> str:
        return self._arithmetic("fmul", a, b)

    def divide(self, a: str, b: str) -> str:
        return self._arithmetic("fdiv", a, b)

    def negate(self, a: str) -> str:
        """The other sign, of zeros and NaN too."""
        return self.emit(f"fneg {self.type} {a}")

    def intrinsic(self, name: str, *operands: str) -> str:
        """An LLVM intrinsic of doubles: fabs, sqrt, floor, ceil, trunc, copysign ..."""
        suffix = "f64" if self.width == 1 else f"v{self.width}f64"
        arguments = ", ".join(f"{self.type} {x}" for x in operands)
        return self.emit(f"call {self.type} @llvm.{name}.{suffix}({arguments})")

    def fma(self, a: str, b: str, c: str) -> str:
        """a * b + c with a single rounding, whatever that costs on the host."""
        return self.intrinsic("fma", a, b, c)

    def multiply_add(self, a: str, b: str, c: str) -> str:
        """a * b + c, fused where the host is faster so."""
        return self.intrinsic("fmuladd", a, b, c)

    def minimum(self, a: str, b: str) -> str:
        """The smaller; b where either is NaN (one instruction on x86)."""
        return self.select(self.compare("olt", a, b), a, b)

    def maximum(self, a: str, b: str) -> str:
        """The larger; b where either is NaN."""
        return self.select(self.compare("ogt", a, b), a, b)

    def polynomial(self, x: str, coefficients: Sequence[float]) -> str:
        """c0 + c1 x + c2 x^2 + ..., by Estrin's scheme: short chains, in pairs."""
        terms = [self.constant(c) for c in coefficients]
        while len(terms) > 1:
            pairs = zip(terms[::2], terms[1::2], strict=False)
            folded = [self.multiply_add(high, x, low) for low, high in pairs]
            terms = folded + terms[2 * len(folded) :]
            x = self.multiply(x, x) if len(terms) > 1 else x
        return terms[0]

    # -- Choice and bits -------------------------------------------------------------

    def compare(self, predicate: str, a: str, b: str, kind: str = "double") -> str:
        """A mask: predicates olt, oeq, une ... of doubles, slt, eq ... of integers."""
        operand = self.type if kind == "double" else self.integers
        return self.emit(f"{_COMPARISONS[kind]} {predicate} {operand} {a}, {b}")

    def select(self, mask: str, a: str, b: str) -> str:
        chosen = f"{self.type} {a}, {self.type} {b}"
        return self.emit(f"select {self.mask} {mask}, {chosen}")

    def logic(self, operation: str, a: str, b: str) -> str:
        return self.emit(f"{operation} {self.mask} {a}, {b}")

    def whole(self, operation: str, a: str, b: str) -> str:
        return self.emit(f"{operation} {self.integers} {a}, {b}")

    def bits(self, a: str) -> str:
        """The bits of doubles as integers."""
        return self.emit(f"bitcast {self.type} {a} to {self.integers}")

    def double(self, n: str) -> str:
        """The doubles that have these bits."""
        return self.emit(f"bitcast {self.integers} {n} to {self.type}")

    def fold(self, name: str, total: str, x: str) -> str:
        """One more operand of a sum, prod, maximum or minimum; there NaN wins."""
        if name in ("sum", "prod"):
            return (self.add if name == "sum" else self.multiply)(total, x)
        wins = self.compare("ogt" if name == "maximum" else "olt", x, total)
        wins = self.logic("or", wins, self.compare("uno", x, x))
        return self.select(wins, x, total)

    def product(self, a: str, b: str, strong: int = 0) -> str:
        """a * b; 0 where a, or with 2 either one, is exactly 0 (``Terms.strong``)."""
        result, zero = self.multiply(a, b), self.constant(0.0)
        for x in (a, b)[:strong]:
            result = self.select(self.compare("oeq", x, zero), zero, result)
        return result

    def guarded(self, a: str, b: str, wins: tuple[str, str] | None) -> tuple[str, str]:
        """The factors; beside an exact 0 of one that wins, by masks, the other is 0."""
        if wins is None:
            return a, b
        zero = self.constant(0.0)
        left, right = [
            self.logic("and", self.compare("oeq", x, zero), mask)
            for x, mask in zip((a, b), wins, strict=True)
        ]
        return self.select(right, zero, a), self.select(left, zero, b)

    # -- Calls and branches ----------------------------------------------------------

    def call_each(self, symbol: str, *operands: str) -> str:
        """A function of plain doubles outside LLVM, called for one lane at a time."""
        parameters = ", ".join(["double"] * len(operands))
        self.called.add(f"declare double @{symbol}({parameters})")
        result = "poison"
        for lane in range(self.width):
            scalars = [self._lane(x, lane) for x in operands]
            arguments = ", ".join(f"double {x}" for x in scalars)
            y = self.emit(f"call double @{symbol}({arguments})")
            if self.width == 1:
                return y
            into = f"{self.type} {result}, double {y}, i64 {lane}"
            result = self.emit(f"insertelement {into}")
        return result

    def _lane(self, x: str, lane: int) -> str:
        if self.width == 1:
            return x
        return self.emit(f"extractelement {self.type} {x}, i64 {lane}")

    def rescue(self, rare: str, usual: str, unusual: Callable[[], str]) -> str:
        """The usual value, but the unusual one in rare lanes: computed only if any is.

        A branch: the lines go on in another basic block, ``self.block``.
        """
        asked, slow, done = self._any(rare), f"slow.{self.fresh()}", self._done()
        before = self.block
        self.lines += [f"  br i1 {asked}, label %{slow}, label %{done}", f"{slow}:"]
        self.block = slow
        chosen = self.select(rare, unusual(), usual)
        self.lines += [f"  br label %{done}", f"{done}:"]
        after, self.block = self.block, done
        sources = f"[ {usual}, %{before} ], [ {chosen}, %{after} ]"
        return self.emit(f"phi {self.type} {sources}")

    def repeat(
        self,
        firsts: Sequence[str],
        body: Callable[[list[str]], tuple[Sequence[str], str]],
    ) -> list[str]:
        """body(values) gives the next values and a mask: again while it holds anywhere.

        Lanes in which it does not hold must keep their values by themselves.
        """
        again, done, before = f"again.{self.fresh()}", self._done(), self.block
        self.lines += [f"  br label %{again}", f"{again}:"]
        place, self.block = len(self.lines), again
        names = [f"%{self.fresh()}" for _ in firsts]
        following, mask = body(names)
        asked = self._any(mask)
        self.lines += [f"  br i1 {asked}, label %{again}, label %{done}", f"{done}:"]
        self.lines[place:place] = [
            f"  {name} = phi {self.type} [ {first}, %{before} ], [ {x}, %{self.block} ]"
            for name, first, x in zip(names, firsts, following, strict=True)
        ]
        self.block = done
        return list(following)

    def _any(self, mask: str) -> str:
        """Whether a mask holds in any lane."""
        if self.width == 1:
            return mask
        reduction = f"@llvm.vector.reduce.or.v{self.width}i1({self.mask} {mask})"
        return self.emit(f"call i1 {reduction}")

    def _done(self) -> str:
        return f"done.{self.fresh()}"
