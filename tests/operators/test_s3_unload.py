"""Redshift writes the files of an export by itself: same content, proven, taken over by a retry, never mixed."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowFailException

from activation.errors import TransientError
from sandbox.aws import AwsSandbox, FaultProxy
from sandbox.warehouses.redshift import RedshiftSandbox
from sandbox.warehouses.redshift_unload import Unloads
from tests.support.servers import shared

from .export_world import ExportWorld, make
from .unload_world import DAY, HOUR, ROWS, content, events, only

ROLE = "arn:aws:iam::123456789012:role/redshift-unload,arn:aws:iam::210987654321:role/partner"


@pytest.fixture(scope="module")
def aws() -> AwsSandbox:
    return shared(AwsSandbox, "storage")


@pytest.fixture(scope="module")
def warehouse() -> Iterator[RedshiftSandbox]:
    with RedshiftSandbox() as one:
        one.load(("crm", "events"), events())
        yield one


@pytest.fixture
def unloads(aws: AwsSandbox, warehouse: RedshiftSandbox) -> Unloads:
    warehouse.front.unloads = Unloads(warehouse.open, aws.client("s3"), ROLE)
    return warehouse.front.unloads


@pytest.fixture
def exports(aws: AwsSandbox, warehouse: RedshiftSandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ExportWorld:
    world = make(aws, tmp_path, f"bucket-{uuid.uuid4().hex[:12]}", monkeypatch)
    monkeypatch.setenv("AIRFLOW_CONN_WORLD_REDSHIFT", warehouse.connection())
    for name, value in warehouse.environment().items():
        monkeypatch.setenv(name, value)
    world.cursor = {"column": "server_at", "key": ["event_id"]}
    return world


def run(world: ExportWorld, unload: Any, kind: str = "parquet", packed: str = "snappy", **changed: Any) -> dict[str, Any]:
    """One run over the hour; keys of the files block beside ``run_id``."""
    run_id = changed.pop("run_id", "")
    world.destination["files"] = {"format": kind, "compression": packed, "unload": unload, **changed}
    source = {"type": "redshift", "connection": "world_redshift", "table": "crm.events"}
    return world.run(*HOUR, run_id=run_id, source=source)


ALWAYS = {"mode": "always", "credential": ROLE}


@pytest.mark.parametrize(("kind", "packed"), [("parquet", "snappy"), ("csv", "gzip"), ("csv", "zstd"), ("csv", "none")])
def test_an_unload_has_the_content_that_our_own_writer_gives(
    exports: ExportWorld, unloads: Unloads, kind: str, packed: str
) -> None:
    own = content(exports, only(run(exports, "never", kind, packed)))
    report = run(exports, {"credential": ROLE}, kind, packed, run_id="manual__unload")
    manifest = exports.manifest(only(report))
    assert content(exports, only(report)) == own
    assert len(own) == ROWS
    assert len(unloads.seen) == 1
    assert (manifest["status"], manifest["total_rows"], [file["rows"] for file in manifest["files"]]) == (
        "complete",
        ROWS,
        [51, 50],
    )
    objects = exports.objects()
    for file in manifest["files"]:
        data = objects[file["key"]]
        assert file["key"].startswith(only(report).removesuffix("_manifest.json") + "unload=")
        assert (len(data), sha256(data).hexdigest()) == (file["size"], file["sha256"])
    assert not [key for key in objects if "/part-" in key]  # those of our own writer, which were replaced
    assert exports.tasks["manual__unload"].get("unload") is None


def test_filters_parts_keys_and_regions_are_passed_on(exports: ExportWorld, unloads: Unloads, aws: AwsSandbox) -> None:
    key = aws.key()
    exports.destination["access"] = {"encryption": "kms", "kms_key": key, "region": aws.region}
    exports.destination["select"] = {
        "event_column": "event_name", "events": ["df_login"], "events_condition": "include",
        "properties": ["text", "price"], "properties_condition": "exclude",
        "active_column": "active",
    }  # fmt: skip
    report = run(exports, ALWAYS, part_bytes="64MB")
    manifest = exports.manifest(only(report))
    assert [column["name"] for column in manifest["columns"]] == [
        "event_id", "event_name", "server_at", "day", "amount", "active",
    ]  # fmt: skip
    rows = content(exports, only(report))
    assert {(row[1], row[-1]) for row in rows} == {("df_login", True)}
    assert {row[0] for row in rows} == {n for n in range(1, ROWS + 1) if n % 3 == 1}
    statement = unloads.seen[-1]
    assert f"MAXFILESIZE 64 MB KMS_KEY_ID '{key}' ENCRYPTED REGION '{aws.region}'" in statement
    assert "ORDER BY" in statement
    for file in manifest["files"]:
        head = aws.client("s3").head_object(Bucket=exports.bucket, Key=file["key"])
        assert (head["ServerSideEncryption"], head["SSEKMSKeyId"]) == ("aws:kms", key)


def test_a_retry_takes_over_what_was_written_before_the_answer_was_lost(exports: ExportWorld, unloads: Unloads) -> None:
    unloads.cut_after = 3
    with pytest.raises(TransientError):
        run(exports, ALWAYS)
    assert not [key for key in exports.objects() if key.endswith("_manifest.json")]
    written = {key for key in exports.objects() if "_part_" in key}
    report = run(exports, ALWAYS)
    assert len(unloads.seen) == 1
    assert {file["key"] for file in exports.manifest(only(report))["files"]} == written
    assert len(content(exports, only(report))) == ROWS


@pytest.mark.parametrize("on_exists", ["replace", "fail", "version"])
def test_a_retry_after_a_cut_unload_writes_anew_and_mixes_nothing(exports: ExportWorld, unloads: Unloads, on_exists: str) -> None:
    unloads.cut_after = 1
    with pytest.raises(TransientError):
        run(exports, ALWAYS, on_exists=on_exists)
    (orphan,) = exports.objects()
    report = run(exports, ALWAYS, on_exists=on_exists)
    key = only(report)
    files = {file["key"] for file in exports.manifest(key)["files"]}
    assert len(unloads.seen) == 2
    assert orphan not in files | set(exports.objects())
    assert [row[0] for row in content(exports, key)] == list(range(1, ROWS + 1))
    assert key.endswith("/attempt=1/_manifest.json") == (on_exists == "version")
    assert {one.rpartition("/")[0] for one in files} == {
        one.rpartition("/")[0] for one in exports.objects() if one.endswith("unload") or "_part_" in one
    }


def test_another_run_replaces_the_files_of_an_unload(exports: ExportWorld, unloads: Unloads) -> None:
    first = exports.manifest(only(run(exports, ALWAYS)))["files"]
    second = exports.manifest(only(run(exports, ALWAYS, run_id="manual__2")))["files"]
    assert not {file["key"] for file in first} & set(exports.objects())
    assert {file["key"] for file in second} <= set(exports.objects())
    third = only(run(exports, ALWAYS, run_id="manual__3", on_exists="version"))
    assert third.endswith("/attempt=1/_manifest.json")
    assert {file["key"] for file in second} <= set(exports.objects())


def test_what_may_not_be_removed_is_told_as_ignored(
    exports: ExportWorld, unloads: Unloads, aws: AwsSandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = exports.manifest(only(run(exports, ALWAYS)))["files"]
    with FaultProxy(aws.url) as proxy:
        proxy.faults({"match": "DELETE .*unload", "n": 100, "do": "AccessDenied"})
        monkeypatch.setenv("AIRFLOW_CONN_WORLD_AWS", aws.connection(endpoint_url=proxy.url))
        report = run(exports, ALWAYS, run_id="manual__2")
    manifest = exports.manifest(only(report))
    assert {file["key"] for file in first} < set(manifest["ignored"])
    assert not {file["key"] for file in manifest["files"]} & set(manifest["ignored"])
    assert len(content(exports, only(report))) == ROWS


def test_a_role_that_may_not_read_the_files_is_told(
    exports: ExportWorld, unloads: Unloads, aws: AwsSandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    with FaultProxy(aws.url) as proxy:
        proxy.faults({"match": "GET .*_part_", "n": 100, "do": "AccessDenied"})
        monkeypatch.setenv("AIRFLOW_CONN_WORLD_AWS", aws.connection(endpoint_url=proxy.url))
        with pytest.raises(AirflowFailException, match=r"^missing s3 policy: .* Fix: .*allow s3:GetObject below the path"):
            run(exports, ALWAYS)
    assert not [key for key in exports.objects() if key.endswith("_manifest.json")]


def test_what_must_not_be_overwritten_is_not_unloaded_again(exports: ExportWorld, unloads: Unloads) -> None:
    run(exports, ALWAYS, on_exists="fail")
    before = exports.objects()
    with pytest.raises(AirflowFailException, match=r"_manifest\.json is there already"):
        run(exports, ALWAYS, on_exists="fail", run_id="manual__2")
    assert exports.objects() == before
    assert len(unloads.seen) == 1


def test_a_file_with_other_rows_than_were_told_is_not_published(exports: ExportWorld, unloads: Unloads) -> None:
    unloads.forgets = True
    with pytest.raises(AirflowFailException, match=r"says that .* has 52 rows; its footer says 51"):
        run(exports, ALWAYS)
    with pytest.raises(AirflowFailException, match=r"books do not balance: Redshift counts 101 rows, its 2 files have 102"):
        run(exports, ALWAYS, "csv", "gzip")
    assert not [key for key in exports.objects() if key.endswith("_manifest.json")]
    unloads.forgets = False
    assert run(exports, ALWAYS, "csv", "gzip")["rows"]["sent"] == ROWS


def test_an_interval_without_rows_is_not_unloaded(exports: ExportWorld, unloads: Unloads) -> None:
    exports.destination["files"] = {"format": "parquet", "compression": "snappy", "unload": ALWAYS}
    source = {"type": "redshift", "connection": "world_redshift", "table": "crm.events"}
    report = exports.run(f"{DAY}T01:00:00+00:00", f"{DAY}T02:00:00+00:00", source=source)
    assert exports.manifest(only(report))["files"] == []
    assert not unloads.seen


@pytest.mark.parametrize(
    ("kind", "packed", "unload", "text"),
    [
        ("jsonl", "gzip", ALWAYS, "Redshift does not unload jsonl with gzip; it writes parquet with snappy, csv with none,"),
        ("parquet", "zstd", ALWAYS, "Redshift does not unload parquet with zstd;"),
        ("csv", "gzip", "always", "Redshift needs unload.credential: the ARN of an IAM role"),
        ("csv", "gzip", {"mode": "always", "credential": "a_stage"}, "Redshift needs unload.credential"),
    ],
)  # fmt: skip
def test_always_is_refused_where_redshift_cannot(
    exports: ExportWorld, unloads: Unloads, kind: str, packed: str, unload: Any, text: str
) -> None:
    with pytest.raises(AirflowFailException, match=f"^invalid_parameter: unload: always, but {text}.* Fix: .*unload: never"):
        run(exports, unload, kind, packed)
    assert not unloads.seen
    assert exports.objects() == {}


@pytest.mark.parametrize(
    ("kind", "packed", "more"), [("jsonl", "gzip", {}), ("parquet", "zstd", {}), ("csv", "gzip", {"part_rows": 9})]
)
def test_auto_falls_back_to_our_own_writer(
    exports: ExportWorld, unloads: Unloads, kind: str, packed: str, more: dict[str, Any]
) -> None:
    report = run(exports, {"credential": ROLE}, kind, packed, **more)
    assert report["rows"]["sent"] == ROWS
    assert all("/part-" in file["key"] for file in exports.manifest(only(report))["files"])
    assert not unloads.seen


def test_a_role_that_the_cluster_may_not_use_is_told_with_its_remedy(exports: ExportWorld, unloads: Unloads) -> None:
    unloads.role = "arn:aws:iam::123456789012:role/other"
    with pytest.raises(
        AirflowFailException,
        match=r"^failed_to_run_query: Unloading from Redshift failed .*not authorized to assume.* Fix: Attach the role",
    ):
        run(exports, ALWAYS)
    assert exports.objects() == {}


def test_always_is_refused_for_an_engine_that_cannot(exports: ExportWorld) -> None:
    exports.cursor = {"column": "SERVER_AT", "key": ["EVENT_ID"]}
    exports.events(f"1, 'df_login', 'u-1', '{DAY} 09:00:00+00', 1.50, NULL")
    exports.destination["files"] = {"unload": "always"}
    with pytest.raises(
        AirflowFailException,
        match=r"^invalid_parameter: unload: always, but DuckDB runs inside of the task, where our own .* Fix: .*unload: never",
    ):
        exports.run(*HOUR)
    exports.destination["files"] = {"unload": {"mode": "auto", "credential": "anything"}}
    assert exports.run(*HOUR)["rows"]["sent"] == 1
