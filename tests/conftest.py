"""What all tests share: helpers on the path, figures that close, collected garbage."""

import gc
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
pytest_plugins = ["browser"]


@pytest.fixture(autouse=True)
def no_figure_outlives_its_test():
    """Doctests and blocks of the docs draw too."""
    yield
    if "matplotlib.pyplot" in sys.modules:
        sys.modules["matplotlib.pyplot"].close("all")


def pytest_collection_finish():
    """What was imported and collected stays: the garbage collector need not look."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000)  # most tests make many small objects, and few circles
