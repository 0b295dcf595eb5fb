"""The public names of nn, and what importing it costs."""

import subprocess
import sys

import nn


def test_importing_needs_no_optional_package():
    code = (
        "import sys, nn\n"
        "print([m for m in ('tqdm', 'sklearn', 'matplotlib') if m in sys.modules])"
    )
    found = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert found.stdout.strip() == "[]"


def test_every_public_name_is_there():
    assert sorted(nn.__all__) == sorted(set(nn.__all__))
    assert all(hasattr(nn, name) for name in nn.__all__)
