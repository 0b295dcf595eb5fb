"""The README's two commands, as a stranger would run them."""

import re
import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"```sh\n(python3 -m venv.*?)\n```", README)


def test_the_first_screen_has_exactly_two_commands():
    assert len(COMMANDS) == 2
    first_screen = "\n".join(README.splitlines()[:40])
    assert all(command in first_screen for command in COMMANDS)


def test_the_second_command_is_what_continuous_integration_runs():
    lines = (ROOT / ".ci" / "run").read_text().splitlines()
    assert COMMANDS[1] in lines


def test_the_first_command_does_the_main_job(tmp_path):
    """In a copy of the checkout, with a fresh virtual environment of its own."""
    copy = tmp_path / "checkout"
    ignore = shutil.ignore_patterns(".git", ".venv", "output", "*.egg-info", "build")
    shutil.copytree(ROOT, copy, ignore=ignore)
    result = subprocess.run(
        COMMANDS[0], shell=True, cwd=copy, capture_output=True, text=True
    )
    assert result.returncode == 0, result.stderr
    for part in ("accuracy on 36 held-out flowers: ", "analytic", "numeric", "wrote"):
        assert part in result.stdout
    for name in ("neuron.png", "loss.png"):
        assert (copy / "output" / name).read_bytes().startswith(b"\x89PNG")
