"""Optional packages that are not there: what is said of them, in one place.

The remedy names packages and no extra of ours: it is right in a checkout, in an
environment that has this project from an index, and in a notebook.
"""

from __future__ import annotations

from autograd.errors import MissingDependencyError

VERSIONS = {"scikit-learn": "scikit-learn>=1.6"}


def missing(need: str, *packages: str, otherwise: str = "") -> MissingDependencyError:
    """The error of a package that is not installed, to be raised.

    Parameters
    ----------
    need : what needs it: a clause that ends with the name of the package.
    *packages : what to install.
    otherwise : what does without it, or another way.

    >>> from autograd.missing import missing
    >>> print(missing("animated GIFs need Pillow", "pillow"))
    animated GIFs need Pillow, which is not installed: run pip install pillow
    """
    listed = [VERSIONS.get(name, name) for name in packages]
    quoted = " ".join(f'"{name}"' if ">" in name else name for name in listed)
    remedy = f"run pip install {quoted}" + (f"; {otherwise}" if otherwise else "")
    return MissingDependencyError(f"{need}, which is not installed: {remedy}")
