"""The README's two commands, as a stranger would run them, one after the other."""

import os
import re
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest
import typed_programs

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"```sh\n(python3 -m venv.*?)\n```", README)
OURS = ("autograd", "nn", "viz")
EXTENSIONS = ("*.so", "*.pyd")
DRAW = """
import sys, viz
from autograd import Value
viz.render(Value(2.0, label="w") * 3.0, sys.argv[1])
print(viz.__file__)
"""


def test_the_first_screen_has_exactly_two_commands():
    assert len(COMMANDS) == 2
    first_screen = "\n".join(README.splitlines()[:40])
    assert all(command in first_screen for command in COMMANDS)


def test_the_second_command_is_what_continuous_integration_runs():
    lines = (ROOT / ".ci" / "run").read_text().splitlines()
    assert COMMANDS[1] in lines


@pytest.fixture
def checkout(tmp_path):
    copy = tmp_path / "checkout"
    unwanted = (".*", "output", "*.egg-info", "build", "*.pyc", *EXTENSIONS)
    ignore = shutil.ignore_patterns(*unwanted)
    shutil.copytree(ROOT, copy, ignore=ignore)
    return copy


@pytest.fixture
def offline(checkout, tmp_path):
    """An environment in which pip finds all that it needs in the present one.

    The packages beside us are links in a folder on Python's path: they count as
    installed, and nothing is downloaded, nor built apart. A .pth in the environment to
    be says so to type checkers.
    """
    beside = tmp_path / "beside"
    beside.mkdir()
    variables = {"base": str(checkout / ".venv"), "platbase": str(checkout / ".venv")}
    site = Path(sysconfig.get_path("purelib", "venv", variables))
    site.mkdir(parents=True)
    (site / "beside.pth").write_text(f"{beside}\n")
    for folder in {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}:
        for entry in Path(folder).iterdir():
            hidden = entry.suffix == ".pth" or "scalar_autograd" in entry.name
            if not hidden and re.split(r"[-.]", entry.name)[0] not in (*OURS, "pip"):
                (beside / entry.name).symlink_to(entry)
    return os.environ | {
        "PATH": os.pathsep.join([f"{sys.base_prefix}/bin", os.environ["PATH"]]),
        "PYTHONPATH": str(beside),
        "PIP_NO_INDEX": "1",
        "PIP_NO_BUILD_ISOLATION": "0",  # of the flag's meaning: no isolation
        "XDG_CACHE_HOME": str(tmp_path / "cache"),
        "MPLBACKEND": "Agg",
    }


def files(folder):
    """All files of our packages in a folder, but for C and what is made of sources."""
    found = [p for name in OURS for p in (folder / name).rglob("*") if p.is_file()]
    other = {".pyc", ".c", ".h", *(pattern[1:] for pattern in EXTENSIONS)}
    return {
        p.relative_to(folder): p.read_bytes() for p in found if p.suffix not in other
    }


@pytest.mark.skipif(os.name == "nt", reason="the commands are a POSIX shell's")
def test_the_two_commands_one_after_the_other(checkout, offline, tmp_path):
    """Install, draw, uninstall, install editable, draw: nothing is left or written.

    Installed in either way the library is typed for those who use it.
    """
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    typed_programs.write(tmp_path / "typed")

    def run(command, folder=elsewhere):
        result = subprocess.run(
            command,
            shell=isinstance(command, str),
            cwd=folder,
            env=offline,
            capture_output=True,
            text=True,
        )
        assert result.returncode == 0, result.stdout + result.stderr
        return result.stdout

    python = checkout / ".venv" / "bin" / "python"

    def draw(name):
        where = run([python, "-c", DRAW, name])
        assert (elsewhere / name).read_bytes().startswith(b"\x89PNG")
        return Path(where.strip())

    sources = files(checkout)
    printed = run(COMMANDS[0], checkout)
    for part in ("accuracy on 36 held-out flowers: ", "analytic", "numeric", "wrote"):
        assert part in printed
    for name in ("neuron.png", "loss.png"):
        assert (checkout / "output" / name).read_bytes().startswith(b"\x89PNG")

    installed = draw("installed.png").parent.parent
    assert installed.is_relative_to(checkout / ".venv")
    assert files(installed) == sources
    assert not typed_programs.complaints(tmp_path / "typed", python, examples=False)
    run([python, "-m", "pip", "uninstall", "-q", "-y", "scalar-autograd"])
    assert not [name for name in OURS if (installed / name).exists()]

    *install, _ = COMMANDS[1].split(" && ")
    run(" && ".join(install), checkout)
    assert draw("editable.png") == checkout / "viz" / "__init__.py"
    run([python, checkout / "examples" / "01_quickstart.py"])
    assert not typed_programs.complaints(tmp_path / "typed", python)
    assert files(checkout) == sources
