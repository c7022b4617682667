"""Snowflake under the source contract."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from typing import Any

import pyarrow as pa
import pytest

from activation.hooks.connections import open_source
from activation.warehouses.base import Session, Warehouse
from sandbox.warehouses.snowflake import DATABASE, LIMITED, PASSWORD, SCHEMA, USER, WAREHOUSE, SnowflakeSandbox
from tests.contracts.sources import DAY, SECOND, Cursor, Engine, Probe, Value


class Snowflake(Engine):
    """The sandbox, through the official hook as it is, with a key pair."""

    name = "snowflake"
    placeholder = "?"
    # DuckDB below the sandbox keeps nine digits of TIMESTAMP_NTZ(9), in the years that 64 bits of them reach, and six of
    # TIMESTAMP_TZ whatever is asked for. It has no name for TIMESTAMP_LTZ.
    cursors = (
        Cursor("TIMESTAMP_NTZ(6)", infinite=False),
        Cursor("TIMESTAMP_NTZ(9)", 1, infinite=False),
        Cursor("TIMESTAMP_NTZ(3)", 1_000_000, infinite=False),
        Cursor("TIMESTAMP_NTZ(0)", SECOND, infinite=False),
        Cursor("TIMESTAMP_TZ", zone=True, infinite=False),
        Cursor("DATE", DAY, infinite=False),
    )
    values = (
        Value("NUMBER(38,0)", "42", "42"),
        Value("NUMBER(38,0)", "-9223372036854775807", "-9223372036854775807"),
        Value("NUMBER(20,2)", "'123456789012345678.10'", "123456789012345678.10"),
        Value("FLOAT", "0.1", "0.1"),
        Value("BOOLEAN", "TRUE", "true"),
        Value("DATE", "'2026-02-28'", "2026-02-28"),
        Value("DATE", "'0001-01-01'", "0001-01-01"),
        Value("DATE", "'9999-12-31'", "9999-12-31"),
        Value("TIME(9)", "'23:59:50.5'", "23:59:50.5"),
        Value("TIME(9)", "'10:20:30'", "10:20:30"),
        Value("TIMESTAMP_NTZ(9)", "'2026-02-28 23:59:59.000000001'", "2026-02-28 23:59:59.000000001"),
        Value("TIMESTAMP_NTZ(9)", "'2026-02-28 00:00:00'", "2026-02-28 00:00:00"),
        Value("TIMESTAMP_TZ(9)", "'2026-02-28 09:00:00.25 +09:00'", "2026-02-28 00:00:00.25+00"),
        Value("VARCHAR", "'plain'", "plain"),
        Value("BINARY", "TO_BINARY('00ff', 'HEX')", "00FF"),
        Value("VARIANT", """PARSE_JSON('{"name":"한국 😀","n":1.0}')""", '{"name":"한국 😀","n":1.0}'),
        Value("OBJECT", "OBJECT_CONSTRUCT('a', 1)", '{"a":1}'),
        Value("ARRAY", "ARRAY_CONSTRUCT('a', NULL, '한')", '["a",null,"한"]'),
    )
    kinds: Mapping[str, str] = {"integer": "NUMBER(38,0)", "bigint": "NUMBER(38,0)", "varchar": "VARCHAR"}
    schema = (DATABASE, SCHEMA)
    # A statement takes the sandbox 15 ms, most of it for its translation.
    # Two chunks of 48 MB are fetched at once, and the connector holds three times a chunk while it makes Arrow of it.
    most_growth = 400
    wide = 1_500
    examples = 12
    stride = 3
    endless = (
        'SELECT 1 AS "id", \'2026-01-01\'::TIMESTAMP_NTZ(6) AS "u" FROM TABLE(GENERATOR(ROWCOUNT => 10000000)) AS a, '
        "TABLE(GENERATOR(ROWCOUNT => 10000000)) AS b WHERE MOD(a.range * 7 + b.range, 1000000007) = -1"
    )

    def __init__(self) -> None:
        self._stack = ExitStack()
        self._sandbox = self._stack.enter_context(SnowflakeSandbox())
        patch = self._stack.enter_context(pytest.MonkeyPatch.context())
        for name, value in self._sandbox.environment().items():
            patch.setenv(name, value)
        if "AIRFLOW_HOME" not in os.environ:
            patch.setenv("AIRFLOW_HOME", self._stack.enter_context(tempfile.TemporaryDirectory()))
        patch.setenv("AIRFLOW_CONN_CONTRACT_SNOWFLAKE", self._sandbox.connection())
        patch.setenv("AIRFLOW_CONN_CONTRACT_SNOWFLAKE_LIMITED", self._sandbox.airflow(LIMITED))

    def stop(self) -> None:
        self._stack.close()

    def execute(self, text: str, params: Sequence[Any] = ()) -> None:
        self._sandbox.execute(text, params)

    def insert(self, table: tuple[str, ...], kinds: Sequence[str], rows: Sequence[Sequence[str | None]]) -> None:
        if rows:
            columns = [pa.array(column, pa.string()) for column in zip(*rows, strict=True)]
            names = [str(number) for number in range(len(columns))]
            self._sandbox.insert(table, pa.table(columns, names=names), kinds)

    def open(self, session: Session = Session()) -> Warehouse:  # noqa: B008 - frozen
        return open_source("snowflake", "contract_snowflake", tag=session.tag, timeout=session.timeout)

    def open_limited(self) -> Warehouse | None:
        return open_source("snowflake", "contract_snowflake_limited")

    def running(self) -> int:
        return self._sandbox.running()

    def probe(self) -> Probe:
        place = {"account": "sandbox", "host": "localhost", "port": self._sandbox.port, "database": DATABASE, "schema": SCHEMA}
        login = {"user": USER, "password": PASSWORD, "warehouse": WAREHOUSE}
        return Probe(
            "snowflake", "tests.contracts.engines.snowflake:connect", {**place, **login, "ca_file": self._sandbox.ca_file}
        )

    def make_large(self, name: str) -> None:
        start = "'2026-01-01'::TIMESTAMP_NTZ(6)"
        self.execute(
            f'CREATE TABLE {self.sql(self.place(name))} AS SELECT range AS "id", DATEADD(second, range, {start}) AS "u", '
            '\'user\' || range AS "a", MOD(range, 2) = 0 AS "b", range * 1.5 AS "c", \'m\' || range || \'@example.com\' AS "d", '
            f'DATEADD(second, range, {start}) AS "e", RPAD(CAST(range AS VARCHAR), {self.wide}, \'x\') AS "payload" '
            f"FROM TABLE(GENERATOR(ROWCOUNT => {self.rows}))"
        )


def connect(ca_file: str, **arguments: Any) -> Any:
    """Connect in a process that has no environment of its own."""
    os.environ["REQUESTS_CA_BUNDLE"] = ca_file
    from snowflake.connector import connect

    return connect(**arguments)
