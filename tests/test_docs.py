"""The docs tell the truth: doctests, tutorial and README blocks, generated pages, links."""

import code
import doctest
import importlib
import math
import pkgutil
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
MODULES = [
    info.name
    for package in ("autograd", "nn", "viz")
    for info in pkgutil.walk_packages([str(ROOT / package)], f"{package}.")
    if not info.name.endswith("__main__")
] + ["autograd", "nn", "viz", "scalar_autograd"]


@pytest.mark.parametrize("name", MODULES)
def test_docstring_examples(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    failures, _ = doctest.testmod(importlib.import_module(name))
    assert failures == 0


def blocks(path, language):
    text = (ROOT / path).read_text(encoding="utf-8")
    return re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)


PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
WITH_CODE = [
    page for page in PAGES if re.search(r"```python\n(?!>>>)", page.read_text("utf-8"))
]


@pytest.mark.parametrize("page", WITH_CODE, ids=lambda page: page.stem)
def test_python_blocks_run_in_order(page, tmp_path, monkeypatch):
    """As they would be pasted into the plain interactive prompt, line by line."""
    monkeypatch.chdir(tmp_path)
    prompt, complaints = code.InteractiveConsole(), []
    prompt.write = complaints.append
    for block in blocks(page, "python"):
        for line in [*block.splitlines(), ""]:
            prompt.push(line)
        assert not complaints, block + "".join(complaints)


def test_the_derivative_table_is_up_to_date():
    sys.path.insert(0, str(ROOT / "scripts"))
    try:
        page = importlib.import_module("derivatives").page()
    finally:
        sys.path.pop(0)
    assert (ROOT / "docs/derivatives.md").read_text(encoding="utf-8") == page


def operands_of(code, domain):
    """Numbers for the x, y, w of a formula, inside the domain of x."""
    names = [name for name in "xyw" if re.search(rf"\b{name}\b", code)]
    low, high = domain[0]
    points = [x for x in (0.4, 1.7, -0.6) if low < x < high]
    return [dict(zip(names, (x, 3.0, 2.4))) for x in points]


def test_the_list_of_functions_is_up_to_date(monkeypatch):
    """Every function is on the page; its formulas, which are Python, are right."""
    import autograd as ag
    from autograd.table.primitives import TABLE

    monkeypatch.syspath_prepend(ROOT / "scripts")
    made = importlib.import_module("functions")
    page = (ROOT / "docs/functions.md").read_text(encoding="utf-8")
    assert page == made.page(), "run: python scripts/functions.py"
    assert made.listed() == made.expected()
    known = vars(math) | {"sigmoid": ag.sigmoid, "polygamma": ag.polygamma}
    checked = 0
    for name, entry in [
        pair for part in made.SECTIONS.values() for pair in part.items()
    ]:
        row, function = TABLE.get(name), made.public(name)
        domain = row.domain if row is not None else [(-math.inf, math.inf)]
        by_x = ag.grad(function)
        for text, compute in zip(entry, (function, by_x)):
            for found in re.findall(r"^`(.*?)`", text):
                for xs in operands_of(found, domain):
                    expected = eval(found, dict(known), xs)
                    got = compute(*xs.values())
                    assert math.isclose(got, expected, abs_tol=1e-15), (name, found, xs)
                    checked += 1
    assert checked > 120


def test_the_playground_of_the_docs_is_up_to_date():
    from viz import playground

    page = (ROOT / "docs/playground.html").read_text(encoding="utf-8")
    assert page == playground().text, "run: python scripts/playground.py"


@pytest.mark.parametrize(
    "path", sorted(ROOT.glob("*.md")) + sorted(ROOT.glob("docs/**/*.md"))
)
def test_links_lead_somewhere(path):
    for target in re.findall(r"\]\(([^)#:]+)\)", path.read_text(encoding="utf-8")):
        assert (path.parent / target).exists(), target


def test_every_public_error_and_semantics_row_is_documented():
    semantics = (ROOT / "docs/semantics.md").read_text(encoding="utf-8")
    for word in ("relu", "maximum", "hypot", "StaleValueError", "np.maximum"):
        assert word in semantics


def test_the_tour_of_the_architecture_runs():
    page = str(ROOT / "docs/architecture.md")
    failures, count = doctest.testfile(page, module_relative=False)
    assert failures == 0
    assert count > 25


FOREIGN = {  # of other projects, and of readers
    *("lru_cache.py", "caching.py", "cache_dir_utils.py"),
    *("nn.py", "viz.py", "autograd.py"),
}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_files_that_a_page_names_exist(page):
    """Paths in backticks; ``name.py`` alone is a file beside one named before it."""
    text = page.read_text(encoding="utf-8")
    folders, named = {""}, re.findall(r"`([\w./]+(?:\.\w+|/))`", text)
    for name in named:
        if not name.endswith((".py", ".md", ".pyi", "/")) or name in FOREIGN:
            continue
        there = [folder for folder in folders if (ROOT / folder / name).exists()]
        assert there, f"{page} names {name}"
        if "/" in name:
            folders.add(name if name.endswith("/") else name.rpartition("/")[0])


def test_nothing_is_hidden_in_the_tree():
    """No secrets of a workplace: no absolute paths of a machine in what is tracked."""
    tracked = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True
    ).stdout.split()
    for name in tracked:
        path = ROOT / name
        if path.suffix in {".py", ".md", ".toml", ""} and path.is_file():
            text = path.read_text(encoding="utf-8")
            assert not re.search(r"/(home|Users|root)/\w+", text), name
