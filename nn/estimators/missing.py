"""What stands for an estimator where scikit-learn is missing, or too old."""

from __future__ import annotations

from typing import Any

from autograd.missing import missing


def stand_in(name: str, cause: ImportError) -> type:
    """A class of that name, which cannot be instantiated: MissingDependencyError."""

    def refuse(self: Any, *args: Any, **kwargs: Any) -> None:
        raise missing(
            f"nn.{name} needs scikit-learn 1.6 or later", "scikit-learn"
        ) from cause

    text = "An estimator that needs scikit-learn 1.6 or later."
    return type(name, (), {"__init__": refuse, "__doc__": text})
