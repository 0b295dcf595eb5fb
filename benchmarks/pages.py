"""Live pages: their size, and the times to open, to unfold, and to follow a drag.

    python benchmarks/pages.py

Times are medians over visits of headless Chromium. ``open`` ends when the graph is on
the screen as the page shows it first; ``unfold`` lays out and draws every box; ``drag``
is what one movement of a leaf takes with every box unfolded: values, gradients, texts,
colours, and the browser's own style and layout; where one reads, and ``small`` with the
whole graph in sight.
"""

import statistics
import sys
import tempfile
import time
from pathlib import Path

from playwright.sync_api import sync_playwright

import autograd as ag
from autograd import Value
from viz import explore

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))
from browser import CHROMIUM, QUIET

DRAG = """() => {
    const leaf = explorer.graph.nodes.findIndex((node) => node.row === null);
    const times = [];
    for (let k = 0; k < 31; k++) {
        const start = performance.now();
        explorer.setLeaf(leaf, 0.5 + k / 100);
        document.querySelector(".box text").getBBox();
        times.push(performance.now() - start);
    }
    return times.sort((a, b) => a - b)[15];
}"""
OPEN = """performance.timing.domComplete
    - performance.timing.navigationStart"""
UNFOLD = """() => {
    const start = performance.now();
    explorer.foldAll(false);
    document.querySelector(".box text").getBBox();
    return [performance.now() - start, document.querySelectorAll(".box").length];
}"""


def neuron():
    """tanh(w1 x1 + w2 x2 + b)."""
    ws = [Value(-3.0, label="w1"), Value(1.0, label="w2")]
    xs = [Value(2.0, label="x1"), Value(0.5, label="x2")]
    return ag.tanh(ag.dot(ws, xs, Value(5.8, label="b")))


def chain(count):
    """A deep graph, all of which depends on its first leaf."""
    x = y = Value(1.0, label="x")
    for k in range(count):
        y = ag.tanh(y) if k % 3 == 0 else y * 1.01 + x
    return y


def network(sizes):
    """The squared output of a network of plain Values."""
    from nn import MLP

    model = MLP(sizes[0], sizes[1:], activation="tanh", seed=0)
    x = [Value(0.1 * k, label=f"x{k}") for k in range(sizes[0])]
    out = model(x)
    return ag.sum([y * y for y in out]) if isinstance(out, list) else out * out


PROBLEMS = {
    "a neuron": neuron,
    "MLP 3-8-8-1": lambda: network([3, 8, 8, 1]),
    "1,000 nodes, a chain": lambda: chain(480),
    "1,000 nodes, MLP 8-16-12-2": lambda: network([8, 16, 12, 2]),
    "10,000 nodes, a chain": lambda: chain(4800),
    "10,000 nodes, MLP 30-60-40-10": lambda: network([30, 60, 40, 10]),
}


def main():
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as driver:
        started = driver.chromium.launch(
            executable_path=CHROMIUM, args=[*QUIET, "--no-sandbox"]
        )
        print(f"{'':32}{'nodes':>8}{'kB':>8}{'write ms':>10}{'open ms':>9}", end="")
        print(f"{'boxes':>7}{'unfold ms':>11}{'drag ms':>9}{'small':>7}")
        for name, make in PROBLEMS.items():
            y = make()
            start = time.perf_counter()
            path = explore(y, Path(folder, "page.html"))
            written = 1e3 * (time.perf_counter() - start)
            opened, unfolded, drags, small = [], [], [], []
            for _ in range(5):
                page = started.new_page(viewport={"width": 1280, "height": 800})
                page.emulate_media(reduced_motion="reduce")
                page.goto(path.as_uri())
                opened.append(page.evaluate(OPEN))
                nodes = page.evaluate("explorer.graph.nodes.length")
                took, boxes = page.evaluate(UNFOLD)
                unfolded.append(took)
                drags.append(page.evaluate(DRAG))
                page.evaluate("explorer.drawing.fit(0.02)")
                small.append(page.evaluate(DRAG))
                page.close()
            middle = statistics.median
            print(
                f"{name:32}{nodes:8}{path.stat().st_size / 1e3:8.1f}{written:10.1f}",
                end="",
            )
            print(
                f"{middle(opened):9.0f}{boxes:7}{middle(unfolded):11.1f}{middle(drags):9.2f}{middle(small):7.2f}"
            )


if __name__ == "__main__":
    main()
