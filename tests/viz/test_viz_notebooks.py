"""What notebooks show of everything that has something to show."""

import pytest

import autograd as ag
import nn
from autograd import Value, explain, gradcheck, jit
from viz import explore, playground

X, Y = [[0.0, 1.0], [1.0, 0.0], [1.0, 1.0]], [0.0, 1.0, 1.0]


def neuron():
    return ag.tanh(Value(2.0, label="x") * 3.0 + 1.0)


def test_a_small_graph_is_drawn():
    y = neuron()
    picture = y._repr_svg_()
    assert picture.startswith("<svg")
    assert picture.rstrip().endswith("</svg>")
    assert "tanh" in picture
    assert y._repr_html_() is None


def test_a_large_graph_is_summed_up():
    y = ag.sum([Value(float(k)) * 2.0 for k in range(100)])
    assert y._repr_svg_() is None
    assert "101 operations, 100 leaves" in y._repr_html_()
    assert "not finite" not in y._repr_html_()
    assert "2 of them" in (ag.log(y - y.data) + y)._repr_html_()


def test_a_leaf_is_a_text():
    x = Value(2.0)
    assert x._repr_svg_() is x._repr_html_() is None


def test_without_anything_to_draw_with_a_graph_is_summed_up(nothing_to_draw_with):
    y = neuron()
    assert y._repr_svg_() is None
    assert "3 operations, 1 leaves" in y._repr_html_()


def test_a_model_shows_its_network_and_its_layers():
    shown = nn.MLP(2, [3, 1], seed=0)._repr_html_()
    assert shown.startswith("<svg")
    assert "MLP, 13 parameters" in shown
    assert "<td>layer0</td><td>9</td>" in shown


def test_a_model_of_ones_own_shows_its_parameters():
    class Line(nn.Module):
        def __init__(self):
            self.w, self.b = Value(2.0), Value(1.0)

    shown = Line()._repr_html_()
    assert "Line, 2 parameters" in shown
    assert "<svg" not in shown
    assert "0 parameters" in nn.Module()._repr_html_()


def test_a_history_shows_its_curves():
    pytest.importorskip("matplotlib")
    model = nn.MLP(2, [3, 1], seed=0)
    history = nn.fit(model, X, Y, epochs=3, progress=False)
    shown = history._repr_html_()
    assert shown.startswith("<svg")
    assert "3 epoch(s)" in shown
    assert "0 epoch(s)" in nn.training.history.History()._repr_html_()


def test_a_report_shows_its_verdicts():
    assert "gradients agree" in gradcheck(ag.tanh, 0.5)._repr_html_()
    wrong = ag.Primitive("wrong", lambda x: x * x, lambda x, y: 3.0 * x)
    report = gradcheck(wrong, 2.0, raise_exception=False)
    assert "DISAGREE" in report._repr_html_()
    assert "font-weight" in report._repr_html_()


def test_an_explanation_shows_its_paths():
    x = Value(2.0, label="<x>")
    shown = explain(x * x + x, wrt=x)._repr_html_()
    assert "3 path(s)" in shown
    assert "<x>" not in shown


def test_a_compiled_function_shows_its_report():
    f = jit(lambda x: x * 2.0)
    assert "not called yet" in f._repr_html_()
    f(2.0)
    assert "&lt;lambda&gt;" in f._repr_html_()


@pytest.mark.parametrize("page", [lambda: explore(neuron()), playground])
def test_pages_stand_in_a_frame(page, tmp_path, visit):
    shown = page()._repr_html_()
    assert shown.startswith('<iframe sandbox="allow-scripts"')
    notebook = tmp_path / "notebook.html"
    notebook.write_text(f"<!DOCTYPE html><title>t</title>{shown}", encoding="utf-8")
    outer = visit(notebook)
    inner = outer.frames[1]
    inner.wait_for_selector(".box")
    inner.click("#first")
    inner.wait_for_timeout(300)
    assert "Step 0" in inner.inner_text("#said")


def test_a_page_says_what_it_is():
    page = explore(neuron())
    assert repr(page).startswith("<a page of ")
    assert page.text.startswith("<!DOCTYPE html>")
