"""Tracers: numbers that write down what is done with them, in a trace.

A ``Tracer`` is the index of an instruction. Its operators append to the three lists of
its ``Trace``; primitives of many operands, numbers to bake in and Values from outside
go through ``Trace.index`` and ``Trace.apply``.

    x * 2.0 of tracer %0:   constants [2.0], code [input, constant, multiply]

A tracer's level is that of its trace, below that of every transform which the function
runs inside itself: those see it as one more kind of number.

Source: Griewank & Walther 2008, section 6.1 (operator overloading onto a tape).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from autograd.compiler.trace.program import CODE, CONSTANT, INPUT, PRIMITIVES, Program
from autograd.compiler.trace.tape import ListTape
from autograd.errors import TraceError
from autograd.graph.nodes import CONSTANT as CONSTANT_NODE
from autograd.graph.nodes import grouped, pairs_of
from autograd.native import TRACER
from autograd.numbers.lifted import Level, checked
from autograd.numbers.operators import (
    COMPARISONS,
    EQUALITIES,
    METHODS,
    Operators,
    install,
    is_number,
)
from autograd.numbers.value import Value
from autograd.table.primitive import Primitive
from autograd.table.reals import as_float, comparable


class Unknown(Operators):
    """What every tracer is, whoever makes it."""

    __slots__ = ()
    trace: Trace
    index: int

    @property
    def level(self) -> int:
        """The level of the trace (see ``lifted``)."""
        found: int = self.trace.level
        return found

    @staticmethod
    def alone(numbers: list[Any]) -> Tracer | None:
        """One of these tracers and floats, if all tracers are of one trace: then it is
        the highest, and the many operands of a row need no closer look."""
        tracers = [x for x in numbers if type(x) is Tracer]
        return tracers[0] if len({x.trace for x in tracers}) == 1 else None

    def apply(self, primitive: Primitive, operands: tuple[Any, ...]) -> Any:
        """General dispatch: this tracer is the operand of the highest level."""
        return self.trace.apply(primitive, operands)

    def __bool__(self) -> bool:
        checked(self)
        raise TraceError(
            "a traced number has no truth value, since the program must fit all "
            "inputs: use autograd.where(condition, x, y), maximum, minimum and clip "
            "instead of if, and, or, max, min and numpy's; or name the argument in "
            "static="
        )

    def __index__(self) -> int:
        raise TraceError(
            "a traced number cannot be an index or a length: use take(xs, i) to "
            "gather by an input, or name the argument in static="
        )

    def __float__(self) -> float:
        raise TraceError(
            "a traced number does not become a float, since the program must fit all "
            "inputs: use autograd's function (autograd.exp instead of math.exp), and "
            "lists or arrays of dtype=object to keep traced numbers in"
        )

    __int__ = __complex__ = __float__

    def __format__(self, how: str) -> str:
        if how:
            raise TraceError("a traced number has no digits yet: format the results")
        return repr(self)

    @property
    def data(self) -> Any:
        """A traced number has none: raises TraceError."""
        raise TraceError(
            "a traced number has no .data yet; compute with the number itself"
        )

    def __repr__(self) -> str:
        return f"Tracer(%{self.index})"


def _binary(primitive: Primitive) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """The two operators of a primitive; unrolled, for tracing is bound by them."""
    code = CODE[primitive.name]

    def forward(self: Any, other: Any) -> Any:
        trace = self.trace
        kind = other.__class__
        if kind is Tracer and other.trace is trace:
            second = other.index
        elif kind is float or kind is int:
            known = trace.known.get(other) if other else None  # zeros have signs
            second = trace.index(other) if known is None else known
        elif hasattr(other, "level"):
            return primitive.apply((self, other))
        elif is_number(other):
            second = trace.index(other)
        else:
            return NotImplemented
        return Tracer(trace, trace.append(code, self.index, second))

    def reflected(self: Any, other: Any) -> Any:
        if other.__class__ is float or other.__class__ is int:
            trace = self.trace
            first = trace.index(other)
            return Tracer(trace, trace.append(code, first, self.index))
        return primitive.apply((other, self)) if is_number(other) else NotImplemented

    return forward, reflected


def _unary(primitive: Primitive) -> Callable[[Any], Any]:
    code = CODE[primitive.name]

    def method(self: Any) -> Any:
        return Tracer(self.trace, self.trace.append(code, self.index, -1))

    return method


def _comparison(primitive: Primitive) -> Callable[..., Any]:
    forward, _ = _binary(primitive)

    def compare(self: Any, other: Any) -> Any:
        return forward(self, other if hasattr(other, "level") else comparable(other))

    return compare


install(Unknown, _binary, _unary, _comparison, COMPARISONS | EQUALITIES)
for _name, _primitive in METHODS.items():
    if _primitive.arity == 1:
        setattr(Unknown, _name, _unary(_primitive))

if TYPE_CHECKING or TRACER is None:

    class Tracer(Unknown):
        """A number that is not known yet: the index of an instruction."""

        __slots__ = ("index", "trace")

        def __init__(self, trace: Trace, index: int) -> None:
            self.trace, self.index = trace, index

    class Tape(ListTape):
        """The instructions, and tracers of them."""

        def tracers(self, start: int, count: int) -> list[Tracer]:
            """Tracers of consecutive instructions."""
            trace: Any = self
            return [Tracer(trace, start + k) for k in range(count)]

        def indices(self, numbers: list[Any]) -> list[int] | None:
            """The indices of tracers and floats; None if there is anything else."""
            known = {Tracer, float, int}.issuperset(map(type, numbers))
            mine = all(x.trace is self for x in numbers if type(x) is Tracer)
            return [self.index(x) for x in numbers] if known and mine else None

else:
    Tape = TRACER.Tape
    Tracer = TRACER.complete(
        Unknown,
        {p.name: (CODE[p.name], *_binary(p)) for p in PRIMITIVES if p.arity in (1, 2)},
    )

LIMIT = 20_000_000  # instructions: about 1.5 GB of lists


class OuterTransformError(TraceError):
    """A number belongs to a transform that is under way, outside of the trace."""


@dataclass(frozen=True, eq=False)
class Source:
    """Where a block of inputs comes from.

    kind "numbers": all numbers of argument ``data``; "samples": argument ``data``
    has a sample for each place of ``axis`` (``vmap``); "array": so has an array from
    outside; "value": a Value from outside.
    """

    kind: str
    data: Any
    axis: int = 0


class Trace(Tape):
    """The instructions written so far, and the inputs and numbers they rest on.

    Attributes
    ----------
    sources : where the inputs come from, block by block, in their order.
    batch : how many samples ``vmap`` maps over; 0 for none.

    ``with Trace(...)``: behind the block its tracers are refused.
    """

    def __init__(self, limit: int = LIMIT, function: Any = None) -> None:
        super().__init__()
        self.level = Level("jit", function)
        self.limit = limit
        self.sources: list[Source] = []
        self.batched: list[bool] = []
        self.batch = 0
        self.batch_sum: Primitive | None = None
        self.operands: list[int] = []
        self.primitives: list[Primitive] = list(PRIMITIVES)
        self.codes: dict[Primitive, int] = {}
        self.groups: dict[int, int] = {CODE["dot"]: 2}
        self.constants: list[float] = []
        self.made: dict[int, Any] = {}  # Values that the function makes while it runs
        self.done: dict[int, int] = {}

    def __enter__(self) -> Trace:
        return self

    def __exit__(self, *_: object) -> None:
        self.level.open, self.limit = False, 0  # no instruction fits from now on

    def _make_room(self, count: int) -> None:
        """Raise EscapedError behind the block, TraceError beyond the limit."""
        if not self.level.open:
            self.level.refuse()
        if self.count + count > self.limit:
            raise TraceError(
                f"the trace is longer than {self.limit:,} instructions; trace one step "
                f"of the loop, use vmap over the data, or raise limit="
            )

    def inputs(self, source: Source, count: int, batched: bool = False) -> list[Tracer]:
        """A block of fresh inputs; with ``batched`` one for each column."""
        start, at = len(self.batched), self.count
        self.sources.append(source)
        self.batched += [batched] * count
        self.extend(INPUT, start, count)
        return self.tracers(at, count)

    @property
    def closed(self) -> list[Value]:
        """The Values from outside, which are read at each call."""
        return [s.data for s in self.sources if s.kind == "value"]

    def sum_over_batch(self, batch: int) -> Primitive:
        """The primitive that adds a number up over the whole batch."""
        if self.batch_sum is None:
            self.batch = batch
            self.batch_sum = Primitive(
                "sum_over_batch", lambda x: x * batch, lambda x, y: 1.0, symbol="Σ"
            )
        return self.batch_sum

    def index(self, x: Any) -> int:
        """The index of a number: a tracer's own, or that of a new leaf."""
        if isinstance(x, Tracer) and x.trace is self:
            return int(x.index)
        if isinstance(x, Value) and id(x) in self.made:
            if id(x) not in self.done:
                self._retrace()
            return self.done[id(x)]
        if isinstance(x, Value):  # read again at every call
            key: Any = ("value", id(x))
            if key not in self.known:
                (tracer,) = self.inputs(Source("value", x), 1)
                self.known[key] = tracer.index
            return self.known[key]
        if hasattr(checked(x), "level"):
            raise OuterTransformError(
                "the function closes over a number of a transform that is under way; "
                "pass it as an argument"
            )
        number = as_float(x)
        key = number if number != 0.0 else str(number)
        if key not in self.known:
            self.constants.append(number)
            self.known[key] = self.append(CONSTANT, len(self.constants) - 1, -1)
        return self.known[key]

    def saw(self, node: Any, primitive: Primitive, operands: Any) -> None:
        """A node was made while the function ran: from Values outside, and numbers."""
        if isinstance(node, Value) and primitive is not None:
            self.made[id(node)] = node, primitive, grouped(node)

    def _retrace(self) -> None:
        """Instructions for all such nodes, in the order in which they were made."""
        for key, (_, primitive, groups) in list(self.made.items()):
            if key not in self.done:
                own = [
                    tuple([x if p is CONSTANT_NODE else p for p, x in pairs_of(*group)])
                    for group in groups
                ]
                many = primitive.arity is None
                tracer = self.apply(primitive, tuple(own) if many else own[0])
                self.done[key] = tracer.index

    def tracer(self, x: Any) -> Tracer:
        """A number as a tracer."""
        return x if isinstance(x, Tracer) else Tracer(self, self.index(x))

    def code_of(self, primitive: Primitive) -> int:
        """The code of a primitive; one that is not of the table is added."""
        code = CODE.get(primitive.name)
        if code is not None and PRIMITIVES[code] is primitive:
            return code
        if primitive not in self.codes:
            self.codes[primitive] = len(self.primitives)
            self.primitives.append(primitive)
        return self.codes[primitive]

    def apply(self, primitive: Primitive, operands: tuple[Any, ...]) -> Tracer:
        """The instruction for any primitive and operands."""
        code, start = self.code_of(primitive), len(self.operands)
        flat = [*primitive.flat(operands)]
        own = self.indices(flat) or [self.index(x) for x in flat]
        if primitive.arity in (1, 2):
            second = own[1] if len(own) == 2 else -1
            return Tracer(self, self.append(code, own[0], second))
        if primitive.arity is None:
            self._check_groups(primitive, code, operands)
        self.operands += own
        return Tracer(self, self.append(code, start, len(own)))

    def _check_groups(self, primitive: Primitive, code: int, groups: Any) -> None:
        count = self.groups.setdefault(code, len(groups))
        if count != len(groups) or len(set(map(len, groups))) > 1:
            raise TraceError(
                f"{primitive.name} takes sequences of one length when it is traced, "
                f"got lengths {[len(group) for group in groups]}: "
                f"give each as many numbers"
            )

    def program(self, outputs: list[Any]) -> Program:
        """What was written, as arrays; checked."""
        returned = [self.index(y) for y in outputs]
        lists = np.array(self.operands, np.int64), np.array(returned, np.int64)
        code, first, second = [
            np.frombuffer(x, np.int64).copy() for x in self.written()
        ]
        operands, out = lists
        return Program(
            primitives=tuple(self.primitives),
            code=code,
            first=first,
            second=second,
            operands=operands,
            constants=np.array(self.constants, float),
            inputs=len(self.batched),
            outputs=out,
            groups=dict(self.groups),
            batched=np.array(self.batched, bool),
            batch=self.batch,
            batch_sum=self.codes.get(self.batch_sum, -1) if self.batch_sum else -1,
        ).validate()
