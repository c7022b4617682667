"""Snowflake beyond the contract: names, tags, log-ins, rights, and what the network does."""

from __future__ import annotations

import inspect
import json
import re
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from snowflake.connector import SnowflakeConnection, cursor
from snowflake.connector.cursor import SnowflakeCursor

from activation.cursor.window import Position
from activation.errors import ConfigurationError, TransientError
from activation.hooks.connections import open_source
from activation.warehouses import snowflake_session, sql
from activation.warehouses.base import Column, Extract, Query
from activation.warehouses.snowflake import DIALECT, SnowflakeWarehouse, spellings
from sandbox.warehouses.snowflake import LIMITED, PASSWORD, USER, SnowflakeSandbox
from tests.contracts.sources import EVERYTHING, Reading, reading

ROWS = 3_000


@pytest.fixture(scope="module")
def sandbox() -> Iterator[SnowflakeSandbox]:
    with SnowflakeSandbox() as place:
        stamps = pa.array(range(ROWS), pa.timestamp("ns"))
        wide = pa.array(["x" * 1_000] * ROWS)
        place.load(("ANALYTICS", "USERS"), pa.table({"ID": [f"{n:05}" for n in range(ROWS)], "U": stamps, "PAYLOAD": wide}))
        yield place


@pytest.fixture
def opened(sandbox: SnowflakeSandbox, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A function that opens a warehouse for an ``AIRFLOW_CONN_*`` value, through the official hook."""
    found: list[Any] = []

    def open_one(connection: str = "", **how: Any) -> SnowflakeWarehouse:
        monkeypatch.setenv("AIRFLOW_CONN_SNOW", connection or sandbox.connection())
        found.append(open_source("snowflake", "snow", **how))
        return found[-1]

    monkeypatch.setenv("REQUESTS_CA_BUNDLE", sandbox.ca_file)
    sandbox.faults()
    yield open_one
    sandbox.faults()
    for one in found:
        one.close()


def read(warehouse: SnowflakeWarehouse) -> Reading:
    return reading(warehouse, ("analytics", "users"), cursor="U", key=("ID",))


def test_a_name_in_lower_case_is_found_in_upper_case_once(sandbox: SnowflakeSandbox, opened: Any) -> None:
    warehouse = opened()
    found = read(warehouse)
    assert [column.name for column in found.extract.values] == ["ID", "PAYLOAD"]
    before = len(sandbox.statements())
    assert warehouse.count(found.extract, EVERYTHING) == ROWS
    assert len(sandbox.statements()) == before + 1


def test_a_name_is_found_without_columns_being_asked_first(opened: Any) -> None:
    extract = Extract(("sandbox", "analytics", "Users"), Column("U", "TIMESTAMP_NTZ(9)"), (), ())
    assert opened().count(extract, EVERYTHING) == ROWS


def test_a_name_as_it_is_written_goes_first() -> None:
    assert spellings(("analytics", "users")) == [
        ("analytics", "users"), ("ANALYTICS", "USERS"), ("ANALYTICS", "users"), ("analytics", "USERS")
    ]  # fmt: skip
    assert spellings(("A", "B")) == [("A", "B")]
    assert spellings(("한국 표",)) == [("한국 표",)]
    assert spellings(Query("SELECT 1")) == [Query("SELECT 1")]


def test_a_missing_name_says_what_was_looked_for(opened: Any) -> None:
    with pytest.raises(ConfigurationError) as caught:
        opened().columns(("analytics", "nobody"))
    assert '"analytics"."nobody", "ANALYTICS"."NOBODY"' in caught.value.problem
    assert 'GRANT SELECT ON TABLE "SANDBOX"."ANALYTICS"."NOBODY" TO ROLE "OWNER";' in caught.value.fix


def test_each_statement_carries_its_tag_and_its_time_limit(sandbox: SnowflakeSandbox, opened: Any) -> None:
    before = len(sandbox.statements())
    tag = {"dag": "d", "task": "t", "run": "manual__2026-11-22T00:00:00+00:00"}
    found = read(opened(tag=tag, timeout=60.5))
    found.warehouse.survey(found.extract, 1)
    found.rows()
    seen = sandbox.statements()[before:]
    assert len(seen) >= 3
    for statement in seen:
        assert json.loads(statement["parameters"]["QUERY_TAG"]) == tag
        assert statement["parameters"]["STATEMENT_TIMEOUT_IN_SECONDS"] == 61


def test_no_value_stands_in_the_query_history(sandbox: SnowflakeSandbox, opened: Any) -> None:
    found = read(opened())
    found.warehouse.count(found.extract, EVERYTHING, Position(5, ("a@example.com",)))
    assert "example.com" not in sandbox.statements()[-1]["text"]


@pytest.mark.parametrize(
    ("user", "password", "extra", "fix"),
    [
        (USER, "wrong", {}, "login and the password"),
        ("DISABLED", PASSWORD, {}, "DISABLED = FALSE"),
        ("ELSEWHERE", PASSWORD, {}, "network policy"),
        (USER, PASSWORD, {"role": "ANOTHER"}, "GRANT ROLE"),
        (USER, None, {"private_key_content": "no key"}, "Correct the connection's fields"),
    ],
)
def test_a_log_in_that_fails_says_why(
    sandbox: SnowflakeSandbox, opened: Any, user: str, password: str | None, extra: dict[str, str], fix: str
) -> None:
    with pytest.raises(ConfigurationError) as caught:
        opened(sandbox.airflow(user, password, **extra))
    assert fix in caught.value.fix
    assert "wrong" not in str(caught.value)


def test_the_key_of_another_user_is_refused(sandbox: SnowflakeSandbox, opened: Any) -> None:
    with pytest.raises(ConfigurationError, match="RSA_PUBLIC_KEY"):
        opened(sandbox.airflow(LIMITED, None, private_key_file=str(sandbox.folder / "key.p8")))


def test_no_warehouse_says_which_right_may_be_missing(sandbox: SnowflakeSandbox, opened: Any) -> None:
    found = read(opened(sandbox.connection(warehouse="ANOTHER")))  # columns need none
    with pytest.raises(ConfigurationError, match="GRANT USAGE ON WAREHOUSE"):
        found.rows()


def test_the_statements_of_the_remedy_give_the_right(sandbox: SnowflakeSandbox, opened: Any) -> None:
    limited = opened(sandbox.airflow(LIMITED))
    with pytest.raises(ConfigurationError) as caught:
        limited.columns(("analytics", "users"))
    for statement in re.findall(r"GRANT [^;]+;", caught.value.fix):
        sandbox.execute(statement)
    assert len(read(limited).rows()) == ROWS


def test_a_certificate_of_an_unknown_authority_is_refused(opened: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("REQUESTS_CA_BUNDLE")
    with pytest.raises((ConfigurationError, TransientError)) as caught:
        opened()
    assert isinstance(caught.value, ConfigurationError), caught.value
    assert "REQUESTS_CA_BUNDLE" in caught.value.fix


def test_chunks_that_fail_are_fetched_again(sandbox: SnowflakeSandbox, opened: Any) -> None:
    found = read(opened())
    sandbox.faults({"where": "chunk", "times": 1, "status": 503}, {"where": "chunk", "times": 1})
    assert len(found.rows()) == ROWS


def test_an_expired_session_is_renewed(sandbox: SnowflakeSandbox, opened: Any) -> None:
    found = read(opened())
    sandbox.faults({"where": "query", "times": 1, "code": "390112", "message": "Session token expired"})
    assert found.warehouse.count(found.extract, EVERYTHING) == ROWS


def test_a_connection_that_is_lost_while_reading_loses_no_row(
    sandbox: SnowflakeSandbox, opened: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(snowflake_session, "PATIENCE", 1.0)
    found = read(opened())
    sandbox.faults({"where": "chunk", "times": 100})
    seen, stream = [], found.warehouse.batches(found.extract, EVERYTHING, rows=50)
    with pytest.raises(TransientError):
        for batch in stream:
            seen += batch.column("ID").to_pylist()
    assert 0 < len(seen) < ROWS
    sandbox.faults()
    rest = found.rows(after=Position(len(seen) - 1, (seen[-1],)))
    assert seen + [row["ID"] for row in rest] == [f"{n:05}" for n in range(ROWS)]


def test_a_host_that_only_fails_ends_the_read(sandbox: SnowflakeSandbox, opened: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(snowflake_session, "PATIENCE", 1.0)
    found = read(opened())
    sandbox.faults({"where": "query", "times": 1_000, "status": 500})
    began = time.monotonic()
    with pytest.raises(TransientError, match="did not answer"):
        found.warehouse.count(found.extract, EVERYTHING)
    assert time.monotonic() - began < 30


def test_a_server_that_is_gone_is_transient(opened: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(snowflake_session, "PATIENCE", 1.0)
    with SnowflakeSandbox() as other:
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(shutil.copy(other.ca_file, tmp_path)))
        other.load(("PUBLIC", "T"), pa.table({"ID": ["1"], "U": pa.array([1], pa.timestamp("ns"))}))
        warehouse = opened(other.connection())
        found = reading(warehouse, ("PUBLIC", "T"), cursor="U", key=("ID",))
        folder = other.folder
    assert not folder.exists()
    with pytest.raises(TransientError):
        warehouse.count(found.extract, EVERYTHING)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "nothing"))
    with pytest.raises(ConfigurationError, match="REQUESTS_CA_BUNDLE"):
        opened(other.airflow(USER))


def test_keys_are_compared_by_code_point_whatever_their_collation() -> None:
    key = Column("ID", "VARCHAR")
    extract = Extract(("T",), Column("U", "TIMESTAMP_LTZ(9)"), (key,), (key,))
    text = sql.select(DIALECT, extract, EVERYTHING, Position(5, ("a",))).sql
    assert text.count("""COALESCE(CAST(src."ID" AS VARCHAR), '') COLLATE 'utf8'""") == 2
    assert "TO_TIMESTAMP_LTZ(?, 'AUTO')" in text


@pytest.mark.parametrize(
    ("kind", "tick", "grain"), [("TIMESTAMP_TZ(9)", 1, 1), ("TIMESTAMP_LTZ(7)", 1, 100), ("TIMESTAMP_NTZ(3)", 1_000, 1_000_000)]
)
def test_digits_decide_the_tick(kind: str, tick: int, grain: int) -> None:
    found = DIALECT.cursor(Column("U", kind))
    assert (found.tick, found.grain) == (tick, grain)


def test_the_connector_still_has_what_is_used_beside_its_public_interface() -> None:
    assert {"_statement_params", "_force_qmark_paramstyle"} <= set(inspect.signature(SnowflakeCursor.execute).parameters)
    assert list(inspect.signature(SnowflakeConnection._cancel_query).parameters) == ["self", "sql", "request_id"]
    assert "_backoff_policy" in inspect.getsource(SnowflakeConnection)
    assert "self._request_id" in inspect.getsource(cursor)
