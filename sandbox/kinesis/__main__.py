"""``python -m sandbox.kinesis``: the server as a process. Prints its address in one line once it is ready."""

from __future__ import annotations

import argparse
import asyncio
import gc
import signal
import ssl
import sys
from collections.abc import Sequence

import msgspec
from aiohttp import web

from sandbox.kinesis import control, gate
from sandbox.kinesis.settings import Settings
from sandbox.kinesis.world import World


def main(arguments: Sequence[str] | None = None) -> int:
    """Run until SIGTERM or SIGINT.

    :returns: 0 after an orderly stop, 1 if the server cannot start; 2 for mistakes in the arguments (argparse).
    """
    parser = argparse.ArgumentParser(prog="python -m sandbox.kinesis", description="Contract server of Kinesis Data Streams.")
    add = parser.add_argument
    add("--port", type=int, default=0, help="0 (default) takes a free one")
    add("--settings", default="{}", help='any switches, as JSON: \'{"shards": 8, "limits": {"write_records": 100}}\'')
    add("--certificate", help="PEM file; serves HTTPS, with --private-key")
    add("--private-key", help="PEM file")
    options = parser.parse_args(arguments)
    try:
        settings = msgspec.json.decode(options.settings, type=Settings)
    except (msgspec.DecodeError, ValueError) as error:
        parser.error(f"--settings: {error}")
    context = None
    if options.certificate:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(options.certificate, options.private_key)
    # Millions of records that are kept form no cycles; looking for some in them costs seconds.
    gc.freeze()
    gc.set_threshold(100_000, 50, 1_000)
    try:
        _run(World(settings), options.port, context)
    except OSError as error:
        print(f"cannot start: {error}", file=sys.stderr)
        return 1
    return 0


def _run(world: World, port: int, context: ssl.SSLContext | None) -> None:
    loop = _new_event_loop()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    try:
        loop.run_until_complete(_serve(world, port, context, stop))
    finally:
        loop.close()


async def _serve(world: World, port: int, context: ssl.SSLContext | None, stop: asyncio.Event) -> None:
    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        if request.path.startswith(control.PREFIX):
            return await control.answer(world, request)
        return await gate.answer(world, request)

    runner = web.ServerRunner(web.Server(handle, access_log=None, auto_decompress=False), shutdown_timeout=0.5)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", port, ssl_context=context, backlog=512).start()
        print(f"{'https' if context else 'http'}://127.0.0.1:{runner.addresses[0][1]}", flush=True)
        await stop.wait()
    finally:
        await runner.cleanup()


def _new_event_loop() -> asyncio.AbstractEventLoop:
    """A loop of uvloop where that is installed, else of asyncio."""
    try:
        import uvloop
    except ImportError:
        return asyncio.new_event_loop()
    loop: asyncio.AbstractEventLoop = uvloop.new_event_loop()
    return loop


if __name__ == "__main__":
    sys.exit(main())
