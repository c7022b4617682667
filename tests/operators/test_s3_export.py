"""The export operator against a real S3 server: intervals, formats, filters, limits, errors."""

from __future__ import annotations

import json
import uuid
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from hashlib import sha256
from itertools import pairwise
from pathlib import Path

import pytest
from airflow.sdk.exceptions import AirflowFailException

from activation.errors import ConfigurationError
from activation.operators.braze_import import WarehouseIncrementalImportOperator
from activation.operators.s3_export import S3ExportOperator
from sandbox.aws import AwsSandbox
from tests.support.servers import shared

from .export_world import ExportWorld, make

DAY = (datetime.now(timezone.utc) - timedelta(days=2)).strftime("%Y-%m-%d")
HOUR = (f"{DAY}T09:00:00+00:00", f"{DAY}T10:00:00+00:00")


@pytest.fixture(scope="module")
def aws() -> AwsSandbox:
    return shared(AwsSandbox, "storage")


@pytest.fixture
def exports(aws: AwsSandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ExportWorld:
    world = make(aws, tmp_path, f"bucket-{uuid.uuid4().hex[:12]}", monkeypatch)
    world.events(
        f"1, 'df_login', 'u-1', '{DAY} 08:59:59.999999+00', 1.50, ['가']",
        f"2, 'df_login', 'u-1', '{DAY} 09:00:00+00', 2.50, ['서울', 'b,\"c']",
        f"3, NULL, 'u-2', '{DAY} 09:30:00.000001+00', NULL, NULL",
        f"4, 'df_purchase', '😀', '{DAY} 09:59:59.999999+00', 4.00, []",
        f"5, 'df_login', 'u-5', '{DAY} 10:00:00+00', 5.00, ['z']",
    )
    return world


def only(report: dict[str, object]) -> str:
    """The manifest of a report with one export."""
    (one,) = report["exports"]  # type: ignore[misc]
    return str(one["manifest"])


@pytest.mark.parametrize("kind", ["csv", "jsonl", "parquet"])
def test_an_interval_lies_in_the_bucket_with_a_manifest_that_tells_it_whole(exports: ExportWorld, kind: str) -> None:
    exports.destination["files"] = {"format": kind}
    report = exports.run(*HOUR)
    key = only(report)
    manifest = exports.manifest(key)
    start = f"{DAY.replace('-', '')}T090000Z"
    assert key == f"crm/event/dt={DAY}/hr=18/run={start}_events/_manifest.json"  # the default zone is Asia/Seoul
    assert (manifest["total_rows"], report["rows"]) == (3, {"read": 3, "sent": 3, "rejected": 0, "skipped": 0})
    (file,) = manifest["files"]
    data = exports.objects()[file["key"]]
    assert (len(data), sha256(data).hexdigest()) == (file["size"], file["sha256"])
    assert exports.rows(key, "EVENT_ID, EVENT_NAME, df_unified_id") == [
        (2, "df_login", "u-1"),
        (3, None, "u-2"),
        (4, "df_purchase", "😀"),
    ]
    assert [Decimal(str(row[0])) if row[0] is not None else None for row in exports.rows(key, "AMOUNT")] == [
        Decimal("2.5"), None, Decimal("4"),
    ]  # fmt: skip
    tags = [
        None if row[0] is None else json.loads(row[0]) if isinstance(row[0], str) else row[0] for row in exports.rows(key, "TAGS")
    ]
    assert tags == [["서울", 'b,"c'], None, []]


@pytest.mark.parametrize("order", [{"mode": "preview"}, {"mode": "run", "dry_run": "True"}], ids=["preview", "dry run"])
def test_a_preview_counts_the_interval_and_writes_nothing(exports: ExportWorld, order: dict[str, str]) -> None:
    seen = exports.run(*HOUR, run_id="look", order=order)
    assert (seen["status"], seen["rows"], exports.objects()) == ("preview", {"read": 3}, {})
    report = exports.run(*HOUR)
    assert only(seen) == only(report)
    assert seen["exports"][0]["rows"] == report["rows"]["sent"]


def test_s_t1_an_event_on_the_boundary_is_in_exactly_one_file(exports: ExportWorld) -> None:
    hours = [f"{DAY}T{hour:02}:00:00+00:00" for hour in (8, 9, 10, 11)]
    found = [exports.rows(only(exports.run(start, end)), "EVENT_ID") for start, end in pairwise(hours)]
    assert found == [[(1,)], [(2,), (3,), (4,)], [(5,)]]


def test_s_f3_the_same_interval_twice_gives_the_same_bytes(exports: ExportWorld) -> None:
    first = exports.run(*HOUR)
    before = exports.objects()
    again = exports.run(*HOUR, run_id="manual__again")
    after = exports.objects()
    assert [one["manifest"] for one in first["exports"]] == [one["manifest"] for one in again["exports"]]
    assert {key: data for key, data in before.items() if "part-" in key} == {
        key: data for key, data in after.items() if "part-" in key
    }


def test_s_f4_an_interval_without_rows_has_a_manifest_and_no_file(exports: ExportWorld) -> None:
    report = exports.run(f"{DAY}T01:00:00+00:00", f"{DAY}T02:00:00+00:00")
    assert exports.manifest(only(report))["files"] == []
    assert list(exports.objects()) == [only(report)]


def test_s_f6_what_must_not_be_overwritten_is_not(exports: ExportWorld) -> None:
    exports.destination["files"] = {"on_exists": "fail"}
    exports.run(*HOUR)
    before = exports.objects()
    with pytest.raises(AirflowFailException, match=r"_manifest\.json|part-00000"):
        exports.run(*HOUR, run_id="manual__other")
    assert exports.objects() == before


def test_events_and_properties_are_chosen(exports: ExportWorld) -> None:
    exports.destination["select"] = {
        "events": ["df_login"], "events_condition": "exclude",
        "properties": ["AMOUNT", "TAGS"], "properties_condition": "exclude",
    }  # fmt: skip
    key = only(exports.run(*HOUR))
    assert [column["name"] for column in exports.manifest(key)["columns"]] == [
        "EVENT_ID",
        "EVENT_NAME",
        "df_unified_id",
        "SERVER_AT",
    ]
    assert exports.rows(key, "EVENT_ID, EVENT_NAME") == [(3, None), (4, "df_purchase")]
    exports.destination["select"] = {"events": ["df_login"], "events_condition": "include"}
    assert exports.rows(only(exports.run(*HOUR)), "EVENT_ID") == [(2,)]


def test_late_events_come_with_the_lookback(exports: ExportWorld) -> None:
    exports.cursor["lookback"] = "2h"
    exports.run(*HOUR)
    exports.sql(f"INSERT INTO crm.events VALUES (6, 'late', 'u', '{DAY} 09:10:00+00', 1, NULL)")
    report = exports.run(HOUR[1], f"{DAY}T11:00:00+00:00")
    assert [[row[0] for row in exports.rows(one["manifest"], "EVENT_ID")] for one in report["exports"]] == [
        [1],
        [2, 6, 3, 4],
        [5],
    ]


def test_a_person_can_give_the_interval(exports: ExportWorld) -> None:
    report = exports.run("", "", interval_start=f"{DAY}T18:00:00", interval_end=f"{DAY}T19:00:00+09:00")
    assert exports.rows(only(report), "EVENT_ID") == [(2,), (3,), (4,)]
    with pytest.raises(AirflowFailException, match=r"^invalid_parameter: The run has no data interval.*interval_start"):
        exports.run("", "")
    with pytest.raises(AirflowFailException, match=r"^invalid_parameter: interval_end is not behind"):
        exports.run("", "", interval_start=HOUR[1], interval_end=HOUR[0])


def test_s_l4_only_profiles_that_are_active_are_in_the_file(exports: ExportWorld) -> None:
    exports.sql("CREATE TABLE crm.profiles (df_unified_id VARCHAR, IS_ACTIVE BOOLEAN, UPDATED_AT TIMESTAMP)")
    exports.sql("INSERT INTO crm.profiles VALUES ('a', true, NULL), ('b', false, now()), ('c', NULL, now()), ('d', true, now())")
    exports.destination = {"data": "user_profile", "export": {"type": "one_time"}, "select": {"active_column": "IS_ACTIVE"}}
    exports.cursor = {"key": ["df_unified_id"]}
    source = {"type": "duckdb", "connection": "world_duckdb", "table": "crm.profiles"}
    key = only(exports.run("", "", run_id="manual__1", source=source))
    assert exports.rows(key, "df_unified_id") == [("a",), ("d",)]
    assert exports.manifest(key)["snapshot_at"].endswith("15:00:00Z")  # midnight in Seoul


def test_days_of_a_one_time_export_begin_at_midnight_in_its_zone(exports: ExportWorld) -> None:
    exports.destination["export"] = {"type": "one_time", "from_date": DAY, "to_date": DAY, "timezone": "Europe/Berlin"}
    exports.events(
        *(f"{n}, 'e', 'u', TIMESTAMPTZ '{DAY} 00:00:00 Europe/Berlin' + INTERVAL '{n} hours', 1, NULL" for n in (-1, 0, 1, 22))
    )
    assert exports.rows(only(exports.run("", "", run_id="manual__1")), "EVENT_ID") == [(0,), (1,), (22,)]


def test_events_older_than_thirty_days_are_refused_unless_the_limits_are_lifted(exports: ExportWorld) -> None:
    old = (datetime.now(timezone.utc) - timedelta(days=32)).strftime("%Y-%m-%dT00:00:00+00:00")
    end = old.replace("T00", "T01")
    with pytest.raises(AirflowFailException, match=r"^invalid_parameter: The interval .* begins more than 30 days back"):
        exports.run(old, end)
    exports.destination["export"] = {"compat": "none"}
    assert exports.run(old, end)["rows"]["read"] == 0


def test_what_is_wrong_is_told_before_a_byte_is_written(exports: ExportWorld) -> None:
    exports.cursor["column"] = "SERVER_TIME"
    with pytest.raises(AirflowFailException, match=r"has no column SERVER_TIME .*Did you mean SERVER_AT\?"):
        exports.run(*HOUR)
    exports.bucket = "bucket-that-is-not-there"
    with pytest.raises(AirflowFailException, match=r"^invalid region or bucket: .*bucket-that-is-not-there"):
        exports.run(*HOUR)


def test_the_record_of_a_run_says_what_became_of_it(exports: ExportWorld) -> None:
    exports.run(*HOUR)
    exports.cursor["column"] = "NOTHING"
    with pytest.raises(AirflowFailException):
        exports.run(HOUR[1], f"{DAY}T11:00:00+00:00")
    records = [json.loads(path.read_text()) for path in sorted((exports.folder / "state" / "events" / "runs").iterdir())]
    assert [(record["status"], record.get("report", {}).get("rows", {}).get("sent")) for record in records] == [
        ("success", 3), ("config_error", None),
    ]  # fmt: skip


def test_each_operator_takes_its_own_destination_only() -> None:
    source = {"type": "duckdb", "connection": "w", "table": "crm.events"}
    braze = {"type": "braze", "connection": "b", "data": "attributes"}
    with pytest.raises(ConfigurationError, match="S3ExportOperator does not serve destinations of type braze"):
        S3ExportOperator(task_id="x", pipeline_id="p", source=source, destination=braze)
    bucket = {"type": "s3", "connection": "a", "data": "user_profile", "path": "s3://bucket/f", "export": {"type": "one_time"}}
    with pytest.raises(ConfigurationError, match="WarehouseIncrementalImportOperator does not serve destinations of type s3"):
        WarehouseIncrementalImportOperator(task_id="x", pipeline_id="p", source=source, destination=bucket)


def test_s_c3_a_new_property_is_a_new_column_at_the_end_and_old_files_stay(exports: ExportWorld) -> None:
    first = only(exports.run(*HOUR))
    before = exports.objects()
    exports.sql("ALTER TABLE crm.events ADD COLUMN custom_event_p_boolean BOOLEAN")
    second = only(exports.run(HOUR[1], f"{DAY}T11:00:00+00:00"))
    columns = [[column["name"] for column in exports.manifest(key)["columns"]] for key in (first, second)]
    assert columns[1] == [*columns[0], "custom_event_p_boolean"]
    assert exports.manifest(first)["schema_hash"] != exports.manifest(second)["schema_hash"]
    assert {key: exports.objects()[key] for key in before} == before
    assert exports.rows(second, "EVENT_ID, custom_event_p_boolean") == [(5, None)]
