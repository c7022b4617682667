"""The calls of the Thrift protocol; the connector's own generated processor reads and writes them."""

from __future__ import annotations

import uuid
from typing import Any

from . import engine as spark
from .operations import Operation, Operations, Session, State
from .results import Files, Result, ttypes

LONG_POLL = 1.0
"""Seconds for which a question after a statement's state is held while the statement runs."""

DIRECT_SECONDS = 5.0
"""Seconds for which the answer to a statement waits for its first rows, if the client wants them in it."""

OK = ttypes.TStatus(statusCode=ttypes.TStatusCode.SUCCESS_STATUS)
VERSION = ttypes.TProtocolVersion.SPARK_CLI_SERVICE_PROTOCOL_V7

_STATES = {
    State.RUNNING: ttypes.TOperationState.RUNNING_STATE,
    State.FINISHED: ttypes.TOperationState.FINISHED_STATE,
    State.FAILED: ttypes.TOperationState.ERROR_STATE,
    State.CANCELLED: ttypes.TOperationState.CANCELED_STATE,
}


def _gone(what: str) -> Any:
    return ttypes.TStatus(ttypes.TStatusCode.INVALID_HANDLE_STATUS, errorMessage=f"Invalid {what}Handle")


class Service:
    """Answers the processor; the names of the methods are the protocol's."""

    def __init__(self, engine: spark.Engine, operations: Operations, files: Files) -> None:
        self._engine, self._operations, self._files = engine, operations, files
        self._sessions: dict[bytes, Session] = {}
        self._kept: dict[bytes, tuple[Operation, Result]] = {}

    def OpenSession(self, request: Any) -> Any:
        """Open a session with the client's settings, catalog and schema."""
        made = Session(self._engine.session())
        for name, value in (request.configuration or {}).items():
            if name.upper() == "STATEMENT_TIMEOUT":
                made.timeout = int(value)
            elif name.upper() != "QUERY_TAGS":
                made.spark.conf.set(name, value)
        wanted = request.initialNamespace
        if wanted and wanted.catalogName:
            made.spark.catalog.setCurrentCatalog(wanted.catalogName)
        if wanted and wanted.schemaName:
            made.spark.catalog.setCurrentDatabase(wanted.schemaName)
        handle = _handle()
        self._sessions[handle.guid] = made
        return ttypes.TOpenSessionResp(
            status=OK,
            serverProtocolVersion=VERSION,
            sessionHandle=ttypes.TSessionHandle(handle, VERSION),
            canUseMultipleCatalogs=True,
            initialNamespace=wanted,
        )

    def CloseSession(self, request: Any) -> Any:
        """Stop what the session runs and forget what it kept."""
        session = self._sessions.pop(request.sessionHandle.sessionId.guid, None)
        if session is None:
            return ttypes.TCloseSessionResp(status=_gone("Session"))
        self._operations.cancel_all(session)
        for guid, (operation, _) in list(self._kept.items()):
            if operation.session is session:
                self._free(guid)
        return ttypes.TCloseSessionResp(status=OK)

    def ExecuteStatement(self, request: Any) -> Any:
        """Begin a statement; with direct results, wait a little for its end."""
        session = self._sessions.get(request.sessionHandle.sessionId.guid)
        if session is None:
            return ttypes.TExecuteStatementResp(status=_gone("Session"))
        operation = self._operations.start(session, request.statement, _arguments(request.parameters or []))
        compressed, links = bool(request.canDecompressLZ4Result), bool(request.canDownloadResult)
        result = Result(operation, self._files, compressed=compressed, links=links)
        handle = _handle()
        self._kept[handle.guid] = (operation, result)
        direct = self._direct(handle.guid, operation, result, request.getDirectResults) if request.getDirectResults else None
        told = ttypes.TOperationHandle(handle, ttypes.TOperationType.EXECUTE_STATEMENT, True)
        return ttypes.TExecuteStatementResp(status=OK, operationHandle=told, directResults=direct)

    def GetOperationStatus(self, request: Any) -> Any:
        """Tell what has become of a statement; hold the answer a little while it runs."""
        found = self._kept.get(request.operationHandle.operationId.guid)
        if found is None:
            return ttypes.TGetOperationStatusResp(status=_gone("Operation"))
        found[0].ended.wait(LONG_POLL)
        return _status(found[0])

    def GetResultSetMetadata(self, request: Any) -> Any:
        """Describe the rows of a finished statement."""
        found = self._kept.get(request.operationHandle.operationId.guid)
        return ttypes.TGetResultSetMetadataResp(status=_gone("Operation")) if found is None else found[1].metadata(OK)

    def FetchResults(self, request: Any) -> Any:
        """Give the next rows of a finished statement."""
        found = self._kept.get(request.operationHandle.operationId.guid)
        if found is None or found[0].state is not State.FINISHED:
            return ttypes.TFetchResultsResp(status=_gone("Operation"))
        return found[1].fetch(OK, request.maxRows, request.maxBytes or 2**31)

    def CloseOperation(self, request: Any) -> Any:
        """Stop a statement that still runs and free its rows."""
        guid = request.operationHandle.operationId.guid
        if guid not in self._kept:
            return ttypes.TCloseOperationResp(status=_gone("Operation"))
        self._operations.cancel(self._kept[guid][0])
        self._free(guid)
        return ttypes.TCloseOperationResp(status=OK)

    def CancelOperation(self, request: Any) -> Any:
        """Stop a statement."""
        found = self._kept.get(request.operationHandle.operationId.guid)
        if found is not None:
            self._operations.cancel(found[0])
        return ttypes.TCancelOperationResp(status=OK)

    def kept(self) -> int:
        """Count the results that take memory."""
        return sum(operation.rows is not None for operation, _ in list(self._kept.values()))

    def _direct(self, guid: bytes, operation: Operation, result: Result, wanted: Any) -> Any:
        if not operation.ended.wait(DIRECT_SECONDS):
            return None
        direct = ttypes.TSparkDirectResults(operationStatus=_status(operation))
        if operation.state is State.FINISHED:
            direct.resultSetMetadata = result.metadata(OK)
            direct.resultSet = result.fetch(OK, wanted.maxRows, wanted.maxBytes)
            if not direct.resultSet.hasMoreRows and not direct.resultSet.results.resultLinks:
                direct.closeOperation = ttypes.TCloseOperationResp(status=OK)
                self._free(guid)
        return direct

    def _free(self, guid: bytes) -> None:
        operation, _ = self._kept.pop(guid)
        self._files.free(operation)


def _handle() -> Any:
    return ttypes.THandleIdentifier(guid=uuid.uuid4().bytes, secret=uuid.uuid4().bytes)


def _status(operation: Operation) -> Any:
    answer = ttypes.TGetOperationStatusResp(status=OK, operationState=_STATES[operation.state])
    if operation.error:
        answer.errorMessage = answer.displayMessage = answer.diagnosticInfo = operation.error
        answer.sqlState = operation.sql_state
    return answer


def _arguments(given: list[Any]) -> Any:
    values = [spark.argument(one.type or "STRING", one.value.stringValue if one.value else None) for one in given]
    named = {one.name: value for one, value in zip(given, values, strict=True) if one.name}
    return named or values or None
