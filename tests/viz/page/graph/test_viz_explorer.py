"""The live page of a graph, in a real browser: its numbers, its controls, its folds."""

import math
from math import inf, nan

import pytest
from browser import violations

import autograd as ag
from autograd import GraphError, Primitive, RenderError, Value, gradient, source_lines
from viz import explore

HOSTILE = [
    "<img src=x onerror=\"document.title='stolen'\">",
    "</script><script>document.title='stolen'</script>",
    "</title>&amp;\"'`${document.title='stolen'}",
    "\u202e𝑤🙂𠮷\u0000\n",
    "\ud800",
]


@pytest.fixture
def opened(tmp_path, visit):
    """``opened(y)`` writes the page of a graph and visits it."""

    def opened(y, title="", **how):
        return visit(explore(y, tmp_path / "page.html", title=title), **how)

    return opened


def box(page, label):
    """The box whose title has this word."""
    return page.locator(
        ".box", has=page.locator(f".title:text-matches('(^|  ){label}( |$)')")
    )


def numbers(page, label):
    """The data and the gradient that a box shows."""
    texts = box(page, label).locator("text").all_text_contents()
    return [text.split(" ", 1)[1] for text in texts[1:]]


def close(a, b):
    return a == pytest.approx(b, rel=1e-14, abs=1e-300, nan_ok=True)


# -- Numbers ---------------------------------------------------------------------------


def every_row(x, y):
    """A number that depends on all kinds of operations, groups and constants."""
    s = ag.dot([x, y, 2.0], [y, 3.0, x], x * y)
    parts = [
        ag.tanh(s) + ag.exp(-x) * ag.log(y),
        ag.maximum([x, y, 0.5]) - ag.minimum([x, y]),
        ag.logsumexp([x, y, s]),
        ag.prod([x, y, s, 0.5]),
        ag.where(x > 0.5, x / y, x**y),
        ag.sigmoid(x) // 0.3 + (y % x) + abs(x - 1.0),
        ag.hypot(x, y) * ag.arctan2(y, x),
        ag.erf(x) + ag.lgamma(y) + ag.sqrt(y) + ag.relu(-x),
        y**2,
    ]
    return ag.sum(parts) / 9.0


def test_values_and_gradients_are_those_of_python(opened):
    x, y = Value(0.7, label="x"), Value(1.9, label="y")
    z = every_row(x, y)
    page = opened(z)
    data, grad = page.evaluate(
        "(() => { const g = explorer.graph;"
        "const at = (l) => g.nodes.findIndex((n) => n.label === l);"
        "return [g.data[g.results[0]], [g.grad[at('x')], g.grad[at('y')]]]; })()"
    )
    assert close(data, z.data)
    assert close(grad, gradient(z, [x, y]))


def test_the_finite_differences_of_the_page_agree(opened):
    page = opened(every_row(Value(0.7, label="x"), Value(1.9, label="y")))
    page.check("#numeric")
    said = page.inner_text("#said")
    assert said == "2 gradients compared with differences: 0 differ."
    assert page.locator("aside table th").all_text_contents()[-1] == "numeric"


def test_a_wrong_derivative_is_marked(opened):
    page = opened(Value(2.0, label="x") * 3.0)
    page.evaluate("ROWS.multiply.partials = (x, y) => [y + 1, x]; explorer.graph.run()")
    page.check("#numeric")
    assert "1 differ" in page.inner_text("#said")
    assert "≠" in page.inner_text("aside")
    assert "wrong" in box(page, "x").get_attribute("class")


def test_a_kink_is_no_mistake(opened):
    page = opened(ag.relu(Value(0.0, label="x")))
    page.check("#numeric")
    assert "0 differ" in page.inner_text("#said")
    assert "kink" in page.inner_text("aside")


def drag(page, label, pixels):
    corner = box(page, label).bounding_box()
    x, y = corner["x"] + corner["width"] / 2, corner["y"] + corner["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + pixels, y, steps=4)
    page.mouse.up()


def test_a_dragged_leaf_moves_everything(neuron, opened):
    page = opened(neuron)
    before = numbers(page, "y")
    drag(page, "b", 50)
    b = page.evaluate(
        "explorer.graph.data[explorer.graph.nodes.findIndex(n => n.label === 'b')]"
    )
    assert b == pytest.approx(5.8 + 50 / 50)
    assert numbers(page, "b")[0] == format(b, ".4g")
    y = math.tanh(-3.0 * 2.0 + 1.0 * 0.5 + b)
    assert numbers(page, "y") == [format(y, ".4g"), "1"] != before
    assert numbers(page, "x1")[1] == format(-3.0 * (1 - y * y), ".4g")
    page.click("#reset")
    assert numbers(page, "y") == before


def test_touch_drags_a_leaf(neuron, opened):
    page = opened(neuron, touch=True)
    corner = box(page, "b").bounding_box()
    x, y = corner["x"] + 20, corner["y"] + 10
    session = page.context.new_cdp_session(page)
    for kind, at in (("touchStart", x), ("touchMove", x + 30), ("touchMove", x + 50)):
        points = [{"x": at, "y": y}]
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
    session.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    assert numbers(page, "b")[0] == "6.8"
    box(page, "y").tap()
    assert page.inner_text("aside h2") == "tanh y"


def test_two_fingers_zoom(neuron, opened):
    page = opened(neuron, touch=True)
    scale = page.evaluate("explorer.drawing.camera.scale")
    session = page.context.new_cdp_session(page)
    for kind, spread in (("touchStart", 20), ("touchMove", 30), ("touchMove", 60)):
        points = [
            {"x": 400 - spread, "y": 700, "id": 0},
            {"x": 400 + spread, "y": 700, "id": 1},
        ]
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
    session.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    assert page.evaluate("explorer.drawing.camera.scale") > 1.5 * scale


def test_the_slider_and_the_field_move_a_leaf(neuron, opened):
    page = opened(neuron)
    box(page, "b").click()
    page.fill("aside input[type=number]", "6.88")
    page.press("aside input[type=number]", "Enter")
    assert numbers(page, "b")[0] == "6.88"
    page.focus("aside input[type=range]")
    page.keyboard.press("ArrowRight")
    assert float(numbers(page, "b")[0]) > 6.88


def test_what_only_python_can_evaluate_stays(opened):
    cube = Primitive("cube", lambda x: x**3, lambda x, y: 3.0 * x * x, symbol="x³")
    x = Value(2.0, label="x")
    page = opened(cube(x) + x)
    grad = "explorer.graph.grad[explorer.graph.nodes.findIndex(n => n.label === 'x')]"
    assert page.evaluate(grad) == 13.0
    drag(page, "x", 60)
    assert numbers(page, "x")[0] == "2"
    box(page, "x").click()
    assert "only Python can evaluate" in page.inner_text("aside")


def test_what_was_made_by_hand_has_unknown_gradients(opened):
    x = Value(2.0, label="x")
    out = Value(x.data**3, (x,), "cube")
    out._backward = lambda: setattr(x, "grad", x.grad + 3.0 * x.data**2 * out.grad)
    page = opened(out * 2.0 + Value(1.0, label="z"))
    assert numbers(page, "x") == ["2", "?"]
    assert numbers(page, "z") == ["1", "1"]
    assert "only Python's backward()" in page.inner_text("#said")
    box(page, "x").click()
    assert "unknown" in page.inner_text("aside")
    page.check("#numeric")
    assert "1 gradients compared" in page.inner_text("#said")


def test_the_name_of_an_operation_is_no_markup(opened):
    x = Value(2.0, label="x")
    page = opened(Value(8.0, (x,), HOSTILE[0]) * 2.0)
    page.evaluate("explorer.toNode(explorer.graph.interior[0])")
    assert page.title() != "stolen"
    assert not page.locator("img").count()


def test_a_leaf_moves_between_the_passes(opened):
    x, z = Value(2.0, label="x"), Value(3.0, label="z")
    page = opened(x * z * x)
    for _ in range(4):
        page.click("#next") if page.input_value("#step") != "5" else page.click(
            "#first"
        )
    page.evaluate("explorer.goTo(4)")
    page.evaluate("explorer.setLeaf(0, 5)")
    assert numbers(page, "x") == ["5", "15"]
    assert "+= 15" in page.locator(".edge-label").all_text_contents()


def test_a_slider_stays_in_the_hand_while_differences_follow(opened):
    page = opened(Value(2.0, label="x") * Value(3.0, label="z"))
    page.check("#numeric")
    box(page, "x").click()
    page.focus("aside input[type=range]")
    for _ in range(3):
        page.keyboard.press("ArrowRight")
        page.wait_for_timeout(200)
    assert float(numbers(page, "x")[0]) == pytest.approx(2.06)
    assert page.evaluate("document.activeElement.type") == "range"


def test_dots_keep_the_sign_of_zero(opened):
    ws = [Value(0.0, label="w1"), Value(0.0, label="w2")]
    y = 1.0 / ag.dot(ws, [Value(-1.0), Value(-1.0)])
    page = opened(y)
    assert y.data == -inf
    assert page.evaluate("explorer.graph.data[explorer.graph.results[0]]") == -inf


def test_names_of_their_own_do_not_collide_with_labels(opened):
    y, v = Value(2.0, label="y"), Value(1.0, label="v1")
    page = opened(y * y + v)
    words = page.evaluate("explorer.words")
    assert sorted(words) == sorted({*words})


@pytest.mark.parametrize("word", ["v1", "*", "multiply"])
def test_search_knows_what_the_page_says(word, opened):
    page = opened(Value(2.0) * Value(3.0) + 1.0)
    page.fill("#search", word)
    page.press("#search", "Enter")
    assert page.inner_text("aside h2") == "multiply v1"


def test_search_begins_with_the_first(opened):
    w1, w2, w3 = (Value(1.0, label=f"w{k}") for k in (1, 2, 3))
    page = opened(w1 * w2 * w3)
    page.fill("#search", "w")
    for label in ("w1", "w2", "w3", "w1"):
        page.press("#search", "Enter")
        assert page.inner_text("aside h2") == label


@pytest.mark.parametrize("x", [1e308, inf, nan])
def test_leaves_without_room_for_a_slider(x, opened):
    page = opened(Value(x, label="x") * 1.0)
    page.evaluate("explorer.toNode(0)")
    assert page.locator("aside input[type=range]").count() == 0
    page.fill("aside input[type=number]", "2")
    page.press("aside input[type=number]", "Enter")
    assert page.evaluate("explorer.graph.data[0]") == 2.0


# -- NaN and infinity ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda x: ag.log(x) * 2.0 + 1.0, "-inf arises at log"),
        (lambda x: ag.sqrt(x - 1.0) + x, "nan arises at sqrt"),
        (lambda x: ag.sqrt(x) * 2.0, "A gradient of inf is sent by sqrt"),
        (lambda x: x * Value(nan, label="bad"), "nan arises at bad"),
        (lambda x: x + inf, "inf arises at a number"),
        (lambda x: ag.exp(x + 1000.0) - ag.exp(x + 1001.0), "nan arises at subtract"),
        (
            lambda x: ag.where(x, ag.log(x - 1.0), ag.exp(x + 1000.0)) * 1.0,
            "inf arises at exp",
        ),
    ],
)
def test_numbers_that_are_not_finite_are_traced(make, told, opened):
    page = opened(make(Value(0.0, label="x")))
    assert told in page.inner_text("#said")
    page.evaluate("explorer.toNode(explorer.graph.results[0])")
    if "arises" in told:
        assert "arose at" in page.inner_text("aside")


# -- Both passes, step by step ---------------------------------------------------------


def shown(page):
    """{title: [data, grad]} of all boxes but constants."""
    return {
        texts[0]: [text.split(" ", 1)[1] for text in texts[1:]]
        for texts in (
            group.locator("text").all_text_contents()
            for group in page.locator(".box:not(.constant)").all()
        )
    }


def test_the_passes_go_step_by_step(opened):
    x, w = Value(3.0, label="x"), Value(2.0, label="w")
    p = w * x
    p.label = "p"
    y = p + x
    y.label = "y"
    page = opened(y)
    page.click("#first")
    assert shown(page)["*  p"] == ["…", "…"]
    assert shown(page)["x"] == ["3", "…"]
    page.click("#next")
    assert "multiply p of 2, 3 = 6" in page.inner_text("#said")
    assert shown(page)["*  p"] == ["6", "…"]
    page.click("#next")
    page.click("#next")
    assert shown(page)["+  y"] == ["9", "1"]
    assert "is 1" in page.inner_text("#said")
    page.click("#next")  # y sends 1 to p and to x
    assert shown(page)["x"] == ["3", "1"]
    assert "add y sends 1 to multiply p; 1 to x" in page.inner_text("#said")
    labels = page.locator(".edge-label").all_text_contents()
    assert labels.count("+= 1") == 2
    page.click("#next")  # p sends 2 to x, where 1 has arrived before
    assert shown(page)["x"] == ["3", "3"]
    assert "2 to x, 1 before" in page.inner_text("#said")
    assert page.locator("#next").is_enabled()
    page.click("#back")
    assert shown(page)["x"] == ["3", "1"]
    page.click("#last")
    assert shown(page)["w"] == ["2", "3"]


def test_the_passes_play(opened):
    page = opened(Value(3.0, label="x") * 2.0)
    page.click("#play")
    page.locator("#play:text('pause')").wait_for()
    page.locator("#play:text('play')").wait_for()
    assert page.input_value("#step") == "3"
    assert shown(page)["x"] == ["3", "2"]


# -- Derivations -----------------------------------------------------------------------


def test_a_node_shows_its_derivatives_and_the_chain_rule(neuron, opened):
    page = opened(neuron)
    box(page, "y").click()
    formulas = page.locator("aside math").all_text_contents()
    assert any("sech" in text for text in formulas)
    box(page, "w1").click()
    assert "1 way on" in page.inner_text("aside")
    assert page.locator("aside math mfrac").count() >= 3
    assert page.locator("aside dd").all_text_contents()[0] == "-3"


def test_both_ways_of_a_node_used_twice(opened):
    x = Value(3.0, label="x")
    page = opened(x * x)
    box(page, "x").click()
    assert "2 ways on" in page.inner_text("aside")
    assert page.locator("aside dd").all_text_contents()[1] == "6"


def test_the_line_of_python_is_shown(opened):
    with source_lines():
        y = Value(2.0, label="x") * 3.0  # the line that made it
    y.label = "y"
    page = opened(y)
    box(page, "y").click()
    assert "the line that made it" in page.inner_text("aside mark")
    assert "test_viz_explorer.py, line" in page.inner_text("aside")
    assert "/" not in page.inner_text("aside h3:text('line')")


# -- Order and layout ------------------------------------------------------------------

PLACES = """[...explorer.drawing.boxes].map(({x, y, width, height, node, members}) => (
    {x, y, width, height, label: explorer.graph.nodes[members[0]].label, node}))"""


def no_two_overlap(boxes):
    boxes = sorted(boxes, key=lambda b: (b["x"], b["y"]))
    for k, a in enumerate(boxes):
        for b in boxes[k + 1 :]:
            if b["x"] >= a["x"] + a["width"]:
                break
            apart = abs(a["y"] - b["y"]) >= (a["height"] + b["height"]) / 2 - 1e-6
            assert apart or b["x"] + b["width"] <= a["x"]


def test_operands_neurons_and_inputs_stand_in_their_order(make_network, opened):
    page = opened(make_network([3, 4, 2, 1], 1))
    boxes = page.evaluate(PLACES)
    no_two_overlap(boxes)
    height = {b["label"]: b["y"] for b in boxes if b["label"]}
    for names in (
        ["x0", "x1", "x2"],
        [f"layer0.neuron{j}.b" for j in range(4)],
        [f"layer0.neuron2.w{k}" for k in range(3)],
    ):
        assert [height[n] for n in names] == sorted(height[n] for n in names)


def test_a_quotient_reads_from_top_to_bottom(opened):
    a, b = Value(1.0, label="a"), Value(2.0, label="b")
    page = opened(a / b)
    height = {box["label"]: box["y"] for box in page.evaluate(PLACES)}
    assert height["a"] < height["b"]
    assert {"numerator", "denominator"} <= {
        *page.locator(".edge-label").all_text_contents()
    }


def test_every_arrow_leads_to_the_right(make_network, opened):
    page = opened(make_network([2, 4, 4, 1], 3))
    page.click("#unfold")
    ways = page.evaluate(
        "explorer.drawing.edges.map(({tail, head}) => [explorer.drawing.boxes[tail],"
        "explorer.drawing.boxes[head]].map(({x}) => x))"
    )
    assert all(tail < head for tail, head in ways)
    no_two_overlap(page.evaluate(PLACES))


# -- Folding and search ----------------------------------------------------------------


def test_folding_and_unfolding(make_network, opened):
    page = opened(make_network([2, 4, 4, 1], 1))
    page.click("#fold")
    titles = page.locator(".box .title").all_text_contents()
    assert {"layer0", "layer1", "layer2"} <= {*titles}
    box(page, "layer1").click()
    assert "20: " in page.inner_text("aside dl")
    page.click("aside button:text('unfold')")
    titles = page.locator(".box .title").all_text_contents()
    assert "layer0" in titles
    assert "layer1" not in titles
    assert "layer1.neuron0" in titles
    page.click("aside button:text('unfold')")
    titles = page.locator(".box .title").all_text_contents()
    assert "layer1.neuron0.w3" in titles
    assert "layer1.neuron0" not in titles
    page.click("aside button:text('fold layer1.neuron0')")
    assert "layer1.neuron0" in page.locator(".box .title").all_text_contents()
    page.click("#unfold")
    assert page.locator(".box.group").count() == 0


def test_parts_that_repeat_are_drawn_once(make_network, opened):
    page = opened(make_network([2, 4, 4, 1], 32))
    assert box(page, "31 more like it").count() == 1
    assert page.locator(".box").count() < 100


def test_boxes_glide_to_their_places(make_network, tmp_path, browser):
    path = explore(make_network([2, 4, 4, 1], 1), tmp_path / "page.html")
    page = browser.new_page()  # which does not ask for reduced motion
    page.goto(path.as_uri())
    page.evaluate(
        """() => {
            window.seen = new Set();
            explorer.foldAll(true);
            const look = () => {
                for (const box of document.querySelectorAll(".box.group"))
                    seen.add(box.getAttribute("transform"));
                requestAnimationFrame(look);
            };
            look();
        }"""
    )
    page.wait_for_timeout(500)
    seen = page.evaluate("seen.size")
    page.close()
    assert seen > 3 * 5  # layers, on the way


def test_search_finds_what_is_folded(make_network, opened):
    page = opened(make_network([2, 4, 4, 1], 1))
    page.click("#fold")
    page.fill("#search", "layer1.neuron2.w3")
    page.press("#search", "Enter")
    assert page.inner_text("aside h2") == "layer1.neuron2.w3"
    assert "selected" in box(page, "layer1.neuron2.w3").get_attribute("class")
    page.fill("#search", "nowhere")
    page.press("#search", "Enter")
    assert page.inner_text("#said") == "Nothing is called nowhere."


# -- Keyboard, sizes, dark, screen readers ---------------------------------------------


def tab_to_the_graph(page):
    for _ in range(20):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.matches('.box')"):
            return
    raise AssertionError("the Tab key never reaches a box")


def test_the_keyboard_alone_is_enough(neuron, opened):
    page = opened(neuron)
    tab_to_the_graph(page)
    for key in ("ArrowLeft", "ArrowLeft", "Enter"):
        page.keyboard.press(key)
    assert page.inner_text("aside h2") == "b"
    page.keyboard.press("Shift+ArrowUp")
    assert numbers(page, "b")[0] == "5.9"
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    assert page.inner_text("aside h2").startswith("multiply")
    page.keyboard.press("Escape")
    assert page.inner_text("aside h2") == "Result"


def test_groups_open_from_the_keyboard(make_network, opened):
    page = opened(make_network([2, 4, 4, 1], 1))
    page.focus("#fold")
    page.keyboard.press("Enter")
    tab_to_the_graph(page)
    for _ in range(4):
        if page.evaluate("document.activeElement.matches('.group')"):
            break
        page.keyboard.press("ArrowLeft")
    assert page.evaluate("document.activeElement.matches('.group')")
    assert box(page, "layer2.neuron0").count() == 0
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    assert box(page, "layer2.neuron0").count() == 1
    assert page.evaluate("document.activeElement.matches('.box')")


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("width", [1280, 760, 320])
def test_pages_are_accessible_at_every_size(dark, width, make_network, opened):
    page = opened(make_network([2, 4, 1], 1), dark=dark, width=width, height=640)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert not violations(page)
    page.check("#numeric")
    page.evaluate("explorer.toNode(explorer.graph.results[0])")
    assert not violations(page)
    background = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (background == "rgb(255, 255, 255)") is not dark


def test_boxes_have_names_for_screen_readers(neuron, opened):
    page = opened(neuron)
    for text in ("tanh  y", "data 0.2913", "grad 1"):
        assert page.get_by_role("button", name=text).count() >= 1
    assert page.get_by_role("status").count() == 1


# -- Labels, sizes, bad input ----------------------------------------------------------


@pytest.mark.parametrize("label", HOSTILE)
def test_labels_stay_text(label, opened):
    x = Value(2.0, label=label)
    y = x * 3.0
    y.label = label
    page = opened(y, title=label)
    page.evaluate("explorer.toNode(0)")
    page.evaluate("explorer.toNode(explorer.graph.results[0])")
    assert page.title() != "stolen"
    assert not page.locator("img").count()
    assert page.evaluate("explorer.graph.nodes[0].label") == label


def deep(count):
    x = Value(1.0, label="x")
    y = x
    for k in range(count):
        y = ag.tanh(y) if k % 3 == 0 else y * 1.01 + x
    return y


def wide(count):
    return ag.sum([ag.tanh(Value(k / count, label=f"x{k}")) for k in range(count)])


@pytest.mark.parametrize("graph", [deep(450), wide(500), deep(3800), wide(5000)])
def test_large_graphs(graph, opened):
    page = opened(graph)
    count = page.evaluate("explorer.graph.nodes.length")
    assert count >= 1000
    assert page.locator(".box").count() <= 100
    group = page.locator(".box.group").first
    group.focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    assert 3 <= page.locator(".box").count() <= 1000


def test_a_thousand_boxes_at_once(opened):
    page = opened(deep(450))
    page.click("#unfold")
    assert page.locator(".box").count() >= 900
    no_two_overlap(page.evaluate(PLACES))


def test_too_many_nodes(tmp_path):
    with pytest.raises(RenderError, match=r"1,001 nodes, more than max_nodes=1,000"):
        explore(wide(500), tmp_path / "page.html", max_nodes=1000)
    assert not [*tmp_path.iterdir()]


@pytest.mark.parametrize("name", ["page.png", "page", "missing/page.html"])
def test_names_that_cannot_be_written(name, tmp_path):
    with pytest.raises(RenderError, match=r"\.html|cannot write"):
        explore(Value(1.0), tmp_path / name)
    assert not [*tmp_path.iterdir()]


@pytest.mark.parametrize("what", [3.0, [], ["x"], None])
def test_only_values_have_pages(what, tmp_path):
    with pytest.raises(TypeError, match="only Values"):
        explore(what, tmp_path / "page.html")


def test_a_graph_with_a_cycle(tmp_path):
    x = Value(1.0)
    y = x * 2.0
    y._operands = (y, y)
    with pytest.raises(GraphError, match="cycle"):
        explore(y, tmp_path / "page.html")


def test_several_results_and_lonely_leaves(opened):
    x = Value(2.0, label="x")
    page = opened([x * 3.0, x + 1.0])
    assert numbers(page, "x") == ["2", "4"]
    assert "of their sum, L" in page.inner_text("aside")
    y = x * 3.0
    y.label = "y"
    page = opened([y, y])
    assert numbers(page, "y") == ["6", "2"]
    page = opened(Value(nan, label="alone"))
    assert numbers(page, "alone ⚠ arises here") == ["nan", "1"]


def test_nothing_of_the_graph_is_changed(neuron, opened):
    before = neuron.data, neuron.grad, [p.grad for p in neuron.operands]
    opened(neuron)
    assert before == (neuron.data, neuron.grad, [p.grad for p in neuron.operands])
