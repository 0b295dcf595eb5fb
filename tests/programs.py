"""Random expression programs: every row, shared subgraphs, constants on both sides.

A program is a list of instructions ``(row, operands)``; an operand is the index of an
input or of an earlier result, or a constant. It runs on any numbers. ``check`` compares
the value and the gradient on floats with mpmath's, within a bound worked out for this
very program and point.
"""

import itertools
import math
import random

import mpmath as mp
from cases import PARTICULAR
from exact import DIGITS, Exact

from autograd import Value, gradient
from autograd.table.primitives import TABLE
from autograd.transforms.gradients import grad

ROWS = sorted(
    n for n, row in TABLE.items() if not row.predicate and n not in PARTICULAR
)
CONSTANTS = [0.5, 2.0, -1.0, 3.0, 0.1, 1.0, -0.75, 1e-3, 7.0]
_UNIT = 2.0**-53


def generate(seed, length=None):
    """A program of two or three inputs, and the point to run it at."""
    rng = random.Random(seed)
    inputs = rng.randint(1, 3)
    length = length or rng.randint(2, 10)
    program = []
    for k in range(length):
        row = TABLE[rng.choice(ROWS)]
        count = row.arity or rng.randint(1, 4)

        def operand(k=k):
            if rng.random() < 0.2:
                return ("constant", rng.choice(CONSTANTS))
            recent = inputs + k
            return ("number", rng.randrange(max(0, recent - 6), recent))

        groups = 2 if row.name == "dot" else 1
        program.append(
            (row.name, [[operand() for _ in range(count)] for _ in range(groups)])
        )
    scale = rng.choice([1.0, 1.0, 1.0, 10.0, 1e-3])
    point = [rng.choice((-1, 1)) * rng.uniform(0.1, 2.0) * scale for _ in range(inputs)]
    if rng.random() < 0.2:
        point = [float(round(x)) or 1.0 for x in point]
    return program, point


def run(program, numbers, each=lambda k, x: x):
    """All results, in order; ``each`` may change a result before it is used."""
    results = list(numbers)
    for k, (name, groups) in enumerate(program):
        row = TABLE[name]
        xs = [[results[v] if kind == "number" else v for kind, v in g] for g in groups]
        result = row(*xs) if row.arity is None else row(*xs[0])
        results.append(each(k, result))
    return results


def is_ordinary(program, point):
    """Whether all results are finite, of moderate size, and no row is near a kink."""
    results = run(program, point)
    if not all(
        math.isfinite(x) and (x == 0.0 or 1e-60 < abs(x) < 1e60) for x in results
    ):
        return False
    return not any(
        _near_kink(
            name, [results[v] if kind == "number" else v for kind, v in groups[0]]
        )
        for name, groups in program
    )


def _near_kink(name, xs):
    """Whether rounding could carry these operands over a kink, or they are on a pole."""
    if name in ("floor", "ceil", "trunc", "sign", "absolute", "relu", "step"):
        return abs(xs[0] - round(xs[0])) < 1e-6
    if name in ("remainder", "floor_divide"):
        quotient = xs[0] / xs[1] if xs[1] else math.inf
        return not abs(quotient) < 1e9 or abs(quotient - round(quotient)) < 1e-6
    if name in ("maximum", "minimum"):
        pairs = itertools.pairwise(sorted(xs))
        return any(b - a <= 1e-6 * max(1.0, abs(a)) for a, b in pairs)
    if name == "lgamma":
        return not 0.1 < xs[0] < 1e3
    if name == "where":
        return abs(xs[0]) < 1e-6
    if name in ("arctan2", "hypot", "direction_cosine", "power"):
        return 0.0 in xs
    return name in ("sin", "cos", "tan") and abs(xs[0]) > 1e6


def bounds(program, point):
    """Exact value and gradient, and how far rounding may move each of them.

    Every result is multiplied by (1 + e_k). The derivative of the value, or of a slope,
    with respect to e_k says what a rounding in step k does to it; the sum over the steps
    is the first-order bound of the forward pass. The backward pass adds a rounding for
    each edge to each path, bounded by the number of steps.
    """
    with mp.workdps(DIGITS):
        inputs = [Exact(x) for x in point]
        errors = [Exact(0.0) for _ in program]

        def last(xs, es):
            return run(program, xs, lambda k, r: r * (1.0 + es[k]))[-1]

        n, steps = len(inputs), len(program)
        value = last(inputs, errors)
        moves = grad(last, 1)(inputs, errors)
        slopes = grad(last, 0)(inputs, errors)
        table = [
            grad(lambda xs, es, i=i: grad(last, 0)(xs, es)[i], argnums=(0, 1))(
                inputs, errors
            )
            for i in range(n)
        ]

        def plain(x):
            return x.value if isinstance(x, Exact) else mp.mpf(x)

        inner = inner_conditions(program, point)
        value_bound = sum(abs(plain(m)) * c for m, c in zip(moves, inner, strict=True))
        slope_bounds = [
            sum(abs(plain(e)) * c for e, c in zip(es, inner, strict=True))
            + sum(abs(plain(h) * x) for h, x in zip(hs, point, strict=True))
            + steps * abs(plain(slope))
            for (hs, es), slope in zip(table, slopes, strict=True)
        ]
        return plain(value), value_bound, [plain(s) for s in slopes], slope_bounds


def inner_conditions(program, point):
    """How much larger than its result a row's inner terms are: sums may cancel."""
    results = run(program, point)
    found = []
    for k, (name, groups) in enumerate(program):
        row, result = TABLE[name], results[len(point) + k]
        if result == 0.0 or (row.arity is not None and name != "lgamma"):
            found.append(1.0)
            continue
        xs = [[results[v] if kind == "number" else v for kind, v in g] for g in groups]
        flat = [x for g in xs for x in g]
        operands = tuple(map(tuple, xs)) if row.arity is None else tuple(flat)
        slopes = row.partials(operands, result)
        size = sum(abs(x * d) for x, d in zip(flat, slopes, strict=True))
        condition = 1.0 + (size + max(map(abs, flat))) / abs(result)
        known = 40.0 if name == "lgamma" else 1.0  # an exception of docs/accuracy.md
        found.append(known * condition)
    return found


def absolute_slopes(program, point):
    """The gradient with every partial replaced by its size: what cancels is seen."""
    nodes = [Value(x) for x in point]
    y = run(program, nodes)[-1]
    if not isinstance(y, Value):
        return [0.0] * len(point)
    from autograd.graph.nodes import topological_order
    from autograd.graph.reverse import edges

    sizes = {y: 1.0}
    for node in reversed(topological_order(y)[0]):
        if node in sizes:
            for operand, partial in edges(node):
                sizes[operand] = sizes.get(operand, 0.0) + sizes[node] * abs(partial)
    return [sizes.get(node, 0.0) for node in nodes]


def check(program, point):
    """None when floats agree with mpmath, else a sentence about the first deviation.

    The empty sentence says that there is nothing to judge: a pole of a derivative, where
    no finite bound exists, or a point outside a domain.
    """
    nodes = [Value(x) for x in point]
    y = run(program, nodes)[-1]
    value, value_bound, slopes, slope_bounds = bounds(program, point)
    got = y.data if isinstance(y, Value) else y
    found = gradient(y, nodes)
    if isinstance(y, Value):
        y.backward()
        if [n.grad for n in nodes] != found and not any(map(math.isnan, found)):
            return f"backward {[n.grad for n in nodes]} differs from gradient {found}"
    if mp.isnan(value) or any(map(mp.isnan, slopes)):
        return ""
    sizes = absolute_slopes(program, point)
    allowed = 8 * _UNIT * (value_bound + abs(value)) + 1e-290
    if not all(map(mp.isfinite, [allowed, *slope_bounds, *sizes])):
        return ""
    if not abs(mp.mpf(got) - value) <= allowed:
        return f"value {got!r}, exactly {mp.nstr(value, 20)}, allowed {float(allowed)}"
    for i, (a, b, bound, size) in enumerate(
        zip(found, slopes, slope_bounds, sizes, strict=True)
    ):
        allowed = 8 * _UNIT * (bound + len(program) * size + abs(b)) + 1e-290
        if not abs(mp.mpf(a) - b) <= allowed:
            return (
                f"slope {i}: {a!r}, exactly {mp.nstr(b, 20)}, allowed {float(allowed)}"
            )
    return None


def shrink(program, point):
    """The shortest beginning of a failing program that still fails."""
    for length in range(1, len(program) + 1):
        part = program[:length]
        if is_ordinary(part, point) and check(part, point):
            return part, point
    return program, point


def campaign(first, count):
    """Check many seeds: (checked, left out as extraordinary, failures)."""
    checked, left_out, failures = 0, 0, []
    for seed in range(first, first + count):
        program, point = generate(seed)
        if not is_ordinary(program, point):
            left_out += 1
            continue
        complaint = check(program, point)
        if complaint == "":
            left_out += 1
            continue
        checked += 1
        if complaint is not None:
            failures.append((seed, complaint, shrink(program, point)))
    return checked, left_out, failures
