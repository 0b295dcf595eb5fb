"""Check random programs against mpmath: ``python scripts/fuzz.py [seeds] [first]``.

Prints how many programs were checked, how many were left out because they leave the
ordinary floats or come close to a kink, and every failure, shrunk. A quarter of a
million seeds, of which more than a hundred thousand are checked, take some minutes.
"""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

import programs  # noqa: E402


def main() -> int:
    """Run the campaign in blocks; the exit status is the number of failures."""
    seeds = int(sys.argv[1]) if len(sys.argv) > 1 else 250_000
    first = int(sys.argv[2]) if len(sys.argv) > 2 else 0
    checked = left_out = failed = 0
    for start in range(first, first + seeds, 5000):
        block = min(5000, first + seeds - start)
        more_checked, more_left_out, failures = programs.campaign(start, block)
        checked, left_out = checked + more_checked, left_out + more_left_out
        failed += len(failures)
        for failure in failures:
            print(*failure, sep="\n  ")
        print(f"{checked} checked, {left_out} left out, {failed} failed", flush=True)
    return failed


if __name__ == "__main__":
    sys.exit(main())
