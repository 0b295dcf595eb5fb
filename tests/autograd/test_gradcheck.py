"""gradcheck and numerical_gradient: plain numpy against the engine."""

import numpy as np
import pytest

import autograd as ag
from autograd import GradcheckError, gradcheck, numerical_gradient


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
