"""The playground: formulas typed into a page, and what the page makes of them."""

from urllib.parse import quote

import pytest
from browser import violations

import autograd as ag
from autograd import ExpressionError, RenderError, Value, gradient
from autograd.checks.expression import FUNCTIONS, Formula
from viz import playground
from viz.page.graph.playground import _EXAMPLES


@pytest.fixture
def opened(tmp_path, visit):
    """``opened()`` writes the playground and visits it."""

    def opened(formula="tanh(w*x + b)", fragment="", numbers=None, **how):
        path = playground(tmp_path / "page.html", formula, **(numbers or {}))
        return visit(path, fragment=fragment, **how)

    return opened


def result(page):
    return page.evaluate(
        "playground.explorer.graph.data[playground.explorer.graph.results[0]]"
    )


def fields(page):
    """{name: (number, gradient)} as the page shows them."""
    return {
        label.text_content().split(" =")[0]: (
            label.locator("input").input_value(),
            label.locator("output").text_content(),
        )
        for label in page.locator("#numbers label").all()
    }


def test_it_begins_with_a_neuron(opened):
    page = opened()
    assert result(page) == pytest.approx(0.7064193203972353, rel=1e-15)
    assert fields(page)["w"] == ("-3", "grad 1.002")
    assert "Derivation" in page.inner_text("aside")
    assert page.locator("aside math").count() == 3 + 2 * 5


@pytest.mark.parametrize(("title", "formula", "numbers"), _EXAMPLES)
def test_examples_give_pythons_numbers(title, formula, numbers, opened):
    page = opened()
    page.select_option("#examples", label=title)
    leaves = {name: Value(x) for name, x in numbers.items()}
    y = Formula(formula)(**leaves)
    assert page.input_value("#formula") == formula
    assert result(page) == pytest.approx(y.data, rel=1e-15)
    grads = gradient(y, list(leaves.values()))
    shown = [text for _, text in fields(page).values()]
    assert shown == [f"grad {format(g, '.4g')}" for g in grads]


def test_what_is_typed_is_drawn(opened):
    page = opened()
    page.fill("#formula", "x*y + sin(x)")
    page.locator("#numbers input").nth(0).fill("2.5")
    page.locator("#numbers input").nth(1).fill("-1e-1")
    x, y = Value(2.5), Value(-0.1)
    z = x * y + ag.sin(x)
    assert result(page) == pytest.approx(z.data, rel=1e-15)
    assert fields(page)["x"][1] == f"grad {gradient(z, [x])[0]:.4g}"
    assert page.inner_text("h1") == "x*y + sin(x)"


def test_numbers_stay_while_one_types(opened):
    page = opened()
    page.fill("#formula", "w*x")
    page.fill("#formula", "w*x + w**2")
    assert fields(page)["w"][0] == "-3"


def test_a_mistake_is_shown_where_it_is_and_the_picture_stays(opened):
    page = opened()
    boxes = page.locator(".box").count()
    page.fill("#formula", "tanh(w*x + foo(b))")
    message, text, place = page.inner_text("#mistake").split("\n")[-3:]
    assert message.startswith("unknown function")
    assert text[place.index("^") :].startswith("foo")
    assert page.locator(".box").count() == boxes
    assert page.get_attribute("#formula", "aria-invalid") == "true"
    page.fill("#formula", "tanh(w)")
    assert page.inner_text("#mistake") == ""
    page.locator("#numbers input").fill("a lot")
    assert "not a number" in page.inner_text("#mistake")


def test_a_broken_formula_keeps_its_message_and_the_link(opened):
    page = opened()
    page.fill("#formula", "tanh(w*")
    page.locator("#numbers input").first.fill("7")
    page.wait_for_timeout(300)
    assert "tanh(w*" in page.inner_text("#mistake")
    again = opened(fragment=page.evaluate("location.hash"))
    assert again.input_value("#formula") == "tanh(w*x + b)"
    assert fields(again)["w"][0] == "7"


@pytest.mark.parametrize(
    ("text", "x"),
    [
        *[
            ("nan", "NaN"),
            ("NaN", "NaN"),
            ("inf", "Infinity"),
            (" -Infinity", "-Infinity"),
        ],
        *[("1_000", "1000"), (".5", "0.5"), ("5.", "5"), ("1e-3", "0.001")],
    ],
)
def test_numbers_are_pythons(text, x, opened):
    page = opened("x + 1")
    page.locator("#numbers input").fill(text)
    assert page.inner_text("#mistake") == ""
    assert page.evaluate("String(playground.explorer.graph.data[0])") == x


@pytest.mark.parametrize("text", ["0x10", "", "1,5", "--1", "infinite", "1e"])
def test_what_is_no_number_is_refused(text, opened):
    page = opened("x + 1")
    page.locator("#numbers input").fill(text)
    assert "is not a number" in page.inner_text("#mistake")


def test_a_name_may_be_formula(opened):
    page = opened(fragment="#formula*f&formula=3&f=4")
    page.wait_for_timeout(300)
    again = opened(fragment=page.evaluate("location.hash"))
    assert result(again) == 12.0


def test_a_link_that_cannot_be_read_says_so(opened):
    page = opened(fragment="#tanh(")
    assert page.input_value("#formula") == "tanh("
    assert "tanh(" in page.inner_text("#mistake")
    assert page.locator(".box").count() >= 5


def test_a_drag_moves_the_fields(opened):
    page = opened()
    corner = page.locator(
        ".box.leaf", has=page.locator(".title:text-is('b')")
    ).bounding_box()
    x, y = corner["x"] + 10, corner["y"] + 10
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 50, y, steps=3)
    page.mouse.up()
    assert fields(page)["b"][0] == "7.88"


def test_the_address_holds_formula_and_numbers(opened, visit):
    page = opened()
    page.fill("#formula", "x**2 + c")
    page.locator("#numbers input").nth(0).fill("3")
    page.wait_for_timeout(300)
    address = page.evaluate("location.hash")
    again = opened(fragment=address)
    assert again.input_value("#formula") == "x**2 + c"
    assert fields(again)["x"] == ("3", "grad 6")
    assert result(again) == 10.0


@pytest.mark.parametrize(
    "fragment",
    [
        "#" + quote("<img src=x onerror=alert(1)>"),
        "#x&x=" + quote("<b>"),
        "#)(",
        "#&x=1",
        "#nothing",
        "#%E0%A4%A&x=1",
        "#x&=&x=1&y",
    ],
)
def test_addresses_that_make_no_sense(fragment, opened):
    page = opened(fragment=fragment)
    assert page.locator(".box").count() >= 1
    assert not page.locator("img").count()


def test_it_knows_what_the_command_line_knows(opened):
    page = opened()
    page.click("summary")
    text = page.inner_text("#known")
    assert all(name in text for name in FUNCTIONS)


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("width", [1280, 760, 320])
def test_it_is_accessible_at_every_size(dark, width, opened):
    page = opened(dark=dark, width=width, height=640)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert not violations(page)
    page.fill("#formula", "tanh(w*x + ")
    page.click("summary")
    assert not violations(page)


def test_numbers_given_from_python(opened):
    page = opened("x / y", numbers={"x": 1, "y": ag.Value(4.0).data})
    assert result(page) == 0.25


@pytest.mark.parametrize(
    ("formula", "numbers", "error"),
    [
        ("tanh(", {}, ExpressionError),
        ("x", {"y": 1.0}, ExpressionError),
        ("x", {"x": "a"}, TypeError),
        ("__import__('os')", {}, ExpressionError),
    ],
)
def test_bad_input(formula, numbers, error, tmp_path):
    with pytest.raises(error):
        playground(tmp_path / "page.html", formula, **numbers)
    assert not [*tmp_path.iterdir()]


def test_unwritable(tmp_path):
    with pytest.raises(RenderError):
        playground(tmp_path / "missing" / "page.html")
