"""BigQuery under the source contract."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from typing import Any

import pyarrow as pa
import pytest

from activation.hooks.connections import open_source
from activation.warehouses.base import Session, Warehouse
from sandbox.warehouses.bigquery import PROJECT, BigQuerySandbox
from tests.contracts.sources import DAY, Cursor, Engine, Probe, Value

BULK = 20
"""Rows from which an insert goes through a table of texts: the stand-in takes seconds to read a long statement."""


class BigQuery(Engine):
    """The local server, through the official hook as it is."""

    name = "bigquery"
    placeholder = "?"
    quote = "`"
    kinds = {"integer": "INT64", "bigint": "INT64", "varchar": "STRING"}  # noqa: RUF012 - the base class declares it
    schema = ("contract",)
    grant = "GRANT `roles/bigquery.dataViewer` ON"
    # BigQuery's names hold letters, digits, dashes, underscores and, in tables, spaces.
    impossible_names = ('with "quotes"', "50% {0} %s ? $1", "semi; colon -- /*", "back\\slash'quote")
    cursors = (
        Cursor("TIMESTAMP", zone=True, infinite=False),
        Cursor("DATETIME", infinite=False),
        Cursor("DATE", DAY, infinite=False),
    )
    values = (
        Value("INT64", "-9223372036854775807", "-9223372036854775807"),
        Value("FLOAT64", "0.1", "0.1"),
        # All digits of the type: the service leaves out zeros at the end, the stand-in does not.
        Value("NUMERIC", "NUMERIC '12345678901234567890123456789.123456789'", "12345678901234567890123456789.123456789"),
        Value("BOOL", "true", "true"),
        Value("BOOL", "false", "false"),
        Value("DATE", "'2026-02-28'", "2026-02-28"),
        Value("TIME", "'23:59:59.5'", "23:59:59.5"),
        Value("DATETIME", "'2026-02-28 23:59:59.000001'", "2026-02-28 23:59:59.000001"),
        Value("DATETIME", "'0001-01-01 00:00:00'", "0001-01-01 00:00:00"),
        Value("TIMESTAMP", "'2026-02-28 09:00:00.120+09'", "2026-02-28 00:00:00.12+00"),
        Value("STRING", "'plain 한국 😀'", "plain 한국 😀"),
        Value("BYTES", "FROM_BASE64('AP8=')", "AP8="),
        Value("JSON", """JSON '{"n":1.0,"name":"한국 😀","none":null}'""", '{"n":1.0,"name":"한국 😀","none":null}'),
        Value(
            "STRUCT<name STRING, n INT64, gone STRING>",
            "STRUCT('한국 \"😀\"' AS name, 1 AS n, CAST(NULL AS STRING) AS gone)",
            '{"name":"한국 \\"😀\\"","n":1,"gone":null}',
        ),
        Value("ARRAY<STRING>", "['a', '한']", '["a","한"]'),
        Value("ARRAY<STRUCT<a INT64>>", "[STRUCT(1 AS a)]", '[{"a":1}]'),
    )
    # A statement takes 40 ms, most of it for the stand-in's translation.
    examples, stride = 15, 2
    endless = (
        "SELECT a AS id, TIMESTAMP '2026-01-01 00:00:00+00' AS u FROM UNNEST(GENERATE_ARRAY(1, 10000)) AS a "
        "CROSS JOIN UNNEST(GENERATE_ARRAY(1, 10000)) AS b CROSS JOIN UNNEST(GENERATE_ARRAY(1, 10000)) AS c "
        "CROSS JOIN UNNEST(GENERATE_ARRAY(1, 10000)) AS d WHERE a * b + c * d = -1"
    )

    def __init__(self) -> None:
        self._stack = ExitStack()
        self._patch = self._stack.enter_context(pytest.MonkeyPatch.context())
        self._sandbox = self._stack.enter_context(BigQuerySandbox())
        if "AIRFLOW_HOME" not in os.environ:
            self._patch.setenv("AIRFLOW_HOME", self._stack.enter_context(tempfile.TemporaryDirectory()))
        for name, value in self._sandbox.environment().items():
            self._patch.setenv(name, value)
        self._patch.setenv("AIRFLOW_CONN_CONTRACT_BIGQUERY", self._sandbox.connection())
        self._sandbox.execute(f"CREATE SCHEMA {self.sql(self.schema)}")

    def stop(self) -> None:
        self._stack.close()

    def execute(self, text: str, params: Sequence[Any] = ()) -> None:
        self._sandbox.execute(text, params)

    def insert(self, table: tuple[str, ...], kinds: Sequence[str], rows: Sequence[Sequence[str | None]]) -> None:
        if len(rows) < BULK:
            super().insert(table, kinds, rows)
            return
        texts = self.place(self.unused())
        columns = {f"c{number}": pa.array(column, pa.string()) for number, column in enumerate(zip(*rows, strict=True))}
        self._sandbox.load(texts, pa.table(columns))
        values = ", ".join(f"CAST({name} AS {kind})" for name, kind in zip(columns, kinds, strict=True))
        self.execute(f"INSERT INTO {self.sql(table)} SELECT {values} FROM {self.sql(texts)}")
        self.execute(f"DROP TABLE {self.sql(texts)}")

    def open(self, session: Session = Session()) -> Warehouse:  # noqa: B008 - frozen
        return open_source("bigquery", "contract_bigquery", tag=session.tag, timeout=session.timeout)

    def open_limited(self) -> Warehouse | None:
        return None  # the stand-in knows no accounts

    def running(self) -> int:
        return self._sandbox.busy()

    def probe(self) -> Probe:
        return Probe(
            "bigquery",
            "tests.contracts.engines.bigquery_client:connect",
            {"project": PROJECT, "environment": dict(self._sandbox.environment())},
            json.loads(self._sandbox.connection())["extra"],
        )

    def make_large(self, name: str) -> None:
        self.execute(
            f"CREATE TABLE {self.sql(self.place(name))} AS SELECT i AS id, "
            "TIMESTAMP_ADD(TIMESTAMP '2026-01-01 00:00:00+00', INTERVAL i SECOND) AS u, "
            "CONCAT('user', CAST(i AS STRING)) AS a, MOD(i, 2) = 0 AS b, i * 1.5 AS c, "
            "CONCAT('m', CAST(i AS STRING), '@example.com') AS d, "
            "DATETIME_ADD(DATETIME '2020-01-01 00:00:00', INTERVAL i SECOND) AS e, "
            f"RPAD(CAST(i AS STRING), {self.wide}, 'x') AS payload "
            f"FROM UNNEST(GENERATE_ARRAY(1, {self.rows})) AS i"
        )
