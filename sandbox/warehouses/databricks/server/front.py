"""HTTPS before the Thrift processor, with what a test needs beside it: control, files, faults."""

from __future__ import annotations

import http.server
import json
import socketserver
import ssl
import struct
import threading
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import pyarrow as pa

from .engine import Engine
from .operations import Operations
from .results import Files
from .service import Service
from .statements import PATH, Statements, reply
from .unload import Storage

protocol: Any = import_module("thrift.protocol.TBinaryProtocol")
transport: Any = import_module("thrift.transport.TTransport")
thrift: Any = import_module("databricks.sql.thrift_api.TCLIService.TCLIService")

CONTROL = "/control/"


@dataclass
class Fault:
    """What goes wrong next.

    :ivar on: the protocol's call, ``files``, or the calls ``begin`` and ``ask`` of the Statement Execution API; ``begin`` goes
        wrong when the statement runs already.
    :ivar status: the HTTP status that is answered; 0 cuts the connection.
    :ivar after: calls that still go well.
    :ivar times: how often it goes wrong then.
    """

    on: str
    status: int
    after: int = 0
    times: int = 1

    def strikes(self, call: str) -> bool:
        """Whether this call goes wrong."""
        if call != self.on or not self.times:
            return False
        if self.after:
            self.after -= 1
            return False
        self.times -= 1
        return True


class Front(socketserver.ThreadingMixIn, http.server.HTTPServer):
    """The server.

    :param path: the ``http_path`` of the only warehouse.
    :param token: the only token that is let in, by all doors.
    :param folder: where files are written before they go to S3.
    """

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, engine: Engine, path: str, token: str, certificate: str, key: str, folder: Path) -> None:
        super().__init__(("127.0.0.1", 0), _Exchange)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        # The handshake is made in the client's own thread, so that one who never ends it holds up nobody.
        self.socket = context.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)
        self.engine, self.path, self.token = engine, path, token
        self.operations = Operations(engine)
        self.files = Files(lambda: f"https://localhost:{self.server_port}")
        self.service = Service(engine, self.operations, self.files)
        self.statements = Statements(engine, self.operations, path.rstrip("/").rpartition("/")[2], folder)
        self.processor = thrift.Processor(self.service)
        self.faults: list[Fault] = []
        self.lock = threading.Lock()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Keep quiet about clients that go away."""

    def fault(self, call: str) -> int | None:
        """The status that a call is answered with instead of what it asks for."""
        with self.lock:
            return next((fault.status for fault in self.faults if fault.strikes(call)), None)


class _Exchange(http.server.BaseHTTPRequestHandler):
    server: Front
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.headers.get("Authorization") != f"Bearer {self.server.token}":
            return self._refuse(403, "Invalid access token.")
        if self.path.startswith(CONTROL):
            return self._control(self.path[len(CONTROL) :], body)
        if self.path.startswith(PATH):
            told = reply(self.server.statements.post(self.path, json.loads(body or b"{}")))
            return None if self._broken("begin") else self._answer(*told, "application/json")
        if self.path.partition("?")[0].strip("/") != self.server.path.strip("/"):
            return self._refuse(404, "The SQL warehouse of this path does not exist.")
        if self._broken(_called(body)):
            return None
        answer = transport.TMemoryBuffer()
        self.server.processor.process(protocol.TBinaryProtocol(transport.TMemoryBuffer(body)), protocol.TBinaryProtocol(answer))
        return self._answer(200, answer.getvalue(), "application/x-thrift")

    def do_GET(self) -> None:
        if self.path.startswith(PATH):
            return self._ask()
        if self._broken("files"):
            return None
        found = self.server.files.read(self.path.rpartition("/")[2]) if self.path.startswith("/files/") else None
        return self._answer(404, b"") if found is None else self._answer(200, found)

    def _ask(self) -> None:
        if self.headers.get("Authorization") != f"Bearer {self.server.token}":
            return self._refuse(403, "Invalid access token.")
        if self._broken("ask"):
            return None
        return self._answer(*reply(self.server.statements.get(self.path)), "application/json")

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""

    def _broken(self, call: str) -> bool:
        status = self.server.fault(call)
        if status == 0:
            self.close_connection = True
        elif status is not None:
            self._refuse(status, f"A fault was asked for: {status}.")
        return status is not None

    def _control(self, what: str, body: bytes) -> None:
        door: dict[str, Callable[[bytes], bytes]] = {
            "execute": self._execute, "load": self._load, "faults": self._faults, "state": self._state,
            "storage": self._storage, "forget": self._forget,
        }  # fmt: skip
        try:
            self._answer(200, door[what](body))
        except Exception as error:  # noqa: BLE001 - the owner is told whatever went wrong
            self._answer(400, str(error).encode(), "text/plain")

    def _execute(self, body: bytes) -> bytes:
        asked = json.loads(body)
        return _stream(self.server.engine.execute(asked["text"], asked["params"]))

    def _load(self, body: bytes) -> bytes:
        (size,) = struct.unpack(">i", body[:4])
        asked = json.loads(body[4 : 4 + size])
        rows = pa.ipc.open_stream(pa.py_buffer(body)[4 + size :]).read_all()
        self.server.engine.load(asked["table"], rows, asked["types"])
        return b""

    def _faults(self, body: bytes) -> bytes:
        with self.server.lock:
            self.server.faults = [Fault(**one) for one in json.loads(body)]
        return b""

    def _storage(self, body: bytes) -> bytes:
        asked = json.loads(body)
        self.server.statements.closed = asked.pop("closed", False)
        self.server.statements.storage = Storage(**asked)
        return b""

    def _forget(self, body: bytes) -> bytes:
        self.server.statements.forget()
        return b""

    def _state(self, body: bytes) -> bytes:
        operations = self.server.operations
        told = {"running": operations.running(), "kept": self.server.service.kept(), "history": list(operations.history)}
        return json.dumps(told).encode()

    def _refuse(self, status: int, why: str) -> None:
        headers = {"x-thriftserver-error-message": why, "Retry-After": "1"}
        self._answer(status, json.dumps({"message": why}).encode(), "application/json", headers)

    def _answer(
        self, status: int, body: bytes, kind: str = "application/octet-stream", headers: dict[str, str] | None = None
    ) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": kind, "Content-Length": str(len(body)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)


def _called(body: bytes) -> str:
    """The name of the call: a binary Thrift message begins with its version and the name's length."""
    (size,) = struct.unpack(">i", body[4:8])
    return body[8 : 8 + size].decode()


def _stream(rows: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, rows.schema) as writer:
        writer.write_table(rows)
    return bytes(sink.getvalue().to_pybytes())
