"""Compiled code of the tests goes to a directory of its own, which is then removed."""

import os
import tempfile

_place = tempfile.TemporaryDirectory(prefix="scalar-autograd-tests-")
os.environ["SCALAR_AUTOGRAD_CACHE"] = _place.name
