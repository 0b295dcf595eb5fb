"""Every row in ulp against mpmath: values, first, second and third derivatives.

A hundred derivatives and more for each row, two or more of them at each point of rows
of several operands; ``scripts/accuracy.py`` takes a thousand points.
"""

from pathlib import Path

import cases
import exact
import mpmath as mp
import oracles
import pytest

from autograd.table.primitives import TABLE

SMOOTH = sorted(name for name in TABLE if not TABLE[name].predicate)
DOC = Path(__file__).parent.parent.parent / "docs" / "accuracy.md"


@pytest.mark.parametrize("order", range(4))
@pytest.mark.parametrize("name", SMOOTH)
def test_error_in_ulp(name, order):
    error, where = exact.worst(name, 45 if TABLE[name].arity == 1 else 25, order)
    assert error <= exact.bound(name, order), where


@pytest.mark.parametrize("name", [n for n in SMOOTH if TABLE[n].arity == 1])
def test_the_constants_in_the_rules(name):
    """First derivatives by relative-step differences: no rule takes part in those."""
    row = TABLE[name]
    for (x,) in cases.operands(name):
        with mp.workdps(250):
            true = mp.diff(oracles.ORACLES[name], mp.mpf(x), relative=True)
            following = mp.diff(oracles.ORACLES[name], mp.mpf(x), 2, relative=True)
        got = exact.derivative(row, (x,), 0, 1)
        if abs(true) > 1e-150:
            assert exact.ulps(got, true, x * following) <= exact.bound(name, 1), x


def test_every_exception_is_named_in_the_docs():
    text = DOC.read_text(encoding="utf-8")
    for (name, order), bound in exact.EXCEPTIONS.items():
        assert f"| `{name}` | {order} | {bound:g} |" in text
    for name in exact.UNDERFLOWING:
        assert f"`{name}`" in text
