"""Measure every row in ulp: ``python scripts/accuracy.py [points] [rows]``.

Needs mpmath. For the value and the derivatives of order 1 to 3 of each row, prints the
largest error over all points beside what the docs promise, and where it was. A thousand
points, the default, take about a quarter of an hour.
"""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

import exact  # noqa: E402

from autograd.table.primitives import TABLE  # noqa: E402


def main() -> int:
    """Print the table; the exit status is the number of broken promises."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    names = sys.argv[2:] or [n for n in TABLE if not TABLE[n].predicate]
    broken = 0
    for name in names:
        for order in range(4):
            error, where = exact.worst(name, count, order)
            promised = exact.bound(name, order)
            broken += error > promised
            mark = "  <-- over the bound" if error > promised else ""
            line = (
                f"{name:18s} {order} {error:10.3g} ulp (bound {promised:g}) at {where}"
            )
            print(line + mark, flush=True)
    return broken


if __name__ == "__main__":
    sys.exit(main())
