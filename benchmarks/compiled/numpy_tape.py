"""Works without matrices in numpy: a trajectory, and a random program."""

from __future__ import annotations

import numpy as np
import scalar_programs


def by_depth(plan, leaves):
    """Instructions of one kind and one depth together: (name, targets, i, j)."""
    depth, groups = [0] * leaves, {}
    for target, (name, i, j) in enumerate(plan, leaves):
        depth.append(1 + max(depth[i], 0 if name == "tanh" else depth[j]))
        groups.setdefault((depth[target], name), []).append((target, i, j))
    return [
        (name, *np.array(rows).T.copy()) for (_, name), rows in sorted(groups.items())
    ]


FORWARD = {
    "+": lambda x, y: x + y,
    "-": lambda x, y: x - y,
    "*": lambda x, y: x * y * 0.5,
    "tanh": lambda x, y: np.tanh(x),
}
BACKWARD = {  # of the cotangent, the operands and the result
    "+": lambda g, x, y, z: (g, g),
    "-": lambda g, x, y, z: (g, -g),
    "*": lambda g, x, y, z: (0.5 * g * y, 0.5 * g * x),
    "tanh": lambda g, x, y, z: (g * (1.0 - z * z), None),
}


def irregular(task):
    """One numpy operation for all instructions of one kind and one depth."""
    plan, leaves = task.program.args[0], task.params.size
    numbers = np.empty(leaves + len(plan))
    cotangents, groups = np.empty_like(numbers), by_depth(plan, leaves)

    def run():
        numbers[:leaves] = task.params
        for name, target, i, j in groups:
            numbers[target] = FORWARD[name](numbers[i], numbers[j])
        ends = np.tanh(numbers[-500:])
        cotangents[:] = 0.0
        cotangents[-500:] = 1.0 - ends * ends
        for name, target, i, j in groups[::-1]:
            g, x, y = cotangents[target], numbers[i], numbers[j]
            dx, dy = BACKWARD[name](g, x, y, numbers[target])
            np.add.at(cotangents, i, dx)
            if dy is not None:
                np.add.at(cotangents, j, dy)
        return ends.sum(), cotangents[:leaves]

    return run


def slope(p, s):
    """The pendulum's slope at the state s, and its Jacobians in s and in p[:4]."""
    stiffness, mass, length, damping = p[:4]
    r = np.hypot(s[0], s[1])
    unit, v = s[:2] / r, s[2:]
    force = stiffness * (r - length) * unit + damping * v
    in_state = np.zeros((4, 4))
    in_state[0, 2] = in_state[1, 3] = 1.0
    across = np.eye(2) - np.outer(unit, unit)
    pull = stiffness * (np.eye(2) - length / r * across)
    in_state[2:, :2], in_state[2:, 2:] = -pull / mass, -damping / mass * np.eye(2)
    in_params = np.zeros((4, 4))
    columns = [(r - length) * unit, -force / mass, -stiffness * unit, v]
    in_params[2:] = -np.array(columns).T / mass
    down = np.array([0.0, scalar_programs.GRAVITY])
    return np.concatenate([v, -force / mass - down]), in_state, in_params


def pendulum(task):
    """Forward with every Jacobian stored, then the reverse sweep."""
    p, (observed,), h = task.params, task.inputs, scalar_programs.STEP

    def run():
        s, saved, deviations = np.array([p[4], p[5], 0.0, 0.0]), [], []
        for point in observed:
            k1, *j1 = slope(p, s)
            k2, *j2 = slope(p, s + 0.5 * h * k1)
            k3, *j3 = slope(p, s + 0.5 * h * k2)
            k4, *j4 = slope(p, s + h * k3)
            s = s + h / 6.0 * (k1 + 2.0 * k2 + 2.0 * k3 + k4)
            saved.append((j1, j2, j3, j4))
            deviations.append(s[:2] - point)
        gradient, ds = np.zeros(6), np.zeros(4)
        for deviation, stages in zip(deviations[::-1], saved[::-1], strict=True):
            ds[:2] += 2.0 * deviation
            total, d = ds.copy(), np.zeros(4)
            weights, steps = (1.0, 2.0, 2.0, 1.0), (0.0, h, 0.5 * h, 0.5 * h)
            for (in_state, in_params), w, step in zip(
                stages[::-1], weights, steps, strict=True
            ):
                dk = h / 6.0 * w * ds + step * d
                d = dk @ in_state
                gradient[:4] += dk @ in_params
                total += d
            ds = total
        gradient[4:] = ds[:2]
        return np.square(deviations).sum(), gradient

    return run
