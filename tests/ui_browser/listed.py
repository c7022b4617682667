"""What the list shows. The page follows its address, which may lag behind a click: so all of it is waited for."""

from __future__ import annotations

from playwright.sync_api import Page, expect


def listed(page: Page, *pipelines: str) -> None:
    """Wait until the list shows these and no others, in this order."""
    rows = page.locator("[data-pipeline]")
    expect(rows).to_have_count(len(pipelines))
    for at, name in enumerate(pipelines):
        expect(rows.nth(at)).to_have_attribute("data-pipeline", name)
