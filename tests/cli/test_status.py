"""``activation status``: how all pipelines stand, from real rows of Airflow and real journals (contracts: s3_export 1.2, 1.3)."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from airflow.sdk import DAG

from activation.cli import main
from activation.operators.s3_export import S3ExportOperator
from tests.cli.conftest import register
from tests.cli.listing import DAY, NOW, ONCE, SOURCE, USERS, Listing, change, events, import_error, iso, ran, unread


@pytest.fixture
def listing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, metadata_db: None) -> Listing:
    monkeypatch.setenv("AIRFLOW__ACTIVATION__STATE_FOLDER", f"file://{tmp_path}/state")
    monkeypatch.chdir(tmp_path)
    return Listing(tmp_path)


@pytest.fixture
def name() -> str:
    return f"p_{uuid4().hex[:8]}"


def told(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    """The JSON form."""
    capsys.readouterr()
    assert main(["status", "--format", "json", *arguments]) == 0
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def status(capsys: pytest.CaptureFixture[str], name: str) -> Any:
    return told(capsys, name)["pipelines"][0]["status"]


def when(ago: timedelta) -> str:
    return f"{NOW - ago:%Y-%m-%d %H:%M:%S}"


def test_s_s1_all_pipelines_and_the_counters_of_the_exports(
    listing: Listing, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    a, b, c, d, e, f = (f"{name}_{letter}" for letter in "abcdef")
    listing.add(a, events(a) + "description: 파트너 이벤트\n")
    listing.exported(a, "r1", DAY)
    listing.exported(a, "r2", 2 * DAY, error="invalid arn: The role is gone. Fix: Correct it.")
    listing.add(b, events(b, timezone="UTC", schedule="15 * * * *"), paused=True)
    listing.add(c, events(c))
    listing.exported(c, "r1", timedelta(hours=3), error="invalid region or bucket: There is no such bucket.\nFix: Correct it.")
    listing.exported(c, "r0", 8 * DAY, error="invalid arn: That is long ago.")
    listing.add(d, SOURCE + ONCE)
    listing.exported(d, "r1", timedelta(hours=1), kind="one_time", data="user_profile")
    listing.add(e, SOURCE.replace("events", "users") + USERS)
    listing.exported(f, "r1", 30 * DAY)
    change_nothing = sorted(path.name for path in listing.state.rglob("*"))
    assert main(["status", a, b, c, d, e, f]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == (
        f"Exports: 4 created, 1 active, 1 completed, 2 errors in 7 days, last sync {when(timedelta(hours=1))} UTC."
    )
    cells = [[cell for cell in line.split("  ") if cell] for line in lines[2:9]]
    one, none, day = ("1,200", "34,567"), ("-", "-"), "daily (Asia/Seoul)"
    table, to = "crm.events", "s3://partner"
    early, late = when(timedelta(hours=3)), when(timedelta(hours=1))
    assert [[cell.strip() for cell in row] for row in cells[1:]] == [
        [a, "periodic", "event", "Active", day, "success", when(DAY), *one, "1", table, f"{to}/{a}", "파트너 이벤트"],
        [b, "periodic", "event", "Paused", "15 * * * *", *none, *none, "0", table, f"{to}/{b}", "-"],
        [c, "periodic", "event", "Failed", day, "config_error", early, *none, "1", table, f"{to}/{c}", "-"],
        [d, "one_time", "user_profile", "Completed", "once", "success", late, *one, "0", table, f"{to}/crm", "-"],
        [e, "braze", "attributes", "Active", "by hand", *none, *none, "0", "crm.users", "braze", "-"],
        [f, "periodic", "event", "Inactive", "-", "success", when(30 * DAY), *one, "0", "-", f"partner_{f}", "-"],
    ]  # fmt: skip
    assert lines[9:] == [
        "",
        "Errors of the last 7 days:",
        f"{when(timedelta(hours=3))}  {c}  r1: invalid region or bucket: There is no such bucket. Fix: Correct it.",
        f"{when(2 * DAY)}  {a}  r2: invalid arn: The role is gone. Fix: Correct it.",
    ]
    assert sorted(path.name for path in listing.state.rglob("*")) == change_nothing
    everything = told(capsys)
    assert {one["id"] for one in everything["pipelines"]} >= {a, b, c, d, e, f}
    assert everything["counters"] == {
        "created": 4, "active": 1, "completed": 1, "errors": 2, "last_sync": iso(NOW - timedelta(hours=1))
    }  # fmt: skip


def test_korean_letters_take_two_columns() -> None:
    from activation.cli.pipelines import table

    assert table(("name", "n"), [("이벤트", 1), ("e\u0301ve\u0301nts", 22)]) == ("name     n\n이벤트   1\ne\u0301ve\u0301nts  22")


def test_json_is_utf_8_on_any_terminal(listing: Listing, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    listing.add(name, events(name) + "description: 파트너\n")
    written = io.BytesIO()
    terminal = io.TextIOWrapper(written, encoding="ascii")
    monkeypatch.setattr("sys.stdout", terminal)
    assert main(["status", name, "--format", "json"]) == 0
    terminal.flush()
    assert json.loads(written.getvalue().decode("utf-8"))["pipelines"][0]["name"] == "파트너"


@pytest.mark.parametrize(
    ("runs", "expected"),
    [
        ([], "Active"),
        ([("ok", "success", DAY), ("now", "queued", None)], "Active"),
        ([("bad", "failed", DAY), ("now", "running", None), ("next", "queued", None)], "Failed"),
        ([("bad", "failed", DAY), ("ok", "success", timedelta(0))], "Active"),
        ([("passing", "failed", DAY)], "Active"),
    ],
    ids=["new", "well", "refused, and the next one runs", "mended", "failed for what passes"],
)
def test_a_periodic_export_stands_as_its_last_run_that_ended(
    listing: Listing,
    name: str,
    capsys: pytest.CaptureFixture[str],
    runs: list[tuple[str, str, timedelta | None]],
    expected: str,
) -> None:
    listing.add(name, events(name))
    if runs:
        listing.journal(name).note("bad", iso(NOW - DAY), "config_error", ended=iso(NOW - DAY), type="periodic", error="x")
    for run, state, ago in runs:
        ran(name, run, state, None if ago is None else NOW - ago)
    assert status(capsys, name) == expected


def test_a_one_time_export_that_is_cleared_is_extracting_again(
    listing: Listing, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    listing.add(name, SOURCE + ONCE)
    assert status(capsys, name) == "Extracting"
    ran(name, "r1", "success", NOW - DAY)
    assert status(capsys, name) == "Completed"
    ran(name, "r2", "queued")
    assert status(capsys, name) == "Extracting"


def test_an_export_whose_last_day_is_over_has_ended(listing: Listing, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    listing.add(name, events(name, start="2026-01-01", end="2026-01-31"))
    assert status(capsys, name) == "Ended"


def test_what_airflow_has_cleaned_up_the_journal_still_tells(
    listing: Listing, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    listing.add(name, SOURCE + ONCE)
    about = {"type": "one_time", "connection": "partner", "data": "user_profile"}
    listing.journal(name).note("r1", iso(NOW - 90 * DAY), "success", ended=iso(NOW - 90 * DAY), **about)
    assert status(capsys, name) == "Completed"
    (listing.files / f"{name}.yaml").unlink()
    unread(name)
    assert status(capsys, name) == "Completed"


def test_s_l6_a_file_that_was_taken_away_is_inactive_once_airflow_has_noticed(
    listing: Listing, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    listing.add(name, events(name))
    listing.exported(name, "r1", DAY)
    (listing.files / f"{name}.yaml").unlink()
    assert status(capsys, name) == "Active"  # Airflow would still run it
    change(name, is_stale=True, has_import_errors=True, relative_fileloc=f"{name}.py")
    with import_error(f"{name}.py"):
        (found,) = told(capsys, name)["pipelines"]
    assert (found["status"], found["note"][:25]) == (None, "Airflow has no DAG of it:")
    assert status(capsys, name) == "Inactive"
    unread(name)
    found = told(capsys, name)
    assert (found["pipelines"][0]["status"], found["counters"]["created"]) == ("Inactive", 1)


def test_files_that_airflow_does_not_know_have_no_status(listing: Listing, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    listing.add(name, events(name), read=False)
    listing.add(f"{name}_x", "schedule: 5\n", read=False)
    first, second = told(capsys, name, f"{name}_x")["pipelines"]
    assert [first["status"], second["status"]] == [None, None]
    assert first["note"].startswith("Airflow has no DAG of it")
    assert second["note"] == "its file cannot be used: see activation validate"


def test_an_export_in_a_dag_of_ones_own_is_found_by_its_asset(
    listing: Listing, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with DAG(f"own_{name}", schedule=None) as dag:
        S3ExportOperator(
            task_id="export",
            pipeline_id=name,
            source={"type": "duckdb", "connection": "warehouse", "table": "crm.events"},
            cursor={"column": "SERVER_AT", "key": ["EVENT_ID"]},
            destination={"connection": "partner", "data": "event", "path": "s3://partner/crm"},
        )
    register(dag, paused=True)
    listing.journal(name).note("r1", iso(NOW - DAY), "success", ended=iso(NOW - DAY), type="periodic", connection="partner")
    (found,) = told(capsys, name)["pipelines"]
    assert (found["status"], found["type"], found["note"]) == ("Paused", "periodic", "")


@contextmanager
def statements() -> Iterator[list[str]]:
    """What is asked of Airflow's database meanwhile."""
    from airflow import settings
    from sqlalchemy import event

    asked: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        asked.append(statement)

    event.listen(settings.engine, "before_cursor_execute", note)
    try:
        yield asked
    finally:
        event.remove(settings.engine, "before_cursor_execute", note)


def test_airflow_is_asked_as_often_for_many_pipelines_as_for_one(
    listing: Listing, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    listing.add(name, events(name))
    with statements() as one:
        told(capsys, name)
    for number in range(20):
        listing.add(f"{name}_{number}", events(f"{name}_{number}"))
        ran(f"{name}_{number}", "r1", "success", NOW)
    with statements() as many:
        assert len(told(capsys)["pipelines"]) >= 21
    assert len(many) == len(one) == 3


def test_without_airflows_database(listing: Listing, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    from sqlalchemy.exc import OperationalError

    def broken(*_: Any, **__: Any) -> Any:
        raise OperationalError("SELECT 1", {}, Exception("postgresql://airflow:s3cr3t@db/airflow"))

    listing.add("p", events("p"), read=False)
    monkeypatch.setattr("airflow.utils.session.create_session", broken)
    assert main(["status"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert "Airflow's metadata database cannot be used (OperationalError). Fix: Run this command where `airflow dags" in err
    assert "s3cr3t" not in err


def test_a_pipeline_or_a_folder_that_is_not_there(listing: Listing, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    listing.add(name, events(name), read=False)
    assert main(["status", f"{name}x"]) == 2
    assert capsys.readouterr().err == f"activation: There is no pipeline {name}x. Fix: Did you mean {name}?\n"
    assert main(["status", "--folder", "nowhere"]) == 2
    assert "nowhere: The folder cannot be read" in capsys.readouterr().err


def test_without_a_folder_of_files_airflow_and_the_journals_tell_what_they_know(
    listing: Listing, name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    listing.add(name, events(name))
    listing.exported(name, "r1", DAY)
    monkeypatch.chdir(listing.state)
    assert main(["status", name]) == 0
    out, err = capsys.readouterr()
    assert f"{name}  periodic  event  Active  " in out
    assert err == "There is no folder dags/pipelines here: what stands in files is not known (--folder).\n"
