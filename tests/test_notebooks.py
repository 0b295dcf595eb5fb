"""Notebooks run from top to bottom, and what they show lives on in exported HTML."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
NOTEBOOKS = sorted((ROOT / "examples/notebooks").glob("*.ipynb"))
OFFLINE = [f"--HTMLExporter.{x}_url=" for x in ("mathjax", "require_js", "jquery")]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs_and_its_export_is_alive(path, tmp_path, visit):
    pytest.importorskip("nbconvert")
    pytest.importorskip("ipykernel")
    command = [sys.executable, "-m", "nbconvert", "--execute", "--to", "html"]
    where = ["--output-dir", tmp_path, "--HTMLExporter.mermaid_js_url="]
    done = subprocess.run(
        [*command, *where, *OFFLINE, path], capture_output=True, text=True, cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr
    page = visit(tmp_path / f"{path.stem}.html")
    assert page.locator("svg, img[src^='data:image']").count() >= 1
    frames = [frame for frame in page.frames if frame.parent_frame]
    assert frames
    for frame in frames:
        assert frame.locator(".box").count() >= 5
        frame.click("#first")
        assert "Step 0" in frame.inner_text("#said")


def test_notebooks_are_kept_without_outputs():
    for path in NOTEBOOKS:
        text = path.read_text(encoding="utf-8")
        assert '"outputs": []' in text
        assert '"execution_count": null' in text
        assert "output_type" not in text
