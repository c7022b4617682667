"""Starts the stand-in server in its own environment, and is its owner."""

from __future__ import annotations

import http.client
import json
import os
import queue
import secrets
import shutil
import signal
import ssl
import struct
import subprocess
import tempfile
import threading
import time
from collections import deque
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import pyarrow as pa

from sandbox.environments import clean, environment
from sandbox.tls import private_authority
from sandbox.warehouses.base import WarehouseSandbox

HERE = Path(__file__).parent
HTTP_PATH = "/sql/1.0/warehouses/0123456789abcdef"

START_SECONDS = 120
"""Java and Spark need 8 s on two free cores; this leaves room for busy ones."""

STOP_SECONDS = 10
"""After its input has ended, the server only has to end Java."""


class DatabricksSandbox(WarehouseSandbox):
    """A SQL warehouse on this machine; its catalog is ``spark_catalog``."""

    engine = "databricks"
    types: Mapping[str, str] = {
        "text": "STRING",
        "timestamp": "TIMESTAMP",
        "integer": "BIGINT",
        "double": "DOUBLE",
        "decimal": "DECIMAL(18, 2)",
        "boolean": "BOOLEAN",
        "date": "DATE",
    }

    def __init__(self) -> None:
        self._folder = Path()
        self._process: subprocess.Popen[str] | None = None
        self._reader: threading.Thread | None = None
        self._said: deque[str] = deque(maxlen=40)
        self._trusted = ""
        self._token = f"dapi{secrets.token_hex(16)}"
        self._port = 0

    def start(self) -> None:
        """Start it, and wait until it answers."""
        python = environment("databricks", HERE / "requirements.txt")
        self._folder = Path(tempfile.mkdtemp(prefix="activation-databricks-"))
        authority = private_authority(self._folder)
        self._trusted = authority.ca_file
        command = [str(python), "-m", "server", "--folder", str(self._folder), "--path", HTTP_PATH]
        command += ["--certificate", authority.certificate, "--key", authority.private_key]
        command += ["--large"] if self.large else []
        self._process = subprocess.Popen(
            command,
            cwd=HERE,
            env={**clean(), "STAND_IN_TOKEN": self._token, "PYTHONDONTWRITEBYTECODE": "1"},
            stdin=subprocess.PIPE,  # the server ends with it, and so with this process
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        try:
            self._port = self._wait(self._process.stdout)
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Stop it and remove what it wrote."""
        process, self._process = self._process, None
        if process is None:
            return
        if process.stdin is not None:
            process.stdin.close()
        with suppress(subprocess.TimeoutExpired):
            process.wait(STOP_SECONDS)
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        if self._reader is not None:
            self._reader.join()
        if process.stdout is not None:
            process.stdout.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    def arguments(self, **extra: Any) -> dict[str, Any]:
        """Keywords of the connector's ``connect``."""
        usual = {"http_path": HTTP_PATH, "_port": self._port, "_tls_trusted_ca_file": self._trusted}
        # Nothing but the warehouse is there to be told about its use.
        return {"server_hostname": "localhost", "access_token": self._token, **usual, "enable_telemetry": False, **extra}

    def connection(self, **extra: Any) -> str:
        """The value of an ``AIRFLOW_CONN_*`` variable for its owner, as JSON."""
        fields = self.arguments(**extra)
        host, token = fields.pop("server_hostname"), fields.pop("access_token")
        # The port in its field is that of the REST API; the connector has its own among the extra fields.
        place = {"host": host, "port": self._port}
        return json.dumps({"conn_type": "databricks", **place, "password": token, "extra": fields})

    def environment(self) -> Mapping[str, str]:
        """The authority to trust, for the REST API; the connector has it from the connection."""
        return {"REQUESTS_CA_BUNDLE": self._trusted}

    def storage(self, **given: Any) -> None:
        """Say where statements may write; keys of the server's ``Storage``, and ``closed``: success is told as CLOSED."""
        self._control("storage", json.dumps(given).encode())

    def forget(self) -> None:
        """Forget the statements of the Statement Execution API that have ended."""
        self._control("forget", b"")

    def execute(self, text: str, params: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Run a statement with all rights, outside of the code under test, and fetch what it gives."""
        asked = json.dumps({"text": text, "params": list(params)}).encode()
        found = pa.ipc.open_stream(self._control("execute", asked)).read_all()
        return list(zip(*(column.to_pylist() for column in found.columns), strict=True))

    def load(self, table: tuple[str, ...], rows: pa.Table, types: Mapping[str, str] | None = None) -> None:
        """Replace a table, and its schema if there is none yet, by these rows, in bulk."""
        *schema, _ = (quoted(part) for part in table)
        if schema:
            self.execute(f"CREATE SCHEMA IF NOT EXISTS {'.'.join(schema)}")
        asked = json.dumps({"table": ".".join(map(quoted, table)), "types": self.column_types(rows, types)}).encode()
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, rows.schema) as writer:
            writer.write_table(rows)
        self._control("load", struct.pack(">i", len(asked)) + asked + sink.getvalue().to_pybytes())

    def faults(self, *faults: Mapping[str, Any]) -> None:
        """Say what goes wrong next: ``on`` (a call of the protocol, or ``files``), ``status``, ``after``, ``times``."""
        self._control("faults", json.dumps(faults).encode())

    def state(self) -> dict[str, Any]:
        """Count the statements that run and the results that are kept, and list the texts of the last statements."""
        state: dict[str, Any] = json.loads(self._control("state", b""))
        return state

    def _control(self, what: str, body: bytes) -> bytes:
        trust = ssl.create_default_context(cafile=self._trusted)
        client = http.client.HTTPSConnection("localhost", self._port, context=trust)
        try:
            client.request("POST", f"/control/{what}", body, {"Authorization": f"Bearer {self._token}"})
            answer = client.getresponse()
            data = answer.read()
        finally:
            client.close()
        if answer.status != 200:
            raise RuntimeError(f"The stand-in refused to {what}: {data.decode()[:2000]}")
        return data

    def _wait(self, output: Any) -> int:
        lines: queue.Queue[str | None] = queue.Queue()
        self._reader = threading.Thread(target=_read, args=(output, lines), daemon=True)
        self._reader.start()
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                line = lines.get(timeout=max(0.0, deadline - time.monotonic()))
            except queue.Empty:
                line = None
            if line is None:
                raise RuntimeError(f"The Databricks stand-in did not start. It printed last:\n{''.join(self._said)}")
            if line.startswith("serving on "):
                return int(line.split()[-1])
            self._said.append(line)


def quoted(name: str) -> str:
    """Quote a name for SQL."""
    return "`" + name.replace("`", "``") + "`"


def _read(pipe: Any, lines: queue.Queue[str | None]) -> None:
    """Take all that is printed, so that the pipe never fills; nothing stands for its end."""
    for line in pipe:
        lines.put(line)
    lines.put(None)
