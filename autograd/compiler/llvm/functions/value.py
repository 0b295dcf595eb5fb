"""Names of IR values with operators, so that a kernel reads like its formula.

``Vector`` holds doubles, ``Whole`` 64-bit integers, ``Mask`` truth values; each
operator emits one line into the builder (``lanes.Lanes``); numbers become constants.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from autograd.compiler.llvm.functions.lanes import Lanes


class _Named:
    """A value of the IR: the builder it belongs to and its name there."""

    __slots__ = ("lanes", "name")

    def __init__(self, lanes: Lanes, name: str) -> None:
        self.lanes, self.name = lanes, name


class Vector(_Named):
    """Doubles, one for each lane."""

    def constant(self, x: float) -> Vector:
        return Vector(self.lanes, self.lanes.constant(x))

    def _text(self, x: Vector | float) -> str:
        return x.name if isinstance(x, Vector) else self.lanes.constant(x)

    def _new(self, name: str) -> Vector:
        return Vector(self.lanes, name)

    def _mask(self, predicate: str, x: Vector | float) -> Mask:
        return Mask(self.lanes, self.lanes.compare(predicate, self.name, self._text(x)))

    def __add__(self, x: Vector | float) -> Vector:
        return self._new(self.lanes.add(self.name, self._text(x)))

    def __radd__(self, x: float) -> Vector:
        return self._new(self.lanes.add(self._text(x), self.name))

    def __sub__(self, x: Vector | float) -> Vector:
        return self._new(self.lanes.subtract(self.name, self._text(x)))

    def __rsub__(self, x: float) -> Vector:
        return self._new(self.lanes.subtract(self._text(x), self.name))

    def __mul__(self, x: Vector | float) -> Vector:
        return self._new(self.lanes.multiply(self.name, self._text(x)))

    def __rmul__(self, x: float) -> Vector:
        return self._new(self.lanes.multiply(self._text(x), self.name))

    def __truediv__(self, x: Vector | float) -> Vector:
        return self._new(self.lanes.divide(self.name, self._text(x)))

    def __rtruediv__(self, x: float) -> Vector:
        return self._new(self.lanes.divide(self._text(x), self.name))

    def __neg__(self) -> Vector:
        return self._new(self.lanes.negate(self.name))

    def __abs__(self) -> Vector:
        return self.intrinsic("fabs")

    def __lt__(self, x: Vector | float) -> Mask:
        return self._mask("olt", x)

    def __le__(self, x: Vector | float) -> Mask:
        return self._mask("ole", x)

    def __gt__(self, x: Vector | float) -> Mask:
        return self._mask("ogt", x)

    def __ge__(self, x: Vector | float) -> Mask:
        return self._mask("oge", x)

    def equals(self, x: Vector | float) -> Mask:
        """Equal, and neither is NaN."""
        return self._mask("oeq", x)

    def differs(self, x: Vector | float) -> Mask:
        """Not equal, or NaN."""
        return self._mask("une", x)

    def above_or_nan(self, x: Vector | float) -> Mask:
        return self._mask("ugt", x)

    def is_nan(self) -> Mask:
        """NaN is what differs from itself."""
        return self._mask("uno", self)

    def intrinsic(self, name: str, *others: Vector | float) -> Vector:
        rest = [self._text(x) for x in others]
        return self._new(self.lanes.intrinsic(name, self.name, *rest))

    def with_sign(self, x: Vector) -> Vector:
        """The magnitude of this with the sign of x."""
        return self.intrinsic("copysign", x)

    def fma(self, x: Vector | float, y: Vector | float) -> Vector:
        """This times x plus y, rounded once: for exact residuals."""
        name = self.lanes.fma(self.name, self._text(x), self._text(y))
        return self._new(name)

    def times_plus(self, x: Vector | float, y: Vector | float) -> Vector:
        """This times x plus y, fused or not."""
        name = self.lanes.multiply_add(self.name, self._text(x), self._text(y))
        return self._new(name)

    def polynomial(self, coefficients: Sequence[float]) -> Vector:
        return self._new(self.lanes.polynomial(self.name, coefficients))

    def at_most(self, bound: Vector | float) -> Vector:
        """The smaller of the two; NaN stays."""
        return self._new(self.lanes.minimum(self._text(bound), self.name))

    def at_least(self, bound: Vector | float) -> Vector:
        """The larger of the two; NaN stays."""
        return self._new(self.lanes.maximum(self._text(bound), self.name))

    def repeat(
        self, firsts: Sequence[Vector], body: Callable[..., tuple[list[Vector], Mask]]
    ) -> list[Vector]:
        """The next values and a mask, again and again while it holds in any lane."""

        def named(names: list[str]) -> tuple[list[str], str]:
            following, mask = body(*map(self._new, names))
            return [x.name for x in following], mask.name

        return [*map(self._new, self.lanes.repeat([x.name for x in firsts], named))]

    def bits(self) -> Whole:
        return Whole(self.lanes, self.lanes.bits(self.name))


class Whole(_Named):
    """64-bit integers, one for each lane; they wrap around."""

    def _do(self, operation: str, n: Whole | int) -> Whole:
        other = n.name if isinstance(n, Whole) else self.lanes.integer(n)
        return Whole(self.lanes, self.lanes.whole(operation, self.name, other))

    def _mask(self, predicate: str, n: int) -> Mask:
        other = self.lanes.integer(n)
        name = self.lanes.compare(predicate, self.name, other, "integer")
        return Mask(self.lanes, name)

    def __add__(self, n: Whole | int) -> Whole:
        return self._do("add", n)

    def __sub__(self, n: Whole | int) -> Whole:
        return self._do("sub", n)

    def __and__(self, n: Whole | int) -> Whole:
        return self._do("and", n)

    def __xor__(self, n: Whole | int) -> Whole:
        return self._do("xor", n)

    def __or__(self, n: Whole | int) -> Whole:
        return self._do("or", n)

    def __lshift__(self, n: int) -> Whole:
        return self._do("shl", n)

    def __rshift__(self, n: int) -> Whole:  # zeros come in
        return self._do("lshr", n)

    def __lt__(self, n: int) -> Mask:
        return self._mask("slt", n)

    def differs(self, n: int) -> Mask:
        return self._mask("ne", n)

    def double(self) -> Vector:
        return Vector(self.lanes, self.lanes.double(self.name))


class Mask(_Named):
    """Truth values, one for each lane."""

    def _do(self, operation: str, other: Mask) -> Mask:
        name = self.lanes.logic(operation, self.name, other.name)
        return Mask(self.lanes, name)

    def __and__(self, other: Mask) -> Mask:
        return self._do("and", other)

    def __or__(self, other: Mask) -> Mask:
        return self._do("or", other)

    def choose(self, x: Vector | float, y: Vector | float) -> Vector:
        a, b = (
            v.name if isinstance(v, Vector) else self.lanes.constant(v) for v in (x, y)
        )
        return Vector(self.lanes, self.lanes.select(self.name, a, b))

    def rescue(self, usual: Vector, unusual: Callable[[], Vector]) -> Vector:
        """``choose``, the unusual value being computed only when a lane asks for it."""
        name = self.lanes.rescue(self.name, usual.name, lambda: unusual().name)
        return Vector(self.lanes, name)


Kernel = Callable[..., Vector]


def on_names(kernel: Kernel) -> Callable[..., str]:
    """A kernel as a function of the builder and names, which returns a name."""

    def emit(lanes: Lanes, *names: str) -> str:
        return kernel(*[Vector(lanes, name) for name in names]).name

    return emit
