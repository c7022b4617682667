"""The PostgreSQL sandbox for tests: started once a process, stopped when nobody uses it any more."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg2
import pytest

from sandbox.warehouses.postgres import LIMITED, PASSWORD, PostgresSandbox

__all__ = ["LIMITED", "PASSWORD", "Postgres", "postgres", "running"]


class Postgres(PostgresSandbox):
    """The sandbox, with the older driver beside it."""

    def connect(self, **changed: str) -> Any:
        """Open a psycopg2 connection as the superuser, in autocommit mode; keywords of libpq replace what is usual."""
        connection = psycopg2.connect(**{"host": self.host, "dbname": self.database, "user": self.user, **changed})
        connection.autocommit = True
        return connection


_running: list[tuple[Postgres, int]] = []
"""The server and how many use it: one entry or none."""


@contextmanager
def running() -> Iterator[Postgres]:
    """Use the server of this process; the first user starts it and the last one stops and deletes it."""
    server, users = _running.pop() if _running else (Postgres(), 0)
    if not users:
        server.start()
    _running.append((server, users + 1))
    try:
        yield server
    finally:
        server, users = _running.pop()
        if users > 1:
            _running.append((server, users - 1))
        else:
            server.stop()


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """The server, for as long as the tests run."""
    with running() as place:
        yield place
