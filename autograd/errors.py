"""Every error that this project raises on purpose.

    AutogradError
    ├── GraphError               (ValueError)       a cycle, or a node without a rule
    ├── StaleValueError          (RuntimeError)     data edited after the forward pass
    ├── TraceError               (TypeError)        a function that cannot be traced
    ├── EscapedError             (RuntimeError)     a number outlived its transform
    ├── AnomalyError             (ArithmeticError)  the first NaN or infinity
    ├── GradcheckError           (AssertionError)   analytic and numeric disagree
    ├── ExpressionError          (ValueError)       a formula that cannot be read
    ├── ShapeError               (ValueError)       widths or lengths that do not fit
    ├── DataError                (ValueError)       empty data, or NaN where none may be
    ├── FileFormatError          (ValueError)       a damaged, foreign or unknown file
    ├── RenderError              (RuntimeError)     a picture that could not be drawn
    └── MissingDependencyError   (ImportError)      an optional package is not installed

Wrong *types* raise the built-in ``TypeError``. Each class derives from the built-in
error that one would expect, so ``except ValueError`` works too.
"""

from __future__ import annotations

__all__ = [
    "AnomalyError",
    "AutogradError",
    "DataError",
    "EscapedError",
    "ExpressionError",
    "FileFormatError",
    "GradcheckError",
    "GraphError",
    "MissingDependencyError",
    "RenderError",
    "ShapeError",
    "StaleValueError",
    "TraceError",
]


class AutogradError(Exception):
    """The root of the tree: catches everything that is raised on purpose."""


class GraphError(AutogradError, ValueError):
    """The graph cannot be walked: a cycle, or a node that has no derivative rule."""


class StaleValueError(AutogradError, RuntimeError):
    """A leaf's ``.data`` was edited between the forward pass and its use."""


class TraceError(AutogradError, TypeError):
    """A function cannot be traced: it wants to know a number that is not there yet."""


class EscapedError(AutogradError, RuntimeError):
    """A number of a transform, or of a trace, is used after that has returned."""


class AnomalyError(AutogradError, ArithmeticError):
    """``detect_anomaly`` met the first NaN or infinity."""


class GradcheckError(AutogradError, AssertionError):
    """An analytic gradient disagrees with finite differences."""


class ExpressionError(AutogradError, ValueError):
    """A formula, given as text, that cannot be read."""


class ShapeError(AutogradError, ValueError):
    """Widths or lengths that do not fit; the message names both numbers."""


class DataError(AutogradError, ValueError):
    """Data that cannot be learned from: empty, or NaN where a number is needed."""


class FileFormatError(AutogradError, ValueError):
    """A file that is damaged, foreign or of an unknown format."""


class RenderError(AutogradError, RuntimeError):
    """A picture that could not be drawn."""


class MissingDependencyError(AutogradError, ImportError):
    """An optional package is missing; the message says what to install."""
