"""``python -m sandbox.kakao``: the server as a process. Prints its address in one line once it is ready."""

from __future__ import annotations

import argparse
import asyncio
import signal
import ssl
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import msgspec
from aiohttp import web

from sandbox.kakao import control, gate, oauth
from sandbox.kakao.settings import Settings, changed
from sandbox.kakao.world import World


def main(arguments: Sequence[str] | None = None) -> int:
    """Run until SIGTERM or SIGINT.

    :returns: 0 after an orderly stop, 1 if the server cannot start; 2 for mistakes in the arguments (argparse).
    """
    parser = argparse.ArgumentParser(prog="python -m sandbox.kakao", description="Contract server of Kakao Moment files.")
    add = parser.add_argument
    add("--port", type=int, default=0, help="0 (default) takes a free one")
    add("--settings", default="{}", help='any switches, as JSON: \'{"generation": "both", "limits": {"write_seconds": 0}}\'')
    add("--folder", type=Path, help="where uploads are kept; a temporary one unless given")
    add("--certificate", help="PEM file; serves HTTPS, with --private-key")
    add("--private-key", help="PEM file")
    options = parser.parse_args(arguments)
    try:
        settings = changed(Settings(), msgspec.json.decode(options.settings))
    except (msgspec.DecodeError, ValueError) as error:
        parser.error(f"--settings: {error}")
    context = None
    if options.certificate:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(options.certificate, options.private_key)
    with tempfile.TemporaryDirectory(prefix="activation-kakao-", dir=options.folder) as folder:
        try:
            asyncio.run(_serve(World(settings, Path(folder)), options.port, context))
        except OSError as error:
            print(f"cannot start: {error}", file=sys.stderr)
            return 1
    return 0


async def _serve(world: World, port: int, context: ssl.SSLContext | None) -> None:
    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        if request.path.startswith(control.PREFIX):
            return await control.answer(world, request)
        if request.path in oauth.PATHS:
            return await oauth.answer(world, request)
        return await gate.answer(world, request)

    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    runner = web.ServerRunner(web.Server(handle, access_log=None, auto_decompress=False), shutdown_timeout=0.5)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", port, ssl_context=context).start()
        print(f"{'https' if context else 'http'}://127.0.0.1:{runner.addresses[0][1]}", flush=True)
        await stop.wait()
    finally:
        await runner.cleanup()


if __name__ == "__main__":
    sys.exit(main())
