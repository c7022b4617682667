"""Stands in front of an AWS endpoint, passes requests on, lets the next ones fail as told and keeps a list of them all."""

from __future__ import annotations

import asyncio
import re
import socket
import ssl
import tempfile
import threading
from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

from aiohttp import ClientSession, ClientTimeout, TCPConnector, web

from sandbox.aws.faults import Fault
from sandbox.aws.passing import Passage, Request
from sandbox.tls import private_authority

Self = TypeVar("Self", bound="FaultProxy")

_SECONDS = 30
"""To start or to end; both take a moment."""


class FaultProxy:
    """A proxy that runs while a ``with`` block lasts, in a thread of this process. Bodies pass through piece by piece.

    :param upstream: the endpoint that it stands in front of.
    :param tls: whether clients talk TLS to it, under a private authority.
    :param upstream_ca: the certificate to trust if the endpoint has TLS.
    :ivar url: its own endpoint.
    :ivar ca_file: the certificate for clients to trust, with TLS.
    """

    url: str
    ca_file: str | None = None

    def __init__(self, upstream: str, *, tls: bool = False, upstream_ca: str | None = None) -> None:
        self._upstream, self._tls = upstream.rstrip("/"), tls
        self._trust = ssl.create_default_context(cafile=upstream_ca) if upstream_ca else True
        self._lock = threading.Lock()
        self._faults: list[Fault] = []
        self._requests: list[Request] = []

    def __enter__(self: Self) -> Self:
        started: Future[int] = Future()
        self._folder = tempfile.TemporaryDirectory(prefix="activation-aws-proxy-")
        context = self._certificate() if self._tls else None
        self._thread = threading.Thread(target=self._run, args=(started, context), name="fault-proxy", daemon=True)
        self._thread.start()
        self.url = f"{'https' if self._tls else 'http'}://127.0.0.1:{started.result(_SECONDS)}"
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._loop.call_soon_threadsafe(self._ended.set)
        self._thread.join(_SECONDS)
        self._folder.cleanup()

    def faults(self, *faults: Mapping[str, Any]) -> None:
        """Replace what goes wrong next; the first that matches a request and is not used up meets it.

        Each is ``{"match": regex, "n": 1, "do": what, "message": text}``; the regex is looked for in the request's line,
        ``METHOD path?query`` and, for STS, IAM and KMS, the action after it. What there is to ``do``:

        * an error code of S3, STS or KMS such as ``SlowDown``, ``InternalError``, ``ExpiredToken`` or ``AccessDenied``, worded
          as the service would, with ``message`` if there is one;
        * ``redirect:REGION``: the bucket is in another region;
        * ``reset``: the connection breaks before the request arrives;
        * ``lost``: the request is carried out, and the connection breaks before the answer;
        * ``truncate``: the connection breaks after half of the answer's body; an answer without one is lost;
        * ``delay:SECONDS``: the request is carried out later;
        * ``expires:SECONDS``: the credentials in an answer of STS say that they end so soon (they do not).

        :raises ValueError: if there is no such fault.
        """
        read = [Fault.of(one) for one in faults]
        with self._lock:
            self._faults = read

    def requests(self, match: str = "") -> list[Request]:
        """The requests so far, in the order in which they came.

        :param match: only those in whose line ``re.search`` finds this.
        """
        with self._lock:
            return [replace(one) for one in self._requests if re.search(match, one.line)]

    def forget(self) -> None:
        """Begin the list of requests anew, and let nothing go wrong."""
        with self._lock:
            self._requests, self._faults = [], []

    def _certificate(self) -> ssl.SSLContext:
        authority = private_authority(Path(self._folder.name))
        self.ca_file = authority.ca_file
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(authority.certificate, authority.private_key)
        return context

    def _meet(self, request: Request) -> Fault | None:
        with self._lock:
            self._requests.append(request)
            fault = next((one for one in self._faults if one.left > 0 and one.match.search(request.line)), None)
            if fault is not None:
                fault.left -= 1
                request.fault = fault.what
            return fault

    def _run(self, started: Future[int], context: ssl.SSLContext | None) -> None:
        try:
            asyncio.run(self._serve(started, context))
        except Exception as error:
            if started.done():
                raise
            started.set_exception(error)

    async def _serve(self, started: Future[int], context: ssl.SSLContext | None) -> None:
        self._loop, self._ended = asyncio.get_running_loop(), asyncio.Event()
        usual = ("User-Agent", "Accept", "Accept-Encoding", "Content-Type")
        # Bodies pass as they are, and no connection is used twice: the client would repeat a request on its own.
        connector = TCPConnector(limit=0, force_close=True, ssl=self._trust)
        timeout = ClientTimeout(total=None, sock_connect=5)
        async with ClientSession(connector=connector, skip_auto_headers=usual, auto_decompress=False, timeout=timeout) as session:
            app = web.Application()
            app.router.add_route("*", "/{path:.*}", Passage(self._upstream, session, self._meet).handle)
            runner = web.AppRunner(app, access_log=None, auto_decompress=False, handler_cancellation=True, shutdown_timeout=1)
            await runner.setup()
            try:
                listener = socket.create_server(("127.0.0.1", 0))
                await web.SockSite(runner, listener, ssl_context=context).start()
                started.set_result(listener.getsockname()[1])
                await self._ended.wait()
            finally:
                await runner.cleanup()
