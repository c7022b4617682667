"""The page in the UI of a real Airflow: a run is started, turns green and changes the numbers."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import duckdb
import pytest
import requests
from playwright.sync_api import Browser, Page, Request, expect

from sandbox.airflow import LocalAirflow
from sandbox.braze import ApiKey, BrazeSandbox, Rate, Settings
from tests.ui_browser.host import ROOT
from tests.ui_browser.listed import listed

Opened = Callable[..., Page]
Shot = Callable[[Page, str], Path]
pytestmark = [pytest.mark.airflow, pytest.mark.timeout(600)]
KEY = "key-page-4f1d9c2e7ab3"
ROWS, BAD = 400, 3
SLOW = 90_000
"""Milliseconds for a run on a slow machine."""

FILE = """
description: Attributes of all customers
schedule: null
source: {type: duckdb, connection: warehouse, table: marketing.users}
destination: {type: braze, connection: braze, data: attributes}
errors: {retries: 0}
alerts: {email: [crm@example.com]}
"""

STREAM = """
description: Audiences of all profiles
schedule: continuous
source: {type: duckdb, connection: warehouse, table: marketing.profiles}
destination: {type: kinesis, connection: kinesis, stream: {name: profiles, region: ap-northeast-2}, audiences: [vip]}
"""
"""It stays paused, so nothing looks for its table or its stream."""


def _warehouse(database: Path) -> None:
    """Rows of the last half hour, so that watermark and lag look as they do at work."""
    began = datetime.now(timezone.utc) - timedelta(minutes=30)
    with duckdb.connect(str(database)) as warehouse:
        warehouse.execute("CREATE SCHEMA marketing")
        warehouse.execute(
            "CREATE TABLE marketing.users AS SELECT 'user-' || n AS EXTERNAL_ID, "
            f"CASE WHEN n < {BAD} THEN 'no JSON' ELSE '{{\"n\": ' || n || '}}' END AS PAYLOAD, "
            f"TIMESTAMP '{began:%Y-%m-%d %H:%M:%S}' + n * INTERVAL '1 second' AS UPDATED_AT FROM range({ROWS}) AS r(n)"
        )


@pytest.fixture(scope="module")
def airflow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalAirflow]:
    folder = tmp_path_factory.mktemp("page")
    dags = folder / "dags"
    (dags / "pipelines").mkdir(parents=True)
    (dags / "activation.py").write_text((ROOT / "dags" / "activation.py").read_text(encoding="utf-8"), encoding="utf-8")
    (dags / "pipelines" / "users.yaml").write_text(FILE, encoding="utf-8")
    (dags / "pipelines" / "profiles.yaml").write_text(STREAM, encoding="utf-8")
    _warehouse(folder / "warehouse.duckdb")
    with BrazeSandbox(Settings(rate=Rate(enabled=False)), keys=(ApiKey(KEY),)) as braze:
        env = {
            "AIRFLOW_CONN_WAREHOUSE": json.dumps({"conn_type": "duckdb", "host": str(folder / "warehouse.duckdb")}),
            "AIRFLOW_CONN_BRAZE": json.dumps({"conn_type": "braze", "host": braze.url, "password": KEY}),
            "AIRFLOW__ACTIVATION__STATE_FOLDER": f"file://{folder / 'state'}",
        }
        with LocalAirflow(folder / "airflow", dags, env=env) as running:
            running.api().wait_for_dag("users")
            running.api().wait_for_dag("profiles")
            yield running


@pytest.fixture
def opened(browser: Browser, airflow: LocalAirflow) -> Iterator[Opened]:
    """Open a path as a user."""
    contexts = []
    elsewhere: list[str] = []

    def seen(asked: Request) -> None:
        if not asked.url.startswith((airflow.url, "data:", "blob:")):
            elsewhere.append(asked.url)

    def open_page(path: str, user: str = "admin", language: str = "en-US", scheme: Any = "light") -> Page:
        login = {"username": user, "password": airflow.settings.users[user]}
        token = requests.post(f"{airflow.url}/auth/token", json=login, timeout=60).json()["access_token"]
        size: Any = {"width": 1440, "height": 1000}
        context = browser.new_context(viewport=size, locale=language, color_scheme=scheme)
        contexts.append(context)
        context.add_cookies([{"name": "_token", "value": token, "url": airflow.url}])
        page = context.new_page()
        page.set_default_timeout(60_000)
        expect.set_options(timeout=30_000)
        page.on("request", seen)
        page.goto(airflow.url + path)
        return page

    yield open_page
    expect.set_options(timeout=5_000)
    for context in contexts:
        context.close()
    assert elsewhere == []


def test_the_list_is_filtered_by_kind_and_status(opened: Opened, shot: Shot) -> None:
    page = opened("/plugin/pipelines")
    listed(page, "profiles", "users")
    row = page.locator("[data-pipeline=users]")
    expect(row.locator("[data-column=last_run]")).to_have_text("never")
    expect(row.locator("[data-column=path]")).to_contain_text("marketing.users")
    expect(row.locator("[data-column=status]")).to_have_text("Paused")
    expect(page.locator("[data-counter=all]")).to_have_text("2")
    shot(page, "real-list")
    page.get_by_label("Kind").select_option("import")
    listed(page, "users")
    page.get_by_label("Status").select_option("Paused")
    listed(page, "users")
    shot(page, "real-filtered")
    page.get_by_label("Kind").select_option("stream")
    listed(page, "profiles")
    page.get_by_label("Kind").select_option("")
    listed(page, "profiles", "users")
    page.get_by_label("Search pipelines").press_sequentially("customers")
    listed(page, "users")


def test_a_preview_shows_what_would_be_sent(opened: Opened, shot: Shot) -> None:
    page = opened("/plugin/pipelines?dag=users")
    page.get_by_role("button", name="Preview").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_text("Resume it").click()
    dialog.get_by_role("button", name="Start").click()
    expect(dialog.get_by_role("status")).to_contain_text("The run is")
    shot(page, "real-running")
    expect(dialog.get_by_text("The preview is ready")).to_be_visible(timeout=SLOW)
    expect(dialog).to_contain_text(str(ROWS))
    expect(dialog.get_by_role("region", name="What would be sent")).to_contain_text("external_id")
    shot(page, "real-preview")


def test_a_run_turns_green_and_the_numbers_change(opened: Opened, shot: Shot) -> None:
    page = opened("/plugin/pipelines?dag=users")
    page.get_by_role("button", name="Run now").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_label("Incremental")).to_be_checked()
    shot(page, "real-dialog")
    dialog.get_by_role("button", name="Start").click()
    expect(page.get_by_text("is started.")).to_be_visible()
    done = page.locator("[data-run]").filter(has_text="incremental").filter(has_text=f"{ROWS - BAD}")
    expect(done).to_contain_text("success", timeout=SLOW)
    shot(page, "real-after")
    rejects = page.locator("[data-reason]").first
    expect(rejects).to_contain_text(str(BAD))
    rejects.evaluate("row => row.closest('section').scrollIntoView()")
    shot(page, "real-rejects")

    page.get_by_text("All pipelines").click()
    row = page.locator("[data-pipeline=users]")
    for column, value in (("read", ROWS), ("sent", ROWS - BAD), ("rejected", BAD), ("skipped", 0), ("status", "Active")):
        expect(row.locator(f"[data-column={column}]")).to_have_text(str(value))
    expect(page.locator("[data-counter=active]")).to_have_text("1")
    shot(page, "real-list-after")
    page.get_by_label("Status").select_option("Active")
    listed(page, "users")
    page.get_by_label("Status").select_option("Paused")
    listed(page, "profiles")


def test_the_connections_are_tested_at_both_ends(opened: Opened, shot: Shot) -> None:
    page = opened("/plugin/pipelines?dag=users")
    page.get_by_role("button", name="Test connection").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="Start").click()
    expect(dialog.locator("[data-check=source]")).to_have_attribute("data-verdict", "ok", timeout=SLOW)
    expect(dialog.locator("[data-check=table]")).to_have_attribute("data-verdict", "ok")
    at_destination = dialog.locator("[data-check]:not([data-check=source]):not([data-check=table])")
    expect(at_destination.and_(dialog.locator("[data-verdict=ok]")).first).to_be_visible()
    expect(dialog.locator("[data-verdict=wrong]")).to_have_count(0)
    shot(page, "real-test-connection")
    dialog.get_by_role("button", name="Close").click()
    expect(page.locator("[data-run]").filter(has_text="connection test")).to_contain_text("success")
    page.get_by_text("All pipelines").click()
    expect(page.locator("[data-pipeline=users] [data-column=sent]")).to_have_text(str(ROWS - BAD))


def test_the_tabs_of_the_dag_and_of_a_run(opened: Opened, airflow: LocalAirflow, shot: Shot) -> None:
    runs = airflow.api().call("GET", "/dags/users/dagRuns", params={"order_by": "-start_date"})["dag_runs"]
    run = next(one["dag_run_id"] for one in runs if one["conf"] == {"mode": "incremental"})
    page = opened("/dags/users")
    page.get_by_role("link", name="Pipeline", exact=True).click()
    expect(page.get_by_role("heading", name="users", level=1)).to_be_visible()
    shot(page, "real-dag-tab")
    page.goto(f"{airflow.url}/dags/users/runs/{run}/plugin/pipeline-run")
    expect(page.get_by_text(f"This run: {run}")).to_be_visible()
    shot(page, "real-run-tab")
    with page.expect_download() as download:
        page.get_by_role("link", name="Download as CSV").click()
    assert len(Path(download.value.path()).read_text(encoding="utf-8").splitlines()) == BAD + 1


def test_it_is_dark_and_speaks_korean_where_airflow_does(opened: Opened, shot: Shot) -> None:
    page = opened("/plugin/pipelines", scheme="dark")
    expect(page.locator("[data-pipeline]")).to_have_count(2)
    expect(page.locator("html")).to_contain_class("dark")
    shot(page, "real-dark")
    page = opened("/plugin/pipelines", language="ko-KR")
    expect(page.get_by_role("heading", name="파이프라인")).to_be_visible()
    expect(page.locator("[data-pipeline=users] [data-column=schedule]")).to_have_text("수동 실행")
    expect(page.locator("[data-pipeline=profiles] [data-column=schedule]")).to_have_text("연속 실행")
    shot(page, "real-korean")
    page.locator("[data-pipeline=users]").get_by_role("link").click()
    expect(page.get_by_role("button", name="지금 실행")).to_be_enabled()
    shot(page, "real-korean-pipeline")


def test_pause_and_resume_and_who_may(opened: Opened, airflow: LocalAirflow, shot: Shot) -> None:
    page = opened("/plugin/pipelines?dag=users")
    status = page.locator("h1 + *").first
    expect(status).to_have_text("Active")
    page.get_by_role("button", name="Pause").click()
    expect(page.get_by_role("button", name="Resume")).to_be_enabled()
    expect(status).to_have_text("Paused")
    shot(page, "real-paused")
    page.get_by_role("button", name="Resume").click()
    expect(page.get_by_role("button", name="Pause")).to_be_enabled()
    expect(status).to_have_text("Active")
    viewer = opened("/plugin/pipelines?dag=users", "viewer")
    for name in ("Run now", "Test connection", "Pause", "Reset watermark"):
        expect(viewer.get_by_role("button", name=name)).to_be_disabled()
    log = airflow.api().call("GET", "/eventLogs", params={"dag_id": "users", "limit": 100})["event_logs"]
    assert {"trigger_dag_run", "patch_dag"} <= {entry["event"] for entry in log}
