"""gradcheck and numerical_gradient: plain numpy against the engine."""

import math
from itertools import pairwise

import numpy as np
import pytest

import autograd as ag
from autograd import (
    GradcheckError,
    Primitive,
    gradcheck,
    numerical_gradient,
)
from autograd.table.primitives import TABLE


def test_numerical_gradient_keeps_the_shape():
    x = np.array([[1.0, 2.0], [3.0, 4.0]])
    found = numerical_gradient(lambda a: (a**3).sum(), x)
    np.testing.assert_allclose(found, 3 * x**2, rtol=1e-8)
    assert numerical_gradient(np.sin, 0.3) == pytest.approx(np.cos(0.3), rel=1e-8)
    assert x.tolist() == [[1.0, 2.0], [3.0, 4.0]]


def test_agreement_over_trees_of_inputs():
    def f(w, xs, options):
        return ag.tanh(ag.dot(w, xs, options["b"])) * ag.exp(w[0])

    report = gradcheck(f, [0.5, -1.0], np.array([2.0, 0.25]), {"b": 0.1})
    assert report
    assert [entry.name for entry in report.entries] == ["x0", "x1", "x2", "x3", "x4"]
    assert "analytic" in str(report)
    assert all(entry.error < 1e-8 for entry in report.entries)


@pytest.mark.parametrize("order", [2, 3])
def test_higher_orders(order):
    report = gradcheck(lambda x, y: ag.sin(x * y) / y, 0.7, 1.3, order=order)
    assert len(report.entries) == {2: 6, 3: 14}[order]


def test_a_wrong_rule_is_caught_and_shown():
    wrong = ag.Primitive("wrong", lambda x: x * x, lambda x, y: 3.0 * x)
    report = gradcheck(wrong, 2.0, raise_exception=False)
    assert not report
    assert report.entries[0].verdict == "WRONG"
    with pytest.raises(GradcheckError, match="WRONG"):
        gradcheck(wrong, 2.0)


@pytest.mark.parametrize(
    "f", [ag.relu, abs, lambda x: ag.maximum(x, 0.0), lambda x: ag.clip(x, 0.0, 1.0)]
)
def test_a_kink_is_called_a_kink(f):
    report = gradcheck(f, 0.0)
    assert report.entries[0].verdict == "kink at this input"
    assert gradcheck(f, 0.5).entries[0].verdict == "ok"


def test_functions_that_do_not_return_one_number():
    with pytest.raises(TypeError, match="real number"):
        gradcheck(lambda x: [x], 1.0)
    assert gradcheck(lambda x: 3.0, 1.0)


def test_a_large_function_is_allowed_its_rounding():
    assert gradcheck(lambda x: 1e9 + x, 1.0)


# -- The checker checked ---------------------------------------------------------------

SCALES = [1e-8, 1e-5, 1e-2, 1.0, 1e2, 1e5, 1e8]


def planted(row, i, factor):
    """The row with one partial derivative off by a factor."""

    def wrong(*arguments):
        return row.rules[i](*arguments) * factor

    rules = [wrong if k == i else rule for k, rule in enumerate(row.rules)]
    return Primitive(row.name + "_planted", row.evaluate, *rules)


def scaled(row, scale):
    """Operands of a row at one scale, inside its domain; away from its kinks."""
    for sign in (1.0, -1.0):
        xs = [sign * scale * (0.7 + 0.55 * k) for k in range(row.arity)]
        low_high = zip(xs, row.domain, strict=False)
        if row.name == "power" and sign < 0:  # its slope by the exponent is NaN
            continue
        if all(low < x < high for x, (low, high) in low_high):
            yield xs


@pytest.mark.parametrize(
    "name", [n for n, row in TABLE.items() if row.rules and not row.predicate]
)
def test_an_error_of_a_percent_is_found_in_every_row_at_every_scale(name):
    """Unless the value itself does not show the slope: then the report says how far
    the difference is known, and that is farther than a percent."""
    row = TABLE[name]
    fixed = 1 if name in ("where", "polygamma") else 0
    for scale in SCALES:
        for xs in scaled(row, scale):
            if fixed:
                xs[0] = 1.0
            for i in range(fixed, row.arity):
                right = gradcheck(row, *xs, raise_exception=False)
                assert right, f"{xs}\n{right}"
                entry = right.entries[i]
                off = 0.01 * abs(entry.analytic)
                if entry.verdict != "ok" or not off > entry.uncertainty:
                    continue
                wrong = gradcheck(planted(row, i, 1.01), *xs, raise_exception=False)
                assert wrong.entries[i].verdict == "WRONG", f"{xs}\n{wrong}"


def test_differences_are_known_well_at_every_scale():
    """What a percent is measured against: most slopes are known to nine digits."""
    known = []
    for name in ("log", "sqrt", "divide", "multiply", "sin", "arctan", "power"):
        for scale in SCALES[:6]:
            for xs in scaled(TABLE[name], scale):
                for entry in gradcheck(TABLE[name], *xs).entries:
                    known.append(entry.uncertainty / abs(entry.analytic or 1.0))
    assert sorted(known)[len(known) // 2] < 1e-9
    assert sum(x > 1e-3 for x in known) <= 0.05 * len(known)


def test_a_slope_between_one_sided_differences_is_no_excuse():
    wrong = Primitive("wrong_log", ag.log, lambda x, y: 1.5 / x)
    with pytest.raises(GradcheckError, match="WRONG"):
        gradcheck(wrong, 1e-5)
    kink = Primitive("wrong_abs", abs, lambda x, y: 1.5)
    with pytest.raises(GradcheckError, match="WRONG"):
        gradcheck(kink, 0.0)


def test_the_report_says_how_far_differences_are_known():
    report = gradcheck(lambda x: ag.exp(x), 1.0)
    assert "known to" in str(report)
    assert report.entries[0].error <= report.entries[0].uncertainty < 1e-9


def test_staircases_and_waves_do_not_fool_the_large_steps():
    assert gradcheck(lambda x: ag.sin(1000.0 * x), 0.3)
    wrong = Primitive("flat", lambda x: ag.sin(1000.0 * x), lambda x, y: 0.0)
    assert not gradcheck(wrong, 0.3, raise_exception=False)
    assert gradcheck(ag.floor, 0.3)


def test_directions_serve_many_inputs():
    xs = np.linspace(0.1, 2.0, 2000)

    def f(xs):
        return ag.sum([ag.sin(x) * y for x, y in pairwise(xs)])

    report = gradcheck(f, xs, directions=3)
    assert [e.name for e in report.entries] == [f"direction {k}" for k in range(3)]
    wrong = Primitive("wrong_sin", ag.sin, lambda x, y: 1.01 * ag.cos(x))
    with pytest.raises(GradcheckError, match="direction"):
        gradcheck(lambda xs: ag.sum([wrong(x) for x in xs]), xs, directions=2)
    with pytest.raises(ValueError, match="order"):
        gradcheck(f, xs, directions=1, order=2)


def test_numerical_gradient_in_any_memory_order():
    x = np.ones((2, 3)).T
    assert numerical_gradient(lambda a: float((a**2).sum()), x) == pytest.approx(2 * x)


def test_gradcheck_of_methods_and_of_ieee():
    assert gradcheck(lambda x: x.tanh() + (x * 2).relu(), 0.5)
    assert gradcheck(lambda x: 1 / x, 0.0).entries[0].verdict == "not finite here"
    assert gradcheck(lambda x: x**0.5, 1e-9)


@pytest.mark.parametrize(
    ("f", "at"),
    [
        (ag.log, 1e-7),
        (ag.sqrt, 1e-6),
        (lambda x: x * x, 1e300),
        (lambda x: x, math.nan),
        (lambda x: x * abs(x), 0.0),
    ],
)
def test_gradcheck_does_not_call_right_wrong(f, at):
    assert gradcheck(f, at)


def test_gradcheck_tells_kinks_from_curvature():
    for f, at in ((ag.log, 1e-3), (lambda x: x**-2, 0.01), (ag.sqrt, 1e-4)):
        assert gradcheck(f, at).entries[0].verdict == "ok"
    assert gradcheck(abs, 0.0, order=2)
    with pytest.raises(ValueError, match="order"):
        gradcheck(abs, 0.0, order=0)
