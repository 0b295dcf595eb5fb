"""The docs as a site: built without a warning, and read from disk without a network.

The site is built once. Then its files are read (links, requests, names, notebooks), and
its pages visited in a browser (search, exercises, accessibility).
"""

import ast
import codeop
import doctest
import importlib
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urldefrag

import pytest
from browser import violations

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
LESSONS = sorted(DOCS.glob("course/[0-9]*.md"))
PACKAGES = ("autograd", "nn", "viz")
ASKING = {
    "script": "src",
    "link": "href",
    "img": "src",
    "iframe": "src",
    "source": "src",
}
CELL = re.compile(r"^```\{code-cell\}.*\n(?:---\n[\s\S]*?---\n)?((?:.*\n)*?)```$", re.M)


@pytest.fixture(scope="session")
def site(tmp_path_factory):
    """The folder of the site; warnings are errors."""
    pytest.importorskip("sphinx")
    folder = tmp_path_factory.mktemp("site")
    # A builder of its own process, as people call it; python -W error is not for
    # packages that are not ours.
    command = [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going"]
    run = subprocess.run(
        [*command, DOCS, folder], capture_output=True, text=True, encoding="utf-8"
    )
    assert run.returncode == 0, run.stderr
    return folder


class Read(HTMLParser):
    """What a test asks of a page: its anchors, its links, and what it requests."""

    def __init__(self, path):
        super().__init__()
        self.anchors, self.links, self.requests, self.texts = set(), [], [], []
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        self.anchors |= {given[key] for key in ("id", "name") if given.get(key)}
        if tag == "a" and given.get("href"):
            self.links.append(given["href"])
        if tag in ASKING and given.get(ASKING[tag]):
            self.requests.append(given[ASKING[tag]])
        if tag == "img":
            self.texts.append(given.get("alt"))


@pytest.fixture(scope="session")
def pages(site):
    """Every page that Sphinx made, by its path."""
    made = [p for p in site.rglob("*.html") if "_static" not in p.parts]
    return {path: Read(path) for path in made if path.name != "playground.html"}


@pytest.fixture
def read(visit, site):
    """``read(name, dark=False)`` opens a page of the site in the browser."""
    return lambda name, **how: visit(site / name, within=site, **how)


# -- Files -----------------------------------------------------------------------------


def test_every_page_of_the_docs_is_there(site, pages):
    for path in DOCS.rglob("*.md"):
        made = site / path.relative_to(DOCS).with_suffix(".html")
        assert made in pages, path
    assert len(pages) > 50


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda path: path.stem)
def test_a_lesson_shows_no_complaint(lesson, site):
    """Of matplotlib about its fonts, of Python about what is going away ..."""
    text = (site / f"course/{lesson.stem}.html").read_text(encoding="utf-8")
    assert not re.search(r"findfont|\w+Warning:|Traceback", text)


def test_links_lead_somewhere(site, pages):
    dead = []
    for path, page in pages.items():
        for link in page.links + page.requests:
            address, fragment = urldefrag(
                link.partition("?")[0] if "?v=" in link else link
            )
            if re.match(r"[a-z]+:", address):
                continue
            target = (path.parent / unquote(address)).resolve() if address else path
            known = pages[target].anchors if target in pages else None
            lost = known is not None and fragment and unquote(fragment) not in known
            if not target.is_file() or lost:
                dead.append(f"{path.relative_to(site)}: {link}")
    assert not dead


def test_nothing_asks_the_network(site, pages):
    asked = {r for page in pages.values() for r in page.requests if "//" in r}
    for path in site.rglob("*.css"):
        asked |= set(
            re.findall(r"(?:url\(|@import)[\s'\"]*(\w+://[^)]*)", path.read_text())
        )
    assert not asked


def test_pictures_say_what_they_show(pages):
    for path, page in pages.items():
        for text in page.texts:
            assert text is not None, path
            assert not re.search(r"_images|^\S+\.(png|svg)$", text), f"{path}: {text}"


def test_every_public_name_has_an_entry(pages):
    known = {anchor for page in pages.values() for anchor in page.anchors}
    for package in PACKAGES:
        for name in importlib.import_module(package).__all__:
            entry = f"{package}.{name}"
            assert {entry, f"module-{entry}"} & known, f"docs/reference lacks {entry}"
    for name in importlib.import_module("autograd.errors").__all__:
        assert {f"autograd.{name}", f"autograd.errors.{name}"} & known, name


def test_docstrings_become_no_wall_of_text(site):
    """Names and their descriptions stand in lists, examples in blocks."""
    text = (site / "reference/training.html").read_text(encoding="utf-8")
    assert re.search(r"<dt>.*patience.*</dt>\s*<dd>", text)
    assert "----" not in re.sub(r"<!--.*?-->|<script.*?</script>", "", text, flags=re.S)
    assert "&gt;&gt;&gt; " in text


def test_formulas_are_mathml(pages, site):
    text = (site / "course/01_neuron.html").read_text(encoding="utf-8")
    assert text.count("<math ") > 10
    assert "MathJax" not in text
    assert "\\hat" not in text


def test_the_gallery_shows_every_example(site, pages):
    page = pages[site / "gallery.html"]
    for example in (ROOT / "examples").glob("*.py"):
        assert f"_static/gallery/{example.stem}/{example.name}" in page.links
    pictures = {Path(request).name for request in page.requests}
    assert {"neuron.png", "loss.png", "moons.png"} <= pictures
    assert "_static/gallery/15_interactive_lessons/lines.html" in page.links


# -- Lessons ---------------------------------------------------------------------------


def cells(path):
    """The code of a lesson's cells."""
    found = CELL.findall(path.read_text(encoding="utf-8"))
    return [re.sub(r"\A(:\w+:.*\n)+", "", cell).strip() for cell in found]


def test_the_course_links_its_lessons():
    index = (DOCS / "course/index.md").read_text(encoding="utf-8")
    assert LESSONS
    for lesson in LESSONS:
        assert f"]({lesson.name})" in index
    assert len(re.findall(r"^\| \d+ \|", index, re.M)) == 14


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda path: path.stem)
def test_cells_can_be_pasted_into_the_prompt(lesson):
    """Line by line, as the prompt takes them: a blank line ends an indented block."""
    assert cells(lesson)
    for cell in cells(lesson):
        taken, pending = 0, []
        for line in [*cell.splitlines(), ""]:
            pending.append(line)
            if codeop.compile_command("\n".join(pending), symbol="single"):
                taken, pending = taken + any(pending), []
        assert not any(pending), f"the prompt still waits: {pending}"
        assert taken == len(ast.parse(cell).body), cell


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda path: path.stem)
def test_a_lesson_is_a_notebook_too(lesson, site, pages):
    import nbformat

    name = f"_static/notebooks/{lesson.stem}.ipynb"
    assert f"../{name}" in pages[site / f"course/{lesson.stem}.html"].links
    book = nbformat.read(site / name, as_version=4)
    nbformat.validate(book)
    code = [cell.source for cell in book.cells if cell.cell_type == "code"]
    asked = [cell for cell in cells(lesson) if re.search(r"^exercise\(", cell, re.M)]
    assert code == [cell for cell in cells(lesson) if cell not in asked]
    prose = "\n".join(c.source for c in book.cells if c.cell_type == "markdown")
    assert prose.count("**Exercise.**") == len(asked) >= 3
    assert not re.search(r"^:::|\]\((?!https:)|\{code-cell\}", prose, re.M)
    for number, answer in enumerate(re.findall(r"```python\n(.*)\n```", prose)):
        assert answer in ast.unparse(ast.parse(asked[number]))


def test_a_live_page_stands_in_a_file_of_its_own(site, pages, visit):
    page = pages[site / "course/01_neuron.html"]
    (frame,) = [request for request in page.requests if "/live/" in request]
    assert frame in page.links
    assert "srcdoc" not in (site / "course/01_neuron.html").read_text(encoding="utf-8")
    alone = visit(site / "course" / frame)
    assert alone.locator("h1").inner_text() == "Hours of study and grades"
    assert alone.locator("#plot .point").count() == 5


@pytest.mark.parametrize("name", ["links", "formulas", "names", "course", "teaching"])
def test_the_extensions_do_as_they_say(name):
    sys.path.insert(0, str(DOCS / "_extensions"))
    try:
        failures, count = doctest.testmod(importlib.import_module(name))
    finally:
        sys.path.pop(0)
    assert (failures, count > 0) == (0, True)


# -- In the browser --------------------------------------------------------------------


def test_pages_are_accessible(site, pages, browser):
    """All rules in light; then, in dark, those that depend on colours."""
    context = browser.new_context(reduced_motion="reduce")
    page, found = context.new_page(), []
    contrast = "axe.run({runOnly: ['color-contrast'], preload: false})"
    for path in pages:
        page.emulate_media(color_scheme="light")
        page.goto(path.as_uri(), wait_until="domcontentloaded")
        found += [(path.stem, *rule) for rule in violations(page)]
        page.emulate_media(color_scheme="dark")
        dark = page.evaluate(contrast)["violations"]
        found += [(path.stem, "dark", rule["nodes"][0]["html"]) for rule in dark]
    context.close()
    assert not found


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("width", [1400, 390])
def test_a_lesson_fits_the_window(width, dark, read):
    page = read("course/01_neuron.html", width=width, dark=dark)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert not violations(page)
    text = page.evaluate("getComputedStyle(document.body).color")
    assert (sum(map(int, re.findall(r"\d+", text)[:3])) > 384) is dark


def test_search_works_from_disk(read):
    page = read("index.html")
    page.locator("input[name=q]").first.fill("hyperplane")
    page.keyboard.press("Enter")
    page.wait_for_url("**/search.html*")
    result = page.locator("ul.search li a").first
    assert "The neuron and the line" in result.inner_text()
    result.click()
    page.wait_for_url("**/course/01_neuron.html*")


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda path: path.stem)
def test_exercises_judge_answers(lesson, read):
    page = read(f"course/{lesson.stem}.html")
    exercises = page.locator(".exercise").all()
    assert len(exercises) >= 3
    for exercise in exercises:
        form = exercise.locator("form")
        answer = float(form.get_attribute("data-answer"))
        tolerance = float(form.get_attribute("data-tolerance"))
        unfolded = exercise.locator(".exercise-answer")
        field, said = exercise.get_by_role("textbox"), exercise.get_by_role("status")
        for wrong in (answer + 3 * tolerance, answer - 3 * tolerance, -answer - 1.5):
            field.fill(repr(wrong))
            field.press("Enter")
            assert said.inner_text().startswith("Not yet")
            assert unfolded.get_attribute("open") is None
        field.fill(repr(answer))
        exercise.get_by_role("button", name="Check").click()
        assert said.inner_text().startswith("Right")
        assert unfolded.get_attribute("open") is not None
        shown = float(unfolded.locator("strong").first.inner_text())
        assert abs(shown - answer) <= tolerance


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("0.5", 0.5),
        (".5", 0.5),
        ("1/2", 0.5),
        (" 1 / 2 ", 0.5),
        ("5e-1", 0.5),
        ("0,5", 0.5),
        (",5", 0.5),
        ("−3", -3.0),
        ("-1,5/2", -0.75),
        ("+2.", 2.0),
        ("1/0", None),
        ("1/2/4", 0.125),
        ("0.5*5 + 1.5", 4.0),
        ("-2^2 + (1 + 2) * 3", 5.0),
        ("2 ** 3 × 2", 16.0),
        ("2^3^0", 2.0),
        ("2*", None),
        ("(1", None),
        ("1)", None),
        ("alert(1)", None),
        ("two", None),
        ("1.2.3", None),
        ("", None),
        ("0x10", None),
    ],
)
def test_numbers_are_read_as_people_write_them(text, number, read):
    page = read("course/01_neuron.html")
    result = page.evaluate("text => readNumber(text)", text)
    assert (result and result["value"]) == number
    comma = re.search(r"\d,\d|^,\d", text)
    assert bool(result and result["said"]) == bool(comma)


@pytest.mark.parametrize(
    "lesson", ["01_neuron", "08_backpropagation", "11_from_scratch"]
)
@pytest.mark.parametrize("width", [1400, 390])
def test_a_live_page_is_as_high_as_what_it_shows(lesson, width, site, browser):
    context = browser.new_context(viewport={"width": width, "height": 900})
    page = context.new_page()
    page.goto((site / f"course/{lesson}.html").as_uri())
    frame = page.locator(".live iframe").first
    frame.scroll_into_view_if_needed()
    inside = page.frames[-1]
    inside.wait_for_selector(".framed")
    page.wait_for_timeout(300)
    inner = inside.evaluate("document.documentElement.scrollHeight")
    outer = frame.bounding_box()["height"]
    assert 250 < inner <= outer < 3000
    page.wait_for_timeout(300)
    assert frame.bounding_box()["height"] == outer  # it does not grow and grow
    context.close()


def test_without_scripts_the_answer_can_be_unfolded(site, browser):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto((site / "course/01_neuron.html").as_uri())
    exercise = page.locator(".exercise").first
    assert not exercise.locator("form").is_visible()
    exercise.get_by_text("The answer").click()
    assert exercise.locator("strong", has_text="4.65").is_visible()
    context.close()
