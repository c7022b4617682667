"""Redshift through redshift_connector, the driver of the official hook, with every kind of login that it knows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any


class RowsClient:
    """One connection of redshift_connector.

    :param connection: what the hook gave.
    :param reopen: gives one more connection of the same kind: the driver cannot cancel, another session can.
    """

    def __init__(self, connection: Any, reopen: Callable[[], Any]) -> None:
        from redshift_connector.error import Error  # brings boto3 along

        self.failures: tuple[type[Exception], ...] = (Error, OSError)
        self._connection, self._reopen = connection, reopen
        self._connection.rollback()
        self._connection.autocommit = True
        self._number = 0
        self._running = False
        ((self._user, self._pid),) = self.fetch("SELECT CURRENT_USER, pg_backend_pid()")

    @property
    def user(self) -> str:
        """The database user that is logged in."""
        return str(self._user)

    def run(self, text: str) -> None:
        """Run a statement that gives no rows."""
        self._execute(text).close()

    def fetch(self, text: str) -> Sequence[Sequence[Any]]:
        """Run a statement and take all rows that it gives."""
        cursor = self._execute(text)
        found: Sequence[Sequence[Any]] = cursor.fetchall()
        cursor.close()
        return found

    def describe(self, text: str) -> list[tuple[str, int]]:
        """Run a query and give the names of its columns and the numbers of their types."""
        cursor = self._execute(text)
        found = [(str(column[0]), int(column[1])) for column in cursor.description]
        cursor.close()
        return found

    def cancel(self) -> None:
        """Stop what runs on the server, from any thread."""
        if not self._running:
            return
        with suppress(*self.failures):
            other = self._reopen()
            try:
                cursor = other.cursor()
                cursor.execute(f"SELECT pg_cancel_backend({self._pid})")
                cursor.fetchall()
            finally:
                other.close()

    def close(self) -> None:
        """Close the connection."""
        with suppress(*self.failures):
            self._connection.close()

    def _execute(self, text: str) -> Any:
        cursor = self._connection.cursor()
        # The driver keeps a prepared statement for each text, whose columns may have changed when the text comes again.
        self._number += 1
        self._running = True
        try:
            return cursor.execute(f"{text} /* {self._number} */")
        finally:
            self._running = False
