"""A headless Chromium, and pages of the Airflow UI in it."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from tests.ui_browser.host import BUNDLE, ORIGIN, ROOT, Host

AXE = ROOT / "plugins" / "activation" / "ui" / "source" / "node_modules" / "axe-core" / "axe.min.js"
SHOTS = ROOT / ".state" / "screenshots"
_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-sync",
]
_PROBLEMS = """() => axe.run(document, {resultTypes: ["violations"]}).then(found => found.violations.flatMap(rule => rule.nodes
    .filter(node => document.querySelector(node.target[0])?.closest("main, [role=dialog]"))
    .map(node => `${rule.id}: ${node.html.slice(0, 200)} ${node.failureSummary}`)))"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """The machine's own Chromium. While it is open an event loop runs in this thread, so it does not outlive its module."""
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if found is None:
        pytest.skip("There is no Chromium on this machine; on Debian install the package chromium.")
    assert BUNDLE.is_file(), f"{BUNDLE} is missing: run make test"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=_FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def host() -> Host:
    """An Airflow behind a base path."""
    return Host("/team/airflow/")


@pytest.fixture
def opened(browser: Browser, host: Host) -> Iterator[Callable[..., Page]]:
    """Open a path below ``plugin/pipelines``; the errors of the page's own script fail the test, and so does another host."""
    contexts: list[BrowserContext] = []
    errors: list[str] = []

    def open_page(path: str = "", language: str = "en-US", scheme: Any = "light", *, clock: bool = False) -> Page:
        size: Any = {"width": 1440, "height": 1000}
        context = browser.new_context(viewport=size, locale=language, color_scheme=scheme, timezone_id="Asia/Seoul")
        contexts.append(context)
        host.serve(context)
        page = context.new_page()
        page.set_default_timeout(20_000)
        page.on("pageerror", lambda error: errors.append(str(error)))
        if clock:
            page.clock.install()  # page.clock.run_for lets time pass
        page.goto(f"{ORIGIN}{host.base}plugin/pipelines{path}")
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert errors == []
    assert host.elsewhere == []


@pytest.fixture
def accessible() -> Callable[[Page], None]:
    """Fail if axe finds anything in the page or in a dialog."""

    def check(page: Page) -> None:
        page.wait_for_timeout(400)  # dialogs and skeletons fade, and half faded text has no contrast
        page.evaluate(AXE.read_text(encoding="utf-8"))
        assert page.evaluate(_PROBLEMS) == []

    return check


@pytest.fixture
def shot() -> Callable[[Page, str], Path]:
    """Keep a picture of the page, to be looked at."""

    def keep(page: Page, name: str) -> Path:
        SHOTS.mkdir(parents=True, exist_ok=True)
        path = SHOTS / f"{name}.png"
        page.screenshot(path=path)
        return path

    return keep
