"""Random eager programs, whose every bit is printed: both engines must print the same.

Rows by operator, method and function; hard numbers; nodes made by hand, attributes,
edited data, foreign gradients, copies, pickles, passes that fail. A process runs one
engine, so ``python tests/engine_programs.py first count`` runs in two.
"""

import copy
import os
import pickle
import random
import struct
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
HARD = [0.0, -0.0, 1.0, -1.0, 2.0, 0.5, 1e-300, -1e300, 1e17, 700.0, -745.0, 40.0]
HARD += [float("inf"), float("-inf"), float("nan"), 3.0, -2.0, 1.5, 1e-9, 5e-324]


def bits(x):
    """Sixteen digits of hexadecimal, or the text of what is no float."""
    if type(x) is not float:
        return repr(x)
    return "nan" if x != x else struct.pack(">d", x).hex()


def outcomes(first, count):
    """A line for each seed."""
    for seed in range(first, first + count):
        yield f"{seed} {' '.join(run(random.Random(seed)))}"


def run(rng):
    """What one program shows of itself."""
    import autograd as ag

    cube = ag.Primitive("cube", lambda x: x * x * x, lambda x, y: 3.0 * x * x)
    larger = ag.Primitive(
        "larger", max, joint=lambda x, y, z: (float(x >= y), float(x < y)), arity=2
    )
    leaves = [ag.Value(number(rng)) for _ in range(rng.randint(1, 4))]
    nodes = list(leaves)
    for _ in range(rng.randint(1, 25)):
        try:
            nodes.append(step(ag, rng, nodes, cube, larger))
        except (ZeroDivisionError, ValueError, OverflowError) as error:
            yield type(error).__name__
    for _ in range(rng.randint(1, 3)):
        disturb(ag, rng, nodes, leaves)
        root = rng.choice(nodes[-3:])
        try:
            root.backward()
        except Exception as error:  # whatever it is, it is the same in both
            yield f"{type(error).__name__}:{error}".replace(" ", "_")
        yield from (bits(n.data) + bits(getattr(n, "grad", "gone")) for n in nodes)
    yield from further(ag, rng, nodes, leaves)


def number(rng):
    return rng.choice(HARD) if rng.random() < 0.3 else rng.uniform(-3.0, 3.0)


def step(ag, rng, nodes, cube, larger):
    """One more node."""
    a, b, c = rng.choices(nodes[-6:], k=3)
    plain = rng.choice([number(rng), rng.randint(-3, 3), True, number(rng)])
    pair = (a, b) if rng.random() < 0.6 else rng.choice([(a, plain), (plain, a)])
    kind = rng.randrange(12)
    if kind < 4:
        return arithmetic(rng.choice("+-*/%^|"), *pair)
    if kind < 7:
        unary = [n for n, p in ag.table.primitives.TABLE.items() if p.arity == 1]
        return ag.table.primitives.TABLE[rng.choice(unary)](a)
    if kind == 7:
        method = rng.choice(
            [
                "relu",
                "tanh",
                "exp",
                "log",
                "sigmoid",
                "sqrt",
                "arctan",
                "sin",
                "softplus",
            ]
        )
        return getattr(a, method)()
    if kind == 8:
        xs = [rng.choice([a, b, c, plain]) for _ in range(rng.randint(1, 5))] + [a]
        many = rng.choice([ag.sum, ag.prod, ag.maximum, ag.minimum, ag.logsumexp])
        return many(xs)
    if kind == 9:
        ws = [rng.choice([a, b, number(rng)]) for _ in range(4)]
        return ag.dot([*ws, a], [c, plain, a, b, number(rng)], rng.choice([b, 0.5]))
    if kind == 10:
        rows = [rng.choices(nodes[:4], k=3) for _ in range(2)]
        xs = rng.choice([[1.0, 2.0, number(rng)], [a, b, c], [a, 2, plain]])
        return ag.sum(ag.affine(rows, [a, b])(xs))
    return rng.choice(
        [
            lambda: cube(a),
            lambda: larger(*pair),
            lambda: ag.where(a > b, *pair),
            lambda: ag.hypot(*pair),
            lambda: ag.Value(a.data + 1.0, (a, b), (0.5, -2.0)),
            lambda: ag.checkpoint(lambda x, y: x * y + ag.tanh(x))(a, b),
            lambda: abs(a) + -b,
            lambda: a**2 + b,
        ]
    )()


def arithmetic(sign, x, y):
    return {
        "+": lambda: x + y,
        "-": lambda: x - y,
        "*": lambda: x * y,
        "/": lambda: x / y,
        "%": lambda: x % y,
        "|": lambda: x // y,
        "^": lambda: x**y,
    }[sign]()


def disturb(ag, rng, nodes, leaves):
    """What programs do to nodes between two passes."""
    node, leaf = rng.choice(nodes), rng.choice(leaves)
    [
        lambda: setattr(leaf, "data", number(rng)),
        lambda: setattr(node, "data", number(rng)),
        lambda: setattr(node, "label", "named"),
        lambda: setattr(node, "note", [1, 2]),
        lambda: setattr(leaf, "grad", rng.choice([0, None, 2, True, "text"])),
        lambda: setattr(node, "grad", rng.choice([0, 1.5, None])),
        lambda: setattr(leaf, "grad", 0.0),
        lambda: None,
    ][rng.randrange(8)]()


def further(ag, rng, nodes, leaves):
    """Copies, pickles, other passes, and how things print."""
    root = nodes[-1]
    for leaf in leaves:
        leaf.grad = 0.0
    for clone in (copy.deepcopy, lambda n: pickle.loads(pickle.dumps(n)), copy.copy):
        try:
            other = clone(root)
            other.backward()
        except Exception as error:
            yield f"{type(error).__name__}:{error}".replace(" ", "_")[:60]
            continue
        yield bits(other.data) + bits(other.grad) + repr(other.op)
        yield from (bits(leaf.grad) for leaf in leaves)
    try:
        for slope in ag.gradient(root, leaves, create_graph=True):
            yield bits(slope.data) if hasattr(slope, "data") else bits(slope)
    except Exception as error:
        yield f"{type(error).__name__}:{error}".replace(" ", "_")[:60]
    yield repr(root).replace(" ", "")
    yield ",".join(sorted(vars(root)))
    yield from (f"{n.op}{len(n.operands)}{bool(n)}{n > 1}{n == 0.5}" for n in nodes)


def printed(engine, first, count):
    """The lines of one engine, from a process of its own."""
    done = subprocess.run(
        [sys.executable, __file__, str(first), str(count)],
        env=os.environ | {"AUTOGRAD_ENGINE": engine, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        cwd=ROOT,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


if __name__ == "__main__":
    for line in outcomes(int(sys.argv[1]), int(sys.argv[2])):
        print(line)
