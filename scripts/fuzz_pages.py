"""Random graphs in live pages, played with at random; every number checked with Python.

    python scripts/fuzz_pages.py 200 [first seed]

Each seed makes a random graph, opens its page in headless Chromium, and clicks, drags,
steps, folds, searches and presses keys at random. Afterwards the page must have said
nothing in its console, its boxes must not overlap, and data and gradients, for the
leaves as they stand, must be Python's.
"""

from __future__ import annotations

import math
import random
import sys
import tempfile
from pathlib import Path
from typing import Any

import autograd as ag
from autograd import Value, gradient
from viz import explore

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

UNARY = [
    "tanh",
    "sigmoid",
    "exp",
    "sin",
    "relu",
    "softplus",
    "abs",
    "sqrt",
    "log",
    "erf",
]
KEYS = ["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown", "Enter", "Escape"]
KEYS += ["Shift+ArrowUp", "Shift+ArrowDown"]
BUTTONS = [
    "first",
    "back",
    "next",
    "last",
    "fold",
    "unfold",
    "fit",
    "in",
    "out",
    "reset",
]
WORDS = ["x", "w1", "tanh", "nothing", "layer0.neuron1.w4"]
STATE = """() => {
    const g = explorer.graph;
    const leaves = [...g.nodes.keys()].filter((i) => g.isLeaf(i));
    const boxes = explorer.drawing.boxes.map((b) => [b.x, b.y, b.width, b.height]);
    const plain = (x) => Number.isFinite(x) ? x : String(x);
    return {
        labels: leaves.map((i) => g.nodes[i].label),
        data: leaves.map((i) => plain(g.data[i])),
        grads: leaves.map((i) => plain(g.grad[i])),
        results: g.results.map((i) => plain(g.data[i])),
        boxes,
    };
}"""


def program(seed: int) -> Any:
    """A function of named leaves, the same for the same seed."""

    def build(numbers: dict[str, float]) -> tuple[dict[str, Value], list[Value]]:
        rng = random.Random(seed)
        leaves = {
            name: Value(
                numbers.get(name, rng.choice([0.0, 1.0, rng.gauss(0, 1)])), name
            )
            for name in _names(rng)
        }
        pool: list[Any] = list(leaves.values())
        for _ in range(rng.choice([3, 12, 40, 200])):
            pool.append(_operation(rng, pool))
        return leaves, pool[-rng.choice([1, 1, 2]) :]

    return build


def _names(rng: random.Random) -> list[str]:
    count = rng.choice([1, 3, 9, 20])
    if rng.random() < 0.5:
        return [f"x{k}" for k in range(count)]
    return [f"layer0.neuron{k % 3}.w{k}" for k in range(count)]


def _operation(rng: random.Random, pool: list[Any]) -> Any:
    a, b = rng.choice(pool[-12:]), rng.choice(pool)
    kind = rng.randrange(8)
    if kind == 0:
        return getattr(ag, rng.choice(UNARY), abs)(a)
    if kind == 1:
        group = [rng.choice(pool) for _ in range(rng.choice([1, 2, 12]))]
        return getattr(ag, rng.choice(["sum", "maximum", "logsumexp", "prod"]))(group)
    if kind == 2:
        ws, xs = ([rng.choice(pool) for _ in range(4)] for _ in range(2))
        return ag.dot(ws, xs, b)
    if kind == 3:
        return a * rng.choice([2.0, -0.5, 0.0]) + 1.0
    if kind == 4:
        return a / b
    return rng.choice([lambda: a + b, lambda: a - b, lambda: a * b])()


def play(page: Any, rng: random.Random) -> None:
    """One thing that a hand may do."""
    kind = rng.randrange(7)
    if kind == 0:
        button = page.locator("#" + rng.choice(BUTTONS))
        if button.is_enabled():
            button.click()
    elif kind == 1:
        page.keyboard.press(rng.choice(KEYS))
    elif kind == 2:
        page.fill("#search", rng.choice(WORDS))
        page.press("#search", "Enter")
    elif kind == 3:
        page.set_checked("#numeric", rng.random() < 0.5)
    elif kind == 4:
        x, y = rng.randrange(20, 900), rng.randrange(180, 780)
        page.mouse.move(x, y)
        page.mouse.down()
        page.mouse.move(x + rng.randrange(-80, 80), y + rng.randrange(-40, 40), steps=3)
        page.mouse.up()
    elif kind == 5:
        page.evaluate("(k) => explorer.goTo(k)", rng.randrange(40))
    else:
        buttons = page.locator("aside button")
        if buttons.count():
            buttons.nth(rng.randrange(buttons.count())).click()


def wrong(page: Any, build: Any) -> str:
    """What the page shows and Python does not say; empty for nothing."""
    state = page.evaluate(STATE)
    numbers = {
        label: float(x) for label, x in zip(state["labels"], state["data"], strict=True)
    }
    leaves, results = build(numbers)
    total = ag.sum(results)
    grads = gradient(total, [leaves[label] for label in state["labels"]])
    expected = [*grads, *[y.data for y in results]]
    found = [float(x) for x in (*state["grads"], *state["results"])]
    for a, b in zip(found, expected, strict=True):
        same = a == b or (math.isnan(a) and math.isnan(b))
        if not same and not abs(a - b) <= 1e-9 * max(abs(a), abs(b), 1e-200):
            return f"{a!r} instead of {b!r}"
    return overlap(state["boxes"])


def overlap(boxes: list[list[float]]) -> str:
    """Two boxes that lie on each other; empty for none."""
    boxes = sorted(boxes)
    for k, (ax, ay, width, height) in enumerate(boxes):
        for bx, by, _, other in boxes[k + 1 :]:
            if bx >= ax + width:
                break
            if abs(ay - by) < (height + other) / 2 - 1e-6:
                return f"boxes at {ax:.0f}, {ay:.0f} and {bx:.0f}, {by:.0f} overlap"
    return ""


def main() -> int:
    """Run the seeds; returns how many failed."""
    from browser import CHROMIUM, QUIET
    from playwright.sync_api import sync_playwright

    count, first = (int(x) for x in (*sys.argv[1:], *["100", "0"][len(sys.argv) - 1 :]))
    failed = 0
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as driver:
        chromium = driver.chromium.launch(
            executable_path=CHROMIUM, args=[*QUIET, "--no-sandbox"]
        )
        for seed in range(first, first + count):
            build = program(seed)
            path = explore(build({})[1], Path(folder, "page.html"))
            page = chromium.new_page(viewport={"width": 1280, "height": 800})
            page.emulate_media(reduced_motion="reduce")
            page.set_default_timeout(5_000)
            said: list[str] = []
            page.on("pageerror", lambda error, said=said: said.append(str(error)))
            page.on("console", lambda line, said=said: said.append(line.text))
            page.goto(path.as_uri())
            rng = random.Random(f"play {seed}")
            for _ in range(25):
                play(page, rng)
            trouble = " ".join(said) or wrong(page, build)
            if trouble:
                failed += 1
                print(f"seed {seed}: {trouble}")
            page.close()
    print(f"{count} pages, {failed} wrong")
    return failed


if __name__ == "__main__":
    sys.exit(bool(main()))
