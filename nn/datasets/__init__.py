"""Small data sets, as arrays: ``X`` with a row for each sample, ``y`` for targets.

``made`` draws points by formulas, ``known`` reads what scikit-learn holds; ``parts``
holds samples out for a test and scales them, by a Scaler of ``scaling``.
"""

from nn.datasets.known import breast_cancer, diabetes, digits, iris, wine
from nn.datasets.made import (
    blobs,
    checkerboard,
    circles,
    descent_points,
    hours_and_grades,
    moons,
    ripples,
    spirals,
    xor,
)
from nn.datasets.parts import split, standardise

__all__ = ["blobs", "breast_cancer", "checkerboard", "circles", "descent_points"]
__all__ += ["diabetes", "digits", "hours_and_grades", "iris", "moons", "ripples"]
__all__ += ["spirals", "split", "standardise", "wine", "xor"]
