"""BigQuery's stand-in: ``python -m server CERTIFICATE KEY PROJECT``, in the environment of ``requirements.txt``.

Prints its two ports as JSON when it answers, and ends when its standard input does.
"""

from __future__ import annotations

import asyncio
import functools
import json
import os
import sys
import threading
from pathlib import Path
from typing import Any

import bqemulator.server as emulator  # type: ignore[import-not-found,unused-ignore]
import grpc  # type: ignore[import-untyped,unused-ignore]
from bqemulator.config import Settings  # type: ignore[import-not-found,unused-ignore]
from duckdb_extensions import import_extension  # type: ignore[import-not-found,unused-ignore]

from . import gaps
from .control import control
from .queries import Queries, router
from .storage import StorageRead


def assemble(certificate: str, key: str) -> None:
    """Put the parts of this folder into the emulator, and TLS before both of its ports."""
    create = emulator.create_app
    made: dict[str, Any] = {}

    def app_of(context: Any) -> Any:
        for macro in gaps.MACROS:
            context.engine.execute(macro)
        app = create(context)
        made["queries"] = queries = Queries(context)
        made["storage"] = StorageRead(lambda table: (job := queries.find(table)) and job.rows)
        inner = list(app.router.routes)
        app.router.routes.clear()
        app.include_router(router(queries))
        app.include_router(control(queries, made["storage"]))
        app.router.routes.extend(inner)
        return app

    def storage_of(context: Any) -> tuple[Any, int]:
        server = grpc.aio.server(options=[("grpc.max_send_message_length", -1)])
        server.add_generic_rpc_handlers([made["storage"]])
        credentials = grpc.ssl_server_credentials([(Path(key).read_bytes(), Path(certificate).read_bytes())])
        return server, server.add_secure_port("127.0.0.1:0", credentials)

    emulator.create_app = app_of
    emulator.build_grpc_server = storage_of
    emulator.uvicorn.Config = functools.partial(emulator.uvicorn.Config, ssl_certfile=certificate, ssl_keyfile=key)


async def serve(project: str) -> None:
    """Run until standard input ends."""
    server = emulator.EmulatorServer(
        Settings(rest_port=0, grpc_port=0, default_project_id=project, log_level="error", metrics_enabled=False)
    )
    await server.start()
    print(json.dumps({"rest": server.rest_port, "storage": server.grpc_port}), flush=True)
    await asyncio.Event().wait()


def watch() -> None:
    """End with standard input, at once: all is in memory, and an orderly end would wait for clients and statements."""
    sys.stdin.read()
    os._exit(0)


if __name__ == "__main__":
    for extension in ("spatial", "avro"):
        import_extension(extension)
    threading.Thread(target=watch, daemon=True).start()
    gaps.fill()
    assemble(sys.argv[1], sys.argv[2])
    asyncio.run(serve(sys.argv[3]))
