"""A Snowflake account on this machine: fakesnow behind the service's HTTP interface, over TLS, with users, roles and chunks."""

from __future__ import annotations

import json
import os
import shutil
import signal
import ssl
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pyarrow as pa
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from sandbox.airflow import guard
from sandbox.environments import clean, environment
from sandbox.tls import private_authority
from sandbox.warehouses.base import WarehouseSandbox

DATABASE, SCHEMA = "SANDBOX", "PUBLIC"
WAREHOUSE = "ACTIVATION_WH"
USER, ROLE = "ACTIVATION", "OWNER"
LIMITED = "LIMITED"
"""A user, and its role, that may read nothing until it is granted."""

PASSWORD = "only-for-tests"

REFUSED = {
    "DISABLED": ("390101", "User access disabled. Contact your local system administrator."),
    "ELSEWHERE": (
        "390422",
        "Incoming request with IP/Token 127.0.0.1 is not allowed to access Snowflake. Contact your account admin.",
    ),
}
"""Users that may not log in, and what they are told."""

_FOLDER = Path(__file__).parent
_START_SECONDS = 60
"""Starts take four seconds on an idle machine."""


class SnowflakeSandbox(WarehouseSandbox):
    """One account with one database, reached through the official hook by a key pair or a password.

    :ivar folder: its files; ``key.p8`` is the owner's private key, ``ca.pem`` the authority of the server.
    """

    engine = "snowflake"
    types: Mapping[str, str] = {
        "text": "VARCHAR",
        "timestamp": "TIMESTAMP_NTZ(9)",
        "integer": "NUMBER(38,0)",
        "double": "FLOAT",
        "decimal": "NUMBER(18,2)",
        "boolean": "BOOLEAN",
        "date": "DATE",
    }

    folder: Path
    port: int

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Make its environment and its keys, start it and wait until it answers."""
        python = environment("snowflake", _FOLDER / "server" / "requirements.txt")
        self.folder = Path(tempfile.mkdtemp(prefix="activation-snowflake-"))
        try:
            (self.folder / "settings.json").write_text(json.dumps(self._settings()))
            command = [sys.executable, guard.__file__, str(os.getpid()), "2", str(python), "-m", "server", str(self.folder)]
            variables = {**clean(), "PYTHONPATH": str(_FOLDER)}
            with (self.folder / "log").open("wb") as log:
                self._process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True, env=variables)
            self._wait()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Stop it and remove its files."""
        process, self._process = self._process, None
        if process is not None:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def connection(self, **extra: Any) -> str:
        """The value of an ``AIRFLOW_CONN_*`` variable: the owner, by key pair."""
        return self.airflow(USER, None, **{"role": ROLE, "private_key_file": str(self.folder / "key.p8"), **extra})

    def airflow(self, user: str, password: str | None = PASSWORD, **extra: Any) -> str:
        """The value of an ``AIRFLOW_CONN_*`` variable for a user, by password."""
        place = {"account": "sandbox", "host": "localhost", "port": self.port, "database": DATABASE, "warehouse": WAREHOUSE}
        fields = {"conn_type": "snowflake", "login": user, "password": password, "schema": SCHEMA}
        return json.dumps({**fields, "extra": {**place, **extra}})

    def environment(self) -> Mapping[str, str]:
        """The authority to trust: the connector, and whatever else uses ``requests``, takes it from a variable."""
        return {"REQUESTS_CA_BUNDLE": self.ca_file}

    @property
    def ca_file(self) -> str:
        """The certificate of the authority that signed the server's."""
        return str(self.folder / "ca.pem")

    def execute(self, text: str, params: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Run a statement with all rights; what JSON does not know comes as text."""
        return [tuple(row) for row in self._ask("execute", json.dumps({"text": text, "params": list(params)}).encode())]

    def load(self, table: tuple[str, ...], rows: pa.Table, types: Mapping[str, str] | None = None) -> None:
        """Replace a table by these rows, in bulk."""
        kinds = self.column_types(rows, types)
        if len(table) > 1:
            self.execute(f"CREATE SCHEMA IF NOT EXISTS {_quoted(*table[:-1])}")
        columns = ", ".join(f"{_quoted(name)} {kind}" for name, kind in kinds.items())
        self.execute(f"CREATE OR REPLACE TABLE {_quoted(*table)} ({columns})")
        naive = [pa.timestamp(one.type.unit) if pa.types.is_timestamp(one.type) else one.type for one in rows.schema]
        self.insert(table, rows.cast(pa.schema(zip(rows.column_names, naive, strict=True))), list(kinds.values()))

    def insert(self, table: tuple[str, ...], rows: pa.Table, kinds: Sequence[str]) -> None:
        """Add rows in bulk; each value is cast to its column's type."""
        place = (DATABASE, SCHEMA)[: 3 - len(table)] + table
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, rows.schema) as writer:
            writer.write_table(rows)
        self._ask(
            f"insert?{urlencode({'table': _quoted(*place), 'types': json.dumps(list(kinds))})}", sink.getvalue().to_pybytes()
        )

    def statements(self) -> list[dict[str, Any]]:
        """What clients ran: ``text``, ``state``, ``user``, ``role`` and ``parameters``."""
        found: list[dict[str, Any]] = self._ask("statements")
        return found

    def running(self) -> int:
        """How many statements of clients run."""
        return int(self._ask("running"))

    def faults(self, *faults: Mapping[str, Any]) -> None:
        """Replace what goes wrong next; see ``server/control.py``."""
        self._ask("faults", json.dumps(faults).encode())

    def _settings(self) -> dict[str, Any]:
        authority = private_authority(self.folder)
        key = rsa.generate_private_key(65_537, 2_048)
        plain = serialization.NoEncryption()
        (self.folder / "key.p8").write_bytes(
            key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
        )
        public = key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )  # fmt: skip
        users: dict[str, Any] = {
            USER: {"password": PASSWORD, "public_key": public.decode(), "roles": [ROLE]},
            LIMITED: {"password": PASSWORD, "roles": [LIMITED]},
        }
        users |= {name: {"password": PASSWORD, "roles": [ROLE], "refused": answer} for name, answer in REFUSED.items()}
        files = {"certificate": authority.certificate, "private_key": authority.private_key}
        return {"users": users, "warehouses": [WAREHOUSE], "database": DATABASE, "schema": SCHEMA, **files}

    def _wait(self) -> None:
        deadline = time.monotonic() + _START_SECONDS
        while True:
            try:
                self.port = int((self.folder / "port").read_text())
                self.running()
            except (OSError, ValueError) as error:
                ended = self._process is not None and self._process.poll() is not None
                if ended or time.monotonic() > deadline:
                    printed = (self.folder / "log").read_text(errors="replace")[-2000:]
                    raise RuntimeError(f"the Snowflake server does not answer ({error}); it printed: {printed}") from None
                time.sleep(0.05)
            else:
                return

    def _ask(self, path: str, body: bytes | None = None) -> Any:
        address = f"https://localhost:{self.port}/_sandbox/{path}"
        trust = ssl.create_default_context(cafile=self.ca_file)
        try:
            with urllib.request.urlopen(address, data=body, context=trust, timeout=300) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            raise RuntimeError(f"Snowflake's sandbox refused {path}: {error.read().decode(errors='replace')}") from None


def _quoted(*parts: str) -> str:
    return ".".join('"' + part.replace('"', '""') + '"' for part in parts)
