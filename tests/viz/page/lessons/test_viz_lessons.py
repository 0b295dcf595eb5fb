"""Lessons in a real browser: their numbers against Python's, their controls, sizes."""

from math import inf, nan

import numpy as np
import pytest
from browser import violations

import autograd as ag
import nn
import viz
from autograd import DataError, RenderError, ShapeError, Value, jvp
from nn.datasets import descent_points, hours_and_grades

THREE, GRADES = descent_points(), hours_and_grades()
LESSONS = ["tangent", "activations", "lines"]


@pytest.fixture
def descent(tmp_path, visit):
    """``descent(points)`` writes the page of a fit and visits it."""

    def descent(points=THREE, how=(), **options):
        path = viz.descent_page(*points, tmp_path / "fit.html", **options)
        return visit(path, **dict(how))

    return descent


@pytest.fixture
def lesson(tmp_path, visit):
    def lesson(name, **how):
        return visit(viz.lesson(name, tmp_path / "lesson.html"), **how)

    return lesson


def table(page, name="table"):
    rows = page.locator(f"#{name} tr").all()
    return [row.locator("td").all_text_contents() for row in rows]


def slider(page, label):
    return page.get_by_role("slider", name=label, exact=True)


def field(page, label, number):
    page.get_by_role("spinbutton", name=label, exact=True).fill(str(number))


def wait(page, condition):
    for _ in range(100):
        if page.evaluate(condition):
            return
        page.wait_for_timeout(50)
    raise AssertionError(f"it never holds that {condition}")


def handle(page, label):
    return page.locator(f'.handle[aria-label="{label}"]')


def centre(handle):
    handle.scroll_into_view_if_needed()
    corner = handle.locator(".grip").bounding_box()
    return corner["x"] + corner["width"] / 2, corner["y"] + corner["height"] / 2


def drag(page, label, right, down):
    x, y = centre(handle(page, label))
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + right, y + down, steps=4)
    page.mouse.up()


# -- Descent: numbers ------------------------------------------------------------------


def test_the_first_steps_are_those_of_the_article(descent):
    page = descent()
    rows = table(page)
    assert rows[0] == ["0", "0.0000", "0.0000", "1.2967", "-2.6000", "-2.2000"]
    assert rows[1][1:3] == ["0.2600", "0.2200"]
    assert rows[3][1:3] == ["0.4272", "0.4001"]
    assert rows[4][1:3] == ["0.4443", "0.4404"]
    for _ in range(4):
        page.click("#step")
    assert "Step 4: y = 0.4443 x + 0.4404" in page.inner_text("#said")
    assert page.inner_text("tr.now").split()[0] == "4"
    page.click("#reset")
    assert "Step 0: y = 0 x + 0" in page.inner_text("#said")


def mse(points):
    xs, ys = points[0].ravel(), points[1]
    return lambda m, b: ag.mean([(y - (m * x + b)) ** 2 for x, y in zip(xs, ys)])


@pytest.mark.parametrize("points", [THREE, GRADES])
def test_the_page_knows_the_surface(points, descent):
    page = descent(points)
    f = mse(points)
    hessian = ag.hessian(lambda p: f(*p))([0.3, -0.2])
    flat, steep = np.linalg.eigvalsh(np.array(hessian))
    found = page.evaluate("[STEEP, FLAT, LIMIT, ...BEST]")
    best = np.polyfit(points[0].ravel(), points[1], 1)
    assert found == pytest.approx([steep, flat, 2 / steep, *best], rel=1e-12)
    assert page.evaluate("[loss(0.3, -0.2), ...gradient(0.3, -0.2)]") == pytest.approx(
        [f(0.3, -0.2), *ag.grad(f, (0, 1))(0.3, -0.2)], rel=1e-13
    )
    heights = page.evaluate("contour(0.7).map(p => loss(...p) - loss(...BEST))")
    assert heights == pytest.approx([0.7] * 181, rel=1e-9)
    limit = {3: "0.3845", 5: "0.02231"}[len(points[1])]
    assert limit in page.inner_text("#limit")


@pytest.mark.parametrize(
    ("points", "below", "above"), [(THREE, 0.384, 0.385), (GRADES, 0.0223, 0.0224)]
)
def test_the_stable_rate_parts_convergence_from_divergence(
    points, below, above, descent
):
    page = descent(points)
    losses = {}
    for rate in (below, above):
        field(page, "learning rate", rate)
        losses[rate] = page.evaluate(
            "put(0, 0), runner.once(1000), state.path.map(p => loss(...p))"
        )
        assert len(losses[rate]) == 1001
    assert losses[below][200] < losses[below][100] < losses[below][1]
    assert losses[above][200] > losses[above][100]
    assert losses[above][1000] > losses[above][500] > losses[above][0]
    assert "diverges" in page.inner_text("#verdict")


@pytest.mark.parametrize(
    ("rate", "word"),
    [
        (0, "stands still"),
        (-0.1, "climbs"),
        (0.01, "crawls"),
        (0.1, "converges"),
        (0.3, "It changes sides and shrinks"),
        (0.384, "converges"),
        (0.385, "diverges"),
    ],
)
def test_a_rate_is_judged(rate, word, descent):
    page = descent()
    field(page, "learning rate", rate)
    assert word in page.inner_text("#verdict")


def test_the_exact_stable_rate_never_arrives(descent):
    page = descent()
    page.evaluate("setRate(LIMIT)")
    assert "never arrives" in page.inner_text("#verdict")


def test_divergence_breaks_nothing(descent):
    page = descent(GRADES)
    field(page, "learning rate", 0.1)
    for _ in range(3):
        page.click("#run")
    assert page.evaluate("now().every(Number.isFinite)")
    page.evaluate("runner.once(2000)")
    assert not page.evaluate("now().every(Number.isFinite)")
    assert "left what a float can hold" in page.inner_text("#said")
    assert "inf" in page.inner_text("#numbers") or "nan" in page.inner_text("#numbers")
    assert page.evaluate("document.documentElement.scrollWidth") <= 1280
    page.click("#reset")
    assert "y = 0 x + 0" in page.inner_text("#said")


def test_the_best_line_is_revealed(descent):
    page = descent(GRADES, names=("hours", "grade"))
    assert "0.55" not in page.inner_text("#numbers")
    page.check("#best")
    assert "best line\ny = 0.55 x + 1.9, MSE 0.54" in page.inner_text("#numbers")
    assert page.locator("#plot .curve.best").count() == 1
    assert "hours" in page.locator("#plot .name").all_text_contents()


def test_a_run_moves_and_pauses(descent):
    page = descent()
    page.emulate_media(reduced_motion="no-preference")
    page.click("#run")
    wait(page, "state.path.length > 4")
    assert page.inner_text("#run") == "pause"
    page.click("#run")
    assert page.evaluate("runner.timer") is None
    assert page.inner_text("#run") == "run"
    taken = page.evaluate("state.path.length - 1")
    assert f"Step {taken}:" in page.inner_text("#said")


# -- Descent: the drawing --------------------------------------------------------------


@pytest.mark.parametrize("width", [1280, 320])
@pytest.mark.parametrize("points", [THREE, GRADES])
def test_squares_are_square_and_stand_on_the_errors(points, width, descent):
    page = descent(points, {"width": width})
    page.evaluate("put(0.3, 0.7)")
    for index, (x, y) in enumerate(zip(points[0].ravel(), points[1])):
        square = page.locator("#plot .square").nth(index)
        wide, high = (float(square.get_attribute(key)) for key in ("width", "height"))
        error = abs(y - (0.3 * x + 0.7))
        pixels = page.evaluate(f"plot.pixel('y', 0) - plot.pixel('y', {error})")
        assert wide == pytest.approx(high) == pytest.approx(pixels)
        left = float(square.get_attribute("x"))
        edge = page.evaluate(f"plot.pixel('x', {x})")
        assert min(abs(left - edge), abs(left + wide - edge)) < 1e-6


def test_the_gradient_is_at_right_angles_to_the_contour(descent):
    page = descent()
    assert page.evaluate("EQUAL")
    scales = page.evaluate(
        "['x', 'y'].map(a => surface.pixel(a, 1) - surface.pixel(a, 0))"
    )
    assert scales[0] == pytest.approx(-scales[1])


def test_the_mouse_drags_the_point_and_the_line(descent):
    page = descent()
    drag(page, "slope and intercept", 50, -40)
    m, b = page.evaluate("now()")
    wanted = page.evaluate(
        "[surface.number('x', surface.pixel('x', 0) + 50),"
        "surface.number('y', surface.pixel('y', 0) - 40)]"
    )
    assert (m, b) == pytest.approx(wanted, abs=0.002)
    assert m > 0 and b > 0
    assert table(page)[0][1:3] == [f"{m:.4f}", f"{b:.4f}"]
    left = page.evaluate("now()[0] * 0.5 + now()[1]")
    drag(page, "right end of the line", 30, -40)
    m, b = page.evaluate("now()")
    assert m * 0.5 + b == pytest.approx(left)
    assert m > wanted[0]
    drag(page, "middle of the line: its height", 0, 25)
    assert page.evaluate("now()[0]") == pytest.approx(m)
    assert page.evaluate("now()[1]") < b


def touch(page, label, right, down):
    x, y = centre(handle(page, label))
    session = page.context.new_cdp_session(page)
    for kind, part in (("touchStart", 0), ("touchMove", 0.5), ("touchMove", 1)):
        points = [{"x": x + part * right, "y": y + part * down}]
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
    session.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})


def test_touch_drags(descent):
    page = descent(how={"touch": True})
    touch(page, "slope and intercept", 40, -60)
    m, b = page.evaluate("now()")
    assert m > 0.1 and b > 0.1


def test_the_keyboard_drags(descent):
    page = descent()
    slider(page, "slope and intercept").focus()
    for key in ("ArrowRight", "Shift+ArrowUp", "ArrowUp", "ArrowDown"):
        page.keyboard.press(key)
    assert page.evaluate("now()") == [0.01, 0.1]
    slider(page, "left end of the line").focus()
    page.keyboard.press("ArrowUp")
    assert page.evaluate("now()[0] * 0.5 + now()[1]") == pytest.approx(0.115)
    slider(page, "slope").focus()
    page.keyboard.press("ArrowRight")
    assert page.evaluate("state.path.length") == 1
    slider(page, "learning rate").focus()
    page.keyboard.press("ArrowRight")
    assert page.evaluate("state.rate") == 0.101
    label = slider(page, "slope and intercept").get_attribute("aria-valuetext")
    assert label.startswith("slope ")


# -- Descent: anybody's points ---------------------------------------------------------


@pytest.mark.parametrize(
    "points",
    [
        ([1000.0, 2000.0, 4000.0], [3.0, 4.0, 9.0]),
        ([-1.0, 1.0], [0.0, 0.0]),
        ([1e-20, 2e-20], [1.0, 3.0]),
        ([Value(1.0), Value(2.0)], [3, 4]),
        (np.linspace(0.0, 1.0, 500), np.linspace(0.0, 1.0, 500) ** 2),
    ],
)
def test_any_points_have_a_page(points, descent):
    page = descent(points)
    page.click("#step")
    page.check("#best")
    assert page.evaluate("now().every(Number.isFinite)")
    assert page.evaluate("surface.x.concat(surface.y, plot.x, plot.y).every(isFinite)")
    assert page.evaluate("loss(...now()) <= loss(0, 0)")


@pytest.mark.parametrize(
    ("xs", "ys", "error", "told"),
    [
        ([1.0, 2.0], [1.0], ShapeError, "a y for each x, got 2 and 1"),
        ([1.0], [1.0], DataError, "at least two points"),
        ([], [], DataError, "empty"),
        ([1.0, nan], [1.0, 2.0], DataError, r"x\[1\] is nan"),
        ([1.0, 2.0], [1.0, inf], DataError, r"y\[1\] is inf"),
        ([2.0, 2.0, 2.0], [1.0, 2.0, 3.0], DataError, "give points of different x"),
        ([1e9, 1e9 + 1], [1.0, 2.0], DataError, "subtract the mean"),
        ([1.0, 1e200], [1.0, 2.0], DataError, "another unit"),
        (range(2001), range(2001), DataError, "a sample of them"),
        ([1.0, "a"], [1.0, 2.0], TypeError, "number"),
        ([[1.0, 2.0], [3.0, 4.0]], [1.0, 2.0], TypeError, "number"),
    ],
)
def test_bad_points_are_refused(xs, ys, error, told, tmp_path):
    with pytest.raises(error, match=told):
        viz.descent_page(xs, ys, tmp_path / "page.html")
    assert not [*tmp_path.iterdir()]


@pytest.mark.parametrize("name", ["page.png", "missing/page.html"])
def test_names_that_cannot_be_written(name, tmp_path):
    with pytest.raises(RenderError, match=r"\.html|cannot write"):
        viz.descent_page(*THREE, tmp_path / name)
    with pytest.raises(RenderError, match=r"\.html|cannot write"):
        viz.lesson("lines", tmp_path / name)


def test_an_unknown_lesson(tmp_path):
    with pytest.raises(ValueError, match="known are tangent, activations, lines"):
        viz.lesson("tangents", tmp_path / "page.html")


def test_texts_stay_text(descent):
    text = "</script><img src=x onerror=\"document.title='stolen'\">"
    page = descent(title=text, note=text, names=(text, text))
    assert page.inner_text("h1") == page.inner_text("#note") == text
    assert page.title() != "stolen" and not page.locator("img").count()


# -- Tangent ---------------------------------------------------------------------------


def test_the_tangent_of_a_square(lesson):
    page = lesson("tangent")
    assert "y\n4" in page.inner_text("#numbers")
    assert "2x = 4" in page.inner_text("#numbers")
    assert "2 - 0.1 · 4 = 1.6" in page.inner_text("#numbers")
    drag(page, "x", -60, 10)
    x = page.evaluate("now()")
    assert 1.0 < x < 1.9
    assert page.evaluate("[value(now()), slope(now())]") == [x * x, x + x]
    handle(page, "x").focus()
    page.keyboard.press("ArrowRight")
    assert page.evaluate("now()") > x


CURVES = {
    "x²": (lambda x: x * x, lambda x: 2 * x),
    "x³ − x": (lambda x: x**3 - x, lambda x: 3 * x * x - 1),
    "x⁴ − 3x² + x": (lambda x: x**4 - 3 * x * x + x, lambda x: 4 * x**3 - 6 * x + 1),
    "sin x": (np.sin, np.cos),
    "|x|": (abs, np.sign),
    "relu x": (lambda x: max(x, 0.0), lambda x: float(x > 0)),
    "tanh x": (np.tanh, lambda x: 1 - np.tanh(x) ** 2),
}


@pytest.mark.parametrize("name", CURVES)
def test_curves_and_slopes(name, lesson):
    page = lesson("tangent")
    page.select_option("#curve", name)
    for x in (-1.3, 0.0, 0.4, 2.5):
        found = page.evaluate(f"[value({x}), slope({x})]")
        assert found == pytest.approx([f(x) for f in CURVES[name]], abs=1e-14)
    assert [*CURVES] == page.locator("#curve option").all_text_contents()


def test_steps_go_down(lesson):
    page = lesson("tangent")
    page.click("#step")
    assert page.evaluate("now()") == pytest.approx(1.6)
    page.click("#run")
    assert page.evaluate("Math.abs(now()) < 1e-3")
    assert "steps taken\n51" in page.inner_text("#numbers")
    field(page, "learning rate", 1.1)
    page.click("#reset")
    page.evaluate("runner.once(5000)")
    assert "left what a float can hold" in page.inner_text("#said")
    page.click("#reset")
    assert page.evaluate("now()") == 2


# -- Activations -----------------------------------------------------------------------


def test_activations_are_those_of_python(lesson):
    page = lesson("activations")
    names = page.evaluate("Object.keys(ACTIVATIONS)")
    assert {nn.ACTIVATIONS[name] for name in names} == {*nn.ACTIVATIONS.values()}
    for name in names:
        for x in (-30.0, -2.5, -0.5, 0.0, 1e-9, 0.7, 3.0, 40.0):
            expected = jvp(nn.ACTIVATIONS[name], (x,), (1.0,))
            found = page.evaluate(f"ACTIVATIONS.{name}({x})")
            assert found == pytest.approx(expected, rel=1e-14, abs=1e-300), (name, x)


def test_the_table_follows_x(lesson):
    page = lesson("activations")
    field(page, "x", -2)
    for name, *shown in table(page):
        y, slope = jvp(nn.ACTIVATIONS[name.strip()], (-2.0,), (1.0,))
        assert [float(text) for text in shown] == pytest.approx([y, slope], abs=6e-5)


@pytest.mark.parametrize(
    ("name", "left", "right"),
    [
        ("tanh", -2.99, 2.99),
        ("sigmoid", -4.585, 4.585),
        ("relu", 0.0, None),
        ("leaky_relu", None, None),
        ("softplus", -4.595, None),
        ("linear", None, None),
    ],
)
def test_saturated_regions(name, left, right, lesson):
    page = lesson("activations")
    page.get_by_role("radio", name=name, exact=True).check()
    (low, a), (b, high) = page.evaluate("flats(plot.x)")
    assert a == pytest.approx(low if left is None else left, abs=0.02)
    assert b == pytest.approx(high if right is None else right, abs=0.02)
    field(page, "x", -5.5)
    assert ("saturated" in page.inner_text("#said")) is (left is not None)


def test_softmax_is_dragged(lesson):
    page = lesson("activations")
    drag(page, "logit 3", 0, -60)
    page.get_by_role("slider", name="logit 1").focus()
    page.keyboard.press("Shift+ArrowUp")
    logits = page.evaluate("state.logits")
    assert logits[0] == 2 and logits[2] > 0
    expected = ag.softmax(logits)
    assert page.evaluate("shares()") == pytest.approx(expected, rel=1e-14)
    assert [row[2] for row in table(page, "shares")] == [f"{p:.4f}" for p in expected]


# -- Lines -----------------------------------------------------------------------------

DIFFERENCES = """(() => {
  const y = Array.from({length: 81}, (_, k) => total(-5 + k / 8));
  return y.slice(2).map((z, k) => Math.abs(z - 2 * y[k + 1] + y[k]));
})()"""


@pytest.mark.parametrize("count", ["2", "3", "4"])
def test_a_sum_of_lines_is_a_line_until_it_is_bent(count, lesson):
    page = lesson("lines")
    page.select_option("#count", count)
    assert page.locator(".neuron:visible").count() == int(count)
    assert max(page.evaluate(DIFFERENCES)) < 1e-14
    slope, intercept = page.evaluate("[slope(0), total(0)]")
    sign = "-" if intercept < 0 else "+"
    line = f"= {slope:.4g} x {sign} {abs(intercept):.4g}: one line"
    assert line in page.inner_text("#said")
    page.select_option("#activation", "relu")
    bends = page.evaluate(DIFFERENCES)
    assert sum(bend > 1e-9 for bend in bends) == int(count)
    assert page.locator("#plot .dot.kink").count() == int(count)
    page.select_option("#activation", "tanh")
    assert max(page.evaluate(DIFFERENCES)) > 1e-3
    assert page.locator("#plot .dot.kink").count() == 0


def test_lines_say_where_they_bend(lesson):
    page = lesson("lines")
    page.select_option("#activation", "relu")
    said = "The sum has kinks at x = -2, -1, 1; its slopes between: -1, 0, 1, -1."
    assert page.inner_text("#said") == said
    drag(page, "where neuron 1 is 0", 120, 0)
    b = page.evaluate("state.neurons[0].b")
    assert b < 0.5
    assert page.evaluate("kinks()") == pytest.approx(sorted([-2, -b, 1]))
    page.click("#reset")
    assert page.inner_text("#said") == said


def test_kinks_that_cancel_are_none(lesson):
    page = lesson("lines")
    page.select_option("#count", "2")
    page.select_option("#activation", "relu")
    card = page.locator(".neuron").nth(1)
    for label, number in (
        ("weight w", -1),
        ("bias b", -1),
        ("weight v in the sum", -1),
    ):
        card.get_by_role("spinbutton", name=label, exact=True).fill(str(number))
    assert page.inner_text("#said") == "No kinks are left: the sum is a line."
    assert max(page.evaluate(DIFFERENCES)) < 1e-14


def test_neurons_are_set_by_sliders(lesson):
    page = lesson("lines")
    slider(page, "weight w").first.focus()
    page.keyboard.press("ArrowRight")
    assert page.evaluate("state.neurons[0].w") == 1.1
    field(page.locator(".neuron").nth(1), "weight w", 0)
    assert not handle(page, "where neuron 2 is 0").is_visible()


# -- Sizes, dark, screen readers -------------------------------------------------------


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("width", [1280, 760, 320])
@pytest.mark.parametrize("name", ["descent", *LESSONS])
def test_pages_are_accessible_at_every_size(name, width, dark, descent, lesson):
    how = {"width": width, "dark": dark, "height": 700}
    page = descent(GRADES, how) if name == "descent" else lesson(name, **how)
    if name == "descent":
        page.check("#best")
        page.click("#run")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert not violations(page)
    background = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (background == "rgb(255, 255, 255)") is not dark
    assert page.get_by_role("status").count() >= 1
    assert page.locator("h1").count() == 1


@pytest.mark.parametrize("name", LESSONS)
def test_pages_follow_the_window(name, lesson):
    page = lesson(name)
    page.set_viewport_size({"width": 400, "height": 700})
    wait(page, "plot.box.x[1] < 400")
    right = page.evaluate("plot.pixel('x', plot.x[1])")
    assert right <= page.locator("#plot").bounding_box()["width"]


@pytest.mark.parametrize("width", [1, 40, 90])
@pytest.mark.parametrize("name", ["descent", *LESSONS])
def test_a_page_without_room_waits_for_it(name, width, descent, lesson):
    """A frame in another page begins without a size; this once never came back."""
    how = {"width": width}
    page = descent(GRADES, how) if name == "descent" else lesson(name, **how)
    page.set_viewport_size({"width": 700, "height": 700})
    wait(page, "plot.box.x[1] > 200")
    assert page.locator("#plot .rule").count() > 3
