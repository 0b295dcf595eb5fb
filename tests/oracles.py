"""What each row should compute, at any precision: mpmath, written independently."""

import functools

import mpmath as mp


def _erf(x):
    return mp.sign(x) if abs(x) > 10_000 else mp.erf(x)


def _erfc(x):
    return 1 - mp.sign(x) if abs(x) > 10_000 else mp.erfc(x)


def _gaussian(x):
    return mp.mpf(0) if abs(x) > 10_000 else mp.exp(-x * x)


def _where(c, x, y):
    return x if c != 0 else y


# row -> function of its operands (of its groups, for n-ary rows)
ORACLES = {
    "guarded_multiply": lambda x, y: x * y,
    "selected_multiply": lambda x, y: x * y,
    "add": lambda x, y: x + y,
    "subtract": lambda x, y: x - y,
    "multiply": lambda x, y: x * y,
    "divide": lambda x, y: x / y,
    "floor_divide": lambda x, y: mp.floor(x / y),
    "remainder": lambda x, y: x - y * mp.floor(x / y),
    "power": lambda x, y: mp.power(x, y),
    "negative": lambda x: -x,
    "absolute": abs,
    "sign": mp.sign,
    "floor": mp.floor,
    "ceil": mp.ceil,
    "trunc": lambda x: mp.floor(x) if x > 0 else mp.ceil(x),
    "less": lambda x, y: mp.mpf(x < y),
    "less_equal": lambda x, y: mp.mpf(x <= y),
    "greater": lambda x, y: mp.mpf(x > y),
    "greater_equal": lambda x, y: mp.mpf(x >= y),
    "equal": lambda x, y: mp.mpf(x == y),
    "not_equal": lambda x, y: mp.mpf(x != y),
    "where": _where,
    "nonnegative": lambda x: x,
    "exp": mp.exp,
    "exp2": lambda x: mp.power(2, x),
    "expm1": mp.expm1,
    "log": mp.log,
    "log2": lambda x: mp.log(x, 2),
    "log10": mp.log10,
    "log1p": mp.log1p,
    "sqrt": mp.sqrt,
    "cbrt": lambda x: mp.sign(x) * mp.cbrt(abs(x)),
    "sin": mp.sin,
    "cos": mp.cos,
    "tan": mp.tan,
    "one_minus_square": lambda x: 1 - x * x,
    "arcsin": mp.asin,
    "arccos": mp.acos,
    "arctan": mp.atan,
    "hypot": mp.hypot,
    "direction_cosine": lambda x, y: x / mp.hypot(x, y),
    "arctan2": mp.atan2,
    "sinh": mp.sinh,
    "cosh": mp.cosh,
    "tanh": mp.tanh,
    "sech2": lambda x: mp.sech(x) ** 2,
    "arcsinh": mp.asinh,
    "arccosh": mp.acosh,
    "arctanh": mp.atanh,
    "sigmoid": lambda x: 1 / (1 + mp.exp(-x)),
    "softplus": lambda x: mp.log1p(mp.exp(x)),
    "relu": lambda x: max(x, mp.mpf(0)),
    "step": lambda x: mp.mpf(x > 0),
    "gaussian": _gaussian,
    "erf": _erf,
    "erfc": _erfc,
    "lgamma": lambda x: mp.re(mp.loggamma(x)),
    "polygamma": lambda n, x: mp.polygamma(int(n), x),
    "sum": lambda xs: mp.fsum(xs),
    "prod": lambda xs: mp.fprod(xs),
    "dot": lambda ws, xs: mp.fdot(ws, xs),
    "maximum": lambda xs: max(xs),
    "minimum": lambda xs: min(xs),
    "logsumexp": lambda xs: mp.log(mp.fsum(mp.exp(x) for x in xs)),
}


def partial(name, operands, i, order=1):
    """The derivative of a given order with respect to one operand, to 250 digits.

    For an n-ary row, i is (group, position).
    """
    if isinstance(i, tuple):
        operands = tuple(map(tuple, operands))
    return _partial(name, operands, i, order)


@functools.cache  # an order is judged by the next one, and each is asked for in turn
def _partial(name, operands, i, order):
    f = ORACLES[name]

    def along(x):
        if isinstance(i, tuple):
            groups = [list(g) for g in operands]
            groups[i[0]][i[1]] = x
            return f(*groups)
        changed = list(operands)
        changed[i] = x
        return f(*changed)

    centre = operands[i[0]][i[1]] if isinstance(i, tuple) else operands[i]
    with mp.workdps(250):
        return mp.diff(along, mp.mpf(centre), order)
