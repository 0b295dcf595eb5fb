"""Sparse Jacobians and Hessians: the pattern from the graph, then colouring.

Two inputs can have a second derivative in common only if some operation that is not
linear meets both. Which operands of a row interact is read off the row: its partial
derivatives are evaluated on *supports*, numbers that only know which operands they
depend on. Columns of the matrix that share no row get one colour, and one backward pass
through the graph of the gradient serves a whole colour.

Sources: Griewank & Walther 2008, chapters 7 (patterns) and 8 (colouring); Curtis,
Powell & Reid 1974.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import wraps
from typing import Any

from autograd.errors import GraphError
from autograd.graph.handmade import Handmade
from autograd.graph.nodes import CONSTANT, grouped, pairs, topological_order
from autograd.missing import missing
from autograd.numbers.operators import Operators
from autograd.numbers.value import Value
from autograd.table.primitive import Primitive, zero
from autograd.table.primitives import TABLE
from autograd.table.reals import as_float
from autograd.transforms.costs import announce
from autograd.transforms.gradients import check_argnums, gradient
from autograd.transforms.tree import flatten

Node = Any
Pattern = list[set[int]]  # the rows that have an entry, for each column


class _Support(Operators):
    """A number that knows only which operands it depends on."""

    __slots__ = ("operands",)
    level = 0

    def __init__(self, operands: frozenset[int]) -> None:
        self.operands = operands

    def apply(self, primitive: Primitive, operands: tuple[Any, ...]) -> Any:
        flat = primitive.flat(operands)
        if primitive.predicate or (primitive.rules and set(primitive.rules) == {zero}):
            return 0.0 if primitive.predicate else _Support(frozenset())
        known = [p.operands for p in flat if isinstance(p, _Support)]
        return _Support(frozenset().union(*known))


_INTERACTIONS: dict[Any, list[frozenset[int]]] = {}


def interactions(node: Node) -> list[frozenset[int]]:
    """For each operand of a node, the operands its partial derivative depends on."""
    groups = grouped(node)
    shape = tuple([len(numbers) for _, numbers in groups])
    key = node._primitive, shape
    if key not in _INTERACTIONS:
        _INTERACTIONS[key] = _interactions(node, shape)
    return _INTERACTIONS[key]


def _interactions(node: Node, shape: tuple[int, ...]) -> list[frozenset[int]]:
    supports = [_Support(frozenset({i})) for i in range(sum(shape))]
    result = _Support(frozenset(range(sum(shape))))
    primitive = node._primitive
    if isinstance(primitive, Handmade):
        raise GraphError(
            f"{primitive.name!r} was made by hand, and has no derivatives to look at: "
            "write it as a Primitive"
        )
    operands = primitive.regroup(supports, shape)
    partials = primitive.partials(operands, result)
    return [p.operands if isinstance(p, _Support) else frozenset() for p in partials]


def hessian_pattern(y: Node, leaves: list[Node]) -> Pattern:
    """The rows of each column of the Hessian that can be other than 0."""
    interior, _ = topological_order(y)
    curved = _below_curvature(interior)
    index = {leaf: i for i, leaf in enumerate(leaves)}
    inputs: dict[Node, frozenset[int]] = {}
    pattern: Pattern = [set() for _ in leaves]
    said = False
    for node in interior:
        known = [_inputs_of(p, index, inputs) for p, _ in pairs(node)]
        for own, others in zip(known, interactions(node), strict=True):
            least = len(own) * max((len(known[j]) for j in others), default=0)
            said = said or _announce(least, len(own), "Hessian", len(leaves), 3)
            for i in own:
                for j in others:
                    pattern[i].update(known[j])
        if node in curved:
            inputs[node] = frozenset().union(*known)
    for column, rows in enumerate(pattern):
        for row in rows:
            pattern[row].add(column)
    if not said:
        longest = max(map(len, pattern), default=0)
        _announce(sum(map(len, pattern)), longest, "Hessian", len(leaves), 3)
    return pattern


def _announce(
    entries: int, colours: int, matrix: str, inputs: int, callers: int
) -> bool:
    """Say what at least so many entries and colours will cost, if they are many."""
    return announce(
        entries,
        colours,
        f"a sparse {matrix} over {inputs:,} inputs that is not sparse: at least",
        "use hvp(f) or vjp for products with it, or jit(hessian(f))",
        callers,
    )


def _inputs_of(
    operand: Node, index: dict[Node, int], inputs: dict[Node, frozenset[int]]
) -> frozenset[int]:
    if operand in index:
        return frozenset({index[operand]})
    return inputs.get(operand, frozenset())


def _below_curvature(interior: list[Node]) -> set[Node]:
    """The nodes that some operation with a second derivative depends on.

    Only their inputs need to be known: a long sum of terms is not curved itself.
    """
    curved: set[Node] = set()
    for node in reversed(interior):
        bends = node in curved or any(interactions(node))
        if bends:
            curved.update(p for p, _ in pairs(node) if p is not CONSTANT)
    return curved


def colour(pattern: Iterable[set[int]]) -> list[int]:
    """A colour for each column, such that columns of one colour share no row.

    >>> colour([{0, 1}, {0, 1, 2}, {1, 2, 3}, {2, 3}])
    [0, 1, 2, 0]
    """
    taken: dict[int, set[int]] = {}
    colours = []
    for rows in pattern:
        forbidden = set().union(*[taken.get(row, ()) for row in rows])
        chosen = next(c for c in range(len(forbidden) + 1) if c not in forbidden)
        for row in rows:
            taken.setdefault(row, set()).add(chosen)
        colours.append(chosen)
    return colours


def _scipy_sparse() -> Any:
    try:
        from scipy import sparse
    except ImportError as cause:
        raise missing("sparse=True returns matrices of SciPy", "scipy") from cause
    return sparse


def _leaves(
    args: tuple[Any, ...], argnums: int
) -> tuple[list[Any], list[Value], list[Any]]:
    numbers, rebuild = flatten(args[argnums], as_floats=True)
    if any(hasattr(x, "level") and not isinstance(x, Value) for x in numbers):
        raise TypeError(
            "sparse=True looks at a graph of plain numbers, and cannot be compiled, "
            "mapped or differentiated: use jit(hessian(f)), jit(hvp(f)) or sparse=False"
        )
    leaves = [Value(as_float(x)) for x in numbers]
    given = list(args)
    given[argnums] = rebuild(leaves)
    return numbers, leaves, given


def sparse_hessian(f: Callable[..., Any], argnums: int = 0) -> Callable[..., Any]:
    """``hessian(f, sparse=True)``: floats in, a SciPy CSR matrix out."""

    @wraps(f)
    def derivative(*args: Any, **kwargs: Any) -> Any:
        sparse = _scipy_sparse()
        check_argnums(argnums, len(args), kwargs)
        _, leaves, given = _leaves(args, argnums)
        y = f(*given, **kwargs)
        if not isinstance(y, Value):
            y = Value(as_float(y))
        _refuse_foreign([y], leaves)
        pattern = hessian_pattern(y, leaves)
        slopes = gradient(y, leaves, create_graph=True)
        return _compressed(sparse, slopes, leaves, pattern, len(leaves))

    return derivative


def sparse_jacobian(f: Callable[..., Any], argnums: int = 0) -> Callable[..., Any]:
    """``jacobian(f, sparse=True)``: floats in, a SciPy CSR matrix out."""

    @wraps(f)
    def derivative(*args: Any, **kwargs: Any) -> Any:
        sparse = _scipy_sparse()
        check_argnums(argnums, len(args), kwargs)
        _, leaves, given = _leaves(args, argnums)
        outputs, _ = flatten(f(*given, **kwargs))
        outputs = [y if isinstance(y, Value) else Value(as_float(y)) for y in outputs]
        _refuse_foreign(outputs, leaves)
        index = {leaf: j for j, leaf in enumerate(leaves)}
        pattern: Pattern = []
        entries, said = 0, False
        for y in outputs:  # of the transpose: columns are outputs here
            below = topological_order(y)[1]
            pattern.append({index[leaf] for leaf in below if leaf in index})
            entries += len(pattern[-1])
            colours = entries // max(len(leaves), 1)
            said = said or _announce(entries, colours, "Jacobian", len(leaves), 2)
        return _compressed(sparse, outputs, leaves, pattern, len(leaves)).T.tocsr()

    return derivative


def _refuse_foreign(outputs: list[Value], leaves: list[Value]) -> None:
    known = set(leaves)
    for leaf in topological_order(*outputs)[1]:
        if leaf not in known and not leaf._primitive and leaf not in outputs:
            raise GraphError(
                f"a sparse derivative is made of floats, and f depends on {leaf!r} "
                f"from outside; pass it as an argument, or use sparse=False"
            )


def _compressed(
    sparse: Any,
    outputs: list[Value],
    leaves: list[Value],
    pattern: Pattern,
    height: int,
) -> Any:
    """The matrix whose column k is the gradient of output k, colour by colour.

    One backward pass from the sum of the outputs of one colour gives all their columns,
    since no row has an entry in two of them.
    """
    colours = colour(pattern)
    members: list[list[int]] = [[] for _ in range(max(colours, default=-1) + 1)]
    for k, chosen in enumerate(colours):
        members[chosen].append(k)
    rows, columns, entries = [], [], []
    for same in members:
        total = TABLE["sum"]([outputs[k] for k in same])
        for leaf in leaves:
            leaf.grad = 0.0
        total.backward()
        for k in same:
            for row in pattern[k]:
                rows.append(row)
                columns.append(k)
                entries.append(leaves[row].grad)
    shape = (height, len(outputs))
    return sparse.csr_matrix((entries, (rows, columns)), shape=shape)
