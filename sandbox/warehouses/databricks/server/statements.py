"""The Statement Execution API: statements by HTTP, each in a session of its own, which run whether or not anybody waits."""

from __future__ import annotations

import json
import uuid
from pathlib import Path
from typing import Any

from .engine import Engine
from .operations import Operation, Operations, Session, State
from .unload import Storage, unload_of

PATH = "/api/2.0/sql/statements"

_USUAL_WAIT = "10s"
_STATES = {State.FINISHED: "SUCCEEDED", State.FAILED: "FAILED", State.CANCELLED: "CANCELED"}

Answer = tuple[int, dict[str, Any]]
"""HTTP status and body."""


class Statements:
    """The statements of one warehouse.

    :param warehouse: its id.
    :param folder: where files are written before they go to S3.
    :ivar closed: whether success is told as CLOSED, as after the rows of a statement are gone.
    """

    def __init__(self, engine: Engine, operations: Operations, warehouse: str, folder: Path) -> None:
        self._engine, self._operations, self._warehouse, self._folder = engine, operations, warehouse, folder
        self._kept: dict[str, Operation] = {}
        self.storage = Storage()
        self.closed = False

    def forget(self) -> None:
        """Forget what has ended, as the service does after half a day."""
        self._kept = {name: one for name, one in self._kept.items() if not one.ended.is_set()}

    def post(self, path: str, asked: dict[str, Any]) -> Answer:
        """Begin a statement, or cancel one."""
        if path == PATH:
            return self._begin(asked)
        name, _, what = path[len(PATH) + 1 :].partition("/")
        if what != "cancel" or name not in self._kept:
            return _missing(name)
        self._operations.cancel(self._kept[name])
        return 200, {}

    def get(self, path: str) -> Answer:
        """Tell what became of a statement."""
        name = path[len(PATH) + 1 :]
        return self._told(name) if name in self._kept else _missing(name)

    def _begin(self, asked: dict[str, Any]) -> Answer:
        if unknown := set(asked) - {"statement", "warehouse_id", "wait_timeout", "catalog", "schema"}:
            return _refused("INVALID_PARAMETER_VALUE", f"Unknown field {sorted(unknown)[0]}.")
        if asked.get("warehouse_id") != self._warehouse:
            return _refused("INVALID_PARAMETER_VALUE", f"{asked.get('warehouse_id')} is not a valid endpoint id.")
        wait = int(str(asked.get("wait_timeout", _USUAL_WAIT)).rstrip("s"))
        if wait and not 5 <= wait <= 50:
            return _refused("INVALID_PARAMETER_VALUE", "wait_timeout must be 0s or between 5s and 50s.")
        session = Session(self._engine.session())
        if asked.get("catalog"):
            session.spark.catalog.setCurrentCatalog(asked["catalog"])
        if asked.get("schema"):
            session.spark.catalog.setCurrentDatabase(asked["schema"])
        unload = unload_of(asked["statement"], self.storage, self._folder)
        name = str(uuid.uuid4())
        self._kept[name] = self._operations.start(session, asked["statement"], None, unload)
        self._kept[name].ended.wait(wait)
        return self._told(name)

    def _told(self, name: str) -> Answer:
        operation = self._kept[name]
        if not operation.ended.is_set():
            return 200, {"statement_id": name, "status": {"state": "RUNNING"}}
        status: dict[str, Any] = {"state": _STATES[operation.state]}
        if operation.state is State.FINISHED and self.closed:
            status["state"] = "CLOSED"
        if operation.state is State.FAILED:
            status["error"] = {"error_code": "BAD_REQUEST", "message": operation.error}
            status["sql_state"] = operation.sql_state
        return 200, {"statement_id": name, "status": status}


def reply(answer: Answer) -> tuple[int, bytes]:
    """The answer as it goes over the wire."""
    return answer[0], json.dumps(answer[1]).encode()


def _refused(code: str, message: str, status: int = 400) -> Answer:
    return status, {"error_code": code, "message": message}


def _missing(name: str) -> Answer:
    return _refused("NOT_FOUND", f"The statement {name} was not found.", 404)
