"""The page in the UI of a real Airflow: a run is started, turns green and changes the numbers."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest
import requests
from playwright.sync_api import Browser, Page, expect

from sandbox.airflow import LocalAirflow
from sandbox.braze import ApiKey, BrazeSandbox, Rate, Settings
from tests.ui_browser.host import ROOT

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


def _warehouse(database: Path) -> None:
    with duckdb.connect(str(database)) as warehouse:
        warehouse.execute("CREATE SCHEMA marketing")
        warehouse.execute(
            "CREATE TABLE marketing.users AS SELECT 'user-' || n AS EXTERNAL_ID, "
            f"CASE WHEN n < {BAD} THEN 'no JSON' ELSE '{{\"n\": ' || n || '}}' END AS PAYLOAD, "
            f"TIMESTAMP '2026-01-01 00:00:00' + n * INTERVAL '1 second' AS UPDATED_AT FROM range({ROWS}) AS r(n)"
        )


@pytest.fixture(scope="module")
def airflow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalAirflow]:
    folder = tmp_path_factory.mktemp("page")
    dags = folder / "dags"
    (dags / "pipelines").mkdir(parents=True)
    (dags / "activation.py").write_text((ROOT / "dags" / "activation.py").read_text(encoding="utf-8"), encoding="utf-8")
    (dags / "pipelines" / "users.yaml").write_text(FILE, encoding="utf-8")
    _warehouse(folder / "warehouse.duckdb")
    with BrazeSandbox(Settings(rate=Rate(enabled=False)), keys=(ApiKey(KEY),)) as braze:
        env = {
            "AIRFLOW_CONN_WAREHOUSE": json.dumps({"conn_type": "duckdb", "host": str(folder / "warehouse.duckdb")}),
            "AIRFLOW_CONN_BRAZE": json.dumps({"conn_type": "braze", "host": braze.url, "password": KEY}),
            "AIRFLOW__ACTIVATION__STATE_FOLDER": f"file://{folder / 'state'}",
        }
        with LocalAirflow(folder / "airflow", dags, env=env) as running:
            running.api().wait_for_dag("users")
            yield running


@pytest.fixture
def opened(browser: Browser, airflow: LocalAirflow) -> Iterator[Callable[[str, str], Page]]:
    """Open a path as a user."""
    contexts = []
    elsewhere: list[str] = []

    def open_page(path: str, user: str = "admin") -> Page:
        login = {"username": user, "password": airflow.settings.users[user]}
        token = requests.post(f"{airflow.url}/auth/token", json=login, timeout=60).json()["access_token"]
        size: Any = {"width": 1440, "height": 1000}
        context = browser.new_context(viewport=size, locale="en-US")
        contexts.append(context)
        context.add_cookies([{"name": "_token", "value": token, "url": airflow.url}])
        page = context.new_page()
        page.set_default_timeout(60_000)
        expect.set_options(timeout=30_000)
        page.on("request", lambda asked: asked.url.startswith((airflow.url, "data:", "blob:")) or elsewhere.append(asked.url))
        page.goto(airflow.url + path)
        return page

    yield open_page
    expect.set_options(timeout=5_000)
    for context in contexts:
        context.close()
    assert elsewhere == []


def test_from_the_list_to_a_run_and_its_numbers(opened: Callable[..., Page], shot: Callable[[Page, str], Path]) -> None:
    page = opened("/plugin/pipelines")
    row = page.locator("[data-pipeline=users]")
    expect(row.locator("[data-column=last_run]")).to_have_text("never")
    expect(row.locator("[data-column=path]")).to_contain_text("marketing.users")
    page.get_by_label("Search pipelines").press_sequentially("customers")
    expect(row).to_be_visible()
    shot(page, "real-list-before")
    row.get_by_role("link").click()

    page.get_by_role("button", name="Preview").click()
    dialog = page.get_by_role("dialog")
    resume = dialog.get_by_text("Resume it")
    if resume.count():
        resume.click()
    dialog.get_by_role("button", name="Start").click()
    expect(dialog.get_by_text("The preview is ready")).to_be_visible(timeout=SLOW)
    expect(dialog).to_contain_text(str(ROWS))
    shot(page, "real-preview")
    dialog.get_by_role("button", name="Close").click()

    page.get_by_role("button", name="Run now").click()
    page.get_by_role("dialog").get_by_role("button", name="Start").click()
    expect(page.get_by_text("is started.")).to_be_visible()
    done = page.locator("[data-run]").filter(has_text="incremental").filter(has_text=f"{ROWS - BAD}")
    expect(done).to_contain_text("success", timeout=SLOW)
    expect(page.locator("[data-reason]").first).to_contain_text(str(BAD))
    shot(page, "real-pipeline-after")

    page.get_by_text("All pipelines").click()
    expect(row.locator("[data-column=sent]")).to_have_text(str(ROWS - BAD))
    expect(row.locator("[data-column=rejected]")).to_have_text(str(BAD))
    shot(page, "real-list-after")


def test_the_tabs_of_the_dag_and_of_a_run(
    opened: Callable[..., Page], airflow: LocalAirflow, shot: Callable[[Page, str], Path]
) -> None:
    run = airflow.api().call("GET", "/dags/users/dagRuns", params={"order_by": "-start_date"})["dag_runs"][0]["dag_run_id"]
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


def test_pause_and_resume_and_who_may(opened: Callable[..., Page], airflow: LocalAirflow) -> None:
    page = opened("/plugin/pipelines?dag=users")
    page.get_by_role("button", name="Pause").click()
    expect(page.get_by_role("button", name="Resume")).to_be_enabled()
    page.get_by_role("button", name="Resume").click()
    expect(page.get_by_role("button", name="Pause")).to_be_enabled()
    viewer = opened("/plugin/pipelines?dag=users", "viewer")
    for name in ("Run now", "Pause", "Reset watermark"):
        expect(viewer.get_by_role("button", name=name)).to_be_disabled()
    log = airflow.api().call("GET", "/eventLogs", params={"dag_id": "users", "limit": 100})["event_logs"]
    assert {"trigger_dag_run", "patch_dag"} <= {entry["event"] for entry in log}
