"""The way in for tests and the demo, beside the service's own interface: run, load, watch, and make it fail."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pyarrow as pa
from fakesnow.conn import FakeSnowflakeConnection  # type: ignore[import-not-found]
from snowflake.connector.errors import Error
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from .access import Access
from .dialect import Cursor, duck_type
from .statements import Statements
from .unload import Storage

ROWS = "loaded_rows"


class Control:
    """Everything below ``/_sandbox``; the caller has all rights.

    :param owner: the connection that statements run on.
    :ivar storage: what COPY INTO a location writes to, if the account has a storage integration.
    """

    storage: Storage | None = None

    def __init__(self, owner: FakeSnowflakeConnection, statements: Statements, access: Access) -> None:
        self._owner, self._statements, self._access = owner, statements, access
        self._faults: list[dict[str, Any]] = []
        self._lock = asyncio.Lock()

    def routes(self) -> list[Route]:
        """Everything that is served."""
        return [
            Route("/_sandbox/execute", self.execute, methods=["POST"]),
            Route("/_sandbox/insert", self.insert, methods=["POST"]),
            Route("/_sandbox/statements", self.statements),
            Route("/_sandbox/running", self.running),
            Route("/_sandbox/faults", self.faults, methods=["POST"]),
            Route("/_sandbox/storage", self.integrate, methods=["POST"]),
        ]

    async def execute(self, request: Request) -> Response:
        """Run a statement: ``{"text": …, "params": […]}`` gives the rows as text."""
        asked = await request.json()
        async with self._lock:
            return await asyncio.to_thread(self._execute, asked["text"], asked["params"])

    def _execute(self, text: str, params: list[Any]) -> Response:
        if self._access.grant(text):
            return JSONResponse([])
        try:
            cursor = Cursor(self._owner, self._owner._duck_conn)
            cursor.execute(text, binding_params=params, server=True)
        except Error as error:
            return JSONResponse({"error": str(error)}, 400)
        table = cursor._arrow_table
        self._owner.results_cache.clear()
        rows = zip(*(column.to_pylist() for column in table.columns), strict=True) if table is not None else []
        return Response(json.dumps(list(rows), default=str), media_type="application/json")

    async def insert(self, request: Request) -> Response:
        """Add rows, an Arrow stream; each value is cast to its column's type: ``?table=…&types=[…]``."""
        rows = pa.ipc.open_stream(await request.body()).read_all()
        kinds = [duck_type(kind) for kind in json.loads(request.query_params["types"])]
        async with self._lock:
            await asyncio.to_thread(self._insert, request.query_params["table"], rows, kinds)
        return JSONResponse([])

    def _insert(self, table: str, rows: pa.Table, kinds: list[str]) -> None:
        names = [f"c{number}" for number in range(rows.num_columns)]
        connection = self._owner._duck_conn
        connection.register(ROWS, rows.rename_columns(names))
        values = ", ".join(f"CAST({name} AS {kind})" for name, kind in zip(names, kinds, strict=True))
        try:
            connection.execute(f"INSERT INTO {table} SELECT {values} FROM {ROWS}")
        finally:
            connection.unregister(ROWS)

    async def statements(self, request: Request) -> Response:
        """What clients ran, in its order."""
        return JSONResponse([one.shown() for one in self._statements.history])

    async def running(self, request: Request) -> Response:
        """How many statements of clients run."""
        return JSONResponse(self._statements.count())

    async def integrate(self, request: Request) -> Response:
        """Make the storage integration: the fields of :class:`~.unload.Storage`."""
        self.storage = Storage(**await request.json())
        return JSONResponse([])

    async def faults(self, request: Request) -> Response:
        """Replace the faults: ``[{"where": "login|query|chunk|status", "times": 2, "status": 503}]``, after ``hang`` seconds."""
        self._faults = await request.json()
        return JSONResponse(self._faults)

    async def fault(self, where: str) -> Response | None:
        """What must go wrong now, if anything."""
        for one in self._faults:
            if one["where"] == where and one.get("skip", 0):
                one["skip"] -= 1
            elif one["where"] == where and one["times"]:
                one["times"] -= 1
                await asyncio.sleep(one.get("hang", 0))
                if "code" in one:
                    return JSONResponse({"success": False, "code": one["code"], "message": one["message"], "data": {}})
                if "status" in one:
                    return Response("fault", one["status"])
                return Response(b"", headers={"Content-Length": "1000"})  # the connection ends before its body
        return None
