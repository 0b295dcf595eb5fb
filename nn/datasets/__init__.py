"""Small data sets, as arrays: ``X`` with a row for each sample, ``y`` for targets.

``made`` draws points by formulas, ``known`` reads what scikit-learn holds, ``tables``
one's own CSV files and data frames; ``parts`` holds samples out for a test and scales
them, by a Scaler of ``scaling``.
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
from nn.datasets.tables import Table, table

__all__ = ["Table", "blobs", "breast_cancer", "checkerboard", "circles"]
__all__ += ["descent_points", "diabetes", "digits", "hours_and_grades", "iris", "moons"]
__all__ += ["ripples", "spirals", "split", "standardise", "table", "wine", "xor"]
