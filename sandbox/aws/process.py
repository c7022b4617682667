"""A server of the AWS sandbox: a process of its own environment with a free port and a folder that goes when it ends."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

from sandbox.airflow import guard
from sandbox.environments import clean, environment
from sandbox.tls import private_authority

_START_SECONDS = 120
"""The slower one starts in five seconds on an idle machine."""

_STOP_SECONDS = 10


class Server:
    """One process and what came of it.

    :param home: the folder with its ``requirements.txt`` and its ``server.py``, which gets the folder for its files.
    :param variables: further variables; ``{folder}`` and ``{port}`` in a value stand for what this start got.
    :param health: the path that answers 200 when it is ready.
    :param tls: whether it is asked by TLS. The folder then has ``certificate.pem``, ``key.pem`` and, with both, ``server.pem``.
    :ivar url: where it listens.
    :ivar ca_file: the authority that signed its certificate, with TLS.
    """

    def __init__(self, home: Path, variables: Mapping[str, str], health: str, *, tls: bool = False) -> None:
        self.home, self._variables, self._health, self._tls = home, variables, health, tls
        self.url = ""
        self.ca_file: str | None = None
        self._folder: Path | None = None
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it and wait until it answers.

        :raises RuntimeError: if it does not; shows what it printed last.
        """
        python = environment(f"aws-{self.home.name}", self.home / "requirements.txt")
        self._folder = folder = Path(tempfile.mkdtemp(prefix=f"activation-aws-{self.home.name}-"))
        port = _free_port()
        self.url = f"{'https' if self._tls else 'http'}://127.0.0.1:{port}"
        given = {name: value.format(folder=folder, port=port) for name, value in self._variables.items()}
        usual = {"HOME": str(folder), "TMPDIR": str(folder), "PYTHONDONTWRITEBYTECODE": "1"}
        unwanted = ("AWS_", "XDG_", "LOCALSTACK_", "MINISTACK_", "GATEWAY_", "S3_")
        inherited = {name: value for name, value in clean().items() if not name.startswith(unwanted)}
        command = [sys.executable, guard.__file__, str(os.getpid()), "2", str(python), str(self.home / "server.py"), str(folder)]
        try:
            self._certify(folder)
            with (folder / "log").open("wb") as log:
                self._process = subprocess.Popen(
                    command, cwd=folder, stdout=log, stderr=log, start_new_session=True, env={**inherited, **usual, **given}
                )
            self._wait(folder / "log")
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """End its whole process group and remove its files."""
        process, self._process = self._process, None
        if process is not None:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            deadline = time.monotonic() + _STOP_SECONDS
            while _listening(self.url) and time.monotonic() < deadline:  # what is killed still has to go
                time.sleep(0.02)
        folder, self._folder = self._folder, None
        if folder is not None:
            shutil.rmtree(folder, ignore_errors=True)

    def _certify(self, folder: Path) -> None:
        authority = private_authority(folder)
        parts = [Path(part).read_bytes() for part in (authority.private_key, authority.certificate)]
        (folder / "server.pem").write_bytes(b"".join(parts))
        self.ca_file = authority.ca_file if self._tls else None

    def _wait(self, log: Path) -> None:
        trust = ssl.create_default_context(cafile=self.ca_file) if self._tls else None
        deadline = time.monotonic() + _START_SECONDS
        while True:
            ended = self._process is None or self._process.poll() is not None
            try:
                if not ended:
                    with urllib.request.urlopen(self.url + self._health, timeout=5, context=trust):  # noqa: S310
                        return
            except OSError:
                pass
            if ended or time.monotonic() > deadline:
                printed = log.read_text(errors="replace")[-2000:]
                raise RuntimeError(f"the AWS server for {self.home.name!r} does not answer; it printed last: {printed}")
            time.sleep(0.05)


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def _listening(url: str) -> bool:
    try:
        socket.create_connection(("127.0.0.1", urlsplit(url).port or 0), timeout=1).close()
    except OSError:
        return False
    return True
