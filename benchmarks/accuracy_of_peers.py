"""First derivatives in the tails, beside PyTorch and JAX.

Needs ``pip install torch jax mpmath``. Relative errors, double precision throughout.
"""

from __future__ import annotations

import jax
import mpmath as mp
import torch

import autograd as ag

jax.config.update("jax_enable_x64", True)
mp.mp.dps = 50

CASES = {
    "sigmoid": (
        ag.sigmoid,
        torch.sigmoid,
        jax.nn.sigmoid,
        lambda x: 1 / (1 + mp.exp(-x)),
    ),
    "tanh": (ag.tanh, torch.tanh, jax.numpy.tanh, mp.tanh),
    "erfc": (ag.erfc, torch.special.erfc, jax.scipy.special.erfc, mp.erfc),
    "softplus": (
        ag.softplus,
        torch.nn.functional.softplus,
        jax.nn.softplus,
        lambda x: mp.log1p(mp.exp(x)),
    ),
    "gelu": (
        ag.gelu,
        torch.nn.functional.gelu,
        lambda x: jax.nn.gelu(x, approximate=False),
        lambda x: x * mp.erfc(-x / mp.sqrt(2)) / 2,
    ),
    "log1p": (ag.log1p, torch.log1p, jax.numpy.log1p, mp.log1p),
    "arccosh": (ag.arccosh, torch.arccosh, jax.numpy.arccosh, mp.acosh),
    "cbrt": (ag.cbrt, lambda x: x ** (1 / 3), jax.numpy.cbrt, mp.cbrt),
}
POINTS = [("sigmoid", 30.0), ("sigmoid", -30.0), ("tanh", 15.0), ("tanh", 19.0)]
POINTS += [("erfc", 6.0), ("softplus", -30.0), ("gelu", -8.0), ("log1p", -1 + 1e-12)]
POINTS += [("arccosh", 1 + 1e-10), ("cbrt", 1e-12)]


def main():
    print(f"{'derivative':22s} {'here':>10s} {'PyTorch':>10s} {'JAX':>10s}")
    for name, x in POINTS:
        ours, torchs, jaxs, exact = CASES[name]
        true = mp.diff(exact, mp.mpf(x), relative=True)
        tensor = torch.tensor(x, dtype=torch.float64, requires_grad=True)
        torchs(tensor).backward()
        found = [ag.grad(ours)(x), tensor.grad.item(), float(jax.grad(jaxs)(x))]
        errors = [f"{float(abs((g - true) / true)):10.1e}" for g in found]
        print(f"{name + ' at ' + format(x, 'g'):22s}", *errors)


if __name__ == "__main__":
    main()
