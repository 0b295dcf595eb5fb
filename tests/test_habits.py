"""Forms, workflows and scripts that run elsewhere: valid, pinned, and in step with us."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
GITHUB = ROOT / ".github"
WORKFLOWS = sorted((GITHUB / "workflows").glob("*.yml"))
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
SCHEMAS = {  # each is part of check-jsonschema: nothing is fetched
    "vendor.github-workflows": WORKFLOWS,
    "vendor.github-issue-forms": sorted(
        path
        for path in (GITHUB / "ISSUE_TEMPLATE").glob("*.yml")
        if path.name != "config.yml"
    ),
    "vendor.github-issue-config": [GITHUB / "ISSUE_TEMPLATE" / "config.yml"],
    "vendor.dependabot": [GITHUB / "dependabot.yml"],
    "vendor.citation-file-format": [ROOT / "CITATION.cff"],
}


def loaded(path):
    yaml = pytest.importorskip("yaml")
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def steps(path):
    for job in loaded(path)["jobs"].values():
        yield from job["steps"]


@pytest.mark.parametrize("schema", SCHEMAS)
def test_files_follow_their_schema(schema):
    pytest.importorskip("check_jsonschema")
    assert SCHEMAS[schema]
    command = ["-m", "check_jsonschema", "--builtin-schema", schema, *SCHEMAS[schema]]
    run = subprocess.run([sys.executable, *command], capture_output=True, text=True)
    assert run.returncode == 0, run.stdout + run.stderr


def test_a_schema_refuses_what_is_wrong(tmp_path):
    pytest.importorskip("check_jsonschema")
    wrong = tmp_path / "wrong.yml"
    wrong.write_text("on: push\njobs: {a: {runs-on: linux, stepps: []}}\n")
    command = ["-m", "check_jsonschema", "--builtin-schema", "vendor.github-workflows"]
    run = subprocess.run([sys.executable, *command, wrong], capture_output=True)
    assert run.returncode == 1


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_workflows_may_do_little_and_run_what_was_read(path):
    """Actions are pinned by commit; a workflow reads, and a job asks for more."""
    workflow = loaded(path)
    assert workflow["permissions"] == {"contents": "read"}
    for line in path.read_text(encoding="utf-8").splitlines():
        if "uses:" in line:
            pinned = r"\s*(- )?uses: [\w-]+/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+"
            assert re.fullmatch(pinned, line), line
    for name, job in workflow["jobs"].items():
        assert job["timeout-minutes"] <= 60, name
    for step in steps(path):
        if step.get("uses", "").startswith("actions/checkout@"):
            assert step["with"]["persist-credentials"] is False
        assert "${{ github.event" not in step.get("run", "")  # text of strangers


def test_one_action_is_pinned_once():
    text = "".join(path.read_text(encoding="utf-8") for path in WORKFLOWS)
    pins = set(re.findall(r"uses: (\S+)@(\w+) # (\S+)", text))
    assert len(pins) == len({action for action, *_ in pins})


def test_only_a_tag_publishes_and_only_there_is_a_token():
    workflow = loaded(GITHUB / "workflows" / "wheels.yml")
    asking = {n: j for n, j in workflow["jobs"].items() if "permissions" in j}
    assert list(asking) == ["publish"]
    job = asking["publish"]
    assert job["permissions"] == {"id-token": "write"}
    assert "refs/tags/v" in job["if"]
    assert set(job["needs"]) == set(workflow["jobs"]) - {"publish"}
    assert job["environment"] == "release"
    text = (GITHUB / "workflows" / "wheels.yml").read_text(encoding="utf-8")
    assert "secrets." not in text


def test_all_supported_pythons_and_systems_are_tested():
    jobs = loaded(GITHUB / "workflows" / "tests.yml")["jobs"]
    matrix = jobs["suite"]["strategy"]["matrix"]
    promised = {
        text.rpartition(" ")[2]
        for text in PROJECT["project"]["classifiers"]
        if re.search(r":: 3\.\d+$", text)
    }
    assert promised <= set(matrix["python"])
    assert {system.partition("-")[0] for system in matrix["system"]} == {
        *("ubuntu", "macos", "windows")
    }
    commands = [step.get("run") for job in jobs.values() for step in job["steps"]]
    assert {".ci/run", "python -m pytest"} <= {*commands}
    assert 'python -m pip install -q -e ".[test]"' in commands


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_what_workflows_run_exists(path):
    extras = PROJECT["project"]["optional-dependencies"]
    for step in steps(path):
        for line in step.get("run", "").splitlines():
            for named in re.findall(r'"\.\[([\w,]+)\]"', line):
                assert set(named.split(",")) <= set(extras)
            first = line.split()[0]
            if first.startswith(("scripts/", ".ci/")):
                assert os.access(ROOT / first, os.X_OK), first


def test_hooks_run_what_the_check_runs():
    """The same tools with the same arguments, in files that exist."""
    hooks = loaded(ROOT / ".pre-commit-config.yaml")["repos"][0]["hooks"]
    check = (ROOT / "scripts" / "check").read_text(encoding="utf-8")
    asked = set(re.findall(r'"\$python" -m (\w+(?: \w+)?)', check))
    entries = [hook["entry"].removeprefix("python -m ") for hook in hooks]
    for tool in asked:
        assert any(entry.startswith(tool) for entry in entries), tool
    for hook in hooks:
        assert hook["language"] == "system"  # nothing is fetched
        for named in re.findall(r"tests/\S+", hook["entry"]):
            assert (ROOT / named).exists()


def test_the_citation_is_of_this_version():
    citation = loaded(ROOT / "CITATION.cff")
    assert citation["version"] == PROJECT["project"]["version"]
    assert citation["title"] == PROJECT["project"]["name"]
    assert citation["license"] == PROJECT["project"]["license"]


# -- scripts/release ------------------------------------------------------------------

POSIX = pytest.mark.skipif(os.name == "nt", reason="a shell script")


@pytest.fixture
def checkout(tmp_path):
    """A repository with the files that a release reads; checks and tests pass."""
    folder = tmp_path / "checkout"
    (folder / "scripts").mkdir(parents=True)
    (folder / "autograd").mkdir()
    for name in ("pyproject.toml", "CITATION.cff", "setup.py", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, folder)
    for name in ("nn/__init__.py", "viz/__init__.py", "viz/graph/_fonts/LICENSE.txt"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, folder / name)
    shutil.copy(ROOT / "scalar_autograd.py", folder)
    shutil.copy(ROOT / "autograd" / "__init__.py", folder / "autograd")
    shutil.copy(ROOT / "scripts" / "release", folder / "scripts")
    version = PROJECT["project"]["version"]
    (folder / "CHANGELOG.md").write_text(f"# Changelog\n\n## {version} (2030-01-31)\n")
    (folder / ".gitignore").write_text("dist/\nbuild/\n*.egg-info/\n__pycache__/\n")
    for name in ("check", "test"):
        script = folder / "scripts" / name
        script.write_text("#!/bin/sh\nexit 0\n")
        script.chmod(0o755)
    git(folder, "init", "-q", "-b", "main")
    committed(folder)
    return folder


def git(folder, *arguments):
    who = ["-c", "user.name=A", "-c", "user.email=a@b.invalid"]
    command = ["git", *who, *arguments]
    run = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    return run.stdout


def committed(folder):
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", "all")


def release(folder, *arguments):
    who = {"GIT_COMMITTER_NAME": "A", "GIT_COMMITTER_EMAIL": "a@b.invalid"}
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    return subprocess.run(
        ["scripts/release", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        env={**os.environ, **who, "PATH": path},
    )


def _edit(name, old, new):
    def edit(folder):
        path = folder / name
        text = path.read_text(encoding="utf-8")
        assert old in text
        path.write_text(text.replace(old, new), encoding="utf-8")
        committed(folder)

    return edit


REFUSED = {
    "no version": (lambda folder: None, [], "which version?"),
    "a wrong version": (lambda folder: None, ["next"], "next is no version"),
    "another version": (lambda folder: None, ["9.9.9"], "pyproject.toml has another"),
    "another __version__": (
        _edit("autograd/__init__.py", '__version__ = "', '__version__ = "9.'),
        None,
        "autograd/__init__.py has another",
    ),
    "another citation": (
        _edit("CITATION.cff", "version: 0", "version: 90"),
        None,
        "CITATION.cff has another",
    ),
    "no heading": (
        _edit("CHANGELOG.md", "(2030-01-31)", "(unreleased)"),
        None,
        "CHANGELOG.md has no heading",
    ),
    "a dirty tree": (
        lambda folder: (folder / "new.txt").write_text("x"),
        None,
        "the tree is not clean",
    ),
    "a failing check": (
        _edit("scripts/check", "exit 0", "exit 1"),
        None,
        "scripts/check failed",
    ),
    "a failing test": (
        _edit("scripts/test", "exit 0", "exit 1"),
        None,
        "scripts/test failed",
    ),
    "a check that writes": (
        _edit("scripts/check", "exit 0", "touch left.txt"),
        None,
        "the checks changed the tree",
    ),
    "a tag that is there": (
        lambda folder: git(folder, "tag", f"v{PROJECT['project']['version']}"),
        None,
        "is there already",
    ),
}


@POSIX
@pytest.mark.parametrize("name", REFUSED)
def test_a_release_is_refused(checkout, name):
    change, arguments, said = REFUSED[name]
    change(checkout)
    before = git(checkout, "tag")
    if arguments is None:
        arguments = [PROJECT["project"]["version"]]
    run = release(checkout, *arguments)
    assert run.returncode == 1
    assert said in run.stderr
    assert git(checkout, "tag") == before
    assert not (checkout / "dist").exists()


@POSIX
def test_a_release_is_built_and_tagged_and_not_pushed(checkout, tmp_path):
    """setuptools beside us builds; pip would fetch one."""
    elsewhere = tmp_path / "elsewhere.git"
    git(tmp_path, "init", "-q", "--bare", str(elsewhere))
    git(checkout, "remote", "add", "origin", str(elsewhere))
    version = PROJECT["project"]["version"]
    run = release(checkout, version)
    assert run.returncode == 0, run.stderr
    kinds = sorted(path.suffix for path in (checkout / "dist").iterdir())
    assert kinds == [".gz", ".whl"]
    assert git(checkout, "cat-file", "-t", f"v{version}").strip() == "tag"
    assert run.stdout.splitlines()[-1].endswith(f"git push origin HEAD v{version}")
    assert git(elsewhere, "tag") == ""
