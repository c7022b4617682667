"""Redshift's stand-in under the source contract."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any
from unittest import mock

import redshift_connector

from activation.hooks.connections import open_source
from activation.warehouses.base import Session, Warehouse
from activation.warehouses.redshift import RedshiftWarehouse
from activation.warehouses.redshift_client import Client
from activation.warehouses.redshift_psycopg import PsycopgClient
from activation.warehouses.redshift_psycopg import connect as connect_psycopg
from activation.warehouses.redshift_rows import RowsClient
from sandbox.warehouses.redshift import DATABASE, OWNER, PASSWORD, RedshiftSandbox
from tests.contracts.engines.common import COMMON
from tests.contracts.sources import DAY, Cursor, Engine, Probe, Value


def psycopg_client(ca_file: str, **place: Any) -> Client:
    """Open a connection in the probe's process, whose environment says nothing of the sandbox."""
    os.environ["SSL_CERT_FILE"] = ca_file
    return connect_psycopg(**place, sslmode="verify-full")


def rows_client(ca_file: str, **place: Any) -> Client:
    """The same through the hook's driver."""
    os.environ["SSL_CERT_FILE"] = ca_file
    place["database"] = place.pop("dbname")
    return RowsClient(redshift_connector.connect(**place), lambda: redshift_connector.connect(**place))


class Redshift(Engine):
    """PostgreSQL behind the front, over TLS, through the official hook as it is, read by psycopg."""

    name = "redshift"
    opener = "psycopg_client"
    client: type[Client] = PsycopgClient
    placeholder = "%s"
    extra: dict[str, Any] = {"sslmode": "verify-full", "application_name": "contract"}  # noqa: RUF012
    cursors = (
        Cursor("timestamp with time zone", zone=True),
        Cursor("timestamp without time zone"),
        Cursor("date", DAY),
    )
    values = (
        # Redshift has neither UUID nor JSON; JSON is SUPER there.
        *(one for one in COMMON if one.type not in ("uuid", "json")),
        Value("timestamp with time zone", "'2026-02-28 09:00:00+09'", "2026-02-28 00:00:00+00"),
        Value("super", """'{"name":"한국 😀","n":1.0,"list":[1,null]}'""", '{"name":"한국 😀","n":1.0,"list":[1,null]}'),
        Value("varbyte", "decode('00ff', 'hex')", "00ff"),
        Value("char(5)", "'ab'", "ab"),
        Value("varchar(20)", "'ab  '", "ab  "),
        Value("smallint", "-7", "-7"),
        Value("real", "0.5", "0.5"),
        Value("double precision", "1e300", "1e+300"),
        Value("double precision", "0.30000000000000004", "0.30000000000000004"),
    )
    endless = "SELECT 1 AS id, now() AS u FROM pg_sleep(3600)"

    def __init__(self) -> None:
        self._sandbox = RedshiftSandbox()
        self._sandbox.start()
        self._owner = self._sandbox.open()
        # Other defaults than a new cluster's must change nothing.
        self.execute(f"ALTER ROLE {OWNER} SET datestyle TO 'German'")
        self.execute(f"ALTER ROLE {OWNER} SET extra_float_digits TO -9")
        variables = {
            **self._sandbox.environment(),
            "AIRFLOW_CONN_CONTRACT_REDSHIFT": self._sandbox.connection(**self.extra),
            "AIRFLOW_CONN_CONTRACT_REDSHIFT_LIMITED": self._sandbox.airflow(**self.extra),
        }
        self._variables = mock.patch.dict(os.environ, variables)
        self._variables.start()

    def stop(self) -> None:
        self._variables.stop()
        self._owner.close()
        self._sandbox.stop()

    def execute(self, text: str, params: Sequence[Any] = ()) -> None:
        self._owner.execute(text, tuple(params) or None)

    def open(self, session: Session = Session()) -> Warehouse:  # noqa: B008 - frozen
        opened = open_source("redshift", "contract_redshift", tag=session.tag, timeout=session.timeout)
        assert isinstance(opened, RedshiftWarehouse)
        assert type(opened.client) is self.client
        return opened

    def open_limited(self) -> Warehouse | None:
        return open_source("redshift", "contract_redshift_limited")

    def running(self) -> int:
        found = self._sandbox.execute(
            "SELECT COUNT(*) FROM pg_stat_activity WHERE application_name = 'contract' AND state <> 'idle'"
        )
        return int(found[0][0])

    def probe(self) -> Probe:
        place = {"host": "localhost", "port": self._sandbox.front.port, "dbname": DATABASE, "user": OWNER, "password": PASSWORD}
        return Probe("redshift", f"{__name__}:{self.opener}", {"ca_file": self._sandbox.authority.ca_file, **place})

    def make_large(self, name: str) -> None:
        self.execute(
            f"CREATE UNLOGGED TABLE IF NOT EXISTS {name} AS SELECT i AS id, "
            "timestamptz '2026-01-01 00:00:00+00' + i * interval '1 second' AS u, 'user' || i AS a, "
            "i % 2 = 0 AS b, i * 1.5 AS c, 'm' || i || '@example.com' AS d, timestamp '2020-01-01' + i * interval '1 s' AS e, "
            f"rpad(i::text, {self.wide}, 'x') AS payload FROM generate_series(1, {self.rows}) i"
        )
        self.execute(f"CREATE INDEX IF NOT EXISTS {name}_u ON {name} (u)")
        self.execute(f"ANALYZE {name}")


class RedshiftRows(Redshift):
    """The same server, read by the hook's own driver, because the connection asks for something that only that one knows."""

    name = "redshift-rows"
    opener = "rows_client"
    client = RowsClient
    extra = {**Redshift.extra, "region": "us-east-1"}  # noqa: RUF012
    # The driver decides about rows only, the statements are the same: a part of the windows is enough.
    stride = 5
    examples = 10
