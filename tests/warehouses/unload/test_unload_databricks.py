"""A statement of Databricks goes on without who submitted it, and is asked for by its id; what it wrote is found by listing."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pyarrow as pa
import pytest

from activation.cursor.timestamps import from_text
from activation.cursor.window import Window
from activation.errors import ConfigurationError, TransientError
from activation.hooks.connections import open_source
from activation.warehouses.base import Column, Extract, Only
from activation.warehouses.databricks import DatabricksWarehouse
from activation.warehouses.sql import LAST
from activation.warehouses.unload.base import Target
from activation.warehouses.unload.databricks import DatabricksUnloader
from sandbox.aws import AwsSandbox
from sandbox.warehouses.databricks import DatabricksSandbox
from tests.support.servers import shared

from .objects import Held, Nothing

ALL = Window(None, True, LAST, nulls=True)
HOUR = Window(from_text("2026-07-19T09:00:00Z"), True, from_text("2026-07-19T09:59:59.999999Z"), nulls=False)
STAMP, ID, NAME = Column("u", "timestamp"), Column("id", "bigint"), Column("na`me", "string")
USERS = Extract(("spark_catalog", "analytics", "users"), STAMP, (ID,), (ID, STAMP))
TARGET = Target("s3://unloads/crm/unload=1/", "parquet", "snappy", "partner")
BUCKET = "unloads-databricks"


@pytest.fixture(scope="module")
def aws() -> AwsSandbox:
    running = shared(AwsSandbox, "storage")
    running.bucket(BUCKET)
    return running


@pytest.fixture(scope="module")
def sandbox() -> DatabricksSandbox:
    one = shared(DatabricksSandbox)
    rows = pa.table({"id": range(9), "u": pa.array([n * 1_000_000 for n in range(9)], pa.timestamp("us", "UTC"))})
    one.load(("analytics", "users"), rows)
    return one


@pytest.fixture
def opened(sandbox: DatabricksSandbox, aws: AwsSandbox, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Any]]:
    """Open an unloader with a session of its own; keys of the server's ``Storage`` change the external locations."""
    found: list[DatabricksWarehouse] = []

    def one(*, timeout: float | None = None, extra: dict[str, Any] | None = None, **changed: Any) -> DatabricksUnloader:
        if changed or not found:
            sandbox.storage(**{"endpoint": aws.url, "locations": {"partner": f"s3://{BUCKET}/"}, **changed})
        monkeypatch.setenv("AIRFLOW_CONN_BRICKS", sandbox.connection(**(extra or {})))
        warehouse = open_source("databricks", "bricks", tag={"dag": "export"}, timeout=timeout)
        assert isinstance(warehouse, DatabricksWarehouse)
        found.append(warehouse)
        return DatabricksUnloader(warehouse)

    for name, value in sandbox.environment().items():
        monkeypatch.setenv(name, value)
    yield one
    sandbox.faults()
    for warehouse in found:
        warehouse.close()


def target() -> Target:
    return replace(TARGET, url=f"s3://{BUCKET}/{uuid.uuid4().hex}/unload=1/")


def held(aws: AwsSandbox) -> Held:
    return Held({f"s3://{BUCKET}/{key}": content for key, content in aws.objects(BUCKET, "").items()})


class Late(Held):
    """The bucket when it is asked, not before."""

    def __init__(self, aws: AwsSandbox) -> None:
        super().__init__()
        self._aws = aws

    def below(self, url: str) -> tuple[str, ...]:
        self.objects = held(self._aws).objects
        return super().below(url)


def test_another_session_waits_for_a_statement_that_still_runs(opened: Any, aws: AwsSandbox, sandbox: DatabricksSandbox) -> None:
    place, first = target(), opened(hold=1.5)
    submitted = first.submit(first.statement(USERS, ALL, place))
    files = opened().outcome(submitted, place, Late(aws))
    assert [file.rows for file in files] == [None]
    assert all(file.url.startswith(f"{place.url}part-00000-") for file in files)
    (text,) = [text for text in sandbox.state()["history"] if place.url in text]
    assert text.startswith("/* dag=export */ INSERT OVERWRITE DIRECTORY")


def test_success_whose_rows_are_gone_is_success(opened: Any, aws: AwsSandbox) -> None:
    place, first = target(), opened(closed=True)
    assert len(first.outcome(first.submit(first.statement(USERS, ALL, place)), place, Late(aws))) == 1


def test_a_statement_that_failed_is_told_by_who_submitted_it_and_else_done_again(opened: Any) -> None:
    place, first = target(), opened(cut_after=0)
    submitted = first.submit(first.statement(USERS, ALL, place))
    with pytest.raises(TransientError, match=r"Unloading from Databricks failed .*TASK_WRITE_FAILED"):
        first.outcome(submitted, place, Nothing())
    assert opened().outcome(submitted, place, Nothing()) is None


def test_a_statement_that_nobody_knows_is_done_again_unless_its_marker_is_there(opened: Any) -> None:
    one, place = opened(), target()
    for unknown in (str(uuid.uuid4()), "", "../../2.0/token/list", "a/cancel"):
        assert one.outcome(unknown, place, Held()) is None
    found = {f"{place.url}_SUCCESS": b"", f"{place.url}part-0": b"", f"{place.url}.part-0.crc": b""}
    assert [file.url for file in one.outcome("", place, Held(found))] == [f"{place.url}part-0"]


def test_only_files_of_commits_count_where_they_can_be_read(opened: Any) -> None:
    one, place = opened(), target()
    files = {f"{place.url}{name}": b"" for name in ("_SUCCESS", "_started_1", "part-0", "part-1", "part-2")}
    files[f"{place.url}_committed_1"] = b'{"added": ["part-0", "part-2"], "removed": []}'
    files[f"{place.url}_committed_2"] = b'{"added": [], "removed": ["part-2"]}'
    assert [file.url for file in one.outcome("", place, Held(files))] == [f"{place.url}part-0"]
    files = {name: b"{" if "_committed" in name else b"" for name in files}
    assert len(one.outcome("", place, Held(files))) == 3


def test_a_statement_ends_with_its_time_out_and_by_cancellation(opened: Any, sandbox: DatabricksSandbox) -> None:
    place, slow = target(), opened(hold=2, timeout=0.3)
    with pytest.raises(TransientError, match=r"took longer than 0\.3 s; the statement was stopped"):
        slow.outcome(slow.submit(slow.statement(USERS, ALL, place)), place, Nothing())
    one = opened(hold=2)
    submitted = one.submit(one.statement(USERS, ALL, place))
    threading.Timer(0.5, one.cancel).start()
    began = time.monotonic()
    with pytest.raises(TransientError, match="was cancelled"):
        one.outcome(submitted, place, Nothing())
    assert opened().outcome(submitted, place, Held()) is None
    assert time.monotonic() - began < 10
    assert sandbox.state()["running"] == 0


def test_a_lost_answer_is_not_asked_for_again(opened: Any, sandbox: DatabricksSandbox) -> None:
    one, place = opened(), target()
    sandbox.faults({"on": "begin", "status": 503, "times": 9})
    with pytest.raises(TransientError, match="Unloading from Databricks failed"):
        one.submit(one.statement(USERS, ALL, place))
    assert len([text for text in sandbox.state()["history"] if place.url in text]) == 1


def test_questions_are_asked_again(opened: Any, sandbox: DatabricksSandbox, aws: AwsSandbox) -> None:
    one, place = opened(), target()
    submitted = one.submit(one.statement(USERS, ALL, place))
    sandbox.faults({"on": "ask", "status": 503, "times": 1})
    assert len(one.outcome(submitted, place, Late(aws))) == 1


def test_the_catalog_and_the_schema_of_the_connection_hold(opened: Any, aws: AwsSandbox) -> None:
    one, place = opened(extra={"catalog": "spark_catalog", "schema": "analytics"}), target()
    text = one.statement(replace(USERS, table=("users",)), ALL, place)
    assert "FROM `users` AS src" in text
    assert len(one.outcome(one.submit(text), place, Late(aws))) == 1


def test_a_query_that_is_wrong_is_told(opened: Any) -> None:
    one, place = opened(), target()
    wrong = one.statement(USERS, ALL, place).replace("src.`id` AS", "src.`no` AS")
    with pytest.raises(ConfigurationError, match=r"Unloading from Databricks failed \(42703\)"):
        one.outcome(one.submit(wrong), place, Nothing())


def test_the_statement_holds_format_names_and_values(opened: Any) -> None:
    one = opened()
    extract = Extract(("crm", "events"), STAMP, (NAME,), (NAME, STAMP), (Only(NAME, ("df_login",)),))
    assert one.statement(extract, HOUR, replace(TARGET, part_rows=1000)) == (
        "INSERT OVERWRITE DIRECTORY 's3://unloads/crm/unload=1/' USING PARQUET OPTIONS (compression 'snappy', "
        "maxRecordsPerFile '1000') SELECT CAST(src.`na``me` AS STRING) AS `na``me`, (TIMESTAMP_NTZ'1970-01-01 00:00:00' + "
        "make_dt_interval(0, 0, 0, CAST(unix_micros(src.`u`) AS DECIMAL(24, 0)) / 1000000)) AS `u` FROM `crm`.`events` AS src "
        "WHERE (src.`u` >= CAST('2026-07-19 09:00:00Z' AS TIMESTAMP) AND src.`u` <= CAST('2026-07-19 09:59:59.999999Z' AS "
        "TIMESTAMP)) AND CAST(src.`na``me` AS STRING) IN ('df_login') ORDER BY src.`u` ASC, "
        "COALESCE(CAST(src.`na``me` AS STRING), '') COLLATE UTF8_BINARY ASC"
    )
    with pytest.raises(ConfigurationError, match="has a quote"):
        one.statement(extract, HOUR, replace(TARGET, url="s3://unloads/it's/"))
    with pytest.raises(ConfigurationError, match="leaves NULL out of a CSV file of one column"):
        one.statement(replace(extract, values=(NAME,)), HOUR, replace(TARGET, kind="csv", compression="gzip"))


@pytest.mark.parametrize(
    "changed",
    [
        {"credential": ""},
        {"credential": "a b"},
        {"credential": "arn:aws:iam::123456789012:role/x"},
        {"compression": "gzip"},
        {"kind": "csv", "compression": "zstd"},
        {"encryption": "AES256"},
        {"part_bytes": 1_000_000},
    ],
)
def test_what_databricks_cannot_do_is_told(opened: Any, changed: dict[str, Any]) -> None:
    one = opened()
    assert one.refusal(TARGET) == ""
    assert one.refusal(replace(TARGET, part_rows=9)) == ""
    assert one.refusal(replace(TARGET, **changed)).startswith("Databricks ")
