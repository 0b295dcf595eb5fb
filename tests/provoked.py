"""What the tests provoke: every message that a ``pytest.raises`` of this run caught.

``tests/conftest.py`` puts ``recording`` in the place of ``pytest.raises`` before any test
is imported; ``tests/test_messages.py`` comes last and judges what was said.
"""

from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = ("autograd", "nn", "viz")

Site = tuple[str, int]  # a file, relative to the root, and a line
# What left our code there: its kind and its words, without the frames that it holds
PROVOKED: dict[Site, tuple[type, str]] = {}
PARTS: set[Site] = set()  # what became a part of another message


def record(error):
    """Note where our code raised an error, and those that it was made from."""
    site = _innermost(error)
    if site is not None:
        PROVOKED.setdefault(site, (type(error), str(error)))
    waiting, met = [error.__cause__, error.__context__], set()
    while waiting:
        part = waiting.pop()
        if part is not None and id(part) not in met:
            met.add(id(part))
            PARTS.add(_innermost(part))
            waiting += [part.__cause__, part.__context__]


def _innermost(error):
    """The last line of a traceback, if it is in one of the packages."""
    trace = error.__traceback__
    if trace is None:
        return None
    while trace.tb_next:
        trace = trace.tb_next
    path = Path(trace.tb_frame.f_code.co_filename)
    if not path.is_relative_to(ROOT):
        return None
    name = path.relative_to(ROOT).as_posix()
    return (name, trace.tb_lineno) if name.startswith(PACKAGES) else None


class _Recording:
    """A context of ``pytest.raises``, which looks at what it catches."""

    def __init__(self, context):
        self.context = context

    def __enter__(self):
        return self.context.__enter__()

    def __exit__(self, kind, error, trace):
        if error is not None:
            record(error)
        return self.context.__exit__(kind, error, trace)


_raises = pytest.raises


def recording(*arguments, **settings):
    """As ``pytest.raises``."""
    return _Recording(_raises(*arguments, **settings))
