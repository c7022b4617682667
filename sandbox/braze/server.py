"""Running the server: as a coroutine, or in a thread of its own behind a context manager."""

import asyncio
import ssl
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType

from aiohttp import web

from sandbox.braze import control, gate
from sandbox.braze.client import ControlClient
from sandbox.braze.settings import ApiKey, Settings, Tls
from sandbox.braze.world import World

_SHUTDOWN_SECONDS = 1.0


def new_event_loop() -> asyncio.AbstractEventLoop:
    """A loop of uvloop where that is installed, else of asyncio."""
    try:
        import uvloop
    except ImportError:
        return asyncio.new_event_loop()
    loop: asyncio.AbstractEventLoop = uvloop.new_event_loop()
    return loop


async def serve(world: World, host: str, port: int, tls: Tls | None, ready: Callable[[str], None], stop: asyncio.Event) -> None:
    """Serve until ``stop`` is set. ``ready`` gets the base address once requests are taken.

    Raises:
        OSError: the address is in use, or a TLS file cannot be read.
    """

    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        if request.path.startswith(control.PREFIX):
            return await control.answer(world, request)
        return await gate.answer(world, request)

    # Braze documents no compressed request bodies, so none are unpacked: they are unparsable.
    server = web.Server(handle, access_log=None, auto_decompress=False)
    runner = web.ServerRunner(server, shutdown_timeout=_SHUTDOWN_SECONDS)
    await runner.setup()
    try:
        site = web.TCPSite(runner, host, port, ssl_context=_context(tls), reuse_address=True)
        await site.start()
        address = runner.addresses[0]
        ready(f"{'https' if tls else 'http'}://{host}:{address[1]}")
        await stop.wait()
    finally:
        await runner.cleanup()


class BrazeSandbox(ControlClient):
    """A server in a background thread on an ephemeral port of 127.0.0.1, for ``with``.

    ``key`` is the first key's value, for the client under test. The control calls go over HTTP like any other's.
    """

    def __init__(
        self,
        settings: Settings | None = None,
        *,
        keys: Sequence[ApiKey] = (ApiKey(),),
        host: str = "127.0.0.1",
        port: int = 0,
        tls: Tls | None = None,
    ) -> None:
        if not keys:
            raise ValueError("the server needs at least one API key")
        super().__init__(url="")
        self.key = keys[0].value
        self._world = World(settings or Settings(), keys)
        self._address = (host, port, tls)
        self._loop = new_event_loop()
        self._stop = asyncio.Event()
        self._executor = ThreadPoolExecutor(1, thread_name_prefix="braze-sandbox")
        self._served: Future[None] | None = None

    def __enter__(self) -> "BrazeSandbox":
        started = threading.Event()

        def ready(url: str) -> None:
            self.url = url
            started.set()

        self._served = self._executor.submit(self._run, ready)
        self._served.add_done_callback(lambda _: started.set())
        started.wait()
        if not self.url:
            self._end()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._end()

    def _run(self, ready: Callable[[str], None]) -> None:
        try:
            self._loop.run_until_complete(serve(self._world, *self._address, ready, self._stop))
        finally:
            self._loop.close()

    def _end(self) -> None:
        """Wait for the thread, and raise what ended it."""
        self._executor.shutdown()
        if self._served is not None:
            self._served.result()


def _context(tls: Tls | None) -> ssl.SSLContext | None:
    if tls is None:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(tls.certificate, tls.private_key)
    return context
