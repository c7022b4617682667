"""PostgreSQL under the source contract."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from typing import Any

import pytest

from activation.warehouses import open_warehouse
from activation.warehouses.base import Session, Warehouse
from tests.contracts.engines.common import COMMON
from tests.contracts.sources import DAY, SECOND, Cursor, Engine, Probe, Value
from tests.support.postgres import LIMITED, PASSWORD, running


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
        *COMMON,
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

    def open(self, session: Session = Session()) -> Warehouse:  # noqa: B008 - frozen
        return self._hooked("contract_owner", session)

    def open_limited(self) -> Warehouse | None:
        return self._hooked("contract_limited")

    def _hooked(self, conn_id: str, session: Session = Session()) -> Warehouse:  # noqa: B008 - frozen
        from airflow.providers.postgres.hooks import postgres

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(postgres, "USE_PSYCOPG3", self.psycopg3)
            connection = postgres.PostgresHook(postgres_conn_id=conn_id).get_conn()
        assert type(connection).__module__.startswith("psycopg2") is not self.psycopg3
        return open_warehouse("postgres", connection, session)

    def running(self) -> int:
        found = self._server.execute(
            "SELECT COUNT(*) FROM pg_stat_activity WHERE application_name = 'contract' AND state <> 'idle'"
        )
        return int(found[0][0])

    def probe(self) -> Probe:
        opener = "psycopg:connect" if self.psycopg3 else "psycopg2:connect"
        return Probe("postgres", opener, {"host": self._server.host, "dbname": self._server.database, "user": self._server.user})

    def make_large(self, name: str) -> None:
        self.execute(
            f"CREATE UNLOGGED TABLE IF NOT EXISTS {name} AS SELECT i AS id, "
            "timestamptz '2026-01-01 00:00:00+00' + i * interval '1 second' AS u, 'user' || i AS a, "
            "i % 2 = 0 AS b, i * 1.5 AS c, 'm' || i || '@example.com' AS d, timestamp '2020-01-01' + i * interval '1 s' AS e, "
            f"rpad(i::text, {self.wide}, 'x') AS payload FROM generate_series(1, {self.rows}) i"
        )
        self.execute(f"CREATE INDEX IF NOT EXISTS {name}_u ON {name} (u)")
        self.execute(f"ANALYZE {name}")


class Postgres2(Postgres):
    """The same server, through the official hook with psycopg2, as it is where SQLAlchemy is older."""

    name = "postgres-psycopg2"
    psycopg3 = False
