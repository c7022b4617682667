"""The service's HTTP interface, as far as its clients use it."""

from __future__ import annotations

import asyncio
import gzip
import itertools
import json
import secrets
from typing import Any

import pyarrow as pa
from fakesnow.converter import from_binding  # type: ignore[import-not-found]
from fakesnow.instance import FakeSnow  # type: ignore[import-not-found]
from snowflake.connector.errors import Error, ProgrammingError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from .access import Access, Refused
from .control import Control
from .dialect import Cursor, row_type
from .results import KEY, Results
from .statements import Session, Statement, Statements
from .unload import COPY, SCAN, answer_columns, refused

CHUNK_MEGABYTES = 160
"""Default of the parameter CLIENT_RESULT_CHUNK_SIZE."""


_STATES = {"RUNNING": "RUNNING", "SUCCESS": "SUCCESS", "FAIL": "FAILED_WITH_ERROR"}

NOTHING = {"queryResultFormat": "arrow", "rowsetBase64": "", "total": 0, "returned": 0}
"""The rows of a statement that was only described."""


class Service:
    """One account.

    :param access: its users and rights.
    :param database: what is there from the start.
    :param schema: the same.
    """

    def __init__(self, access: Access, database: str, schema: str) -> None:
        self.access = access
        self.warehouse = FakeSnow()
        self.owner = self.warehouse.connect(database, schema)
        # From now on a session's database and schema must be there, as they must in the service.
        self.warehouse.create_database_on_connect = self.warehouse.create_schema_on_connect = False
        self.statements = Statements()
        self.results = Results()
        self.sessions: dict[str, Session] = {}
        self.control = Control(self.owner, self.statements, self.access)
        self._numbers = itertools.count(1)
        self._detached: set[asyncio.Task[None]] = set()

    def routes(self) -> list[Route]:
        """Everything that is served."""
        return [
            Route("/session/v1/login-request", self.log_in, methods=["POST"]),
            Route("/session/token-request", self.renew, methods=["POST"]),
            Route("/session/heartbeat", self.beat, methods=["POST"]),
            Route("/session", self.log_out, methods=["POST"]),
            Route("/queries/v1/query-request", self.query, methods=["POST"]),
            Route("/queries/v1/abort-request", self.abort, methods=["POST"]),
            Route("/monitoring/queries/{name}", self.status),
            Route("/queries/{name}/abort-request", self.abort_by_id, methods=["POST"]),
            Route("/telemetry/send", self.beat, methods=["POST"]),
            Route("/results/{name}/{start:int}/{end:int}", self.chunk),
            *self.control.routes(),
        ]

    async def log_in(self, request: Request) -> Response:
        """Open a session."""
        if fault := await self.control.fault("login"):
            return fault
        data, query = (await _body(request))["data"], request.query_params
        try:
            role = self.access.log_in(data, query.get("roleName", ""))
        except Refused as error:
            return JSONResponse({"success": False, "code": error.code, "message": str(error), "data": {}})
        connection = self.warehouse.connect(query.get("databaseName"), query.get("schemaName"))
        token = secrets.token_urlsafe(32)
        self.sessions[token] = Session(connection, data["LOGIN_NAME"], role, query.get("warehouse", ""))
        names = {"databaseName": connection.database, "schemaName": connection.schema, "roleName": role}
        answer = {
            "token": token,
            "masterToken": f"master-{token}",
            "validityInSeconds": 3_600,
            "masterValidityInSeconds": 14_400,
            "sessionId": next(self._numbers),
            "serverVersion": "9.0.0",
            "parameters": [{"name": "AUTOCOMMIT", "value": True}, {"name": "CLIENT_TELEMETRY_ENABLED", "value": False}],
            "sessionInfo": names,
        }
        return JSONResponse({"success": True, "data": answer})

    async def renew(self, request: Request) -> Response:
        """Give a session a new token."""
        old = (await _body(request))["oldSessionToken"]
        new = secrets.token_urlsafe(32)
        self.sessions[new] = self.sessions.pop(old)
        tokens = {"sessionToken": new, "masterToken": f"master-{new}", "sessionId": next(self._numbers)}
        return JSONResponse({"success": True, "data": tokens | {"validityInSecondsST": 3_600, "validityInSecondsMT": 14_400}})

    async def beat(self, request: Request) -> Response:
        """Take a sign of life."""
        return JSONResponse({"success": True, "data": None, "code": None, "message": None})

    async def log_out(self, request: Request) -> Response:
        """End a session and what it runs."""
        session = self.sessions.pop(_token(request), None)
        if session is not None:
            self.statements.abort_all(session)
        return await self.beat(request)

    async def abort(self, request: Request) -> Response:
        """Stop a statement of the session."""
        if self.statements.abort(str((await _body(request)).get("requestId"))):
            return await self.beat(request)
        return _failure("000605", "Identified SQL statement is not currently executing.", "02000")

    async def abort_by_id(self, request: Request) -> Response:
        """Stop a statement by its own id."""
        self.statements.abort(request.path_params["name"])
        return await self.beat(request)

    async def status(self, request: Request) -> Response:
        """Say what became of a statement."""
        if fault := await self.control.fault("status"):
            return fault
        one = self.statements.find(request.path_params["name"])
        if one is None:
            return JSONResponse({"success": True, "data": {"queries": []}})
        state = "RUNNING" if one.result is None and one.failure is None else _STATES[one.state]
        told = {"id": one.request, "status": state, "state": state}
        if one.failure is not None:
            told |= {"errorCode": f"{one.failure.errno:06d}", "errorMessage": str(one.failure.raw_msg)}
        return JSONResponse({"success": True, "data": {"queries": [told]}})

    async def query(self, request: Request) -> Response:
        """Run a statement."""
        if fault := await self.control.fault("query"):
            return fault
        body, session = await _body(request), self.sessions.get(_token(request))
        if session is None:
            return _failure("390104", "User must login again to access the service.", "08001")
        statement = Statement(request.query_params["requestId"], body["sqlText"], session, body.get("parameters") or {})
        if body.get("asyncExec"):
            self._detached.add(asyncio.create_task(asyncio.to_thread(self._detach, statement, body)))
            told = {"queryId": statement.request, "getResultUrl": f"/queries/{statement.request}/result"}
            return JSONResponse({"success": True, "data": told, "code": "333334", "message": None})
        address = f"{request.url.scheme}://{request.url.netloc}/results"
        try:
            data = await asyncio.to_thread(self._run, statement, body, address)
        except Error as error:
            return _failure(f"{error.errno:06d}", str(error.raw_msg), error.sqlstate or "XX000")
        except Exception as error:  # noqa: BLE001 - what is not understood must not look like a server that is down
            return _failure("000603", f"SQL execution internal error: {type(error).__name__}: {error}", "XX000")
        return JSONResponse({"success": True, "data": data, "code": None, "message": None})

    def _run(self, statement: Statement, body: dict[str, Any], address: str) -> dict[str, Any]:
        session = statement.session
        columns, table = self._answer(statement, body)
        most = int(statement.parameters.get("CLIENT_RESULT_CHUNK_SIZE", CHUNK_MEGABYTES)) << 20
        rows = self.results.answer(table, columns, address, most) if table is not None else dict(NOTHING)
        names = {"finalDatabaseName": session.connection.database, "finalSchemaName": session.connection.schema}
        parameters = [{"name": "TIMEZONE", "value": "Etc/UTC"}]
        return {
            "parameters": parameters,
            "rowtype": columns,
            "queryId": statement.request,
            "statementTypeId": 4096,
            **names,
            **rows,
        }

    def _answer(self, statement: Statement, body: dict[str, Any]) -> tuple[list[dict[str, Any]], pa.Table | None]:
        """Run a statement; gives its columns and rows, no rows for one that is only described."""
        session = statement.session
        cursor = Cursor(session.connection, session.connection._duck_conn)
        cursor.allowed = lambda tables: self.access.check(session.role, tables)
        bound = body.get("bindings") or {}
        params = [from_binding(bound[str(number)]) for number in range(1, len(bound) + 1)]
        with self.statements.running(statement):
            if body.get("describeOnly"):
                return row_type(cursor._describe_only(statement.text) or []), None
            self.access.check_warehouse(session.warehouse)
            if scan := SCAN.fullmatch(statement.text):
                return self._scanned(scan[1])
            if copy := COPY.fullmatch(statement.text):
                if self.control.storage is None:
                    raise refused(2003, f"Integration '{copy['integration'].upper()}' does not exist or not authorized.")
                cursor.execute(copy["query"], server=True)
                return answer_columns(), self.control.storage.unload(copy, cursor._arrow_table, statement.request)
            cursor.execute(statement.text, binding_params=params, server=True)
            found = row_type(cursor._describe_last_sql()), cursor._arrow_table
            self.warehouse.results_cache.clear()
            return found

    def _detach(self, statement: Statement, body: dict[str, Any]) -> None:
        """Run a statement that nobody waits for, and keep what came of it."""
        try:
            columns, table = self._answer(statement, body)
            statement.result = columns, table
        except ProgrammingError as error:
            statement.failure = error
        except Exception as error:  # noqa: BLE001 - as for the others
            statement.failure = ProgrammingError(msg=f"{type(error).__name__}: {error}", errno=603, sqlstate="XX000")

    def _scanned(self, name: str) -> tuple[list[dict[str, Any]], pa.Table]:
        found = self.statements.find(name)
        if found is None or found.result is None:
            raise refused(709, f"Statement {name} not found")
        return found.result

    async def chunk(self, request: Request) -> Response:
        """Give a part of a result, to who has its key."""
        if fault := await self.control.fault("chunk"):
            return fault
        path = request.path_params
        if any(request.headers.get(name) != value for name, value in KEY.items()):
            return Response(status_code=403)
        data = await asyncio.to_thread(self.results.chunk, path["name"], path["start"], path["end"])
        return Response(status_code=403) if data is None else Response(data, headers={"Content-Encoding": "gzip"})


def application(service: Service) -> Starlette:
    """Make the application."""
    return Starlette(routes=service.routes())


async def _body(request: Request) -> dict[str, Any]:
    body = await request.body()
    if request.headers.get("content-encoding") == "gzip":
        body = gzip.decompress(body)
    found: dict[str, Any] = json.loads(body)
    return found


def _token(request: Request) -> str:
    return request.headers.get("Authorization", "").removeprefix('Snowflake Token="').removesuffix('"')


def _failure(code: str, message: str, state: str) -> JSONResponse:
    data = {"errorCode": code, "sqlState": state}
    return JSONResponse({"success": False, "code": code, "message": message, "data": data})
