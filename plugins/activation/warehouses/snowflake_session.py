"""One session of Snowflake: how a statement is sent, stopped and read. What is not PEP 249 about the connector stands here."""

from __future__ import annotations

import json
import math
import threading
import time
from collections import deque
from collections.abc import Generator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from activation.errors import FatalError, TransientError
from activation.warehouses.base import Session
from activation.warehouses.snowflake_errors import driver_error

PATIENCE = 300.0
"""Seconds for which one request is tried again, as long as the login's own limit of the connector and its chunks' ten tries. The
connector itself would try for ever. A statement may take longer: while it runs, the service answers every 45 seconds."""

_PAUSE = 16
"""Longest pause between two tries, in seconds: the connector's own."""

CHUNK_MEGABYTES = 48
"""Largest chunk of a result. The least that the parameter CLIENT_RESULT_CHUNK_SIZE takes; the service's default is 160."""

AHEAD, AHEAD_BYTES = 4, 96 * 1024 * 1024
"""Most chunks, and bytes of them, that are held with the one that is read next; always one, however large. A chunk takes its size
twice while it is turned into Arrow. The service makes the first chunks of a result small and later ones larger."""

CANCELLED = "The read from Snowflake was cancelled."

_ABORTS, _ABORT_PAUSE = 20, 0.1
"""How often, and how many seconds apart, a statement is aborted that the service does not know yet."""


@dataclass(eq=False)
class Operation:
    """What runs now.

    :ivar cancelled: whether somebody cancelled it.
    :ivar sending: the cursor and the text of the statement that the service works on; nothing while rows are fetched.
    """

    cancelled: bool = False
    sending: tuple[Any, str] | None = None


class SnowflakeSession:
    """Sends statements over a connection. Several can run at once.

    :param connection: a connection of ``snowflake.connector``.
    :param session: its tag and time-out become parameters of each statement, which the service enforces and shows.
    """

    def __init__(self, connection: Any, session: Session) -> None:
        self.connection = connection
        # The session's own settings stay as they are for whoever else uses it.
        self._parameters: dict[str, Any] = {
            "CLIENT_RESULT_CHUNK_SIZE": CHUNK_MEGABYTES,
            "PYTHON_CONNECTOR_QUERY_RESULT_FORMAT": "ARROW",
        }
        if session.tag:
            self._parameters["QUERY_TAG"] = json.dumps(dict(session.tag), ensure_ascii=False)
        if session.timeout is not None:
            self._parameters["STATEMENT_TIMEOUT_IN_SECONDS"] = max(1, math.ceil(session.timeout))
        connection._backoff_policy = _pauses  # the hook has no way to give the connector's parameter of that name

    def execute(self, operation: Operation, text: str, params: Sequence[str] = ()) -> Any:
        """Run a statement and wait for it.

        :param params: values for ``?``; they are bound by the service and stand in no query history.
        :returns: a cursor with the result.
        """
        return self._run(operation, "execute", text, params)

    def describe(self, operation: Operation, text: str) -> list[Any]:
        """Give the columns of a query, which is compiled and not run."""
        cursor = self._run(operation, "describe", text, ())
        return list(cursor.description or ())

    def _run(self, operation: Operation, method: str, text: str, params: Sequence[str]) -> Any:
        cursor = self.connection.cursor()
        operation.sending = (cursor, text)
        try:
            getattr(cursor, method)(text, params, _statement_params=self._parameters, _force_qmark_paramstyle=True)
        except (driver_error(), TransientError):
            if operation.cancelled:
                raise TransientError(CANCELLED) from None
            raise
        finally:
            operation.sending = None
        if operation.cancelled:
            raise TransientError(CANCELLED)
        return cursor

    def cancel(self, operation: Operation) -> None:
        """Stop what an operation runs on the service, from any thread."""
        operation.cancelled = True
        for _ in range(_ABORTS):
            sending = operation.sending
            if sending is None or self._abort(*sending):
                return
            time.sleep(_ABORT_PAUSE)

    def _abort(self, cursor: Any, text: str) -> bool:
        with suppress(driver_error(), TransientError, AttributeError):  # no connection, or no request yet
            return bool(self.connection._cancel_query(text, cursor._request_id).get("success"))
        return False

    def close(self) -> None:
        """Log out; the service stops what the session still runs. A second time nothing happens."""
        with suppress(driver_error(), TransientError):
            self.connection.close()


def tables(cursor: Any, connection: Any) -> Generator[pa.Table, None, None]:
    """Give a result chunk by chunk, with a few of them fetched ahead.

    :raises TransientError: if a chunk holds other than the promised number of rows.
    :raises FatalError: if all of them together do.
    """
    waiting = deque(_Fetch(chunk, connection) for chunk in cursor.get_result_batches() or () if chunk.rowcount != 0)
    fetching: deque[_Fetch] = deque()
    rows = 0
    while waiting or fetching:
        while waiting and len(fetching) < AHEAD and _fits(fetching, waiting[0]):
            fetching.append(waiting.popleft())
            fetching[-1].start()
        table = fetching.popleft().table()
        rows += table.num_rows
        yield table
    if rows != cursor.rowcount:
        raise FatalError(f"Snowflake promised {cursor.rowcount} rows, but {rows} were read.")


def _fits(fetching: deque[_Fetch], chunk: _Fetch) -> bool:
    return not fetching or sum(one.size for one in fetching) + chunk.size <= AHEAD_BYTES


class _Fetch(threading.Thread):
    """Fetches one chunk. A daemon, so that an abandoned read does not keep the process from ending."""

    def __init__(self, chunk: Any, connection: Any) -> None:
        super().__init__(name="snowflake-chunk", daemon=True)
        self._chunk, self._connection = chunk, connection
        self.size: int = chunk.uncompressed_size or 0
        self._table: pa.Table | None = None
        self._error: Exception | None = None

    def run(self) -> None:
        """Fetch; an error is kept for the reader."""
        try:
            self._table = self._chunk.to_arrow(connection=self._connection)
        except Exception as error:  # noqa: BLE001 - raised again in the reader's thread
            self._error = error

    def table(self) -> pa.Table:
        """Wait for the rows."""
        self.join()
        if self._error is not None:
            raise self._error
        table: Any = self._table
        self._table = None
        if table.num_rows != self._chunk.rowcount:
            raise TransientError(f"Snowflake promised {self._chunk.rowcount} rows of a chunk and sent {table.num_rows}.")
        return table


def _pauses() -> Generator[int, None, None]:
    """Seconds to wait before each further try of a request, until patience ends."""
    began, pause = time.monotonic(), 1
    while time.monotonic() - began < PATIENCE:
        yield pause
        pause = min(2 * pause, _PAUSE)
    raise TransientError(f"Snowflake did not answer for {PATIENCE:g} seconds.")
