"""A capture server: answers ``POST /users/track`` as Braze does, as fast as a raw asyncio protocol can, and counts.

It keeps the bodies only while it is told to. ``POST /control`` with ``{"latency": seconds, "spool": path or null}`` sets it up
and gives the counts since the last such call.
"""

from __future__ import annotations

import asyncio
import json
import sys
import threading
from dataclasses import dataclass, field
from functools import cache, partial
from pathlib import Path
from typing import Any, BinaryIO, cast

HEAD_END = b"\r\n\r\n"
OBJECT = b'"external_id"'
"""Stands once in each object of the benchmark's rows, so counting it counts them."""


def new_event_loop() -> asyncio.AbstractEventLoop:
    """uvloop's if it is installed, else the standard library's."""
    try:
        import uvloop
    except ImportError:
        return asyncio.new_event_loop()
    loop: asyncio.AbstractEventLoop = uvloop.new_event_loop()
    return loop


@dataclass
class Counts:
    """What arrived.

    :ivar bytes: bytes of the bodies.
    """

    requests: int = 0
    objects: int = 0
    bytes: int = 0


@dataclass
class State:
    """The server's settings and counts; all connections share it."""

    latency: float = 0.0
    spool: BinaryIO | None = None
    counts: Counts = field(default_factory=Counts)

    def control(self, settings: dict[str, Any]) -> Counts:
        """Take new settings; gives the counts so far and begins new ones."""
        if self.spool is not None:
            self.spool.close()
        self.latency = float(settings["latency"])
        self.spool = Path(settings["spool"]).open("wb") if settings["spool"] else None  # noqa: SIM115 - closed by the next call
        counts, self.counts = self.counts, Counts()
        return counts

    def take(self, body: memoryview, objects: int) -> None:
        """Count a request, and keep its body if bodies are kept."""
        self.counts.requests += 1
        self.counts.objects += objects
        self.counts.bytes += len(body)
        if self.spool is not None:
            self.spool.write(b"%d\n" % len(body))
            self.spool.write(body)


@cache
def answer(objects: int) -> bytes:
    """Braze's answer to a request whose objects are all good."""
    return response(201, "Created", b'{"message":"success","attributes_processed":%d}' % objects)


def response(status: int, reason: str, body: bytes) -> bytes:
    """A whole response."""
    head = f"HTTP/1.1 {status} {reason}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


class Connection(asyncio.Protocol):
    """One keep-alive connection."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._buffer = bytearray()
        self._needed = 0  # bytes of the request that is arriving, once its head says so

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport to answer on."""
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        """Take every request that is whole."""
        self._buffer += data
        while len(self._buffer) > self._needed and self._one():
            pass

    def _one(self) -> bool:
        buffer = self._buffer
        head_end = buffer.find(HEAD_END)
        if head_end < 0:
            return False
        head, start = bytes(buffer[:head_end]).lower(), head_end + len(HEAD_END)
        if b"transfer-encoding: chunked" in head:
            return self._chunked(head, start)
        length = int(head.partition(b"content-length:")[2].partition(b"\r\n")[0] or 0)
        if len(buffer) < start + length:
            self._needed = start + length - 1
            return False
        objects = buffer.count(OBJECT, start, start + length)
        with memoryview(buffer) as view, view[start : start + length] as body:
            self._handle(head, body, objects)
        self._done(start + length)
        return True

    def _chunked(self, head: bytes, start: int) -> bool:
        body, at = bytearray(), start
        while (line_end := self._buffer.find(b"\r\n", at)) >= 0:
            size = int(self._buffer[at:line_end].partition(b";")[0], 16)
            at = line_end + 2 + size + 2
            if len(self._buffer) < at:
                return False
            if size == 0:
                self._handle(head, memoryview(body), body.count(OBJECT))
                self._done(at)
                return True
            body += self._buffer[line_end + 2 : at - 2]
        return False

    def _done(self, end: int) -> None:
        del self._buffer[:end]
        self._needed = 0

    def _handle(self, head: bytes, body: memoryview, objects: int) -> None:
        if head.startswith(b"post /control "):
            counts = self._state.control(json.loads(bytes(body)))
            self._transport.write(response(200, "OK", json.dumps(vars(counts)).encode()))
            return
        self._state.take(body, objects)
        if self._state.latency:
            asyncio.get_running_loop().call_later(self._state.latency, self._transport.write, answer(objects))
        else:
            self._transport.write(answer(objects))


async def serve() -> None:
    """Serve on a free port, which is written to the standard output, until the standard input ends."""
    loop, over = asyncio.get_running_loop(), asyncio.Event()
    server = await loop.create_server(partial(Connection, State()), "127.0.0.1", 0)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()

    def wait() -> None:
        sys.stdin.read()
        loop.call_soon_threadsafe(over.set)

    threading.Thread(target=wait, daemon=True).start()
    await over.wait()
    server.close()


if __name__ == "__main__":
    new_event_loop().run_until_complete(serve())
