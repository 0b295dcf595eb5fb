"""Pages in a real browser: headless Chromium, driven by Playwright.

Tests ask for the fixture ``visit``, which opens a file and fails afterwards if the page
wrote an error to its console or asked for anything but itself.
"""

import os
import shutil
from pathlib import Path

import pytest

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser"))), None)
QUIET = [
    *("--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update"),
]


@pytest.fixture(scope="session")
def browser():
    """Chromium, started once; tests are skipped where it or Playwright is missing."""
    playwright = pytest.importorskip("playwright.sync_api", reason="no Playwright")
    if CHROMIUM is None:
        pytest.skip("no Chromium: apt-get install chromium")
    root = hasattr(os, "geteuid") and os.geteuid() == 0
    flags = QUIET + ["--no-sandbox"] * root
    with playwright.sync_playwright() as driver:
        started = driver.chromium.launch(executable_path=CHROMIUM, args=flags)
        yield started
        started.close()


@pytest.fixture
def visit(browser):
    """``visit(path, dark=False, width=1280, height=800, touch=False)`` gives a page.

    It may ask for nothing but itself, or for files of the folder ``within``.
    """
    contexts, complaints = [], []

    def visit(
        path,
        *,
        dark=False,
        width=1280,
        height=800,
        touch=False,
        fragment="",
        within=None,
    ):
        context = browser.new_context(
            color_scheme="dark" if dark else "light",
            viewport={"width": width, "height": height},
            has_touch=touch,
            reduced_motion="reduce",
        )
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(5_000)
        address = Path(path).resolve().as_uri()
        around = f"{Path(within).resolve().as_uri()}/" if within else None
        page.on("pageerror", lambda error: complaints.append(f"error: {error}"))
        page.on(
            "console",
            lambda said: (
                said.type in ("error", "warning")
                and complaints.append(f"console: {said.text}")
            ),
        )
        page.on(
            "request",
            lambda asked: (
                asked.url.split("#")[0] == address
                or (around and asked.url.startswith(around))
                or asked.url.startswith(("data:", "about:"))
                or complaints.append(f"request: {asked.url}")
            ),
        )
        page.goto(address + fragment)
        return page

    yield visit
    for context in contexts:
        context.close()
    assert not complaints


def violations(page):
    """What axe-core finds against WCAG 2.1 A and AA, contrast included."""
    from axe_playwright_python.sync_playwright import Axe

    # It would ask for style sheets once more, which pages from disk may not.
    options = {"preload": False, "resultTypes": ["violations"]}
    found = Axe().run(page, options=options).response["violations"]
    return [
        (rule["id"], [node["html"] for node in rule["nodes"]][:4]) for rule in found
    ]
