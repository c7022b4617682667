"""Databricks under the source contract."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from typing import Any

import pyarrow as pa

from activation.hooks.connections import open_source
from activation.warehouses.base import Session, Warehouse
from sandbox.warehouses.databricks import DatabricksSandbox
from tests.contracts.sources import DAY, Cursor, Engine, Probe, Value
from tests.support.servers import shared


class Databricks(Engine):
    """Real Spark SQL behind the connector's own protocol, through the official hook as it is."""

    name = "databricks"
    rows, wide = 500_000, 800
    placeholder = "?"
    quote = "`"
    schema = ("spark_catalog", "contract")
    kinds: Mapping[str, str] = {"varchar": "STRING", "integer": "INT"}
    cursors = (
        Cursor("timestamp", zone=True, infinite=False),
        Cursor("timestamp_ntz", infinite=False),
        Cursor("date", DAY, infinite=False),
    )
    values = (
        Value("int", "42", "42"),
        Value("bigint", "-9223372036854775807", "-9223372036854775807"),
        Value("decimal(20, 2)", "123456789012345678.10BD", "123456789012345678.10"),
        Value("decimal(38, 0)", "'99999999999999999999999999999999999999'", "99999999999999999999999999999999999999"),
        Value("decimal(38, 18)", "0", "0.000000000000000000"),
        Value("double", "0.1D", "0.1"),
        Value("boolean", "true", "true"),
        Value("boolean", "false", "false"),
        Value("date", "'2026-02-28'", "2026-02-28"),
        Value("date", "'0001-01-01'", "0001-01-01"),
        Value("date", "'9999-12-31'", "9999-12-31"),
        Value("decimal(38, 6)", "0.000001BD", "0.000001"),
        Value("decimal(38, 7)", "0.0000001BD", "0.0000001"),
        Value("timestamp_ntz", "'2026-02-28 23:59:59.000001'", "2026-02-28 23:59:59.000001"),
        Value("timestamp", "'2026-02-28 09:00:00+09:00'", "2026-02-28 00:00:00+00"),
        Value("string", "'plain'", "plain"),
        Value("string collate UTF8_LCASE", "'Plain'", "Plain"),
        Value("binary", "x'00ff'", "00FF"),
        Value(
            "struct<name: string, n: int, gone: string, at: timestamp>",
            "named_struct('name', '한국 \"😀\"', 'n', 1, 'gone', null, 'at', timestamp'2026-02-28 09:00:00.123456+09:00')",
            '{"name":"한국 \\"😀\\"","n":1,"gone":null,"at":"2026-02-28T00:00:00.123456Z"}',
        ),
        Value("map<string, array<struct<a: int>>>", "map('키', array(named_struct('a', 1), null))", '{"키":[{"a":1},null]}'),
        Value("array<string>", "array('a', null, '한')", '["a",null,"한"]'),
        Value("variant", """parse_json('{"name": "한국 😀", "gone": null}')""", '{"gone":null,"name":"한국 😀"}'),
    )
    # Nothing passes the filter, and nothing says so beforehand.
    endless = "SELECT id, TIMESTAMP '2026-01-01 00:00:00+00:00' AS u FROM range(1000000000000000) WHERE xxhash64(id) = 1"
    shortest_timeout = 3.0  # STATEMENT_TIMEOUT counts whole seconds, and Spark has to sort the rows first
    examples = 3
    stride = 11
    # A statement takes Spark 50 to 150 ms, whatever it reads.

    def __init__(self) -> None:
        self._stack = ExitStack()
        self._sandbox = shared(DatabricksSandbox)
        os.environ.setdefault("AIRFLOW_HOME", self._stack.enter_context(tempfile.TemporaryDirectory()))
        os.environ["AIRFLOW_CONN_CONTRACT_DATABRICKS"] = self._sandbox.connection()
        self.execute(f"CREATE SCHEMA {self.sql(self.schema)}")

    def stop(self) -> None:
        self._stack.close()

    def execute(self, text: str, params: Sequence[Any] = ()) -> None:
        self._sandbox.execute(text, params)

    def table(self, columns: dict[str, str], rows: Sequence[Sequence[str | None]], name: str | None = None) -> tuple[str, ...]:
        # Spark's own catalog takes only letters, digits and underscores for a table; columns keep the whole name.
        name = name if name and re.fullmatch(r"\w+", name, re.ASCII) else self.unused()
        if not rows:
            return super().table(columns, rows, name)
        table = self.place(name)
        values = [pa.array([row[at] for row in rows], pa.string()) for at in range(len(columns))]
        loaded = pa.Table.from_arrays(values, names=list(columns))
        self._sandbox.load(table, loaded, {column: self.kind(kind) for column, kind in columns.items()})
        return table

    def open(self, session: Session = Session()) -> Warehouse:  # noqa: B008 - frozen
        return open_source("databricks", "contract_databricks", tag=session.tag, timeout=session.timeout)

    def open_limited(self) -> Warehouse | None:
        return None  # Spark alone has neither users nor rights: Unity Catalog brings them

    def running(self) -> int:
        return int(self._sandbox.state()["running"])

    def probe(self) -> Probe:
        return Probe("databricks", "databricks.sql:connect", self._sandbox.arguments())

    def make_large(self, name: str) -> None:
        self.execute(
            f"CREATE TABLE {self.sql(self.place(name))} USING parquet AS SELECT id, "
            "timestamp_seconds(1767225600 + id) AS u, 'user' || id AS a, id % 2 = 0 AS b, id * 1.5 AS c, "
            "'m' || id || '@example.com' AS d, timestamp_seconds(1577836800 + id) AS e, "
            f"rpad(CAST(id AS STRING), {self.wide}, 'x') AS payload FROM range({self.rows})"
        )
