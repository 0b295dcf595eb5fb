"""Other distributions have packages called autograd, nn and viz: what is said of them.

Each test makes up a folder such as pip leaves it, and imports from there.
"""

import ast
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import scalar_autograd
from autograd.missing import VERSIONS

ROOT = Path(__file__).parent.parent
NAMES = ("autograd", "nn", "viz")
ALONE = """import os, sys  # the checkout that is tested may be installed too
sys.path[:] = [p for p in sys.path if not os.path.exists(f"{p}/pyproject.toml")]
"""
TAKEN_AWAY = "has lost its __init__.py"


@pytest.fixture
def site(tmp_path):
    """A folder with what of this distribution says that something is in the way."""
    site = tmp_path / "site-packages"
    site.mkdir()
    shutil.copy(ROOT / "scalar_autograd.py", site)
    for name in NAMES:
        shutil.copytree(
            ROOT / name,
            site / name,
            ignore=shutil.ignore_patterns("__pycache__", "*.so", "*.c", "*.h"),
        )
    _installed(site, "scalar-autograd", "0.1.0", NAMES)
    (site / "sitecustomize.py").write_text(ALONE)
    return site


def _installed(site, name, version, packages):
    """What pip notes down of a distribution."""
    info = site / f"{name.replace('-', '_')}-{version}.dist-info"
    info.mkdir()
    text = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
    (info / "METADATA").write_text(text)
    (info / "RECORD").write_text("".join(f"{p}/__init__.py,,\n" for p in packages))


def _other(site, name, version="1.9.1", distribution=None):
    """Another distribution's package of that name comes on top."""
    _installed(site, distribution or name, version, [name])
    (site / name / "__init__.py").write_text("def elementwise_grad(f): return f\n")


def _run(*arguments, path, folder=None):
    environment = {**os.environ, "PYTHONPATH": str(path)}
    environment.pop("PYTHONSAFEPATH", None)
    return subprocess.run(
        [sys.executable, "-W", "default", *map(str, arguments)],
        capture_output=True,
        text=True,
        env=environment,
        cwd=folder or path.parent,
    )


def _said(*arguments, path, folder=None):
    """The last line of a failing run, which is one error of ours."""
    run = _run(*arguments, path=path, folder=folder)
    assert run.returncode, run.stdout
    return run.stderr.strip().splitlines()[-1]


def test_alone_nothing_is_said(site):
    run = _run("-c", "import autograd, nn, viz; print(viz.__file__)", path=site)
    assert run.stdout.strip() == str(site / "viz" / "__init__.py")
    assert run.stderr == ""


@pytest.mark.parametrize("program", ["import nn", "import viz", "import nn.layers"])
def test_another_autograd_on_top_is_named_with_the_way_out(site, program):
    _other(site, "autograd")
    said = _said("-c", program, path=site)
    assert said.startswith(
        f"scalar_autograd.InTheWayError: the folder {site / 'autograd'} holds files of"
    )
    assert "autograd 1.9.1 and of scalar-autograd" in said
    assert "pip uninstall autograd scalar-autograd" in said
    assert "python -m venv .venv" in said


def test_the_command_says_it_too(site):
    _other(site, "autograd")
    said = _said("-m", "autograd", "x", "x=1", path=site)
    assert "holds files of autograd 1.9.1" in said
    code = "import sys, scalar_autograd; sys.exit(scalar_autograd.main())"
    run = _run("-c", code, path=site)
    assert run.returncode == 2
    assert run.stderr.startswith("error: the folder ")


def test_a_distribution_of_another_name_is_found(site):
    _other(site, "nn", "2.0", distribution="neural-things")
    said = _said("-c", "import viz", path=site)
    assert "holds files of neural-things 2.0 and of scalar-autograd" in said
    assert "pip uninstall neural-things scalar-autograd" in said


def test_ours_on_top_works_and_warns(site):
    _installed(site, "autograd", "1.9.1", ["autograd"])
    run = _run("-c", "import nn; print(nn.MLP(2, [1]))", path=site)
    assert "MLP" in run.stdout
    assert run.stderr.count("RuntimeWarning") == 1
    assert "holds files of autograd 1.9.1 and of scalar-autograd" in run.stderr


@pytest.mark.parametrize(("gone", "program"), [("autograd", "nn"), ("nn", "viz")])
def test_after_the_other_was_uninstalled_our_door_is_missing(site, gone, program):
    (site / gone / "__init__.py").unlink()
    said = _said("-c", f"import {program}", path=site)
    assert f"{site / gone} {TAKEN_AWAY}" in said
    assert "pip install --force-reinstall --no-deps scalar-autograd" in said


@pytest.mark.parametrize(
    ("name", "program"),
    [
        ("autograd", "import nn"),
        ("nn", "import viz"),
        ("viz", "from autograd.notebooks import Drawn; Drawn()._repr_svg_()"),
    ],
)
@pytest.mark.parametrize("content", ["", "import no_such_module_anywhere"])
def test_a_file_of_the_user_in_the_way_is_named(site, tmp_path, name, program, content):
    """A script's folder is searched first."""
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / f"{name}.py").write_text(content)
    (mine / "script.py").write_text(program)
    said = _said("script.py", path=site, folder=mine)
    if content:  # which fails by itself, and says so
        assert said == "ModuleNotFoundError: No module named 'no_such_module_anywhere'"
    else:
        assert f"{mine / name}.py is imported as {name!r}, in place of" in said
        assert f"in {site / name}: rename that file" in said


def test_the_command_names_a_viz_of_the_user(site, tmp_path):
    (tmp_path / "viz.py").write_text("")
    run = _run("-m", "autograd", "x", "x=1", "--latex", path=site, folder=tmp_path)
    assert run.returncode == 2
    assert "viz.py is imported as 'viz'" in run.stderr
    assert "Traceback" not in run.stderr


def test_an_autograd_installed_elsewhere_is_named(site, tmp_path):
    """As with an editable install, which comes behind site-packages."""
    other = tmp_path / "other" / "autograd"
    other.mkdir(parents=True)
    (other / "__init__.py").write_text("")
    before = f"import sys; sys.path.insert(0, {str(other.parent)!r}); import nn"
    said = _said("-c", before, path=site)
    assert f"{other / '__init__.py'} is imported as 'autograd'" in said


def test_a_missing_numpy_is_not_taken_for_a_mixture(site):
    said = _said("-c", "import sys; sys.modules['numpy'] = None; import nn", path=site)
    assert "numpy" in said
    assert "scalar-autograd" not in said


def test_what_is_ours_passes():
    scalar_autograd.require(*NAMES)
    assert set(scalar_autograd.MARKS) == set(NAMES)


def test_packages_that_messages_name_are_those_of_pyproject():
    """An error of a missing package tells to install what the project asks for."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    listed = {asked for e in project["optional-dependencies"].values() for asked in e}
    named = set()
    for file in (file for name in NAMES for file in (ROOT / name).rglob("*.py")):
        text = file.read_text(encoding="utf-8")
        assert not re.search(r"pip install .?scalar-autograd\[", text), file
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "missing":
                named |= {argument.value for argument in node.args[1:]}
    assert (
        {"scipy", "pandas", "matplotlib", "pygraphviz"}
        <= named
        <= {re.split(r"[<>=\[]", asked)[0] for asked in listed}
    )
    assert set(VERSIONS.values()) <= listed
