"""The list of pipelines in the Airflow UI."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.ui_browser.host import Host
from tests.ui_browser.listed import listed

Opened = Callable[..., Page]
Accessible = Callable[[Page], None]
Shot = Callable[[Page, str], Path]
LIST = ("GET", "/activation/api/pipelines")


def names(page: Page) -> list[str]:
    """The pipelines that are shown, from the top."""
    page.locator("[data-pipeline]").first.wait_for()
    return [row.get_attribute("data-pipeline") or "" for row in page.locator("[data-pipeline]").all()]


def cell(page: Page, pipeline: str, column: str) -> str:
    return page.locator(f"[data-pipeline={pipeline}] [data-column={column}]").inner_text()


def test_it_shows_what_the_server_says(opened: Opened, host: Host, shot: Shot) -> None:
    page = opened()
    assert names(page) == sorted(row["pipeline"] for row in host.data["list"]["pipelines"])
    shot(page, "list")
    for counter, value in host.data["list"]["counters"].items():
        assert page.locator(f"[data-counter={counter}]").inner_text() == str(value)
    assert cell(page, "users_to_braze", "path").split("\n")[0] == "snowflake marketing.users"
    assert cell(page, "users_to_braze", "path").split("\n")[-1] == "→ Braze attributes"
    assert cell(page, "users_to_braze", "read") == "18,592"
    assert cell(page, "users_to_braze", "rejected") == "12"
    assert "22m behind" in cell(page, "users_to_braze", "watermark")
    assert "17:40" in cell(page, "users_to_braze", "last_run"), "08:40 UTC in Seoul"
    assert cell(page, "users_to_braze", "schedule").split("\n")[0] == "hourly at :40"
    assert cell(page, "events_daily", "schedule").split("\n")[0] == "daily at 03:00 (Asia/Seoul)"
    assert cell(page, "catalog_items", "path").split("\n")[-1] == "→ Braze catalog products"
    assert cell(page, "coupons_once", "status") == "Failed"
    assert cell(page, "partner_weekly", "status") == "Inactive"
    assert cell(page, "catalog_items", "last_run") == "never"
    week = page.locator("[data-pipeline=users_to_braze] svg")
    assert week.get_attribute("aria-label") == "Last 7 days: 2 failed runs, 51 rejects"
    assert week.locator("title").nth(2).text_content() == "Nov 18: 24 runs, 1 failed, 14 rejects, 417,890 sent"


def test_search_and_filters_stand_in_the_address(opened: Opened, shot: Shot) -> None:
    page = opened()
    names(page)
    page.get_by_label("Kind").select_option("import")
    expect(page.locator("[data-pipeline]")).to_have_count(3)
    page.get_by_label("Search pipelines").press_sequentially("PURCHASES")
    listed(page, "orders_to_braze")
    page.reload()
    listed(page, "orders_to_braze")
    page.get_by_label("Search pipelines").fill("")
    page.get_by_label("Kind").select_option("export")
    page.get_by_label("Status").select_option("Failed")
    listed(page, "coupons_once")
    shot(page, "filtered")
    page.get_by_label("Search pipelines").fill("nobody")
    expect(page.get_by_text("No pipeline fits")).to_be_visible()
    page.get_by_role("button", name="Clear search").click()
    expect(page.locator("[data-pipeline]")).to_have_count(9)


def test_a_column_is_sorted_by_the_keyboard(opened: Opened) -> None:
    page = opened()
    names(page)
    head = page.get_by_role("columnheader", name="Sent")
    head.get_by_role("button").focus()
    page.keyboard.press("Enter")
    expect(head).to_have_attribute("aria-sort", "ascending")
    expect(page.locator("[data-pipeline]").first).to_have_attribute("data-pipeline", "coupons_once")
    assert names(page)[-2:] == ["catalog_items", "partner_weekly"], "what has no value stands last"
    page.keyboard.press("Enter")
    expect(head).to_have_attribute("aria-sort", "descending")
    expect(page.locator("[data-pipeline]").first).to_have_attribute("data-pipeline", "backfill_2025")
    assert names(page)[-2:] == ["catalog_items", "partner_weekly"]
    expect(page.get_by_role("columnheader", name="Name")).to_have_attribute("aria-sort", "none")


def test_chosen_columns_are_kept(opened: Opened, shot: Shot) -> None:
    page = opened()
    names(page)
    expect(page.get_by_role("columnheader", name="Creator")).to_have_count(0)
    page.get_by_role("button", name="Columns").click()
    chooser = page.get_by_role("dialog", name="Columns")
    chooser.get_by_text("Creator").click()
    chooser.get_by_text("Changed by").click()
    chooser.get_by_text("Schedule").click()
    shot(page, "columns")
    page.reload()
    names(page)
    expect(page.get_by_role("columnheader", name="Creator")).to_have_count(1)
    expect(page.get_by_role("columnheader", name="Schedule")).to_have_count(0)
    assert cell(page, "users_to_braze", "creator") == "crm@example.com"
    assert cell(page, "users_to_braze", "changed_by") == "version 3 · a1b2c3d (main)"
    assert cell(page, "partner_weekly", "changed_by") == "–"


def test_it_asks_again_only_while_something_runs(opened: Opened, host: Host) -> None:
    page = opened(clock=True)
    names(page)
    for _ in range(2):
        before = len(host.said(*LIST))
        page.clock.run_for(5_000)
        page.wait_for_timeout(500)
        assert len(host.said(*LIST)) == before + 1, "audience_profiles runs"
    for row in host.data["list"]["pipelines"]:
        row["running"] = None
    host.data["list"]["counters"]["running"] = 0
    page.clock.run_for(5_000)
    expect(page.locator("[data-counter=running]")).to_have_text("0")
    began = len(host.said(*LIST))
    page.clock.run_for(60_000)
    page.wait_for_timeout(500)
    assert len(host.said(*LIST)) == began, "nothing runs"
    page.get_by_role("button", name="Refresh").click()
    page.wait_for_timeout(500)
    assert len(host.said(*LIST)) == began + 1


def test_what_is_not_there_yet_is_said(opened: Opened, host: Host, shot: Shot) -> None:
    host.late[LIST] = []
    page = opened()
    waiting = page.get_by_role("status", name="Loading pipelines")
    expect(waiting).to_have_attribute("aria-busy", "true")
    expect(page.locator("[data-pipeline]")).to_have_count(0)
    shot(page, "loading")
    host.answer_late()
    assert len(names(page)) == 9
    expect(waiting).to_have_count(0)


def test_no_pipeline_yet(opened: Opened, host: Host, shot: Shot) -> None:
    host.data["list"] |= {"pipelines": [], "counters": dict.fromkeys(host.data["list"]["counters"], 0)}
    page = opened()
    expect(page.get_by_text("There is no pipeline yet")).to_be_visible()
    shot(page, "empty")


def test_an_error_is_shown_with_its_text_and_can_be_tried_again(opened: Opened, host: Host, shot: Shot) -> None:
    host.answers[LIST] = [(500, {"detail": "The metadata database does not answer."})]
    page = opened()
    expect(page.get_by_role("alert")).to_contain_text("The metadata database does not answer.")
    shot(page, "error")
    del host.answers[LIST]
    page.get_by_role("button", name="Try again").click()
    assert len(names(page)) == 9
    expect(page.get_by_role("alert")).to_have_count(0)


def test_a_user_without_a_login_is_sent_to_it(opened: Opened, host: Host) -> None:
    host.answers[LIST] = [(401, {"detail": "Not authenticated"})]
    page = opened()
    page.wait_for_url("**/team/airflow/api/v2/auth/login?next=*pipelines*")


def test_it_speaks_korean(opened: Opened, shot: Shot) -> None:
    page = opened(language="ko-KR", scheme="dark")
    names(page)
    expect(page.get_by_role("heading", name="파이프라인")).to_be_visible()
    assert cell(page, "vip_customers", "status") == "일시 중지"
    assert cell(page, "vip_customers", "schedule") == "매주 월요일 06:00 (Asia/Seoul)"
    assert cell(page, "users_to_braze", "path").split("\n")[-1] == "→ Braze 속성"
    assert "22분 지연" in cell(page, "users_to_braze", "watermark")
    shot(page, "list-korean-dark")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(opened: Opened, accessible: Accessible, scheme: str) -> None:
    page = opened(scheme=scheme)
    names(page)
    assert scheme in (page.locator("html").get_attribute("class") or "")
    accessible(page)
    page.get_by_role("button", name="Columns").click()
    accessible(page)
