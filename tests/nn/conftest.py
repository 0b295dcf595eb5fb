"""What the tests of ``nn`` share."""

import pytest

from nn.training import programs


@pytest.fixture(autouse=True)
def forgetful():
    """No test gets a program that another one had compiled."""
    programs._known.clear()
