"""The language model of C5 in numpy: value and gradient, derived by hand."""

from __future__ import annotations

import math

import gpt
import numpy as np


def rms_norm(x):
    """x / sqrt(mean of squares + 1e-5) for each row, and the scale."""
    scale = 1.0 / np.sqrt(np.einsum("ti,ti->t", x, x) / x.shape[1] + 1e-5)[:, None]
    return x * scale, scale


def rms_norm_back(x, scale, dy):
    """The cotangent of x."""
    inner = np.einsum("ti,ti->t", dy, x)[:, None] / x.shape[1]
    return scale * dy - x * (scale**3 * inner)


def softmax(x):
    powers = np.exp(x - x.max(axis=-1, keepdims=True))
    total = powers.sum(axis=-1, keepdims=True)
    return powers / total


def matrices(flat):
    """Views of the flat parameters by name."""
    found, start = {}, 0
    for name, (m, n) in gpt.SHAPES.items():
        found[name] = flat[start : start + m * n].reshape(m, n)
        start += m * n
    return found


class Model:
    """Forward and backward over all tokens at once."""

    def __init__(self, params, tokens):
        self.w, self.gradient = matrices(params), np.zeros_like(params)
        self.dw, self.tokens = matrices(self.gradient), np.array(tokens)
        self.steps = len(tokens) - 1
        upper = np.triu(np.ones((self.steps, self.steps)), 1) > 0.0
        self.future = np.where(upper, -np.inf, 0.0)
        self.scale = 1.0 / math.sqrt(gpt.WIDTH // gpt.HEADS)

    def linear(self, name, x):
        return x @ self.w[name].T

    def linear_back(self, name, x, dy):
        """Store the gradient of a matrix; the cotangent of its input."""
        np.matmul(dy.T, x, out=self.dw[name])
        return dy @ self.w[name]

    def split(self, x):
        """(steps, width) to (heads, steps, width of a head)."""
        return x.reshape(self.steps, gpt.HEADS, -1).transpose(1, 0, 2)

    def join(self, x):
        return x.transpose(1, 0, 2).reshape(self.steps, gpt.WIDTH)

    def attention(self, x):
        """The mixed values, and what the way back needs."""
        q, k, v = [
            self.split(self.linear(name, x)) for name in ("queries", "keys", "values")
        ]
        weights = softmax((q @ k.transpose(0, 2, 1)) * self.scale + self.future)
        return self.join(weights @ v), (q, k, v, weights)

    def attention_back(self, x, saved, dy):
        q, k, v, weights = saved
        dy = self.split(dy)
        dv, da = weights.transpose(0, 2, 1) @ dy, dy @ v.transpose(0, 2, 1)
        inner = np.einsum("htu,htu->ht", da, weights)[:, :, None]
        ds = weights * (da - inner) * self.scale
        dx = self.linear_back("queries", x, self.join(ds @ k))
        dx += self.linear_back("keys", x, self.join(ds.transpose(0, 2, 1) @ q))
        dx += self.linear_back("values", x, self.join(dv))
        return dx

    def __call__(self):
        w, dw, rows = self.w, self.dw, np.arange(self.steps)
        before, after = self.tokens[:-1], self.tokens[1:]
        e = w["tokens"][before] + w["positions"][: self.steps]
        x0, s0 = rms_norm(e)
        n0, s1 = rms_norm(x0)
        mixed, saved = self.attention(n0)
        x1 = self.linear("mix", mixed) + x0
        n1, s2 = rms_norm(x1)
        hidden = np.maximum(self.linear("widen", n1), 0.0)
        x2 = self.linear("narrow", hidden) + x1
        p = softmax(self.linear("logits", x2))
        value = -np.log(p[rows, after]).mean()
        p[rows, after] -= 1.0
        d = self.linear_back("logits", x2, p / self.steps)
        dh = self.linear_back("narrow", hidden, d) * (hidden > 0.0)
        d = d + rms_norm_back(x1, s2, self.linear_back("widen", n1, dh))
        dn = self.attention_back(n0, saved, self.linear_back("mix", mixed, d))
        de = rms_norm_back(e, s0, d + rms_norm_back(x0, s1, dn))
        dw["tokens"][:] = 0.0
        np.add.at(dw["tokens"], before, de)
        dw["positions"][: self.steps] = de
        return value, self.gradient
