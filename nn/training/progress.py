"""Progress: bars that say how far a run is, its loss, and the time that remains."""

from __future__ import annotations

from typing import Any

from autograd.missing import missing
from autograd.table.reals import short


class _Silent:
    """A bar that shows nothing."""

    def __enter__(self) -> _Silent:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def update(self, n: int = 1) -> None:
        """Nothing."""

    def set_description_str(self, text: str, refresh: bool = False) -> None:
        """Nothing."""

    def set_postfix_str(self, text: str, refresh: bool = False) -> None:
        """Nothing."""


def progress_bar(
    total: int, unit: str, progress: bool | str, delay: float = 0.0
) -> Any:
    """A tqdm bar, shown after so many seconds; or one that shows nothing.

    Raises ValueError for another ``progress`` than True, False and "auto",
    MissingDependencyError for True without tqdm.
    """
    if progress not in (True, False, "auto"):
        raise ValueError(
            f"progress must be True, False or 'auto', got {short(progress)}"
        )
    if not progress:
        return _Silent()
    try:
        from tqdm import tqdm
    except ImportError as cause:
        if progress == "auto":
            return _Silent()
        raise missing("progress=True needs tqdm", "tqdm") from cause
    return tqdm(total=total, unit=unit, delay=delay)
