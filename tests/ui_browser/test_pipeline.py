"""The page of one pipeline: its numbers and its actions."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.ui_browser.host import Host

Opened = Callable[..., Page]
Accessible = Callable[[Page], None]
Shot = Callable[[Page, str], Path]
USERS = "?dag=users_to_braze"
RUNS = ("POST", "/api/v2/dags/users_to_braze/dagRuns")
RUN = "/api/v2/dags/users_to_braze/dagRuns/manual__1"
PREVIEW: dict[str, Any] = {
    "pipeline": "users_to_braze",
    "run": "manual__1",
    "status": "preview",
    "window": {"after": "2026-11-22T08:38:00Z"},
    "rows": {"read": 1840, "sampled": 1000, "rejected_of_sample": 4},
    "reasons": {"INVALID_PAYLOAD": 4},
    "estimate": {"rows_sent": 1833, "requests": 25, "data_points": 5499, "exact": False},
    "items": [{"external_id": "u***17", "first_name": "***"}, {"external_id": "u***42", "first_name": "***"}],
}
"""What a preview returns."""


def act(page: Page, name: str) -> Any:
    """Press a button of the page; gives the dialog that opens."""
    page.get_by_role("button", name=name, exact=True).click()
    return page.get_by_role("dialog")


def test_it_shows_runs_rejects_watermarks_plan_and_file(opened: Opened, host: Host, shot: Shot) -> None:
    page = opened(USERS)
    expect(page.get_by_role("heading", name="users_to_braze", level=1)).to_be_visible()
    shot(page, "pipeline")
    expect(page.locator("[data-run]")).to_have_count(30)
    first, failed = page.locator("[data-run]").first, page.locator("[data-run]").nth(17)
    expect(first).to_contain_text("18,240")
    expect(failed).to_contain_text("The warehouse did not answer")
    charts = page.get_by_role("group", name="Rows sent, rejects and seconds").locator("svg")
    expect(charts).to_have_count(3)
    assert "most 20,960" in (charts.first.get_attribute("aria-label") or "")
    assert "18,240" in (charts.first.locator("title").last.text_content() or ""), "the newest run stands on the right"
    reason = page.locator("[data-reason=INVALID_PAYLOAD]")
    expect(reason).to_contain_text("24")
    expect(reason.locator("code")).to_have_count(5)
    run = host.data["details"]["users_to_braze"]["rejects"][0]["run"].replace(":", "%3A").replace("+", "%2B")
    newest = reason.get_by_role("link", name="2026-11-22 17:40:00")
    expect(newest).to_have_attribute("href", f"/team/airflow/dags/users_to_braze/runs/{run}")
    expect(reason.get_by_role("link", name="CSV").first).to_have_attribute("href", re.compile(rf"/rejects\.csv\?run={run}$"))
    expect(page.get_by_role("region", name="History of the watermark").locator("tbody tr")).to_have_count(29)
    expect(page.get_by_role("region", name="Pipeline file")).to_contain_text("table: marketing.users")
    expect(page.get_by_text("A try that fails is repeated 2 times")).to_be_visible()
    assert page.get_by_text("table: marketing.users").count() == 1, "the file stands there once"


def test_links_lead_below_the_base_path(opened: Opened, host: Host) -> None:
    page = opened(USERS)
    links = page.get_by_role("navigation", name="Elsewhere in Airflow")
    run = host.data["details"]["users_to_braze"]["last"]["run"].replace(":", "%3A").replace("+", "%2B")
    expect(links.get_by_text("DAG")).to_have_attribute("href", "/team/airflow/dags/users_to_braze")
    expect(links.get_by_text("Logs")).to_have_attribute("href", f"/team/airflow/dags/users_to_braze/runs/{run}/tasks/import")
    expect(links.get_by_text("Asset")).to_have_attribute("href", "/team/airflow/assets/7")
    csv = page.get_by_role("link", name="Download as CSV").get_attribute("href")
    assert csv == "http://airflow.test/team/airflow/activation/api/pipelines/users_to_braze/rejects.csv"
    page.get_by_text("All pipelines").click()
    expect(page.locator("[data-pipeline]")).to_have_count(9)


def test_run_now_asks_for_mode_and_limit(opened: Opened, host: Host, shot: Shot) -> None:
    host.answers[RUNS] = [(200, {"dag_run_id": "manual__1"})]
    page = opened(USERS)
    dialog = act(page, "Run now")
    shot(page, "run-now")
    dialog.get_by_label("Full").check()
    dialog.get_by_label("Limit").fill("0")
    expect(dialog.get_by_text("Write a whole number")).to_be_visible()
    dialog.get_by_role("button", name="Start").click()
    assert host.said(*RUNS) == []
    dialog.get_by_label("Limit").fill("250")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Run manual__1 is started.")).to_be_visible()
    expect(dialog).to_have_count(0)
    assert host.said(*RUNS) == [{"logical_date": None, "conf": {"mode": "full", "limit": 250}}]


def test_rejects_are_replayed_of_one_reason(opened: Opened, host: Host) -> None:
    host.answers[RUNS] = [(200, {"dag_run_id": "manual__1"})]
    page = opened(USERS)
    dialog = act(page, "Replay rejects")
    expect(dialog.get_by_role("heading")).to_have_text("Replay rejects: users_to_braze")
    reason = dialog.get_by_label("Only this reason")
    known = dialog.locator(f"datalist[id='{reason.get_attribute('list')}'] option")
    assert [one.get_attribute("value") for one in known.all()] == ["INVALID_PAYLOAD", "NO_EXTERNAL_ID"]
    reason.fill("INVALID_PAYLOAD")
    dialog.get_by_role("button", name="Start").click()
    expect(page.get_by_text("Run manual__1 is started.")).to_be_visible()
    assert host.said(*RUNS) == [{"logical_date": None, "conf": {"mode": "replay", "replay_code": "INVALID_PAYLOAD"}}]


def test_what_airflow_refuses_is_shown_with_its_text(opened: Opened, host: Host) -> None:
    host.answers[RUNS] = [(409, {"detail": "A run with this id is there."})]
    page = opened(USERS)
    dialog = act(page, "Run now")
    dialog.get_by_role("button", name="Start").click()
    expect(dialog.get_by_role("alert")).to_contain_text("A run with this id is there.")
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)


def test_a_preview_shows_what_would_be_sent(opened: Opened, host: Host, shot: Shot) -> None:
    tasks = [{"task_id": "check", "map_index": -1}, {"task_id": "import", "map_index": -1}]
    host.answers |= {
        RUNS: [(200, {"dag_run_id": "manual__1"})],
        ("GET", RUN): [(200, {"state": "queued"}), (200, {"state": "running"}), (200, {"state": "success"})],
        ("GET", f"{RUN}/taskInstances"): [(200, {"task_instances": tasks})],
        ("GET", f"{RUN}/taskInstances/import/xcomEntries/return_value"): [(200, {"value": PREVIEW})],
    }
    page = opened(USERS)
    dialog = act(page, "Preview")
    dialog.get_by_role("button", name="Start").click()
    expect(dialog.get_by_role("status")).to_contain_text("queued")
    expect(dialog.get_by_text("The preview is ready")).to_be_visible(timeout=10_000)
    shot(page, "preview")
    expect(dialog.get_by_role("region", name="What would be sent")).to_contain_text('"external_id": "u***17"')
    expect(dialog).to_contain_text("1,833")
    assert host.said(*RUNS) == [{"logical_date": None, "conf": {"mode": "preview"}}]


WORKS = {"check": "source", "verdict": "ok", "text": "snowflake opens by the connection warehouse"}
TABLE = {"check": "table", "verdict": "ok", "text": "marketing.users has 9 columns, UPDATED_AT (TIMESTAMP) among them"}
REFUSED = {"check": "connection", "verdict": "wrong", "text": "Braze refuses the API key (401). Check the connection braze."}
SKIPPED = {"check": "right to write", "verdict": "skipped", "text": "the connection does not open"}


def looked(opened: Opened, host: Host, state: str, *findings: list[dict[str, str]] | None, korean: bool = False) -> Any:
    """The dialog after a test of the connections was started.

    :param state: how its run ends.
    :param findings: what each of the tasks ``import`` of a split pipeline has left; ``None``: nothing.
    """
    split = [{"task_id": "import", "map_index": at} for at in range(len(findings))]
    answers = [(404, {"detail": "XCom entry not found"}) if found is None else (200, {"value": found}) for found in findings]
    host.answers |= {
        RUNS: [(200, {"dag_run_id": "manual__1"})],
        ("GET", RUN): [(200, {"state": "running"}), (200, {"state": state})],
        ("GET", f"{RUN}/taskInstances"): [(200, {"task_instances": [{"task_id": "plan", "map_index": -1}, *split]})],
        ("GET", f"{RUN}/taskInstances/plan/xcomEntries/findings"): [(404, {"detail": "XCom entry not found"})],
        ("GET", f"{RUN}/taskInstances/import/xcomEntries/findings"): answers,
    }
    page = opened(USERS, language="ko-KR" if korean else "en-US")
    dialog = act(page, "연결 테스트" if korean else "Test connection")
    dialog.get_by_role("button", name="시작" if korean else "Start").click()
    link = dialog.get_by_role("link", name="manual__1")
    expect(link).to_have_attribute("href", "/team/airflow/dags/users_to_braze/runs/manual__1")
    assert host.said(*RUNS) == [{"logical_date": None, "conf": {"mode": "check"}}]
    return dialog


def found_in(dialog: Any) -> list[list[str]]:
    """Mark, word, check and text of each line."""
    dialog.locator("[data-check]").first.wait_for()
    return [[text for text in line.inner_text().split("\n") if text] for line in dialog.locator("[data-check]").all()]


def test_connections_that_work(opened: Opened, host: Host, shot: Shot, accessible: Accessible) -> None:
    dialog = looked(opened, host, "success", [WORKS, TABLE], [TABLE])
    expect(dialog.get_by_role("status")).to_have_text("The connections work", timeout=10_000)
    assert found_in(dialog) == [["✓", "works", "Source", WORKS["text"]], ["✓", "works", "Table", TABLE["text"]]], (
        "each stands there once"
    )
    accessible(dialog.page)
    shot(dialog.page, "test-connection-works")


def test_a_connection_that_is_wrong(opened: Opened, host: Host, shot: Shot, accessible: Accessible) -> None:
    dialog = looked(opened, host, "failed", [WORKS, REFUSED, SKIPPED])
    expect(dialog.get_by_role("alert")).to_have_text("Something is wrong", timeout=10_000)
    assert found_in(dialog) == [
        ["✓", "works", "Source", WORKS["text"]],
        ["✕", "wrong", "Connection", REFUSED["text"]],
        ["–", "not checked", "Right to write", SKIPPED["text"]],
    ]
    accessible(dialog.page)
    shot(dialog.page, "test-connection-wrong")


def test_a_connection_that_is_wrong_in_korean(opened: Opened, host: Host, shot: Shot) -> None:
    dialog = looked(opened, host, "failed", [WORKS, REFUSED, SKIPPED], korean=True)
    expect(dialog.get_by_role("alert")).to_have_text("문제가 있습니다", timeout=10_000)
    assert [line[:3] for line in found_in(dialog)] == [
        ["✓", "정상", "소스"],
        ["✕", "문제", "연결"],
        ["–", "확인 안 함", "Right to write"],
    ]
    shot(dialog.page, "test-connection-korean")


def test_what_was_not_looked_at_is_not_called_good(opened: Opened, host: Host) -> None:
    dialog = looked(opened, host, "success", [WORKS, SKIPPED])
    expect(dialog.get_by_role("status")).to_have_text("What was looked at works", timeout=10_000)


def test_a_test_that_was_killed_leads_to_its_log(opened: Opened, host: Host) -> None:
    dialog = looked(opened, host, "failed", None)
    expect(dialog.get_by_role("alert")).to_contain_text("The log of the run says why.", timeout=10_000)
    expect(dialog.locator("[data-check]")).to_have_count(0)


def test_a_test_that_says_nothing_is_not_called_good(opened: Opened, host: Host) -> None:
    dialog = looked(opened, host, "success", None)
    expect(dialog.get_by_role("status")).to_contain_text("The run told nothing of the connections", timeout=10_000)


def test_an_export_is_previewed_by_its_mode(opened: Opened, host: Host) -> None:
    runs = ("POST", "/api/v2/dags/events_daily/dagRuns")
    host.answers |= {
        runs: [(200, {"dag_run_id": "manual__1"})],
        ("GET", "/api/v2/dags/events_daily/dagRuns/manual__1"): [(200, {"state": "failed"})],
    }
    page = opened("?dag=events_daily")
    dialog = act(page, "Preview")
    expect(dialog.get_by_label("Limit")).to_have_count(0)
    dialog.get_by_role("button", name="Start").click()
    expect(dialog.get_by_role("alert")).to_contain_text("The run failed")
    expect(dialog.get_by_role("link", name="manual__1")).to_be_visible()
    assert host.said(*runs) == [{"logical_date": None, "conf": {"mode": "preview"}}]


def test_a_reset_wants_the_name_typed(opened: Opened, host: Host, shot: Shot) -> None:
    host.answers[RUNS] = [(200, {"dag_run_id": "manual__1"})]
    page = opened(USERS)
    dialog = act(page, "Reset watermark")
    sure = dialog.get_by_role("button", name="Reset the watermark")
    dialog.get_by_label("New watermark").fill("2026-07-19T09:07:23Z")
    expect(sure).to_be_disabled()
    page.keyboard.press("Enter")
    dialog.get_by_label("Write users_to_braze to confirm").fill("users_to_braz")
    expect(sure).to_be_disabled()
    assert host.said(*RUNS) == []
    dialog.get_by_label("Write users_to_braze to confirm").fill("users_to_braze")
    shot(page, "reset")
    sure.click()
    expect(page.get_by_text("Run manual__1 is started.")).to_be_visible()
    assert host.said(*RUNS) == [{"logical_date": None, "conf": {"mode": "reset", "reset_to": "2026-07-19T09:07:23Z"}}]


def test_pause_and_resume(opened: Opened, host: Host) -> None:
    page = opened(USERS)
    expect(page.get_by_role("button", name="Pause")).to_be_enabled()
    users = host.data["details"]["users_to_braze"]
    users |= {"paused": True, "status": "Paused"}
    page.get_by_role("button", name="Pause").click()
    expect(page.get_by_role("button", name="Resume")).to_be_enabled()
    assert host.said("PATCH", "/api/v2/dags/users_to_braze") == [{"is_paused": True}]
    dialog = act(page, "Run now")
    expect(dialog).to_contain_text("The pipeline is paused.")
    host.answers[RUNS] = [(200, {"dag_run_id": "manual__1"})]
    dialog.get_by_text("Resume it").click()
    dialog.get_by_role("button", name="Start").click()
    expect(dialog).to_have_count(0)
    assert host.said("PATCH", "/api/v2/dags/users_to_braze") == [{"is_paused": True}, {"is_paused": False}]


def test_an_export_is_asked_for_its_interval(opened: Opened, host: Host) -> None:
    runs = ("POST", "/api/v2/dags/events_daily/dagRuns")
    host.answers[runs] = [(200, {"dag_run_id": "manual__1"})]
    page = opened("?dag=events_daily")
    dialog = act(page, "Run now")
    expect(dialog.get_by_label("Limit")).to_have_count(0)
    dialog.get_by_label("Interval start").fill("2026-11-20T00:00:00Z")
    dialog.get_by_label("Interval end").fill("2026-11-21T00:00:00Z")
    dialog.get_by_role("button", name="Start").click()
    expect(dialog).to_have_count(0)
    conf = {"interval_start": "2026-11-20T00:00:00Z", "interval_end": "2026-11-21T00:00:00Z"}
    assert host.said(*runs) == [{"logical_date": None, "conf": conf}]


def test_without_the_right_nothing_can_be_pressed(opened: Opened, host: Host) -> None:
    page = opened("?dag=catalog_items")
    for name in ("Run now", "Preview", "Test connection", "Pause", "Reset watermark"):
        expect(page.get_by_role("button", name=name)).to_be_disabled()
    expect(page.get_by_role("button", name="Run now")).to_have_attribute("title", "You do not have the right to run this DAG.")


def test_a_dag_of_somebody_else(opened: Opened, host: Host) -> None:
    page = opened("?dag=other")
    expect(page.get_by_text("This DAG holds no pipeline.")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(opened: Opened, accessible: Accessible, shot: Shot, scheme: str) -> None:
    page = opened(USERS, scheme=scheme)
    expect(page.locator("[data-run]")).to_have_count(30)
    accessible(page)
    for name in ("Run now", "Replay rejects", "Preview", "Test connection", "Reset watermark"):
        act(page, name)
        accessible(page)
        shot(page, f"{name.lower().replace(' ', '-')}-{scheme}")
        page.keyboard.press("Escape")
        expect(page.get_by_role("dialog")).to_have_count(0)
