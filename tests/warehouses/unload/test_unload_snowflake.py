"""A statement of Snowflake goes on without who submitted it, and is asked for by its id from another session."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pyarrow as pa
import pytest

from activation.cursor.window import Window
from activation.errors import ConfigurationError, TransientError
from activation.hooks.connections import open_source
from activation.warehouses.base import Column, Extract, Query
from activation.warehouses.snowflake import SnowflakeWarehouse
from activation.warehouses.sql import LAST
from activation.warehouses.unload.base import Target
from activation.warehouses.unload.snowflake import SnowflakeUnloader
from sandbox.aws import AwsSandbox
from sandbox.warehouses.snowflake import SnowflakeSandbox
from tests.support.servers import shared

from .objects import Nothing

ALL = Window(None, True, LAST, nulls=True)
STAMP, ID = Column("U", "TIMESTAMP_NTZ(9)"), Column("ID", "NUMBER(38,0)")
USERS = Extract(("ANALYTICS", "USERS"), STAMP, (ID,), (ID, STAMP))
BUCKET = "unloads-snowflake"


@pytest.fixture(scope="module")
def aws() -> AwsSandbox:
    running = shared(AwsSandbox, "storage")
    running.bucket(BUCKET)
    return running


@pytest.fixture(scope="module")
def sandbox() -> Iterator[SnowflakeSandbox]:
    with SnowflakeSandbox() as one:
        one.load(
            ("ANALYTICS", "USERS"), pa.table({"ID": range(9), "U": pa.array(range(9), pa.timestamp("ns"))}), {"ID": "NUMBER"}
        )
        yield one


@pytest.fixture
def opened(sandbox: SnowflakeSandbox, aws: AwsSandbox, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Any]]:
    """Open an unloader with a session of its own; keys of ``Storage`` change the integration."""
    found: list[SnowflakeWarehouse] = []

    def one(*, integrate: bool = True, **changed: Any) -> SnowflakeUnloader:
        keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test", "region_name": aws.region}
        storage = {"endpoint": aws.url, "client": keys, "integration": "PARTNER", **changed}
        if integrate:
            sandbox._ask("storage", json.dumps(storage).encode())
        warehouse = open_source("snowflake", "snow", tag={"dag": "export"})
        assert isinstance(warehouse, SnowflakeWarehouse)
        found.append(warehouse)
        return SnowflakeUnloader(warehouse)

    monkeypatch.setenv("REQUESTS_CA_BUNDLE", sandbox.ca_file)
    monkeypatch.setenv("AIRFLOW_CONN_SNOW", sandbox.connection())
    yield one
    for warehouse in found:
        warehouse.close()


def target() -> Target:
    return Target(f"s3://{BUCKET}/{uuid.uuid4().hex}/", "parquet", "snappy", "PARTNER")


def test_another_session_waits_for_a_statement_that_still_runs(opened: Any, sandbox: SnowflakeSandbox) -> None:
    place, first = target(), opened(hold=1.5)
    submitted = first.submit(first.statement(USERS, ALL, place))
    files = opened(integrate=False).outcome(submitted, place, Nothing())
    assert sum(file.rows for file in files or ()) == 9
    assert all(file.url.startswith(place.url) for file in files or ())
    (one,) = [one for one in sandbox.statements() if place.url in one["text"]]
    assert json.loads(one["parameters"]["QUERY_TAG"]) == {"dag": "export"}


def test_a_statement_that_failed_is_told_by_who_submitted_it_and_else_done_again(opened: Any) -> None:
    place, first = target(), opened(cut_after=1)
    submitted = first.submit(first.statement(USERS, ALL, place))
    with pytest.raises(TransientError, match=r"Unloading from Snowflake failed .*Processing aborted"):
        first.outcome(submitted, place, Nothing())
    assert opened().outcome(submitted, place, Nothing()) is None


def test_a_statement_that_nobody_knows_is_done_again(opened: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("activation.warehouses.unload.snowflake._LONGEST_PAUSE", 0.05)
    one = opened()
    assert one.outcome(str(uuid.uuid4()), target(), Nothing()) is None
    assert one.outcome("", target(), Nothing()) is None
    assert one.outcome("'); DROP TABLE x; --", target(), Nothing()) is None


def test_a_query_that_is_wrong_is_told(opened: Any) -> None:
    one, place = opened(), target()
    wrong = one.statement(USERS, ALL, place).replace('src."ID" AS', 'src."NO" AS')
    with pytest.raises(ConfigurationError, match="invalid identifier"):
        one.outcome(one.submit(wrong), place, Nothing())


def test_instants_with_a_zone_are_written_in_utc_unless_they_order_or_choose_rows(opened: Any) -> None:
    zoned = Column("Z", "TIMESTAMP_TZ(9)")
    relation = Query('SELECT ID, U, TO_TIMESTAMP_TZ(\'2026-07-19 09:00:00 +00:00\') AS Z FROM "ANALYTICS"."USERS"')
    one, place = opened(), target()
    extract = Extract(relation, STAMP, (ID,), (ID, zoned))
    files = one.outcome(one.submit(one.statement(extract, ALL, place)), place, Nothing())
    assert sum(file.rows for file in files) == 9
    with pytest.raises(ConfigurationError, match=r"cannot unload to Parquet where Z \(TIMESTAMP_TZ\(9\)\) is in the key"):
        one.statement(Extract(relation, STAMP, (zoned,), (ID, zoned)), ALL, place)
    assert "TO_VARCHAR(CONVERT_TIMEZONE('UTC'" in one.statement(
        Extract(relation, STAMP, (zoned,), (ID, zoned)), ALL, Target(place.url, "csv", "gzip", "PARTNER")
    )
