"""Redshift's stand-in: a real PostgreSQL behind a front that speaks TLS as Redshift does."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import psycopg
import pyarrow as pa

from sandbox.tls import private_authority
from sandbox.warehouses.base import WarehouseSandbox
from sandbox.warehouses.postgres import LIMITED, PASSWORD, PostgresSandbox
from sandbox.warehouses.postgres_load import kind_of, replace_table
from sandbox.warehouses.redshift_front import RedshiftFront

DATABASE = "dev"
"""What Redshift calls the database of a new cluster."""

OWNER = "awsuser"

_LOOKALIKE = """
CREATE FUNCTION public.version() RETURNS text LANGUAGE sql IMMUTABLE AS $$
  SELECT 'PostgreSQL 8.0.2 on i686-pc-linux-gnu, compiled by GCC gcc (GCC) 3.4.2 20041017, Redshift 1.0.99999'
$$;
CREATE FUNCTION public.getdate() RETURNS timestamp LANGUAGE sql STABLE AS
  $$ SELECT date_trunc('second', statement_timestamp())::timestamp $$;
CREATE TYPE public.super;
CREATE FUNCTION public.super_in(cstring) RETURNS super LANGUAGE internal IMMUTABLE STRICT AS 'json_in';
CREATE FUNCTION public.super_out(super) RETURNS cstring LANGUAGE internal IMMUTABLE STRICT AS 'json_out';
CREATE FUNCTION public.super_send(super) RETURNS bytea LANGUAGE internal IMMUTABLE STRICT AS 'json_send';
CREATE TYPE public.super (INPUT = super_in, OUTPUT = super_out, SEND = super_send, LIKE = json, CATEGORY = 'S');
CREATE CAST (super AS text) WITHOUT FUNCTION;
CREATE FUNCTION public.json_parse(varchar) RETURNS super LANGUAGE plpgsql IMMUTABLE STRICT AS $$ BEGIN RETURN $1; END $$;
CREATE DOMAIN public.varbyte AS bytea;
CREATE FUNCTION public.from_varbyte(bytea, varchar) RETURNS varchar LANGUAGE sql IMMUTABLE STRICT AS $$ SELECT encode($1, $2) $$;
CREATE FUNCTION public.strtol(varchar, integer) RETURNS bigint LANGUAGE sql IMMUTABLE STRICT AS
  $$ SELECT CAST(CAST('x' || lpad($1, 16, '0') AS bit(64)) AS bigint) WHERE $2 = 16 $$;
CREATE FUNCTION public.redshift_error(varchar) RETURNS integer LANGUAGE plpgsql AS $$ BEGIN RAISE '%', $1; END $$;
"""
"""Functions and types of Redshift that the statements under test use, as far as PostgreSQL can have them. JSON_SERIALIZE is
PostgreSQL's own; it takes a type of its strings' category."""


class RedshiftSandbox(WarehouseSandbox):
    """One server with a database whose texts compare by code point, as Redshift's do."""

    engine = "redshift"
    types = {  # noqa: RUF012 - as the base class has it
        "text": "varchar(65535)",
        "timestamp": "timestamptz",
        "integer": "bigint",
        "double": "double precision",
        "decimal": "decimal(18, 2)",
        "boolean": "boolean",
        "date": "date",
    }

    def __init__(self) -> None:
        self._stack = ExitStack()
        self.server = PostgresSandbox("md5")  # the hook's driver does not speak SCRAM with PostgreSQL

    def start(self) -> None:
        """Start the server, then the front."""
        try:
            folder = Path(self._stack.enter_context(tempfile.TemporaryDirectory(prefix="activation-redshift-")))
            self.authority = private_authority(folder)
            self._stack.enter_context(self.server)
            self.server.execute(f"CREATE ROLE {OWNER} SUPERUSER LOGIN PASSWORD '{PASSWORD}'")
            self.server.execute(f"CREATE DATABASE {DATABASE} TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C'")
            self.server.execute(f"ALTER DATABASE {DATABASE} SET search_path TO public, pg_catalog")
            self.execute(_LOOKALIKE)
            self.front = RedshiftFront(self.server.socket, self.authority.certificate, self.authority.private_key)
            self._stack.callback(self.front.stop)
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Stop both and remove what they wrote."""
        self._stack.close()

    def connection(self, **extra: Any) -> str:
        """The value of an ``AIRFLOW_CONN_*`` variable for the owner."""
        return self.airflow(OWNER, PASSWORD, **extra)

    def airflow(self, user: str = LIMITED, password: str = PASSWORD, **extra: Any) -> str:
        """The value of an ``AIRFLOW_CONN_*`` variable for a user."""
        place = {"host": "localhost", "port": self.front.port, "schema": DATABASE, "login": user, "password": password}
        return json.dumps({"conn_type": "redshift", **place, "extra": extra})

    def environment(self) -> Mapping[str, str]:
        """The authority to trust."""
        return {"SSL_CERT_FILE": self.authority.ca_file}

    def execute(self, text: str, params: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Run statements as the superuser, past the front."""
        return self.server.execute(text, params, database=DATABASE)

    def load(self, table: tuple[str, ...], rows: pa.Table, types: Mapping[str, str] | None = None) -> None:
        """Replace a table by these rows, by COPY."""
        kinds = {one.name: (types or {}).get(one.name) or kind_of(one.type, self.types) for one in rows.schema}
        with self.open() as connection:
            replace_table(connection, table, rows, kinds)

    def open(self) -> psycopg.Connection[tuple[Any, ...]]:
        """Open a connection as the superuser, past the front."""
        return self.server.open(DATABASE)
