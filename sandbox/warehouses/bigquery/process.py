"""The server's process, which ends with this one at the latest."""

from __future__ import annotations

import fcntl
import json
import os
import selectors
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from sandbox.environments import clean, environment
from sandbox.tls import Authority

HERE = Path(__file__).parent
PATIENCE = 60.0
"""Seconds for the start, 3 to 6 where nothing else runs."""


@dataclass(frozen=True)
class Server:
    """A running server.

    :ivar rest: port of the REST interface.
    :ivar storage: port of the Storage Read API, which is gRPC.
    :ivar pid: its process.
    """

    rest: int
    storage: int
    pid: int

    @property
    def url(self) -> str:
        """Where the REST interface is, for clients on this machine."""
        return f"https://localhost:{self.rest}"


@contextmanager
def running(authority: Authority, project: str) -> Iterator[Server]:
    """Start a server in its own environment; it is stopped behind the block."""
    python = environment("bigquery", HERE / "requirements.txt")
    home = python.parents[1] / "home"  # DuckDB's extensions are unpacked below it
    home.mkdir(exist_ok=True)
    settings = {**clean(), "HOME": str(home), "PYTHONUNBUFFERED": "1"}
    command = [str(python), "-m", "server", authority.certificate, authority.private_key, project]
    with tempfile.TemporaryFile("w+") as said, (home / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # of several first starts, one unpacks
        process = subprocess.Popen(
            command,
            cwd=HERE,
            env=settings,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=said,
            text=True,
            start_new_session=True,
        )
        try:
            ports = _ports(process, said)
            fcntl.flock(lock, fcntl.LOCK_UN)
            yield Server(ports["rest"], ports["storage"], process.pid)
        finally:
            _stop(process)


def _ports(process: subprocess.Popen[str], said: IO[str]) -> dict[str, int]:
    if process.stdout is None:
        raise RuntimeError("the server has no output")
    until = time.monotonic() + PATIENCE
    with selectors.DefaultSelector() as waiting:
        waiting.register(process.stdout, selectors.EVENT_READ)
        while time.monotonic() < until and waiting.select(max(0.0, until - time.monotonic())):
            line = process.stdout.readline()
            if line.startswith("{"):
                found: dict[str, int] = json.loads(line)
                return found
            if not line:
                break
    said.seek(0)
    raise RuntimeError(f"BigQuery's stand-in did not start: {said.read()[-2000:]}")


def _stop(process: subprocess.Popen[str]) -> None:
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            pipe.close()
    try:
        process.wait(5)
    except subprocess.TimeoutExpired:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
