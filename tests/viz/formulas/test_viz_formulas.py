"""Formulas: every row can be written, and what is written is true."""

import random
from math import inf, nan

import pytest
from cases import operands

import autograd as ag
from autograd import GraphError, Primitive, RenderError, Value
from autograd.numbers.symbolic import Expression, Symbol
from autograd.table.primitives import TABLE
from viz import latex, mathml
from viz.formulas.derivation import _Derivation
from viz.formulas.notation import NOTATION
from viz.formulas.trees import filled, partials, tables
from viz.formulas.written import LATEX, MATHML, Derivative, written
from viz.page.document import as_json, document

X, Y = Symbol("x"), Symbol("y")


def call(name, *parts):
    return Expression(TABLE[name], parts)


def evaluated(formula, known):
    """The number of a formula, for the numbers of its symbols by name."""
    if isinstance(formula, Symbol):
        return known[formula.name]
    if not isinstance(formula, Expression):
        return formula
    row = formula.primitive
    return row.evaluate(*row.map(lambda part: evaluated(part, known), formula.operands))


# -- The table ---------------------------------------------------------------------------


def test_what_is_written_in_a_way_of_its_own_is_a_row():
    assert NOTATION.keys() <= TABLE.keys()


def test_every_form_is_known_to_both_dialects_and_to_pages(tmp_path, visit):
    forms = {known.form for known in NOTATION.values()} | {"call"}
    assert all(hasattr(d, form) for d in (LATEX, MATHML) for form in forms - {"dot"})
    page = visit(_page_of({}).save(tmp_path / "page.html"))
    assert forms <= {*page.evaluate("Object.keys(FORMS)")}


@pytest.mark.parametrize("name", TABLE)
def test_textbook_partials_are_the_rows(name):
    """Guards are left out of formulas; where all is smooth, nothing else is."""
    row = TABLE[name]
    if name == "prod":
        assert partials(row) == []
        return
    for given in operands(name):
        groups = given if row.arity is None else [[x] for x in given]
        result = row.evaluate(*given)
        expected = row.partials(given, result)
        trees = partials(row)
        found = [
            filled(tree, groups, k, result)
            for tree, group in zip(trees, groups)
            for k in range(len(group))
        ]
        found = [evaluated(x, {}) for x in found]
        for a, b in zip(found, expected):
            assert a == pytest.approx(float(b), rel=1e-12, nan_ok=True), given


def _page_of(formulas):
    notation, trees = tables(TABLE)
    code = f"const NOTATION={as_json(notation)}, PARTIALS={as_json(trees)};"
    scripts = ["numbers.js", "graph/mathml.js"]
    return document("formulas", "<div></div>", scripts, formulas, code)


def _tree(formula):
    if isinstance(formula, Symbol):
        return written(formula, MATHML)
    if not isinstance(formula, Expression):
        return formula
    return [
        formula.primitive.name,
        *map(_tree, formula.primitive.flat(formula.operands)),
    ]


def _random_formula(rng, depth):
    if depth == 0 or rng.random() < 0.15:
        return rng.choice([X, Y, Symbol("w12"), 2.0, -0.5, 1e-9, 1.5e30])
    name = rng.choice([n for n in TABLE if n != "where"])
    row = TABLE[name]
    if row.arity is None:
        sizes = [3, 3] if name == "dot" else [rng.choice([1, 3, 14])]
        parts = [[_random_formula(rng, depth - 1) for _ in range(n)] for n in sizes]
        return call(name, *map(tuple, parts))
    return call(name, *[_random_formula(rng, depth - 1) for _ in range(row.arity)])


def test_pages_write_as_python_does(tmp_path, visit):
    rng = random.Random(0)
    formulas = [_random_formula(rng, 3) for _ in range(300)]
    page = visit(_page_of([_tree(f) for f in formulas]).save(tmp_path / "page.html"))
    read = """(texts) => texts.map((text) => {
        document.querySelector("div").innerHTML = `<math>${text}</math>`;
        return document.querySelector("div").textContent;
    })"""
    ours = page.evaluate(read, [written(f, MATHML) for f in formulas])
    theirs = page.evaluate(f"({read})(DATA.map(mathml))")
    for a, b in zip(ours, theirs):
        assert a == b


# -- Texts -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("formula", "text"),
    [
        (X + Y * 2.0, r"x + y \cdot 2"),
        ((X + Y) * 2.0, r"(x + y) \cdot 2"),
        (X - (Y - 1.0), "x - (y - 1)"),
        (X - Y - 1.0, "x - y - 1"),
        (-X * Y, r"(-x) \cdot y"),
        (call("power", -X, 2.0), "(-x)^{2}"),
        (call("power", X + Y, 2.0), "(x + y)^{2}"),
        (call("divide", X, Y + 1.0), r"\frac{x}{y + 1}"),
        (call("exp", -X), "e^{-x}"),
        (call("absolute", X - Y), "| x - y |"),
        (call("floor", X), r"\lfloor x \rfloor"),
        (call("sqrt", X * X), r"\sqrt{x \cdot x}"),
        (call("dot", (X, Y), (2.0, 1.0)), r"x \cdot 2 + y"),
        (call("relu", X), r"\operatorname{ReLU}(x)"),
        (call("less", X, 0.0), "x < 0"),
        (X - call("negative", Y), "x - (-y)"),
        (call("negative", call("negative", X)), "-(-x)"),
        (X + -3.0, "x + (-3)"),
        (-3.0 + X, "-3 + x"),
        (X * -0.0, r"x \cdot (-0)"),
        (call("power", 1e20, X), r"(1 \cdot 10^{20})^{x}"),
        (call("remainder", X * Y, Y) * X, r"((x \cdot y) \bmod y) \cdot x"),
        (
            -call("floor_divide", X, 2.0),
            r"-\left\lfloor \frac{x}{2} \right\rfloor",
        ),
        (call("direction_cosine", X, Y), r"\operatorname{direction\_cosine}(x, y)"),
        (Derivative("L", "w1"), r"\frac{\partial L}{\partial w_{1}}"),
        (1.5e-9, r"1.5 \cdot 10^{-9}"),
        (-inf, r"-\infty"),
        (nan, r"\mathrm{NaN}"),
        (Symbol("learning_rate"), r"\mathrm{learning\_rate}"),
        (Symbol("a\\b$"), r"\mathrm{a\backslash b\$}"),
    ],
)
def test_latex(formula, text):
    assert written(formula, LATEX) == text


def test_long_sums_are_cut():
    xs = tuple(Symbol(f"x{k}") for k in range(40))
    assert written(call("sum", xs), LATEX).endswith(r"x_{11} + \cdots")
    assert written(call("maximum", xs), LATEX).endswith(r"x_{11}, \ldots)")


def test_labels_stay_text_in_mathml():
    x = Value(1.0, label="<script>alert(1)</script>")
    assert "<script>" not in mathml(x * 2.0)


# -- Graphs ------------------------------------------------------------------------------


def neuron():
    w, x, b = Value(-3.0, label="w"), Value(2.0, label="x"), Value(6.88, label="b")
    z = w * x + b
    z.label = "z"
    return ag.tanh(z)


def test_a_neuron():
    lines = latex(neuron()).split("\n")
    assert lines[1] == r"z &= w \cdot x + b = 0.88 \\"
    assert lines[2] == r"y &= \tanh(z) = 0.7064 \\"
    assert lines[4].endswith(r"\frac{\partial y}{\partial z} \cdot x = 1.002 \\")


def everything(a, b, c):
    s = ag.dot([a, b, 2.0], [b, c, a], c)
    t = ag.sigmoid(s) * s + ag.prod([a, b, c]) ** 2.0 / (1.0 + ag.exp(-a))
    u = ag.logsumexp([s, t, 1.0]) - ag.hypot(b, c) + ag.arctan2(a, b)
    return (
        ag.maximum([t, u]) + ag.where(a > 0.0, u / b, c) + ag.relu(a) + ag.sum([s, u])
    )


def test_every_line_is_true():
    """Formulas, evaluated on what they name, give the numbers beside them."""
    y = everything(
        *[Value(x, label=n) for n, x in (("a", 0.7), ("b", 1.9), ("c", -0.4))]
    )
    found = _Derivation(y, 100)
    known = {name: node.data for node, name in found.names.items()}
    for node, name in found.names.items():
        known[f"dy/d{name}"] = found.cotangents.get(node, 0.0)
    for node, formula in found.formulas.items():
        assert evaluated(formula, known) == pytest.approx(node.data, rel=1e-13)
    lines = list(found.derivatives())
    assert len(lines) == len(found.names) - 1
    for node, formula in lines:
        assert evaluated(formula, known) == pytest.approx(
            known[f"dy/d{found.names[node]}"]
        )


def test_a_primitive_of_ones_own_gives_its_number():
    cube = Primitive("cube", lambda x: x**3, lambda x, y: 3.0 * x * x)
    text = latex(cube(Value(2.0, label="x")) * 2.0)
    assert r"\operatorname{cube}(x)" in text
    assert text.endswith("= 24\n\\end{aligned}")


def test_leaves_alone_and_without_influence():
    assert "x &= 2" in latex(Value(2.0, label="x"))
    x = Value(2.0, label="x")
    assert r"\partial x} &= 0" in latex(ag.where(0.0, x, 1.0) * 3.0)


def test_names_of_operations_stay_text():
    row = Primitive("<img src=q onerror=alert(1)>", lambda x: x * x, lambda x, z: 2 * x)
    assert "<img" not in mathml(row(Value(1.0, label="x")))
    row = Primitive("my_op", lambda x: x * x, lambda x, z: 2 * x)
    assert r"\operatorname{my\_op}(x)" in latex(row(Value(1.0, label="x")))


def test_invented_names_are_not_those_of_labels():
    y, v = Value(2.0, label="y"), Value(1.0, label="v1")
    text = latex((y * y) * (y * y + v) * (y * y))
    assert r"\frac{\partial y}" not in text
    lines = [line.split(" &= ")[0] for line in text.split("\n")[1:-1]]
    assert len(lines) == len(set(lines))


def test_what_was_chosen_is_a_number():
    c, x, b = (Value(v, label=n) for n, v in (("c", 1.0), ("x", 2.0), ("b", 3.0)))
    lines = latex(ag.where(c, x, b)).split("\n")
    assert [line.split("&= ")[1].rstrip("\\ ") for line in lines[2:5]] == [
        "0",
        "1",
        "0",
    ]


def test_a_product_of_one():
    assert r"\partial x} &= 1" in latex(ag.prod([Value(2.0, label="x")]))


def test_both_languages_have_as_many_lines():
    y = neuron()
    assert mathml(y).count("<mtr>") == latex(y).count("&=") == 6


@pytest.mark.parametrize("write", [latex, mathml])
def test_bad_input(write):
    with pytest.raises(TypeError, match="only Values"):
        write(3.0)
    x = Value(1.0)
    for _ in range(101):
        x = x * 1.1
    with pytest.raises(RenderError, match="101 operations, more than max_nodes=100"):
        write(x)
    y = Value(1.0) * 2.0
    y._operands = (y, y)
    with pytest.raises(GraphError):
        write(y)


def test_browsers_draw_it(tmp_path, visit):
    page = visit(
        document("t", mathml(neuron()), ["numbers.js"]).save(tmp_path / "p.html")
    )
    assert page.locator("math mfrac").count() >= 4
    assert page.locator("math").bounding_box()["height"] > 100
