"""microgpt's own training, with its Value and with ours; nothing else is changed.

    python benchmarks/microgpt.py path/to/microgpt.py path/to/names.txt [steps]

Its source is run twice, up to its inference: as it is, and without its class Value,
which is imported from here. Both must print the same losses.
"""

from __future__ import annotations

import contextlib
import gc
import io
import os
import re
import shutil
import sys
import tempfile
import time
from pathlib import Path

import autograd


def run(source, names, collect):
    """Seconds for the training loop, and what it prints."""
    setup, loop = re.split(r"(?m)^(?=for step in range)", source, maxsplit=1)
    namespace, printed = {}, io.StringIO()
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        shutil.copy(names, "input.txt")
        with contextlib.redirect_stdout(printed):
            exec(compile(setup, "microgpt", "exec"), namespace)
            gc.collect()
            (gc.enable if collect else gc.disable)()
            start = time.perf_counter()
            exec(compile(loop, "microgpt", "exec"), namespace)
            seconds = time.perf_counter() - start
    gc.enable()
    return seconds, re.findall(r"loss (\S+)", printed.getvalue())


def main():
    path, names = map(os.path.abspath, sys.argv[1:3])
    steps = sys.argv[3] if len(sys.argv) > 3 else "20"
    source = Path(path).read_text(encoding="utf-8")
    source = re.split(r"(?m)^# Inference", source)[0]
    source = re.sub(r"num_steps = \d+", f"num_steps = {steps}", source)
    ours = re.sub(
        r"(?ms)^class Value.*?^(?=\S)", "from autograd import Value\n", source, count=1
    )
    print(f"engine: {autograd.engine()}")
    for collect in (False, True):
        (theirs, expected), (mine, losses) = (
            min(run(text, names, collect) for _ in range(3)) for text in (source, ours)
        )
        assert losses == expected
        state = "on" if collect else "off"
        each = 1e3 / int(steps)
        print(
            f"collector {state}: {theirs * each:.1f} ms a step with its own Value, "
            f"{mine * each:.2f} with ours: {theirs / mine:.1f} x"
        )


if __name__ == "__main__":
    sys.setrecursionlimit(100_000)
    main()
