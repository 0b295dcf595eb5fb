"""No compiled function reads or writes beside its arrays: guard pages would end it."""

import subprocess
import sys
from pathlib import Path

import pytest
from tiers import BACKENDS

HERE = Path(__file__).parent
SCRIPT = HERE / "guarded.py"


def run(code, *arguments):
    return subprocess.run(
        [sys.executable, *code, *arguments],
        capture_output=True,
        text=True,
        cwd=HERE.parent.parent.parent,
    )


@pytest.mark.skipif(sys.platform != "linux", reason="guard pages by mprotect")
@pytest.mark.parametrize("backend", BACKENDS)
def test_nothing_beside_the_arrays_is_touched(backend):
    found = run([str(SCRIPT)], backend, "0", "20")
    assert found.returncode == 0, found.stderr[-2000:]
    assert "nothing was touched" in found.stdout


@pytest.mark.skipif(sys.platform != "linux", reason="guard pages by mprotect")
@pytest.mark.parametrize("at_end", [True, False])
def test_the_guard_works(at_end):
    place = "5" if at_end else "-1"
    code = (
        f"import sys; sys.path.insert(0, {str(HERE)!r}); import ctypes, guarded\n"
        f"a = guarded.room(5, {at_end})\n"
        f"ctypes.c_double.from_address(a.ctypes.data + 8 * {place}).value = 1.0\n"
    )
    assert run(["-c", code]).returncode < 0
