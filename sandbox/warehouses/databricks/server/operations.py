"""Statements on their way: running, finished, failed, cancelled or out of time, and what they left behind."""

from __future__ import annotations

import re
import threading
import uuid
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

import pyarrow as pa

from .engine import Engine
from .unload import Unload

HISTORY = 1_000
"""Statements whose text is remembered."""

_WORKERS = 16
"""Statements that can run at once."""

_TIMEOUT = re.compile(r"(?:/\*.*?\*/\s*)?SET\s+STATEMENT_TIMEOUT\s*=\s*(\d+)\s*", re.IGNORECASE | re.DOTALL)


class State(Enum):
    """What has become of a statement."""

    RUNNING = "running"
    FINISHED = "finished"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass(eq=False)
class Session:
    """A client's session.

    :ivar spark: Spark's own session.
    :ivar timeout: its ``STATEMENT_TIMEOUT`` in seconds; 0 is none.
    """

    spark: Any
    timeout: int = 0


@dataclass(eq=False)
class Operation:
    """One statement.

    :ivar offset: rows that were given to the client already.
    :ivar stop: why it is being stopped, if it is.
    """

    session: Session
    group: str = field(default_factory=lambda: uuid.uuid4().hex)
    state: State = State.RUNNING
    error: str = ""
    sql_state: str = ""
    fields: list[Any] = field(default_factory=list)
    rows: pa.Table | None = None
    offset: int = 0
    stop: State | None = None
    ended: threading.Event = field(default_factory=threading.Event)


class Operations:
    """Runs statements in the background, each until its end, its cancellation or its time-out."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._pool = ThreadPoolExecutor(_WORKERS)
        self._running: set[Operation] = set()
        self._lock = threading.Lock()
        self.history: deque[str] = deque(maxlen=HISTORY)

    def running(self) -> int:
        """Count the statements that run."""
        with self._lock:
            return len(self._running)

    def start(self, session: Session, text: str, arguments: Any, unload: Unload | None = None) -> Operation:
        """Begin a statement.

        :param unload: what it writes to S3, if it does.
        """
        operation = Operation(session)
        self.history.append(text)
        found = _TIMEOUT.fullmatch(text)
        if found:
            session.timeout = int(found.group(1))
        with self._lock:
            self._running.add(operation)
        timer = threading.Timer(session.timeout, self._stop, [operation, State.FAILED]) if session.timeout else None

        def run() -> tuple[Any, pa.Table]:
            if unload is None:
                return self._engine.run(session.spark, operation.group, text, arguments)
            unload.check()
            done = self._engine.run(session.spark, operation.group, unload.text, arguments)
            unload.finish()
            return done

        self._pool.submit(self._work, operation, run, timer)
        if timer is not None:
            timer.daemon = True
            timer.start()
        return operation

    def cancel(self, operation: Operation) -> None:
        """Stop a statement and wait for its end."""
        self._stop(operation, State.CANCELLED)

    def cancel_all(self, session: Session) -> None:
        """Stop what a session still runs."""
        with self._lock:
            mine = [operation for operation in self._running if operation.session is session]
        for operation in mine:
            self.cancel(operation)

    def _stop(self, operation: Operation, why: State) -> None:
        operation.stop = operation.stop or why
        # A statement consists of jobs, one after the other, and the next one may just begin.
        while not operation.ended.is_set():
            self._engine.cancel(operation.group)
            operation.ended.wait(0.05)

    def _work(self, operation: Operation, run: Callable[[], tuple[Any, pa.Table]], timer: threading.Timer | None) -> None:
        try:
            schema, operation.rows = run()
            operation.fields, operation.state = list(schema.fields), State.FINISHED
        except Exception as error:  # noqa: BLE001 - whatever Spark raises is the client's answer
            operation.error, operation.sql_state = _told(error)
            operation.state = State.FAILED
        if operation.stop is not None and operation.rows is None:
            operation.state = operation.stop
            operation.error = "Statement was cancelled" if operation.stop is State.CANCELLED else "Statement exceeded its timeout"
            operation.sql_state = "57014"
        if timer is not None:
            timer.cancel()
        with self._lock:
            self._running.discard(operation)
        operation.ended.set()


def _told(error: Exception) -> tuple[str, str]:
    text = str(error).partition("\n\nJVM stacktrace")[0]
    state = re.search(r"SQLSTATE: (\w{5})", text)
    return text, state.group(1) if state else ""
