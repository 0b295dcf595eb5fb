"""A builder of LLVM functions: addresses, loops with carried values, loads and stores.

``Code`` adds to ``Lanes`` what a function needs around its arithmetic. Offsets that are
known are Python integers, so that constants fold while the text is written:

>>> code = Code(2)
>>> pointer = code.at("%v", code.plus(2, code.times("%i", 3)))
>>> code.do(f"store double 0.0, ptr {code.at(pointer, code.plus(2, 3))}")
>>> for line in code.lines: print(line.strip())
%s1 = mul i64 %i, 3
%s2 = add i64 2, %s1
%s3 = getelementptr double, ptr %v, i64 %s2
%s4 = getelementptr double, ptr %s3, i64 5
store double 0.0, ptr %s4
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from autograd.compiler.llvm.functions.lanes import Lanes

Offset = int | str  # known now, or the name of an i64
Body = Callable[[Offset, list[str]], Sequence[str]]


class Code:
    """The lines of one function over vectors of ``width`` doubles."""

    def __init__(self, width: int) -> None:
        self.width = width
        self.lines: list[str] = []
        self.lanes = Lanes(width, contract=True, prefix="v")
        self.scalar = Lanes(1, contract=True, prefix="s")
        self.redirect(self.lines)
        self.type = self.lanes.type
        self.indices = f"<{width} x i32>"
        self._labels = 0

    @property
    def called(self) -> set[str]:
        """Declarations of the functions outside LLVM."""
        return self.lanes.called | self.scalar.called

    def redirect(self, lines: list[str]) -> list[str]:
        """Write to these lines from now on; returns those written so far."""
        ended, self.lines = self.lines, lines
        self.lanes.lines = self.scalar.lines = lines
        return ended

    def function(self, name: str, parameters: str) -> str:
        head = f"define void @{name}({parameters}) nounwind {{"
        return "\n".join([head, "entry:", *self.lines, "  ret void", "}"])

    def emit(self, text: str) -> str:
        """One line that computes a value; returns its name."""
        return self.scalar.emit(text)

    def do(self, text: str) -> None:
        """One line without a value."""
        self.lines.append(f"  {text}")

    def _block(self, label: str) -> None:
        self.lines.append(f"{label}:")

    def _label(self) -> int:
        self._labels += 1
        return self._labels

    # -- Offsets ---------------------------------------------------------------------

    def plus(self, a: Offset, b: Offset) -> Offset:
        if isinstance(a, int) and isinstance(b, int):
            return a + b
        if a == 0 or b == 0:
            return b if a == 0 else a
        return self.emit(f"add i64 {a}, {b}")

    def times(self, a: Offset, b: Offset) -> Offset:
        if isinstance(a, int) and isinstance(b, int):
            return a * b
        if a == 0 or b == 0:
            return 0
        if a == 1 or b == 1:
            return b if a == 1 else a
        return self.emit(f"mul i64 {a}, {b}")

    def minus(self, a: Offset, b: Offset) -> Offset:
        if isinstance(a, int) and isinstance(b, int):
            return a - b
        return a if b == 0 else self.emit(f"sub i64 {a}, {b}")

    def over(self, a: Offset, n: int) -> Offset:
        """a // n for a >= 0."""
        return a // n if isinstance(a, int) else self.emit(f"udiv i64 {a}, {n}")

    def whole(self, a: Offset, n: int) -> Offset:
        """The largest multiple of n up to a."""
        return self.times(self.over(a, n), n)

    def at(self, base: str, offset: Offset, kind: str = "double") -> str:
        """The address of element ``offset`` behind a pointer."""
        if offset == 0:
            return base
        return self.emit(f"getelementptr {kind}, ptr {base}, i64 {offset}")

    # -- Loops and branches ----------------------------------------------------------

    def loop(
        self,
        count: Offset,
        body: Body,
        carried: Sequence[tuple[str, str]] = (),
        step: int = 1,
    ) -> list[str]:
        """body(i, values) for i = 0, step, 2 step ... below ``count``.

        ``carried`` gives the type and first value of what goes from trip to trip; the
        last values are returned. A loop of one trip is its body, with the number 0.
        """
        values = [first for _, first in carried]
        if isinstance(count, int) and count <= step:
            return list(body(0, values)) if count > 0 else values
        k = self._label()
        self.do(f"br label %enter{k}")
        self._block(f"enter{k}")
        if isinstance(count, int):
            self.do(f"br label %loop{k}")
        else:
            some = self.emit(f"icmp sgt i64 {count}, 0")
            self.do(f"br i1 {some}, label %loop{k}, label %exit{k}")
        self._block(f"loop{k}")
        self.do(f"%i{k} = phi i64 [ 0, %enter{k} ], [ %next{k}, %latch{k} ]")
        names = [f"%c{k}.{j}" for j in range(len(carried))]
        before = self.redirect([])
        last = list(body(f"%i{k}", names))
        inside = self.redirect(before)
        phis = [
            f"phi {kind} [ {first}, %enter{k} ], [ {x}, %latch{k} ]"
            for (kind, first), x in zip(carried, last, strict=True)
        ]
        named = [f"  {x} = {phi}" for x, phi in zip(names, phis, strict=True)]
        self.lines += [*named[::-1], *inside]
        self.do(f"br label %latch{k}")
        self._block(f"latch{k}")
        self.do(f"%next{k} = add nuw nsw i64 %i{k}, {step}")
        self.do(f"%more{k} = icmp slt i64 %next{k}, {count}")
        self.do(f"br i1 %more{k}, label %loop{k}, label %exit{k}")
        self._block(f"exit{k}")
        return last if isinstance(count, int) else [self.emit(phi) for phi in phis]

    def each(
        self, count: Offset, body: Callable[[Offset], object], step: int = 1
    ) -> None:
        """body(i) for i = 0, step, 2 step ... below ``count``; nothing is carried."""

        def trip(i: Offset, _: list[str]) -> list[str]:
            body(i)
            return []

        self.loop(count, trip, step=step)

    def vectors(
        self, count: Offset, body: Callable[[Offset, str | None], object]
    ) -> None:
        """body(i, mask) for whole vectors of 0 ... count - 1; masked for the rest."""
        whole = self.whole(count, self.width)
        self.each(whole, lambda i: body(i, None), self.width)
        rest = self.minus(count, whole)
        if isinstance(rest, int):
            if rest:
                body(whole, self.first(rest))
        else:
            some = self.emit(f"icmp sgt i64 {rest}, 0")
            self.when(some, lambda: body(whole, self.first(rest)))

    def when(self, condition: str, body: Callable[[], object]) -> None:
        """Do what ``body`` emits only if the condition holds."""
        k = self._label()
        self.do(f"br i1 {condition}, label %then{k}, label %after{k}")
        self._block(f"then{k}")
        body()
        self.do(f"br label %after{k}")
        self._block(f"after{k}")

    def choose(
        self, condition: str, body: Callable[[], list[str]], others: list[str]
    ) -> list[str]:
        """What ``body`` emits, without branches, if the condition holds; else others.

        All are vectors of doubles.
        """
        chosen: list[str] = []
        k = self._labels + 1
        self.do(f"br label %ask{k}")
        self._block(f"ask{k}")
        self.when(condition, lambda: chosen.extend(body()))
        return [
            self.emit(f"phi {self.type} [ {x}, %then{k} ], [ {y}, %ask{k} ]")
            for x, y in zip(chosen, others, strict=True)
        ]

    def any_nan(self, lanes: Lanes, values: Sequence[str]) -> str:
        """Whether a lane of a value is NaN."""
        bad, *others = [lanes.compare("uno", value, value) for value in values]
        for other in others:
            bad = lanes.logic("or", bad, other)
        if lanes.width == 1:
            return bad
        reduction = f"@llvm.vector.reduce.or.v{self.width}i1"
        return self.emit(f"call i1 {reduction}({lanes.mask} {bad})")

    # -- Memory ----------------------------------------------------------------------

    def first(self, count: Offset) -> str | None:
        """A mask of the first ``count`` lanes; None for all of them."""
        if isinstance(count, int):
            if count >= self.width:
                return None
            bits = ", ".join(f"i1 {int(k < count)}" for k in range(self.width))
            return f"<{bits}>"
        limit = self.splat("i64", count)
        lanes = ", ".join(f"i64 {k}" for k in range(self.width))
        return self.emit(f"icmp slt <{self.width} x i64> <{lanes}>, {limit}")

    def masked(self, mask: str | None, x: str, y: str = "zeroinitializer") -> str:
        """x where the mask, if there is one, holds; else y."""
        if mask is None:
            return x
        kind = f"<{self.width} x i1>"
        return self.emit(f"select {kind} {mask}, {self.type} {x}, {self.type} {y}")

    def splat(self, kind: str, value: str | int) -> str:
        """A scalar in every lane."""
        vector = f"<{self.width} x {kind}>"
        one = self.emit(f"insertelement {vector} poison, {kind} {value}, i64 0")
        lanes = f"<{self.width} x i32> zeroinitializer"
        return self.emit(f"shufflevector {vector} {one}, {vector} poison, {lanes}")

    def load(self, pointer: str, mask: str | None = None) -> str:
        """Neighbours; lanes outside the mask are 1."""
        if mask is None:
            return self.emit(f"load {self.type}, ptr {pointer}, align 8")
        w, one = self.width, self.lanes.constant(1.0)
        return self.emit(
            f"call {self.type} @llvm.masked.load.v{w}f64.p0(ptr {pointer}, i32 8, "
            f"<{w} x i1> {mask}, {self.type} {one})"
        )

    def store(self, value: str, pointer: str, mask: str | None = None) -> None:
        if mask is None:
            self.do(f"store {self.type} {value}, ptr {pointer}, align 8")
            return
        w = self.width
        self.do(
            f"call void @llvm.masked.store.v{w}f64.p0({self.type} {value}, "
            f"ptr {pointer}, i32 8, <{w} x i1> {mask})"
        )

    def prefetch(self, pointer: str, write: bool = False) -> None:
        """Have the line around an address, which need not exist, brought near."""
        self.do(
            f"call void @llvm.prefetch.p0(ptr {pointer}, i32 {write:d}, i32 3, i32 1)"
        )

    def load_one(self, pointer: str) -> str:
        return self.emit(f"load double, ptr {pointer}, align 8")

    def store_one(self, value: str, pointer: str) -> None:
        self.do(f"store double {value}, ptr {pointer}, align 8")

    def broadcast(self, pointer: str) -> str:
        """One double in every lane."""
        return self.splat("double", self.load_one(pointer))

    def load_whole(self, pointer: str) -> str:
        return self.emit(f"load i64, ptr {pointer}, align 8")

    def entry(self, table: str, place: Offset) -> str:
        """One entry of an index table, as i64."""
        short = self.emit(f"load i32, ptr {self.at(table, place, 'i32')}, align 4")
        return self.emit(f"sext i32 {short} to i64")

    def load_indices(self, pointer: str, mask: str | None = None) -> str:
        """Neighbours of an index table, as i64; lanes outside the mask are 0."""
        w = self.width
        if mask is None:
            short = self.emit(f"load {self.indices}, ptr {pointer}, align 4")
        else:
            short = self.emit(
                f"call {self.indices} @llvm.masked.load.v{w}i32.p0(ptr {pointer}, "
                f"i32 4, <{w} x i1> {mask}, {self.indices} zeroinitializer)"
            )
        return self.emit(f"sext {self.indices} {short} to <{w} x i64>")

    def _spread(self, base: str, indices: str) -> str:
        kind = f"<{self.width} x i64>"
        return self.emit(f"getelementptr double, ptr {base}, {kind} {indices}")

    def gather(self, base: str, indices: str, mask: str | None = None) -> str:
        """Elements behind a pointer; lanes outside the mask are 1."""
        w, one = self.width, self.lanes.constant(1.0)
        mask = mask or self._all()
        places = self._spread(base, indices)
        return self.emit(
            f"call {self.type} @llvm.masked.gather.v{w}f64.v{w}p0(<{w} x ptr> "
            f"{places}, i32 8, <{w} x i1> {mask}, {self.type} {one})"
        )

    def scatter(
        self, value: str, base: str, indices: str, mask: str | None = None
    ) -> None:
        w, mask = self.width, mask or self._all()
        places = self._spread(base, indices)
        self.do(
            f"call void @llvm.masked.scatter.v{w}f64.v{w}p0({self.type} {value}, "
            f"<{w} x ptr> {places}, i32 8, <{w} x i1> {mask})"
        )

    def _all(self) -> str:
        return "<" + ", ".join(["i1 true"] * self.width) + ">"

    def steps(self, start: Offset, step: Offset) -> str:
        """start, start + step, ... as indices."""
        kind = f"<{self.width} x i64>"
        lanes = "<" + ", ".join(f"i64 {k}" for k in range(self.width)) + ">"
        moved = self.emit(f"mul {kind} {lanes}, {self.splat('i64', step)}")
        return self.emit(f"add {kind} {moved}, {self.splat('i64', start)}")

    def total(self, value: str) -> str:
        """The sum of all lanes."""
        operands = f"double {self.scalar.constant(-0.0)}, {self.type} {value}"
        name = f"@llvm.vector.reduce.fadd.v{self.width}f64"
        return self.emit(f"call reassoc double {name}({operands})")


def declarations(width: int) -> str:
    """The intrinsics that ``Code`` uses; declared once in each module."""
    w, d = width, f"<{width} x double>"
    m, i, p = f"<{w} x i1>", f"<{w} x i32>", f"<{w} x ptr>"
    return "\n".join(
        [
            f"declare {d} @llvm.masked.load.v{w}f64.p0(ptr, i32, {m}, {d})",
            f"declare void @llvm.masked.store.v{w}f64.p0({d}, ptr, i32, {m})",
            f"declare {i} @llvm.masked.load.v{w}i32.p0(ptr, i32, {m}, {i})",
            f"declare {d} @llvm.masked.gather.v{w}f64.v{w}p0({p}, i32, {m}, {d})",
            f"declare void @llvm.masked.scatter.v{w}f64.v{w}p0({d}, {p}, i32, {m})",
            "declare void @llvm.prefetch.p0(ptr, i32, i32, i32)",
            f"declare double @llvm.vector.reduce.fadd.v{w}f64(double, {d})",
        ]
    )
