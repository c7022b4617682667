"""Statements: each is kept with its tag, stopped by its own time limit, and can be aborted."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import duckdb
import pyarrow as pa
from fakesnow.conn import FakeSnowflakeConnection  # type: ignore[import-not-found]
from snowflake.connector.errors import ProgrammingError

HISTORY = 10_000
"""Statements that are remembered."""

STOPPED = {
    "abort": (604, "57014", "SQL execution canceled"),
    "timeout": (630, "57014", "Statement reached its statement or warehouse timeout of {0} second(s) and was canceled."),
}
"""Why a statement was stopped -> number, SQLSTATE and text of the error."""


@dataclass
class Session:
    """What a token stands for.

    :ivar role: the active role.
    :ivar warehouse: the warehouse that was asked for.
    """

    connection: FakeSnowflakeConnection
    user: str
    role: str
    warehouse: str


@dataclass(eq=False)
class Statement:
    """One statement of a session.

    :ivar failure: why one that nobody waits for has failed.
    :ivar result: the columns and rows of one that nobody waits for.
    """

    request: str
    text: str
    session: Session
    parameters: Mapping[str, Any] = field(default_factory=dict)
    state: str = "RUNNING"
    stopped: str = ""
    failure: ProgrammingError | None = None
    result: tuple[list[dict[str, Any]], pa.Table] | None = None

    def stop(self, why: str) -> None:
        """Stop it, if it still runs."""
        if self.state == "RUNNING":
            self.stopped = why
            self.session.connection._duck_conn.interrupt()

    def shown(self) -> dict[str, Any]:
        """For ``/_sandbox/statements``."""
        parameters = dict(self.parameters)
        return {
            "text": self.text,
            "state": self.state,
            "user": self.session.user,
            "role": self.session.role,
            "parameters": parameters,
        }


class Statements:
    """Those that run and those that ran."""

    def __init__(self) -> None:
        self.history: deque[Statement] = deque(maxlen=HISTORY)
        self._running: dict[str, Statement] = {}

    @contextmanager
    def running(self, statement: Statement) -> Iterator[None]:
        """While the block lasts, the statement runs under its time limit.

        :raises ProgrammingError: if it was stopped.
        """
        seconds = float(statement.parameters.get("STATEMENT_TIMEOUT_IN_SECONDS") or 0)
        timer = threading.Timer(seconds, statement.stop, ["timeout"]) if seconds else None
        self.history.append(statement)
        self._running[statement.request] = statement
        try:
            if timer:
                timer.start()
            yield
            statement.state = "SUCCESS"
        except Exception as error:
            statement.state = "FAIL"
            if not statement.stopped or not _interrupted(error):
                raise
            number, state, text = STOPPED[statement.stopped]
            raise ProgrammingError(msg=text.format(int(seconds)), errno=number, sqlstate=state) from None
        finally:
            if timer:
                timer.cancel()
            del self._running[statement.request]

    def abort(self, request: str) -> bool:
        """Stop a statement; says whether it runs."""
        found = self._running.get(request)
        if found is not None:
            found.stop("abort")
        return found is not None

    def find(self, request: str) -> Statement | None:
        """A statement that runs or ran."""
        return next((one for one in self.history if one.request == request), None)

    def count(self) -> int:
        """How many run."""
        return len(self._running)

    def abort_all(self, session: Session) -> None:
        """Stop what a session runs."""
        for one in list(self._running.values()):
            if one.session is session:
                one.stop("abort")


def _interrupted(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, duckdb.InterruptException) or "INTERRUPT" in str(error):
            return True
        error = error.__cause__
    return False
