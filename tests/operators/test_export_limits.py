"""The limits that a run keeps, and the cases of what does not come from AWS: our state and the warehouse."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import duckdb
import pytest
from airflow.sdk.exceptions import AirflowFailException

from activation.delivery.journal import Journal
from activation.destinations.s3.status import Export, Status, count
from activation.errors import TransientError
from sandbox.aws import AwsSandbox
from tests.support.servers import shared

from .export_world import ExportWorld, make

DAY = (datetime.now(timezone.utc) - timedelta(days=2)).strftime("%Y-%m-%d")
HOUR = (f"{DAY}T09:00:00+00:00", f"{DAY}T10:00:00+00:00")
SOURCE = {"type": "duckdb", "connection": "world_duckdb"}


@pytest.fixture(scope="module")
def aws() -> AwsSandbox:
    return shared(AwsSandbox, "storage")


@pytest.fixture
def exports(aws: AwsSandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ExportWorld:
    world = make(aws, tmp_path, f"bucket-{uuid.uuid4().hex[:12]}", monkeypatch)
    world.events(*(f"{number}, 'e', 'u', '{DAY} 09:00:00+00', 1, NULL" for number in range(5)))
    world.sql(
        "CREATE TABLE crm.profiles (df_unified_id VARCHAR, UPDATED_AT TIMESTAMP); INSERT INTO crm.profiles VALUES ('a', NULL)"
    )
    monkeypatch.setenv("AIRFLOW_CONN_OTHER_AWS", aws.connection())
    return world


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Sets the clock by which an export chooses its days."""

    def at(text: str) -> None:
        class Clock(datetime):
            @classmethod
            def now(cls, tz: Any = None) -> Any:
                return datetime.fromisoformat(text).astimezone(tz)

        monkeypatch.setattr("activation.operators.s3_export.datetime", Clock)

    return at


def profiles(world: ExportWorld, run: str, *, pipeline: str = "profiles", **export: str) -> dict[str, Any]:
    """Export the profiles once."""
    world.pipeline, world.cursor = pipeline, {"key": ["df_unified_id"]}
    world.destination = {**world.destination, "data": "user_profile", "export": {"type": "one_time", **export}}
    return world.run("", "", run_id=run, source={**SOURCE, "table": "crm.profiles"})


def journal(world: ExportWorld, pipeline: str) -> Journal:
    return Journal(world.folder / "state" / pipeline)


def test_s_l3_profiles_are_exported_once_a_day(exports: ExportWorld, clock: Callable[[str], None]) -> None:
    clock("2026-07-19T23:59:59+09:00")
    profiles(exports, "manual__1")
    before = exports.objects()
    for pipeline in ("profiles", "others"):
        with pytest.raises(AirflowFailException) as refused:
            profiles(exports, "manual__2", pipeline=pipeline)
        assert str(refused.value) == (
            "invalid_parameter: The profiles of 2026-07-19 (Asia/Seoul) were exported before, by profiles; compat: dfinery "
            "allows one export a day, the next from 2026-07-20T00:00:00+09:00 on. Fix: Run it then, or lift the limits with "
            "compat: none."
        )
    assert exports.objects() == before
    clock("2026-07-20T00:00:00+09:00")
    profiles(exports, "manual__3")
    assert len(exports.objects()) == 2 * len(before)


def test_s_l3_the_day_is_that_of_the_pipelines_zone(exports: ExportWorld, clock: Callable[[str], None]) -> None:
    clock("2026-07-20T00:00:00+09:00")
    profiles(exports, "manual__1", timezone="Europe/Berlin")  # the 19th there
    clock("2026-07-20T06:59:59+09:00")
    with pytest.raises(AirflowFailException, match=r"of 2026-07-19 \(Europe/Berlin\) .* from 2026-07-20T00:00:00\+02:00 on"):
        profiles(exports, "manual__2", timezone="Europe/Berlin")
    clock("2026-07-20T07:00:00+09:00")
    profiles(exports, "manual__3", timezone="Europe/Berlin")


def test_s_l3_only_another_run_that_went_well_counts(exports: ExportWorld) -> None:
    bucket, exports.bucket = exports.bucket, "bucket-that-is-not-there"
    with pytest.raises(AirflowFailException, match=r"^invalid region or bucket"):
        profiles(exports, "manual__1")
    exports.bucket = bucket
    profiles(exports, "manual__2")
    profiles(exports, "manual__2")  # the same run, cleared
    assert [record["status"] for record in journal(exports, "profiles").latest(9)] == ["success", "success", "config_error"]
    profiles(exports, "manual__3", compat="none")
    exports.destination["connection"] = "other_aws"
    profiles(exports, "manual__4", pipeline="others")


def test_s_l5_one_extraction_runs_at_a_time(exports: ExportWorld) -> None:
    running = {"type": "one_time", "connection": "world_aws", "data": "event"}
    started = datetime.now(timezone.utc) - timedelta(hours=23)
    journal(exports, "long").note("manual__1", started.isoformat(), "running", **running)
    with pytest.raises(TransientError) as refused:
        profiles(exports, "manual__1")
    assert str(refused.value) == (
        f"The one-time export long to the same connection is running since {started.isoformat()}, and compat: dfinery allows one "
        "at a time. Fix: Wait until it has ended, or lift the limits with compat: none."
    )
    assert exports.objects() == {}
    assert [record["status"] for record in journal(exports, "profiles").latest(9)] == ["error"]
    journal(exports, "long").note("manual__1", started.isoformat(), "success", **running)
    profiles(exports, "manual__1")


@pytest.mark.parametrize(
    ("record", "hours"),
    [
        ({"type": "periodic", "connection": "world_aws"}, 1),
        ({"type": "one_time", "connection": "other_aws"}, 1),
        ({"type": "one_time", "connection": "world_aws"}, 25),
        ({"mode": "incremental"}, 1),
    ],
    ids=["periodic", "another connection", "dead", "no export"],
)
def test_s_l5_only_an_extraction_that_is_alive_is_waited_for(exports: ExportWorld, record: dict[str, str], hours: int) -> None:
    started = datetime.now(timezone.utc) - timedelta(hours=hours)
    journal(exports, "long").note("manual__1", started.isoformat(), "running", **record)
    (exports.folder / "state" / "a file").write_text("of somebody else")
    profiles(exports, "manual__1")


def test_s_l5_a_run_does_not_wait_for_its_own_earlier_try(exports: ExportWorld) -> None:
    started = datetime.now(timezone.utc).isoformat()
    running = {"type": "one_time", "connection": "world_aws", "data": "user_profile"}
    journal(exports, "profiles").note("manual__1", started, "running", **running)
    exports.tasks["profiles/manual__1"].set("started", started)
    profiles(exports, "manual__1")
    assert [record["status"] for record in journal(exports, "profiles").latest(9)] == ["success"]


def test_s_l5_a_periodic_export_waits_for_nobody(exports: ExportWorld) -> None:
    started = datetime.now(timezone.utc).isoformat()
    journal(exports, "long").note("manual__1", started, "running", type="one_time", connection="world_aws")
    assert exports.run(*HOUR)["rows"]["read"] == 5


def test_s_e2_a_state_folder_that_cannot_be_written(exports: ExportWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    (exports.folder / "file").write_text("where a folder should be")
    monkeypatch.setenv("AIRFLOW__ACTIVATION__STATE_FOLDER", f"file://{exports.folder}/file")
    with pytest.raises(TransientError) as failed:
        exports.run(*HOUR)
    text = str(failed.value)
    assert text.startswith(f"ddb update fail: The run journal could not be written to {exports.folder}/file/events: ")
    assert text.endswith(". Fix: See that Airflow's database and the state folder can be written, then retry.")
    assert exports.objects() == {}


BROKEN = "SELECT *, CASE WHEN EVENT_ID = 4 THEN error('no') END AS X FROM crm.events"


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ({"table": "crm.nothing"}, "failed_to_run_query: Reading crm.nothing from DuckDB failed: Catalog Error"),
        (
            {"query": "SELECT FROM FROM"},
            "failed_to_run_query: Reading the query of the pipeline from DuckDB failed: Parser Error",
        ),
        ({"query": BROKEN}, "failed_to_run_query: Reading the query of the pipeline from DuckDB failed: Invalid Input Error"),
    ],
    ids=["no such table", "bad statement", "fails while it is read"],
)
def test_s_e3_a_statement_that_the_warehouse_refuses(exports: ExportWorld, source: dict[str, str], told: str) -> None:
    with pytest.raises(AirflowFailException) as failed:
        exports.run(*HOUR, source={**SOURCE, **source})
    assert str(failed.value).startswith(told)
    assert "Fix: Check" in str(failed.value)
    assert not [key for key in exports.objects() if key.endswith("_manifest.json")]
    records = journal(exports, "events").latest(9)
    counters = count([Export("events", "periodic", Status.FAILED, records)], datetime.now(timezone.utc))
    assert [(error.run, error.text) for error in counters.errors] == [(f"scheduled__{HOUR[0]}", str(failed.value))]


def test_s_e3_a_warehouse_that_cannot_answer_now_is_tried_again(exports: ExportWorld) -> None:
    with duckdb.connect(str(exports.folder / "warehouse.duckdb"), config={"threads": 1}), pytest.raises(TransientError) as failed:
        exports.run(*HOUR)
    assert str(failed.value).startswith("failed_to_run_query: Opening the DuckDB file failed: Connection Error")
    assert exports.run(*HOUR)["rows"]["read"] == 5


def test_s_e4_a_bad_parameter_is_in_the_record_of_the_run(exports: ExportWorld) -> None:
    with pytest.raises(AirflowFailException):
        exports.run("", "", run_id="manual__1")
    exports.destination["select"] = {"events": ["e"], "events_condition": "include", "event_column": "EVENT"}
    with pytest.raises(AirflowFailException):
        exports.run(*HOUR)
    texts = [str(record["error"]) for record in journal(exports, "events").latest(9)]
    assert [text.partition(":")[0] for text in texts] == ["invalid_parameter"] * 2
    assert "has no column EVENT" in texts[0]
    assert json.dumps(texts).count("Fix: ") == 2
