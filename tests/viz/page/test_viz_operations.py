"""JavaScript's table of operations, in a browser, against mpmath and Python's rows."""

import itertools
import math
import re
from math import inf, nan
from pathlib import Path

import cases
import exact
import pytest

from autograd.graph.strong import share
from autograd.table.primitives import TABLE
from viz.page.document import document
from viz.page.operations import code

DOC = Path(__file__).parent.parent.parent.parent / "docs" / "accuracy.md"
BOUND = 4.0  # ulp, for values and slopes
LGAMMA = 20.0  # its value: at one of its minima, as the docs say
SMOOTH = sorted(name for name in TABLE if not TABLE[name].predicate)
ORDERS = [2.0, 3.0, 7.0, 20.0, 59.0]  # of polygamma
SPECIAL = [nan, inf, -inf, 0.0, -0.0, 1.0, -1.0, 0.5, 2.0, -2.5, 3.0, -3.0]
ANSWERS = """([name, points]) => points.map((operands) => {
    const row = ROWS[name];
    const value = row.value(...operands);
    return [value, row.partials(...operands, value)];
})"""


@pytest.fixture(scope="module")
def page(browser, tmp_path_factory):
    """A page with all rows, for all tests here."""
    path = tmp_path_factory.mktemp("rows") / "rows.html"
    page = browser.new_page()
    page.goto(document("rows", "", [], code=code()).save(path).as_uri())
    yield page
    page.close()


def answers(page, name, points):
    """(value, list of partials) of a row at each of the points, as JavaScript has it."""
    row = TABLE[name]
    found = page.evaluate(ANSWERS, [name, [list(map(_listed, xs)) for xs in points]])
    return [(float(value), [*map(float, row.flat(ps))]) for value, ps in found]


def _listed(x):
    return x if isinstance(x, float) else [*x]


def points(name):
    """Interior, tails, subnormals and both sides of kinks: as Python's rows are held."""
    tuples = exact.operand_tuples(name, 45 if TABLE[name].arity == 1 else 25)
    if name == "polygamma":
        tuples += [*itertools.product(ORDERS, [0.3, 2.5, 40.0, -0.3, -2.3, -60.4])]
    return tuples + ([] if name in cases.PARTICULAR else cases.operands(name))


def special(name):
    """What IEEE 754 names: zeros, ones, infinities, NaN; poles, kinks and ties."""
    row = TABLE[name]
    if row.arity is not None:
        numbers = [*SPECIAL, *map(float, {*row.kinks, *itertools.chain(*row.domain)})]
        return [*itertools.product(numbers, repeat=row.arity)]
    few = [nan, inf, -inf, 0.0, -0.0, 1.0, -2.0]
    groups = [
        [],
        *[[*xs] for n in (1, 2, 3) for xs in itertools.product(few, repeat=n)],
    ]
    if name == "dot":
        return [(ws, xs) for ws in groups for xs in groups[::7] if len(ws) == len(xs)]
    return [(xs,) for xs in groups if xs or not row.chooses]


def test_every_row_is_there(page):
    """Evaluation and partials, and the facts of the row."""
    facts = page.evaluate(
        "Object.values(ROWS).map(({value, partials, ...facts}) => "
        "[facts, typeof value, typeof partials])"
    )
    assert [kinds for _, *kinds in facts] == [["function", "function"]] * len(TABLE)
    assert {f["name"] for f, *_ in facts} == TABLE.keys()
    for fact, *_ in facts:
        row = TABLE[fact["name"]]
        assert all(getattr(row, key) == known for key, known in fact.items())


@pytest.mark.parametrize("name", SMOOTH)
def test_errors_in_ulp(page, name):
    row, chosen = TABLE[name], points(name)
    for xs, (value, partials) in zip(chosen, answers(page, name, chosen)):
        bound = LGAMMA if name == "lgamma" else BOUND
        assert exact.judged(value, row, xs, 0, 0) <= bound, xs
        for i in exact.differentiated(row, xs):
            assert exact.judged(partials[i], row, xs, i, 1) <= BOUND, (xs, i)


@pytest.mark.parametrize("name", TABLE)
def test_special_operands_give_what_python_gives(page, name):
    row, chosen = TABLE[name], special(name)
    for xs, (value, partials) in zip(chosen, answers(page, name, chosen)):
        expected = row.evaluate(*xs)
        wanted = [*row.partials(xs, expected)]
        moved = [abs(x * p) for x, p in zip(row.flat(xs), wanted) if math.isfinite(p)]
        assert same(value, expected, max(moved, default=0.0)), (xs, value, expected)
        assert all(map(same, partials, wanted)), (xs, partials, wanted)


def same(x, y, scale=0.0):
    """NaN is NaN and -0 is not 0; ordinary numbers are close, on their own scale."""
    if math.isfinite(y) and y:
        return abs(x - y) <= 1e-14 * max(abs(y), scale)
    return math.isnan(x) if math.isnan(y) else str(x) == str(y)


def test_zero_is_strong(page):
    numbers = [nan, inf, -inf, 0.0, -0.0, 1.0, -2.0]
    for name, sent in itertools.product(("multiply", "where"), numbers):
        found = page.evaluate(
            "([name, sent, ps]) => ps.map((p) => share(ROWS[name], sent, p))",
            [name, sent, numbers],
        )
        wanted = [share(TABLE[name], sent, partial) for partial in numbers]
        assert all(map(same, map(float, found), wanted)), (name, sent, found)


def test_a_page_gets_what_it_wants():
    small = code(["add", "multiply", "dot", "tanh"])
    assert len(small) < 2000
    assert set(re.findall(r"^(\w+): {", small, re.MULTILINE)) == {
        *("add", "multiply", "dot", "tanh", "sech2")
    }
    assert "lgamma" not in small
    assert "function polygamma" in code(["lgamma"])


@pytest.mark.parametrize("name", TABLE)
def test_a_row_needs_no_others(page, name, tmp_path):
    """Alone in a page, it and its derivatives find all they name."""
    alone = "(() => {" + code([name]) + " return ROWS; })()"
    names = page.evaluate(f"Object.keys({alone})")
    assert name in names
    for other in names:
        chosen = [_listed(x) for x in special(other)[-1]]
        page.evaluate(
            f"([name, xs]) => {{ const row = {alone}[name]; "
            "return row.partials(...xs, row.value(...xs)); }",
            [other, chosen],
        )


def test_the_docs_have_every_row_and_the_exception():
    text = DOC.read_text(encoding="utf-8").partition("## JavaScript")[2]
    text = text.partition("\n## ")[0]
    assert f"within {LGAMMA:g} ulp" in text
    assert {name for name in SMOOTH if f"`{name}`" not in text} == set()
