"""Every example runs, is short, and asserts what it claims."""

import ast
import functools
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
EXAMPLES = sorted((ROOT / "examples").glob("*.py"))


def run(path, folder, *arguments):
    environment = os.environ | {"PYTHONPATH": str(ROOT), "MPLBACKEND": "Agg"}
    return subprocess.run(
        [sys.executable, "-W", "error", path, *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        encoding="utf-8",
    )


@pytest.fixture(scope="module")
def once(tmp_path_factory):
    """Each example is run once; what it printed, and the folder that it wrote into."""

    @functools.cache
    def once(name):
        folder = tmp_path_factory.mktemp(name)
        return run(ROOT / "examples" / f"{name}.py", folder), folder

    return once


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_example(path, once):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 80
    assert "assert " in path.read_text(encoding="utf-8") or path.stem.startswith("08")
    result, _ = once(path.stem)
    assert result.returncode == 0, result.stderr
    assert result.stdout


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_begins_with_its_title(path):
    """The gallery's: a few words, a colon, what is to be seen."""
    first = ast.get_docstring(ast.parse(path.read_text("utf-8"))).splitlines()[0]
    title, colon, shown = first.partition(": ")
    assert colon, first
    assert len(title) <= 30, title
    assert shown[0].islower(), shown  # the gallery makes it a sentence


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_says_what_it_wrote(path, once):
    result, folder = once(path.stem)
    written = {f"output/{file.name}" for file in (folder / "output").iterdir()}
    said = re.findall(r"wrote (output/[\w.]+)", result.stdout.replace("\\", "/"))
    assert {name.rstrip(".,") for name in said} == written
    assert path.stem.startswith("15") or any(n.endswith(".png") for n in written)


def test_the_descent_table_step_by_step(once):
    output = once("03_gradient_descent_by_hand")[0].stdout
    rows = [line.split() for line in output.splitlines()[1:]]
    assert rows[0] == ["0", "0.0000", "0.0000", "1.2967", "-2.6000", "-2.2000"]
    assert rows[1][1:3] == ["0.2600", "0.2200"]
    assert rows[4][1:3] == ["0.4443", "0.4404"]


def test_the_quickstart_writes_pictures(once):
    _, folder = once("01_quickstart")
    for name in ("neuron.png", "loss.png"):
        picture = (folder / "output" / name).read_bytes()
        assert picture.startswith(b"\x89PNG\r\n\x1a\n")
        assert picture.endswith(b"IEND\xaeB`\x82")


def test_the_gpt_learns_the_words_of_a_file(tmp_path):
    (tmp_path / "words.txt").write_text("grün blau rot gelb\nrosa braun", "utf-8")
    result = run(ROOT / "examples/12_tiny_gpt.py", tmp_path, "words.txt")
    assert result.returncode == 0, result.stderr
    assert len(result.stdout.splitlines()) == 10


def test_as_many_options_as_asked_for(tmp_path):
    result = run(ROOT / "examples/11_black_scholes.py", tmp_path, "1000")
    assert result.returncode == 0, result.stderr
    assert "1,000 options" in result.stdout
