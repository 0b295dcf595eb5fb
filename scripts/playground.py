"""Write docs/playground.html: the page to type formulas in, which opens from disk."""

from __future__ import annotations

from pathlib import Path

from viz import playground

if __name__ == "__main__":
    playground(Path(__file__).parent.parent / "docs" / "playground.html")
