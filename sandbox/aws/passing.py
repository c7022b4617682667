"""How the fault proxy passes a request on and an answer back, piece by piece, or does what a fault says."""

from __future__ import annotations

import asyncio
import re
import socket
import struct
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from urllib.parse import parse_qs

from aiohttp import ClientError, ClientResponse, ClientSession, web
from yarl import URL

from sandbox.aws.faults import Fault, error

_CHUNK = 1 << 18
_HOP = {"connection", "keep-alive", "transfer-encoding", "expect"}
_KEPT = ("x-amz-server-side-encryption", "x-amz-meta-", "x-amz-checksum-", "x-amz-acl", "x-amz-expected-bucket-owner", "if-")
_KEPT_WHOLE = ("content-length", "content-type", "content-md5", "content-encoding", "user-agent")
_RESET = struct.pack("ii", 1, 0)


@dataclass
class Request:
    """A request as it came.

    :ivar path: with its query, as it was sent.
    :ivar action: what a form or an ``X-Amz-Target`` asks for, such as ``AssumeRole``; else empty.
    :ivar headers: those about encryption, conditions, checksums, metadata and the body, by names in lower case.
    :ivar access_key: the id of the key that signed it; empty for nobody.
    :ivar at: when it came, in seconds of ``time.monotonic``.
    :ivar fault: what it was met by, as it was told.
    :ivar status: of its answer; None while there is none and if it was lost.
    """

    method: str
    path: str
    action: str
    headers: Mapping[str, str]
    access_key: str
    at: float
    fault: str | None = None
    status: int | None = None

    @property
    def line(self) -> str:
        """``METHOD path?query``, and the action if there is one."""
        return f"{self.method} {self.path} {self.action}".rstrip()


class Passage:
    """Handles the requests of a proxy.

    :param upstream: the endpoint behind it.
    :param session: the client to ask it with.
    :param meet: is told each request as it comes and gives the fault that meets it.
    """

    def __init__(self, upstream: str, session: ClientSession, meet: Callable[[Request], Fault | None]) -> None:
        self._upstream, self._session, self._meet = upstream, session, meet

    async def handle(self, asked: web.Request) -> web.StreamResponse:
        """Answer one request."""
        is_form = asked.content_type == "application/x-www-form-urlencoded"
        form = await asked.read() if is_form else None
        request = _noted(asked, form)
        fault = self._meet(request)
        if fault is None or fault.what in ("delay", "lost", "truncate", "expires"):
            if fault is not None and fault.what == "delay":
                await asyncio.sleep(float(fault.argument))
            return await self._passed(asked, form, request, fault)
        if fault.what == "reset":
            return _broken(asked, web.Response())
        async for _ in asked.content.iter_chunked(_CHUNK):
            pass
        answer = error(fault, request.path, form=is_form, target="X-Amz-Target" in asked.headers)
        request.status = answer.status
        return web.Response(status=answer.status, headers=answer.headers, body=answer.body.encode())

    async def _passed(self, asked: web.Request, form: bytes | None, request: Request, fault: Fault | None) -> web.StreamResponse:
        what = fault.what if fault is not None else ""
        body = form if form is not None else asked.content if asked.body_exists else None
        headers = [(name, value) for name, value in asked.headers.items() if name.lower() not in _HOP]
        place = URL(self._upstream + request.path, encoded=True)
        answer: web.StreamResponse = web.Response()
        try:
            async with self._session.request(asked.method, place, headers=headers, data=body, allow_redirects=False) as got:
                if what == "lost" or (what == "truncate" and not got.content_length):
                    await got.read()
                    return _broken(asked, answer)
                answer = web.StreamResponse(status=got.status, reason=got.reason)
                answer.headers.extend((name, value) for name, value in got.headers.items() if name.lower() not in _HOP)
                request.status = got.status
                if fault is not None and what == "expires":
                    return await _expiring(got, float(fault.argument))
                await answer.prepare(asked)
                return await _copied(asked, got, answer, whole=what != "truncate")
        except (ClientError, ConnectionError):
            return _broken(asked, answer)


async def _copied(asked: web.Request, got: ClientResponse, answer: web.StreamResponse, *, whole: bool) -> web.StreamResponse:
    left = None if whole else (got.content_length or 0) // 2
    async for piece in got.content.iter_chunked(_CHUNK):
        await answer.write(piece[:left])
        if left is not None:
            left -= len(piece)
            if left <= 0:
                await asyncio.sleep(0.05)  # what was sent shall arrive
                return _broken(asked, answer)
    await answer.write_eof()
    return answer


async def _expiring(got: ClientResponse, seconds: float) -> web.Response:
    end = f"{datetime.now(timezone.utc) + timedelta(seconds=seconds):%Y-%m-%dT%H:%M:%SZ}"
    text = re.sub(r"<Expiration>[^<]*", f"<Expiration>{end}", await got.text())
    return web.Response(status=got.status, text=text, content_type="text/xml")


def _broken(asked: web.Request, answer: web.StreamResponse) -> web.StreamResponse:
    """Break the connection."""
    if asked.transport is not None:
        asked.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        asked.transport.abort()
    return answer


def _noted(asked: web.Request, form: bytes | None) -> Request:
    names = parse_qs(form.decode("latin-1")).get("Action", [""]) if form else [asked.headers.get("X-Amz-Target", "")]
    signed = re.search(r"Credential=([^/]+)/", asked.headers.get("Authorization", ""))
    kept = {name.lower(): value for name, value in asked.headers.items()}
    return Request(
        method=asked.method,
        path=asked.raw_path,
        action=names[0].rpartition(".")[2],
        headers={name: value for name, value in kept.items() if name.startswith(_KEPT) or name in _KEPT_WHOLE},
        access_key=signed[1] if signed else "",
        at=time.monotonic(),
    )
