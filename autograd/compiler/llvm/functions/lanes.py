"""Lines of LLVM IR over lanes, ``<width x double>`` or one double, and their values.

``Lanes`` is a builder: an expression becomes one line for each operation, in static
single assignment: every result has a fresh name. ``Vector`` (doubles), ``Whole``
(64-bit integers) and ``Mask`` (truth values) wrap the names, so that a kernel reads
like its formula; numbers become constants:

>>> x = Vector(Lanes(1), "%x")
>>> larger = (x > 0.0).choose(2.0 * x, x)
>>> for line in x.lanes.lines: print(line.strip())
%v1 = fcmp ogt double %x, 0x0000000000000000
%v2 = fmul double 0x4000000000000000, %x
%v3 = select i1 %v1, double %v2, double %x

No optimisation pass runs over the text, so it must be good as it stands. Only generic
intrinsics are used: LLVM lowers them to AVX-512, AVX2, SSE2 or Arm alike.

Source: the LLVM Language Reference, "Instruction Reference" and "Standard C/C++ Library
Intrinsics".
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence

WIDTHS = (1, 2, 4, 8)


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
        return self.splat("double", literal(x))

    def splat(self, scalar: str, text: str) -> str:
        return text if self.width == 1 else f"splat ({scalar} {text})"

    # -- Arithmetic ------------------------------------------------------------------

    def arithmetic(self, operation: str, a: str, b: str) -> str:
        """fadd, fsub, fmul or fdiv."""
        return self.emit(f"{operation}{self.flags} {self.type} {a}, {b}")

    def add(self, a: str, b: str) -> str:
        return self.arithmetic("fadd", a, b)

    def subtract(self, a: str, b: str) -> str:
        return self.arithmetic("fsub", a, b)

    def multiply(self, a: str, b: str) -> str:
        return self.arithmetic("fmul", a, b)

    def negate(self, a: str) -> str:
        """The other sign, of zeros and NaN too."""
        return self.emit(f"fneg {self.type} {a}")

    def intrinsic(self, name: str, *operands: str) -> str:
        """An LLVM intrinsic of doubles: fabs, sqrt, floor, ceil, trunc, copysign ..."""
        suffix = "f64" if self.width == 1 else f"v{self.width}f64"
        arguments = ", ".join(f"{self.type} {x}" for x in operands)
        return self.emit(f"call {self.type} @llvm.{name}.{suffix}({arguments})")

    def multiply_add(self, a: str, b: str, c: str) -> str:
        """a * b + c, fused where the host is faster so."""
        return self.intrinsic("fmuladd", a, b, c)

    # -- Choice ----------------------------------------------------------------------

    def compare(self, predicate: str, a: str, b: str) -> str:
        """A mask: predicates olt, oeq, une ..."""
        return self.emit(f"fcmp {predicate} {self.type} {a}, {b}")

    def select(self, mask: str, a: str, b: str) -> str:
        chosen = f"{self.type} {a}, {self.type} {b}"
        return self.emit(f"select {self.mask} {mask}, {chosen}")

    def logic(self, operation: str, a: str, b: str) -> str:
        """and, or, xor of masks."""
        return self.emit(f"{operation} {self.mask} {a}, {b}")

    def fold(self, name: str, total: str, x: str) -> str:
        """One more operand of a sum, prod, maximum or minimum; there NaN wins."""
        if name in ("sum", "prod"):
            return (self.add if name == "sum" else self.multiply)(total, x)
        wins = self.compare("ogt" if name == "maximum" else "olt", x, total)
        wins = self.logic("or", wins, self.compare("uno", x, x))
        return self.select(wins, x, total)

    def product(self, factors: Sequence[str], strong: int) -> str:
        """a, or a * b; 0 where a, or with 2 either, is exactly 0 (``Terms.strong``)."""
        if len(factors) == 1:
            return factors[0]
        result, zero = self.multiply(*factors), self.constant(0.0)
        for x in factors[:strong]:
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


# -- Values with operators -----------------------------------------------------------


class _Named:
    """A value of the IR: the builder it belongs to and its name there."""

    __slots__ = ("lanes", "name")

    def __init__(self, lanes: Lanes, name: str) -> None:
        self.lanes, self.name = lanes, name


def _arithmetic(operation: str) -> Callable[[Vector, Vector | float], Vector]:
    def emit(self: Vector, x: Vector | float) -> Vector:
        name = self.lanes.arithmetic(operation, self.name, self.of(x).name)
        return Vector(self.lanes, name)

    return emit


def _reflected(operation: str) -> Callable[[Vector, float], Vector]:
    def emit(self: Vector, x: float) -> Vector:
        name = self.lanes.arithmetic(operation, self.of(x).name, self.name)
        return Vector(self.lanes, name)

    return emit


def _comparison(predicate: str) -> Callable[[Vector, Vector | float], Mask]:
    def emit(self: Vector, x: Vector | float) -> Mask:
        name = self.lanes.compare(predicate, self.name, self.of(x).name)
        return Mask(self.lanes, name)

    return emit


class Vector(_Named):
    """Doubles, one for each lane."""

    def constant(self, x: float) -> Vector:
        """The same number in every lane."""
        return Vector(self.lanes, self.lanes.constant(x))

    def of(self, x: Vector | float) -> Vector:
        """A number as a vector."""
        return x if isinstance(x, Vector) else self.constant(x)

    __add__, __radd__ = _arithmetic("fadd"), _reflected("fadd")
    __sub__, __rsub__ = _arithmetic("fsub"), _reflected("fsub")
    __mul__, __rmul__ = _arithmetic("fmul"), _reflected("fmul")
    __truediv__, __rtruediv__ = _arithmetic("fdiv"), _reflected("fdiv")

    __lt__, __le__ = _comparison("olt"), _comparison("ole")
    __gt__, __ge__ = _comparison("ogt"), _comparison("oge")
    equals = _comparison("oeq")  # false for NaN, as all above
    differs = _comparison("une")  # true for NaN
    above_or_nan = _comparison("ugt")

    def is_nan(self) -> Mask:
        return Mask(self.lanes, self.lanes.compare("uno", self.name, self.name))

    def __neg__(self) -> Vector:
        return Vector(self.lanes, self.lanes.negate(self.name))

    def __abs__(self) -> Vector:
        return self.intrinsic("fabs")

    def intrinsic(self, name: str, *others: Vector | float) -> Vector:
        """sqrt, floor, ceil, trunc ... of LLVM."""
        rest = [self.of(x).name for x in others]
        return Vector(self.lanes, self.lanes.intrinsic(name, self.name, *rest))

    def with_sign(self, x: Vector) -> Vector:
        """The magnitude of this with the sign of x."""
        return self.intrinsic("copysign", x)

    def fma(self, x: Vector | float, y: Vector | float) -> Vector:
        """This times x plus y, rounded once, whatever that costs: for residuals."""
        return self.intrinsic("fma", x, y)

    def times_plus(self, x: Vector | float, y: Vector | float) -> Vector:
        """This times x plus y, fused where the host is faster so."""
        return self.intrinsic("fmuladd", x, y)

    def polynomial(self, coefficients: Sequence[float]) -> Vector:
        """c0 + c1 x + c2 x^2 + ..., by Estrin's scheme: short chains, in pairs."""
        x, terms = self, [self.constant(c) for c in coefficients]
        while len(terms) > 1:
            pairs = zip(terms[::2], terms[1::2], strict=False)
            folded = [high.times_plus(x, low) for low, high in pairs]
            terms = folded + terms[2 * len(folded) :]
            x = x * x if len(terms) > 1 else x
        return terms[0]

    def at_most(self, bound: Vector | float) -> Vector:
        """The smaller of the two; NaN stays (one instruction on x86)."""
        bound = self.of(bound)
        return (bound < self).choose(bound, self)

    def at_least(self, bound: Vector | float) -> Vector:
        """The larger of the two; NaN stays."""
        bound = self.of(bound)
        return (bound > self).choose(bound, self)

    def library(self, symbol: str, *others: Vector) -> Vector:
        """A function of plain doubles outside LLVM, called for one lane at a time."""
        lanes, operands = self.lanes, [self, *others]
        parameters = ", ".join(["double"] * len(operands))
        lanes.called.add(f"declare double @{symbol}({parameters})")
        result = "poison"
        for k in range(lanes.width):
            numbers = [x.name for x in operands]
            if lanes.width > 1:
                texts = [f"extractelement {lanes.type} {x}, i64 {k}" for x in numbers]
                numbers = [lanes.emit(text) for text in texts]
            arguments = ", ".join(f"double {x}" for x in numbers)
            y = lanes.emit(f"call double @{symbol}({arguments})")
            into = f"insertelement {lanes.type} {result}, double {y}, i64 {k}"
            result = lanes.emit(into) if lanes.width > 1 else y
        return Vector(lanes, result)

    def repeat(
        self, firsts: Sequence[Vector], body: Callable[..., tuple[list[Vector], Mask]]
    ) -> list[Vector]:
        """body(values) gives the next values and a mask: again while it holds anywhere.

        Lanes in which it does not hold must keep their values by themselves.
        """
        lanes = self.lanes
        again, done = f"again.{lanes.fresh()}", f"done.{lanes.fresh()}"
        lanes.lines += [f"  br label %{again}", f"{again}:"]
        place, before, lanes.block = len(lanes.lines), lanes.block, again
        values = [Vector(lanes, f"%{lanes.fresh()}") for _ in firsts]
        following, mask = body(*values)
        asked = mask.anywhere()
        lanes.lines += [f"  br i1 {asked}, label %{again}, label %{done}", f"{done}:"]
        lanes.lines[place:place] = [
            f"  {x.name} = phi {lanes.type} [ {first.name}, %{before} ], "
            f"[ {later.name}, %{lanes.block} ]"
            for x, first, later in zip(values, firsts, following, strict=True)
        ]
        lanes.block = done
        return following

    def bits(self) -> Whole:
        text = f"bitcast {self.lanes.type} {self.name} to {self.lanes.integers}"
        return Whole(self.lanes, self.lanes.emit(text))


def _integer(operation: str) -> Callable[[Whole, Whole | int], Whole]:
    def emit(self: Whole, n: Whole | int) -> Whole:
        return Whole(self.lanes, self._emit(operation, n))

    return emit


class Whole(_Named):
    """64-bit integers, one for each lane; they wrap around."""

    def _emit(self, operation: str, n: Whole | int) -> str:
        other = n.name if isinstance(n, Whole) else self._constant(n)
        return self.lanes.emit(
            f"{operation} {self.lanes.integers} {self.name}, {other}"
        )

    def _constant(self, n: int) -> str:
        """The same in every lane; what exceeds 64 bits is cut off."""
        n &= 2**64 - 1
        return self.lanes.splat("i64", str(n - 2**64 if n >> 63 else n))

    __add__, __sub__ = _integer("add"), _integer("sub")
    __and__, __or__, __xor__ = _integer("and"), _integer("or"), _integer("xor")
    __lshift__, __rshift__ = _integer("shl"), _integer("lshr")  # zeros come in

    def __lt__(self, n: int) -> Mask:
        return Mask(self.lanes, self._emit("icmp slt", n))

    def differs(self, n: int) -> Mask:
        return Mask(self.lanes, self._emit("icmp ne", n))

    def double(self) -> Vector:
        """The doubles that have these bits."""
        text = f"bitcast {self.lanes.integers} {self.name} to {self.lanes.type}"
        return Vector(self.lanes, self.lanes.emit(text))


class Mask(_Named):
    """Truth values, one for each lane."""

    def __and__(self, other: Mask) -> Mask:
        return Mask(self.lanes, self.lanes.logic("and", self.name, other.name))

    def __or__(self, other: Mask) -> Mask:
        return Mask(self.lanes, self.lanes.logic("or", self.name, other.name))

    def anywhere(self) -> str:
        lanes = self.lanes
        if lanes.width == 1:
            return self.name
        reduction = f"@llvm.vector.reduce.or.v{lanes.width}i1"
        return lanes.emit(f"call i1 {reduction}({lanes.mask} {self.name})")

    def choose(self, x: Vector | float, y: Vector | float) -> Vector:
        """x where this holds, else y."""
        a, b = (
            v.name if isinstance(v, Vector) else self.lanes.constant(v) for v in (x, y)
        )
        return Vector(self.lanes, self.lanes.select(self.name, a, b))

    def rescue(self, usual: Vector, unusual: Callable[[], Vector]) -> Vector:
        """``choose``, the unusual value being computed only when a lane asks for it.

        A branch: the lines go on in another basic block, ``lanes.block``.
        """
        lanes, asked = self.lanes, self.anywhere()
        slow, done = f"slow.{lanes.fresh()}", f"done.{lanes.fresh()}"
        lanes.lines += [f"  br i1 {asked}, label %{slow}, label %{done}", f"{slow}:"]
        before, lanes.block = lanes.block, slow
        chosen = self.choose(unusual(), usual)
        lanes.lines += [f"  br label %{done}", f"{done}:"]
        after, lanes.block = lanes.block, done
        sources = f"[ {usual.name}, %{before} ], [ {chosen.name}, %{after} ]"
        return Vector(lanes, lanes.emit(f"phi {lanes.type} {sources}"))


Kernel = Callable[..., Vector]


def by_name(*kernels: Kernel) -> dict[str, Kernel]:
    return {kernel.__name__: kernel for kernel in kernels}
