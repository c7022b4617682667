"""Snowflake writes the files of an export by itself: same content, and a retry asks for the statement by its id."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowFailException

from activation.errors import TransientError
from sandbox.aws import AwsSandbox, FaultProxy
from sandbox.warehouses.snowflake import SnowflakeSandbox
from tests.support.servers import shared

from .export_world import ExportWorld, make
from .unload_world import HOUR, ROWS, content, events, only

ALWAYS = {"mode": "always", "credential": "partner_bucket"}


@pytest.fixture(scope="module")
def aws() -> AwsSandbox:
    return shared(AwsSandbox, "storage")


@pytest.fixture(scope="module")
def warehouse() -> Iterator[SnowflakeSandbox]:
    with SnowflakeSandbox() as one:
        rows = events()
        one.load(("CRM", "EVENTS"), rows.rename_columns([name.upper() for name in rows.column_names]))
        yield one


@pytest.fixture
def storage(aws: AwsSandbox, warehouse: SnowflakeSandbox) -> Callable[..., None]:
    """Make the integration anew; keys of ``Storage`` beside the usual ones."""

    def integrate(**changed: Any) -> None:
        keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test", "region_name": aws.region}
        usual = {"endpoint": aws.url, "client": keys, "integration": "PARTNER_BUCKET"}
        warehouse._ask("storage", json.dumps({**usual, **changed}).encode())

    integrate()
    return integrate


@pytest.fixture
def exports(aws: AwsSandbox, warehouse: SnowflakeSandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ExportWorld:
    world = make(aws, tmp_path, f"bucket-{uuid.uuid4().hex[:12]}", monkeypatch)
    monkeypatch.setenv("AIRFLOW_CONN_WORLD_SNOWFLAKE", warehouse.connection())
    for name, value in warehouse.environment().items():
        monkeypatch.setenv(name, value)
    world.cursor = {"column": "SERVER_AT", "key": ["EVENT_ID"]}
    return world


def run(world: ExportWorld, unload: Any, kind: str = "parquet", packed: str = "snappy", **changed: Any) -> dict[str, Any]:
    """One run over the hour; keys of the files block beside ``run_id``."""
    run_id = changed.pop("run_id", "")
    world.destination["files"] = {"format": kind, "compression": packed, "unload": unload, **changed}
    source = {"type": "snowflake", "connection": "world_snowflake", "table": "crm.events"}
    return world.run(*HOUR, run_id=run_id, source=source)


def copies(warehouse: SnowflakeSandbox, world: ExportWorld) -> list[str]:
    """The statements that write to the bucket of a world."""
    return [one["text"] for one in warehouse.statements() if f"COPY INTO 's3://{world.bucket}/" in one["text"]]


@pytest.mark.usefixtures("storage")
@pytest.mark.parametrize(("kind", "packed"), [("parquet", "snappy"), ("csv", "gzip"), ("csv", "zstd")])
def test_an_unload_has_the_content_that_our_own_writer_gives(
    exports: ExportWorld, warehouse: SnowflakeSandbox, kind: str, packed: str
) -> None:
    own = content(exports, only(run(exports, "never", kind, packed)))
    report = run(exports, {"credential": "partner_bucket"}, kind, packed, run_id="manual__unload", part_bytes="64MB")
    manifest = exports.manifest(only(report))
    assert content(exports, only(report)) == own
    assert len(own) == ROWS
    assert [file["rows"] for file in manifest["files"]] == [51, 50]
    (statement,) = copies(warehouse, exports)
    assert "MAX_FILE_SIZE = 64000000 HEADER = TRUE DETAILED_OUTPUT = TRUE INCLUDE_QUERY_ID = TRUE" in statement
    assert "ORDER BY" in statement
    assert not [key for key in exports.objects() if "/part-" in key]


@pytest.mark.usefixtures("storage")
def test_filters_and_keys_are_passed_on(exports: ExportWorld, aws: AwsSandbox) -> None:
    key = aws.key()
    exports.destination["access"] = {"encryption": "kms", "kms_key": key}
    exports.destination["select"] = {"events": ["df_login"], "events_condition": "include", "active_column": "ACTIVE"}
    report = run(exports, ALWAYS)
    assert {int(row[0]) for row in content(exports, only(report))} == {n for n in range(1, ROWS + 1) if n % 3 == 1}
    for file in exports.manifest(only(report))["files"]:
        head = aws.client("s3").head_object(Bucket=exports.bucket, Key=file["key"])
        assert (head["ServerSideEncryption"], head["SSEKMSKeyId"]) == ("aws:kms", key)


@pytest.mark.usefixtures("storage")
def test_a_retry_takes_over_what_a_try_before_it_has_submitted(
    exports: ExportWorld, warehouse: SnowflakeSandbox, aws: AwsSandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    with FaultProxy(aws.url) as proxy:
        proxy.faults({"match": "GET .*unload", "n": 100, "do": "InternalError"})
        monkeypatch.setenv("AIRFLOW_CONN_WORLD_AWS", aws.connection(endpoint_url=proxy.url))
        with pytest.raises(TransientError):
            run(exports, ALWAYS)
    monkeypatch.setenv("AIRFLOW_CONN_WORLD_AWS", aws.connection())
    written = {key for key in exports.objects() if "/unload=" in key}
    report = run(exports, ALWAYS)
    assert len(copies(warehouse, exports)) == 1
    assert {file["key"] for file in exports.manifest(only(report))["files"]} == written
    assert len(content(exports, only(report))) == ROWS


def test_a_retry_after_a_failed_statement_writes_anew_and_mixes_nothing(
    exports: ExportWorld, warehouse: SnowflakeSandbox, storage: Callable[..., None]
) -> None:
    storage(cut_after=1)
    with pytest.raises(TransientError, match=r"^failed_to_run_query: Unloading from Snowflake failed .*aborted by error"):
        run(exports, ALWAYS)
    (orphan,) = exports.objects()
    report = run(exports, ALWAYS)
    assert len(copies(warehouse, exports)) == 2
    assert orphan not in exports.objects()
    assert sorted(int(row[0]) for row in content(exports, only(report))) == list(range(1, ROWS + 1))


def test_what_snowflake_refuses_is_told_with_its_remedy(exports: ExportWorld, storage: Callable[..., None]) -> None:
    storage(integration="ANOTHER")
    with pytest.raises(
        AirflowFailException, match=r"Insufficient privileges .*PARTNER_BUCKET.* Fix: Let the role use the integr"
    ):
        run(exports, ALWAYS)
    with pytest.raises(
        AirflowFailException, match=r"^invalid_parameter: unload: always, but Snowflake does not unload jsonl with gzip"
    ):
        run(exports, ALWAYS, "jsonl", "gzip")
    with pytest.raises(AirflowFailException, match=r"^invalid_parameter: unload: always, but Snowflake needs unload.credential"):
        run(exports, {"mode": "always", "credential": "@a_stage/x"})
    assert exports.objects() == {}
