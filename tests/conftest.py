"""What all tests share: the folder of helpers on the path, and figures that close."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture(autouse=True)
def no_figure_outlives_its_test():
    """Doctests and blocks of the docs draw too."""
    yield
    if "matplotlib.pyplot" in sys.modules:
        sys.modules["matplotlib.pyplot"].close("all")
