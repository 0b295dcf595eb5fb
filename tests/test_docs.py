"""The docs tell the truth: doctests, tutorial and README blocks, generated pages, links."""

import doctest
import importlib
import pkgutil
import re
import subprocess
import sys
from fnmatch import fnmatchcase
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
MODULES = [
    f"{package}.{info.name}"
    for package in (
        "autograd",
        "autograd.compiler",
        "nn",
        "nn.layers",
        "nn.training",
        "viz",
    )
    for info in pkgutil.iter_modules([str(ROOT / package.replace(".", "/"))])
    if info.name != "__main__"
] + ["autograd", "nn", "viz"]


@pytest.mark.parametrize("name", MODULES)
def test_docstring_examples(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    failures, _ = doctest.testmod(importlib.import_module(name))
    assert failures == 0


def blocks(path, language):
    text = (ROOT / path).read_text(encoding="utf-8")
    return re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)


@pytest.mark.parametrize("path", ["README.md", "docs/tutorial.md", "docs/compiling.md"])
def test_python_blocks_run_in_order(path, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    namespace = {}
    assert blocks(path, "python")
    for block in blocks(path, "python"):
        exec(compile(block, path, "exec"), namespace)


def test_the_derivative_table_is_up_to_date():
    sys.path.insert(0, str(ROOT / "scripts"))
    try:
        page = importlib.import_module("derivatives").page()
    finally:
        sys.path.pop(0)
    assert (ROOT / "docs/derivatives.md").read_text(encoding="utf-8") == page


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


def test_every_module_of_the_compiler_stands_in_the_file_table():
    text = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
    table = text[text.index("| files in `autograd/compiler` |") :]
    first_cells = " ".join(re.findall(r"^\|([^|]*)\|", table, re.MULTILINE))
    names = set(re.findall(r"`([a-z_*]+)`", first_cells))
    files = {path.stem for path in (ROOT / "autograd/compiler").glob("*.py")}
    files.remove("__init__")
    missing = {f for f in files if not any(fnmatchcase(f, n) for n in names)}
    assert not missing, "name them in docs/architecture.md"
    gone = {n for n in names if not any(fnmatchcase(f, n) for f in files)}
    assert not gone, "docs/architecture.md names files that are not there"


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
