"""DuckDB under the source contract."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import duckdb

from activation.warehouses import open_warehouse
from activation.warehouses.base import Session, Warehouse
from tests.contracts.engines.common import COMMON
from tests.contracts.sources import DAY, SECOND, Cursor, Engine, Probe, Value


class DuckDB(Engine):
    """A database file of this process."""

    name = "duckdb"
    placeholder = "?"
    rows, wide = 1_000_000, 300  # as many rows as can be, for it sorts them itself, in blocks of many
    cursors = (
        Cursor("TIMESTAMP WITH TIME ZONE", zone=True),
        Cursor("TIMESTAMP"),
        Cursor("TIMESTAMP_S", SECOND),
        Cursor("TIMESTAMP_MS", 1_000_000),
        Cursor("TIMESTAMP_NS", 1),
        Cursor("DATE", DAY),
    )
    values = (
        *COMMON,
        Value("TIMESTAMP WITH TIME ZONE", "'2026-02-28 09:00:00+09'", "2026-02-28 00:00:00+00"),
        Value(
            "STRUCT(name VARCHAR, n INTEGER, gone VARCHAR)",
            "{'name': '한국 \"😀\"', 'n': 1, 'gone': NULL}",
            '{"name":"한국 \\"😀\\"","n":1,"gone":null}',
        ),
        Value("MAP(VARCHAR, STRUCT(a INTEGER)[])", "MAP {'키': [{'a': 1}, NULL]}", '{"키":[{"a":1},null]}'),
        Value("VARCHAR[]", "['a', NULL, '한']", '["a",null,"한"]'),
        Value("INTEGER[2]", "[1, 2]", "[1,2]"),
        Value("UNION(n INTEGER, s VARCHAR)", "union_value(s := 'x')", '{"s":"x"}'),
        Value("HUGEINT", "170141183460469231731687303715884105727", "170141183460469231731687303715884105727"),
    )
    endless = (
        "SELECT a.range AS id, TIMESTAMPTZ '2026-01-01 00:00:00+00' AS u "
        "FROM range(10000000) a, range(10000000) b WHERE hash(a.range, b.range) = 1"
    )

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="activation-duckdb-"))
        self._file = str(self._folder / "contract.duckdb")
        self._opened: list[duckdb.DuckDBPyConnection] = []
        self._connection = duckdb.connect(self._file)
        # No zone but UTC may be taken for granted, and no order or collation either.
        for setting in ("TimeZone = 'Asia/Seoul'", "default_collation = 'nocase'", "default_order = 'DESC'"):
            self._connection.execute(f"SET GLOBAL {setting}")

    def stop(self) -> None:
        self._connection.close()
        shutil.rmtree(self._folder)

    def execute(self, text: str, params: Sequence[Any] = ()) -> None:
        self._connection.execute(text, list(params) or None)

    def open(self, session: Session = Session()) -> Warehouse:  # noqa: B008 - frozen
        return open_warehouse("duckdb", duckdb.connect(self._file), session)

    def open_limited(self) -> Warehouse | None:
        return None

    def running(self) -> int:
        return 0  # a statement of an embedded engine ends with its cursor

    def probe(self) -> Probe:
        self._connection.execute("CHECKPOINT")
        copy = str(self._folder / "probe.duckdb")
        shutil.copy(self._file, copy)
        settings = {"memory_limit": "150MB", "threads": 1, "temp_directory": str(self._folder / "spill")}
        return Probe("duckdb", "duckdb:connect", {"database": copy, "read_only": True, "config": settings})

    def make_large(self, name: str) -> None:
        self.execute(
            f"CREATE TABLE {name} AS SELECT i AS id, TIMESTAMPTZ '2026-01-01 00:00:00+00' + to_seconds(hash(i) % 86400) AS u, "
            "'user' || i AS a, i % 2 = 0 AS b, i * 1.5 AS c, 'm' || i || '@example.com' AS d, "
            "TIMESTAMP '2020-01-01' + to_seconds(i) AS e, "
            f"rpad(CAST(i AS VARCHAR), {self.wide}, 'x') AS payload FROM range({self.rows}) r(i)"
        )
