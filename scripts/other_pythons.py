"""The core of the tests on every other CPython that this machine has.

    python scripts/other_pythons.py [arguments of pytest]

Looked for are ``python3.x`` on the path and pyenv's versions, from ``requires-python``
on; a name that only leads to an error (pyenv's shims do) is none. Each gets a virtual
environment of its own, with what the core needs (the extra ``core``) and those of the
optional packages that can be installed there. The exit status is 1 if a test fails, or
if a version that the classifiers name could not be run.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
CORE = ["tests/autograd", "tests/nn"]
OPTIONAL = ["compile", "sparse", "progress", "examples"]
ABOUT = """
import json, platform, sys
print(json.dumps([platform.python_implementation(), platform.python_version(),
                  list(sys.version_info[:2]), getattr(sys, "abiflags", "")]))
"""


def candidates() -> Iterator[Path]:
    """Everything that is called like a Python."""
    for folder in os.get_exec_path():
        yield from sorted(Path(folder).glob("python3.[0-9]*"))
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    yield from sorted(pyenv.glob("versions/*/bin/python"))


def about(python: Path) -> tuple[str, str, tuple[int, int], str] | None:
    """Implementation, version and flags of what really is a Python; else None."""
    if python.name != "python" and not python.name[len("python3.") :].isdigit():
        return None  # python3.11-config
    try:
        found = subprocess.run(
            [python, "-I", "-c", ABOUT], capture_output=True, text=True, timeout=60
        )
        name, version, pair, flags = json.loads(found.stdout)
    except (OSError, ValueError, subprocess.TimeoutExpired):
        return None
    return name, version, tuple(pair), flags


def others() -> dict[str, Path]:
    """Version -> path of each CPython but the running one."""
    oldest = tuple(map(int, PROJECT["requires-python"].removeprefix(">=").split(".")))
    running = sys.version.split()[0]
    found: dict[str, Path] = {}
    for python in candidates():
        known = about(python)
        if known is None or known[0] != "CPython" or known[2] < oldest:
            continue
        if "t" not in known[3] and known[1] != running:  # t: free-threaded
            found.setdefault(known[1], python)
    return found


def is_named(version: str) -> bool:
    """Whether the classifiers name this version."""
    pair = ".".join(version.split(".")[:2])
    return f"Programming Language :: Python :: {pair}" in PROJECT["classifiers"]


def run(version: str, python: Path, arguments: list[str]) -> tuple[bool, str]:
    """Set up and test one Python: whether all is well, and what was printed."""
    with tempfile.TemporaryDirectory(prefix=f"python{version}-") as folder:
        made = Path(folder, "Scripts" if os.name == "nt" else "bin", "python")
        pip = [made, "-m", "pip", "install", "-q", "--disable-pip-version-check"]
        extras = PROJECT["optional-dependencies"]
        needed = [*PROJECT["dependencies"], *extras["core"]]
        for command in ([python, "-m", "venv", folder], [*pip, *needed]):
            done = subprocess.run(command, capture_output=True, text=True)
            if done.returncode:
                why = " ".join((done.stderr or done.stdout).strip().splitlines()[-1:])
                return not is_named(version), f"CPython {version}: not run, {why}"
        present = [
            extra
            for extra in OPTIONAL
            if not subprocess.run(
                [*pip, *extras[extra]], capture_output=True
            ).returncode
        ]
        tests = subprocess.run(
            [made, "-m", "pytest", "-p", "no:cacheprovider", *CORE, *arguments],
            cwd=ROOT,
            env=os.environ | {"PYTHONPATH": str(ROOT)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        said = tests.stdout.strip()
        if not tests.returncode:
            said = said.splitlines()[-1]
        head = f"CPython {version} ({python}), with {', '.join(present)}:"
        return not tests.returncode, f"{head}\n{said}"


def main() -> int:
    """Run the core on all of them, two at a time, and say which they are."""
    found = others()
    print(f"other Pythons: {', '.join(sorted(found)) or 'none'}", flush=True)
    right = True
    with ThreadPoolExecutor(2) as pool:
        jobs = [pool.submit(run, v, found[v], sys.argv[1:]) for v in sorted(found)]
        for job in as_completed(jobs):
            well, said = job.result()
            right &= well
            print(said, flush=True)
    return 0 if right else 1


if __name__ == "__main__":
    sys.exit(main())
