"""The engines that the source contract is run against: one class and one line each."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import duckdb
import pytest

from activation.warehouses import open_warehouse
from activation.warehouses.base import Warehouse
from tests.contracts.sources import DAY, SECOND, Cursor, Engine, Probe, Value
from tests.support.postgres import LIMITED, PASSWORD, running

_COMMON = (
    Value("integer", "42", "42"),
    Value("bigint", "-9223372036854775807", "-9223372036854775807"),
    Value("decimal(20, 2)", "123456789012345678.10", "123456789012345678.10"),
    Value("double precision", "0.1", "0.1"),
    Value("boolean", "true", "true"),
    Value("boolean", "false", "false"),
    Value("date", "'2026-02-28'", "2026-02-28"),
    Value("time", "'23:59:59.5'", "23:59:59.5"),
    Value("timestamp", "'2026-02-28 23:59:59.000001'", "2026-02-28 23:59:59.000001"),
    Value("uuid", "'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"),
    Value("json", """'{"name": "한국 😀", "n": 1.0}'""", '{"name": "한국 😀", "n": 1.0}'),
    Value("varchar", "'plain'", "plain"),
)


class DuckDB(Engine):
    """A database file of this process."""

    name = "duckdb"
    placeholder = "?"
    cursors = (
        Cursor("TIMESTAMP WITH TIME ZONE", zone=True),
        Cursor("TIMESTAMP"),
        Cursor("TIMESTAMP_S", SECOND),
        Cursor("TIMESTAMP_MS", 1_000_000),
        Cursor("TIMESTAMP_NS", 1),
        Cursor("DATE", DAY),
    )
    values = (
        *_COMMON,
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

    def open(self) -> Warehouse:
        return open_warehouse("duckdb", duckdb.connect(self._file))

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

    def make_million(self, name: str) -> None:
        self.execute(
            f"CREATE TABLE {name} AS SELECT i AS id, TIMESTAMPTZ '2026-01-01 00:00:00+00' + to_seconds(hash(i) % 86400) AS u, "
            "'user' || i AS a, i % 2 = 0 AS b, i * 1.5 AS c, 'm' || i || '@example.com' AS d, "
            "TIMESTAMP '2020-01-01' + to_seconds(i) AS e, rpad(CAST(i AS VARCHAR), 300, 'x') AS payload FROM range(1000000) r(i)"
        )


class Postgres(Engine):
    """A real server, through the official hook as it is: with psycopg 3 here."""

    name = "postgres"
    placeholder = "%s"
    psycopg3 = True
    cursors = (
        Cursor("timestamp with time zone", zone=True),
        Cursor("timestamp(6) without time zone"),
        Cursor("timestamp(3) with time zone", 1_000_000, zone=True),
        Cursor("timestamp(0)", SECOND),
        Cursor("date", DAY),
    )
    values = (
        *_COMMON,
        Value("timestamp with time zone", "'2026-02-28 09:00:00+09'", "2026-02-28 00:00:00+00"),
        Value("jsonb", """'{"name":"한국 😀"}'""", '{"name": "한국 😀"}'),
        Value("text[]", "ARRAY['a', NULL, '한']", '["a",null,"한"]'),
        Value("bytea", "decode('00ff', 'hex')", "\\x00ff"),
        Value("interval", "'1 day 02:00:00'", "1 day 02:00:00"),
        Value("char(5)", "'ab'", "ab"),
    )
    endless = "SELECT 1 AS id, now() AS u FROM pg_sleep(3600)"

    def __init__(self) -> None:
        self._stack = ExitStack()
        self._server = self._stack.enter_context(running())
        self._owner = self._server.connect()
        self._stack.callback(self._owner.close)
        os.environ.setdefault("AIRFLOW_HOME", self._stack.enter_context(tempfile.TemporaryDirectory()))
        # A row factory in the connection's extra must not change what is read.
        os.environ["AIRFLOW_CONN_CONTRACT_OWNER"] = self._server.airflow(cursor="dictcursor", application_name="contract")
        os.environ["AIRFLOW_CONN_CONTRACT_LIMITED"] = self._server.airflow(LIMITED, PASSWORD)

    def stop(self) -> None:
        self._stack.close()

    def execute(self, text: str, params: Sequence[Any] = ()) -> None:
        with self._owner.cursor() as cursor:
            cursor.execute(text, tuple(params) or None)

    def open(self) -> Warehouse:
        return self._hooked("contract_owner")

    def open_limited(self) -> Warehouse | None:
        return self._hooked("contract_limited")

    def _hooked(self, conn_id: str) -> Warehouse:
        from airflow.providers.postgres.hooks import postgres

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(postgres, "USE_PSYCOPG3", self.psycopg3)
            connection = postgres.PostgresHook(postgres_conn_id=conn_id).get_conn()
        assert type(connection).__module__.startswith("psycopg2") is not self.psycopg3
        return open_warehouse("postgres", connection)

    def running(self) -> int:
        found = self._server.execute(
            "SELECT COUNT(*) FROM pg_stat_activity WHERE application_name = 'contract' AND state <> 'idle'"
        )
        return int(found[0][0])

    def probe(self) -> Probe:
        opener = "psycopg:connect" if self.psycopg3 else "psycopg2:connect"
        return Probe("postgres", opener, {"host": self._server.host, "dbname": self._server.database, "user": self._server.user})

    def make_million(self, name: str) -> None:
        self.execute(
            f"CREATE UNLOGGED TABLE IF NOT EXISTS {name} AS SELECT i AS id, "
            "timestamptz '2026-01-01 00:00:00+00' + i * interval '1 second' AS u, 'user' || i AS a, "
            "i % 2 = 0 AS b, i * 1.5 AS c, 'm' || i || '@example.com' AS d, timestamp '2020-01-01' + i * interval '1 s' AS e, "
            "rpad(i::text, 300, 'x') AS payload FROM generate_series(1, 1000000) i"
        )
        self.execute(f"CREATE INDEX IF NOT EXISTS {name}_u ON {name} (u)")
        self.execute(f"ANALYZE {name}")


class Postgres2(Postgres):
    """The same server, through the official hook with psycopg2, as it is where SQLAlchemy is older."""

    name = "postgres-psycopg2"
    psycopg3 = False


ENGINES: tuple[type[Engine], ...] = (DuckDB, Postgres, Postgres2)
"""Registered engines."""


@pytest.fixture(scope="module", params=ENGINES, ids=lambda engine: engine.name)
def engine(request: pytest.FixtureRequest) -> Iterator[Engine]:
    """Each engine in turn."""
    one = request.param()
    try:
        yield one
    finally:
        one.stop()


@pytest.fixture(scope="module")
def warehouse(engine: Engine) -> Iterator[Warehouse]:
    """A warehouse that all tests of one engine share; none of them may leave it unusable."""
    opened = engine.open()
    try:
        yield opened
    finally:
        opened.close()
