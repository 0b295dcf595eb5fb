"""Operands on which the vector kernels are tested: special values and random ones."""

import itertools
import math
import random
from math import inf, nan

from autograd.table.primitives import TABLE

SPECIAL = [0.0, 1.0, 0.5, 2.0, 3.0, 2.5, 1 / 3, inf, 5e-324, 1e-310, 1e-300]
SPECIAL += [2.2250738585072014e-308, 1e-17, 1e-8, 20.0, 40.0, 709.5, 710.2, 712.0]
SPECIAL += [745.0, 746.0, 1100.0, 1e5, 1e7, 2.0**52 + 1, 2.0**53 - 1, 1e22, 1e300]
SPECIAL += [1e308, 1.7976931348623157e308]
SPECIAL = [*SPECIAL, *[-x for x in SPECIAL], nan]
FEW = [0.0, -0.0, 1.0, -2.5, 1e-310, inf, -inf, nan]


def special_points(name):
    arity = TABLE[name].arity
    values = FEW if arity == 3 else SPECIAL
    if name in ("cbrt", "direction_cosine"):  # eager ones overflow beyond
        values = [x for x in values if not 1e308 < abs(x) < inf]
    points = list(itertools.product(values, repeat=arity))
    if name == "polygamma":
        return [(n, x) for n in (0.0, 1.0, 0.5, nan) for x in SPECIAL if abs(x) < 1e6]
    return points


def random_number(rng):
    """Interior, tails, tiny and huge, near 1, near multiples of pi/2."""
    sign, kind = rng.choice((-1, 1)), rng.randrange(6)
    if kind == 0:
        return rng.uniform(-2, 2)
    if kind == 1:
        return rng.uniform(-750, 750)
    if kind == 2:
        return sign * 10 ** rng.uniform(-17, 3)
    if kind == 3:
        return sign * 2 ** rng.uniform(-1074, 1023)
    if kind == 4:
        return sign * (1 + rng.choice((-1, 1)) * 10 ** rng.uniform(-16, 0))
    return rng.randint(-600_000, 600_000) * math.pi / 2


def random_points(name, count):
    """Points of the primitive's domain."""
    rng, primitive = random.Random(name), TABLE[name]
    if name == "polygamma":
        return [(float(rng.randint(0, 3)), rng.uniform(-3, 30)) for _ in range(count)]
    points = []
    while len(points) < count:
        xs = [random_number(rng) for _ in range(primitive.arity)]
        if name == "power":
            x = abs(xs[0])
            reach = 1080 / (abs(math.log2(x)) or 1.0)
            xs = [
                x,
                rng.choice((xs[1], rng.uniform(-4, 4), rng.uniform(-1, 1) * reach)),
            ]
        elif primitive.arity == 2:
            xs[1] = rng.choice((xs[1], xs[0] * rng.uniform(-3, 3)))
        if all(a < x < b for x, (a, b) in zip(xs, primitive.domain)):
            points.append(tuple(xs))
    return points
