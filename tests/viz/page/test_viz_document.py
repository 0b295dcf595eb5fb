"""Pages as files: what stands in them, and what they refuse."""

import json
import re
from math import inf, nan

import pytest

from autograd import RenderError
from viz.page.document import as_json, document

HOSTILE = ["</script><script>document.title = 'stolen'</script>", "<!--", "\u2028", "&"]


def test_a_page_is_one_file_that_asks_for_nothing(tmp_path, visit):
    page = visit(
        document("t", "<p>hello</p>", ["numbers.js"]).save(tmp_path / "a.html")
    )
    assert page.inner_text("p") == "hello"


@pytest.mark.parametrize("text", HOSTILE)
def test_text_stays_text(text, tmp_path, visit):
    whole = document(text, "", ["numbers.js"], {"label": text})
    page = visit(whole.save(tmp_path / "a.html"))
    assert page.evaluate("DATA.label") == text
    assert page.title().strip() == text.strip()


@pytest.mark.parametrize("x", [nan, inf, -inf, 1.5, 0.1, -0.0, 5e-324, 1.8e308 / 2])
def test_numbers_arrive(x, tmp_path, visit):
    page = visit(document("t", "", ["numbers.js"], [x]).save(tmp_path / "a.html"))
    same = "Object.is(number(DATA[0]), " + {nan: "NaN", inf: "Infinity"}.get(
        x, "-Infinity" if x == -inf else repr(x)
    )
    assert page.evaluate(same + ")")


def test_numbers_are_short_as_in_python(tmp_path, visit):
    page = visit(document("t", "", ["numbers.js"]).save(tmp_path / "a.html"))
    xs = [0.0, 1.0, -2.5, 1 / 3, 1e-5, 123456.0, 99999.5, 0.00012345, 1e300, 9999.6, 12]
    found = page.evaluate(f"{json.dumps(xs)}.map(x => short(x))")
    assert found == [f"{x:.4g}" for x in xs]


def test_json_is_standard():
    assert json.loads(as_json([nan, {"a": (1, 2.0)}])) == ["NaN", {"a": [1, 2.0]}]


@pytest.mark.parametrize("name", ["a.png", "a", "missing/a.html", "a\0.html"])
def test_what_cannot_be_written(name, tmp_path):
    with pytest.raises(RenderError):
        document("t", "", []).save(f"{tmp_path}/{name}")
    assert not any(tmp_path.iterdir())


def test_scripts_have_no_comments_in_pages():
    page = document("t", "", ["numbers.js"]).text
    assert not re.search(r"^\s*//", page, re.MULTILINE)
