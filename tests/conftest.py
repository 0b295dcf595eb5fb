"""What all tests share: helpers on the path, figures that close, collected garbage."""

import gc
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
pytest_plugins = ["browser"]

import provoked  # noqa: E402, needs the path

pytest.raises = provoked.recording


def pytest_collection_modifyitems(items):
    """What judges the messages of a run comes behind all that provokes them."""
    items.sort(key=lambda item: item.path.name == "test_messages.py")


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
