"""Random programs on both eager engines: ``python scripts/fuzz_engines.py [seeds]``.

Data, gradients, texts and errors must be the same, bit for bit. Prints every program
that differs; the exit status says whether one does.
"""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

import engine_programs  # noqa: E402


def main() -> int:
    """Compare blocks of programs."""
    seeds = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    first = int(sys.argv[2]) if len(sys.argv) > 2 else 0
    differing = 0
    for start in range(first, first + seeds, 5000):
        count = min(5000, first + seeds - start)
        python, native = (
            engine_programs.printed(engine, start, count)
            for engine in ("python", "native")
        )
        for one, other in zip(python, native, strict=True):
            if one != other:
                differing += 1
                print(one, other, sep="\n", end="\n\n")
        print(f"{start + count - first} programs, {differing} differ", flush=True)
    return min(differing, 1)


if __name__ == "__main__":
    sys.exit(main())
