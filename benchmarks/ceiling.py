"""How much the capture server takes: a process that sends one request, encoded beforehand, as often as it can."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from pathlib import Path
from typing import cast
from urllib.parse import urlsplit

from benchmarks import source
from benchmarks.loops import BATCH
from benchmarks.server import HEAD_END, new_event_loop

HEAD = "POST /users/track HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n"


class Blaster(asyncio.Protocol):
    """One connection: sends the next request as soon as the answer is there. All answers are alike.

    :param until: ``time.monotonic()`` after which nothing more is sent.
    """

    def __init__(self, request: bytes, until: float) -> None:
        self._request, self._until = request, until
        self._length = self._received = 0
        self.answers = 0
        self.over = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Send the first request."""
        self._transport = cast(asyncio.Transport, transport)
        self._transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        """Count an answer when it is whole."""
        if not self._length:
            head, _, _ = data.partition(HEAD_END)
            self._length = len(head) + len(HEAD_END) + int(head.lower().partition(b"content-length:")[2].split()[0])
        self._received += len(data)
        if self._received < self._length:
            return
        self._received -= self._length
        self.answers += 1
        if time.monotonic() < self._until:
            self._transport.write(self._request)
        else:
            self._transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell that it is over."""
        self.over.set_result(None)


async def blast(url: str, request: bytes, *, connections: int, seconds: float) -> float:
    """Send as fast as the server answers.

    :returns: answers a second.
    """
    loop, place = asyncio.get_running_loop(), urlsplit(url)
    began = time.monotonic()
    made = [
        await loop.create_connection(lambda: Blaster(request, began + seconds), place.hostname or "", place.port or 80)
        for _ in range(connections)
    ]
    await asyncio.gather(*(protocol.over for _, protocol in made))
    return sum(protocol.answers for _, protocol in made) / (time.monotonic() - began)


def request_of(database: Path, rows: int) -> bytes:
    """One request with the first rows of a table."""
    objects = [source.object_of(*row) for row in source.read(database, rows)[:BATCH]]
    body = json.dumps({"attributes": objects}, ensure_ascii=False, separators=(",", ":")).encode()
    return HEAD.format(len(body)).encode() + body


def main(url: str, database: str, rows: str, connections: str, seconds: str) -> None:
    """Write the answers a second to the standard output."""
    request = request_of(Path(database), int(rows))
    rate = new_event_loop().run_until_complete(blast(url, request, connections=int(connections), seconds=float(seconds)))
    sys.stdout.write(f"{rate}\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
