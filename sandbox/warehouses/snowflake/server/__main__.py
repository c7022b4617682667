"""``python -m server FOLDER``: reads ``settings.json`` there and writes the port that it serves to ``port``."""

from __future__ import annotations

import json
import socket
import sys
from pathlib import Path

import uvicorn

from .access import Access
from .app import Service, application


def main(folder: Path) -> None:
    """Serve until the process is ended."""
    settings = json.loads((folder / "settings.json").read_text())
    service = Service(Access(settings["users"], settings["warehouses"]), settings["database"], settings["schema"])
    place = socket.socket(proto=socket.IPPROTO_TCP)  # with the protocol named, asyncio sends small answers at once
    place.bind(("127.0.0.1", 0))
    files = {"ssl_certfile": settings["certificate"], "ssl_keyfile": settings["private_key"]}
    server = uvicorn.Server(uvicorn.Config(application(service), log_level="warning", lifespan="off", **files))
    (folder / "port").write_text(str(place.getsockname()[1]))
    server.run(sockets=[place])


if __name__ == "__main__":
    main(Path(sys.argv[1]))
