"""What makes a PostgreSQL server look like Redshift on the wire: a front that terminates TLS and speaks for it.

It takes away the start-up fields that only Redshift knows, reports Redshift's version, gives the setting ``query_group`` a place,
and can have the limit of a cluster of one node. All rows pass as they are.
"""

from __future__ import annotations

import re
import select
import socket
import ssl
import struct
import threading
from collections import deque
from contextlib import suppress
from typing import NamedTuple

from sandbox.warehouses.redshift_unload import UNLOAD, Unloads

_SSL_REQUEST, _CANCEL_REQUEST, _GSS_REQUEST = 80877103, 80877102, 80877104
"""PostgreSQL's protocol, message formats: SSLRequest, CancelRequest, GSSENCRequest."""

_KEPT = {b"user", b"database", b"application_name", b"client_encoding", b"options", b"datestyle", b"extra_float_digits"}
"""Start-up fields that PostgreSQL takes; redshift_connector sends others beside them."""

_VERSION = b"8.0.2"
_READY = b"Z"
_CHUNK = 256 * 1024
_FETCH = re.compile(r"\s*FETCH\s+FORWARD\s+(\d+)", re.IGNORECASE)
_GROUP = re.compile(rb"(\s*SET\s+)(query_group)\b", re.IGNORECASE)
_SINGLE_NODE_ROWS = 1000
_GOODBYE_SECONDS = 1.0


class Seen(NamedTuple):
    """A statement that passed, and the query group that was set before it."""

    group: str
    text: str


class RedshiftFront:
    """Listens on a free port of 127.0.0.1.

    :param upstream: the path of PostgreSQL's socket.
    :param certificate: PEM file with the server's certificate.
    :param private_key: PEM file with the key to it.
    :ivar seen: the last statements that came.
    :ivar single_node: whether the cluster has one node only, and its limit.
    :ivar unloads: what runs UNLOAD, if the cluster may.
    """

    def __init__(self, upstream: str, certificate: str, private_key: str) -> None:
        self.seen: deque[Seen] = deque(maxlen=10_000)
        self.single_node = False
        self.unloads: Unloads | None = None
        self._upstream = upstream
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(certificate, private_key)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._open: set[socket.socket] = set()
        self._stopped = False
        self._thread = threading.Thread(target=self._accept, name="redshift-front", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Close every connection."""
        self._stopped = True
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()
        self.drop()

    def drop(self) -> None:
        """Cut every connection, as a network does that fails."""
        for one in list(self._open):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def refusal(self, text: str) -> str:
        """What Redshift would say to a statement that PostgreSQL takes; empty if it takes it too."""
        fetch = _FETCH.match(text)
        if fetch and self.single_node and int(fetch.group(1)) > _SINGLE_NODE_ROWS:
            return (
                f"Fetch size {int(fetch.group(1))} exceeds the limit of {_SINGLE_NODE_ROWS} for a single node configuration. "
                "Reduce the client fetch/cache size or upgrade to a multi node installation."
            )
        return ""

    def _accept(self) -> None:
        while not self._stopped:
            with suppress(OSError):
                client, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=[client], name="redshift-front", daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        server = socket.socket(socket.AF_UNIX)
        try:
            self._open.add(client)
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            code, body = _start(client)
            if code in (_SSL_REQUEST, _GSS_REQUEST):
                while code == _GSS_REQUEST:
                    client.sendall(b"N")
                    code, body = _start(client)
                if code == _SSL_REQUEST:
                    client.sendall(b"S")
                    self._open.discard(client)
                    client = self._context.wrap_socket(client, server_side=True)
                    self._open.add(client)
                    code, body = _start(client)
            server.connect(self._upstream)
            if code == _CANCEL_REQUEST:
                server.sendall(struct.pack("!II", len(body) + 8, code) + body)
                server.recv(1)  # PostgreSQL closes when it has passed the signal on
                if isinstance(client, ssl.SSLSocket):
                    client.settimeout(_GOODBYE_SECONDS)
                    client.unwrap()  # libpq takes an end without TLS's goodbye for a failure
            elif isinstance(client, ssl.SSLSocket):
                server.sendall(_kept(code, body))
                _Session(self, client, server).run()
            else:
                client.sendall(_message(b"E", b"SFATAL\0C28000\0Mno pg_hba.conf entry for host, SSL off\0\0"))
        except (OSError, EOFError):
            pass
        finally:
            self._open.discard(client)
            client.close()
            server.close()


class _Session:
    """One connection: a thread that carries bytes both ways, since TLS does not bear two."""

    def __init__(self, front: RedshiftFront, client: ssl.SSLSocket, server: socket.socket) -> None:
        self.front, self.client, self.server = front, client, server
        self.group = ""
        self.held = b""

    def run(self) -> None:
        self.greet()
        while True:
            ready = [self.client] if self.client.pending() else select.select([self.client, self.server], [], [])[0]
            if self.client in ready:
                data = self.client.recv(_CHUNK)
                if not data:
                    return
                self.server.sendall(self.rewritten(data))
            if self.server in ready:
                data = self.server.recv(_CHUNK)
                if not data:
                    return
                self.client.sendall(data)

    def greet(self) -> None:
        """Pass the login on until the server is ready, with another version in its parameters."""
        kind = b""
        while kind != _READY:
            kind, body = _receive(self.server)
            if kind == b"S" and body.startswith(b"server_version\0"):
                body = b"server_version\0" + _VERSION + b"\0"
            self.client.sendall(_message(kind, body))
            if kind == b"R" and struct.unpack("!I", body[:4])[0]:
                self.server.sendall(_message(*_receive(self.client)))

    def rewritten(self, data: bytes) -> bytes:
        self.held += data
        out = []
        while len(self.held) >= 5 and len(self.held) > (size := struct.unpack("!I", self.held[1:5])[0]):
            kind, body, self.held = self.held[:1], self.held[5 : size + 1], self.held[size + 1 :]
            out.append(_message(kind, self.statement(kind, body) if kind in b"QP" else body))
        return b"".join(out)

    def statement(self, kind: bytes, body: bytes) -> bytes:
        name, text = (b"", body) if kind == b"Q" else (body[: body.index(b"\0") + 1], body[body.index(b"\0") + 1 :])
        shown = text[: text.index(b"\0")].decode(errors="replace")
        group = _GROUP.match(text)
        if group:
            self.group = shown.partition("'")[2].rpartition("'")[0]
            text = _GROUP.sub(rb"\1redshift.\2", text, count=1)
        else:
            self.front.seen.append(Seen(self.group, shown))
        refused, rest = self.front.refusal(shown), text[text.index(b"\0") :]
        if UNLOAD.match(shown):
            refused = self.front.unloads.run(shown) if self.front.unloads else "no IAM role is attached to the cluster"
            text = b"SET application_name TO 'unloaded'" + rest
        if refused:
            said = refused.replace("'", "''")
            text = f"SELECT redshift_error('{said}')".encode() + rest
        return name + text


def _start(source: socket.socket) -> tuple[int, bytes]:
    size, code = struct.unpack("!II", _exactly(source, 8))
    return code, _exactly(source, size - 8)


def _kept(code: int, body: bytes) -> bytes:
    parts = body.rstrip(b"\0").split(b"\0")
    fields = {name: value for name, value in zip(parts[::2], parts[1::2], strict=False) if name in _KEPT}
    shown = b"".join(name + b"\0" + value + b"\0" for name, value in fields.items()) + b"\0"
    return struct.pack("!II", len(shown) + 8, code) + shown


def _receive(source: socket.socket) -> tuple[bytes, bytes]:
    head = _exactly(source, 5)
    return head[:1], _exactly(source, struct.unpack("!I", head[1:])[0] - 4)


def _message(kind: bytes, body: bytes) -> bytes:
    return kind + struct.pack("!I", len(body) + 4) + body


def _exactly(source: socket.socket, size: int) -> bytes:
    parts = bytearray()
    while len(parts) < size:
        data = source.recv(size - len(parts))
        if not data:
            raise EOFError
        parts += data
    return bytes(parts)
