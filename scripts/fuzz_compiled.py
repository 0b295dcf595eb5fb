"""Random programs through all tiers of the compiler, seed after seed.

    python scripts/fuzz_compiled.py [--first 0] [--count 2000] [--backend numpy,llvm]

Every seed makes a regular program (loops, layers, recurrences) and an irregular one.
Prints totals after each block, and every failure; the exit status says whether there
were any. See ``tests/regular_programs.py`` for what is compared, and how closely.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

import comparisons  # noqa: E402

BLOCK = 100


def main() -> int:
    """Run the campaign in blocks."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--count", type=int, default=2000, help="how many seeds")
    parser.add_argument(
        "--backend",
        default=",".join(comparisons.TIERS),
        help="the tiers to compare with the eager engine, by commas (default: all)",
    )
    given = parser.parse_args()
    tiers = given.backend.split(",")
    if unknown := set(tiers) - set(comparisons.TIERS):
        parser.error(f"unknown tiers {sorted(unknown)}: {list(comparisons.TIERS)}")
    totals: Counter[str] = Counter()
    last = given.first + given.count
    for start in range(given.first, last, BLOCK):
        count = min(BLOCK, last - start)
        more, failures = comparisons.campaign(start, count, tiers)
        totals += more
        for seed, kind, name, found in failures:
            totals["failed"] += 1
            for tier, complaint in found.items():
                print(f"seed {seed}, {kind}, {tier}: {complaint} ({name})")
        print(", ".join(f"{n} {kind}" for kind, n in totals.items()), flush=True)
    return 1 if totals["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())
