"""A local BigQuery: bqemulator behind TLS, with query jobs and the Storage Read API as the service has them.

Its packages ask for Python 3.11 or newer.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pyarrow as pa
import requests

from sandbox.tls import private_authority
from sandbox.warehouses.base import WarehouseSandbox
from sandbox.warehouses.bigquery.process import Server, running

PROJECT = "sandbox-project"


class BigQuerySandbox(WarehouseSandbox):
    """One project whose datasets are gone when it stops. There are no accounts: whoever comes may do everything."""

    engine = "bigquery"
    types: Mapping[str, str] = {
        "text": "STRING",
        "timestamp": "TIMESTAMP",
        "integer": "INT64",
        "double": "FLOAT64",
        "decimal": "NUMERIC",
        "boolean": "BOOL",
        "date": "DATE",
    }

    def __init__(self) -> None:
        self._stack = ExitStack()
        self._server: Server | None = None
        self._ca_file = ""

    @property
    def server(self) -> Server:
        """Where it listens.

        :raises RuntimeError: if it does not run.
        """
        if self._server is None:
            raise RuntimeError("the sandbox is not running")
        return self._server

    def start(self) -> None:
        """Start the server, and wait until it answers."""
        folder = Path(self._stack.enter_context(TemporaryDirectory(prefix="activation-bigquery-")))
        try:
            authority = private_authority(folder)
            self._ca_file = authority.ca_file
            self._server = self._stack.enter_context(running(authority, PROJECT))
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Stop the server and remove what it wrote."""
        self._server = None
        self._stack.close()

    def connection(self, **extra: Any) -> str:
        """The connection as a pipeline's user would write it, without a key."""
        fields = {
            "project": PROJECT,
            "location": "US",
            "is_anonymous": True,
            "storage_endpoint": f"localhost:{self.server.storage}",
            "storage_ca_file": self._ca_file,
        }
        return json.dumps({"conn_type": "gcpbigquery", "extra": {**fields, **extra}})

    def environment(self) -> Mapping[str, str]:
        """The official client takes the address of an emulator from the environment only."""
        return {"BIGQUERY_EMULATOR_HOST": self.server.url, "REQUESTS_CA_BUNDLE": self._ca_file}

    def execute(self, text: str, params: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Run a statement; values come as texts, as the REST interface has them."""
        values = [
            {"parameterType": {"type": "STRING"}, "parameterValue": {"value": None if value is None else str(value)}}
            for value in params
        ]
        body = {"query": text, "useLegacySql": False, "parameterMode": "POSITIONAL", "queryParameters": values}
        answer = self.call("POST", f"/bigquery/v2/projects/{PROJECT}/queries", json=body).json()
        if answer.get("errors"):
            raise RuntimeError(f"{answer['errors'][0]['message']}: {text[:500]}")
        return [tuple(cell["v"] for cell in row["f"]) for row in answer.get("rows", ())]

    def load(self, table: tuple[str, ...], rows: pa.Table, types: Mapping[str, str] | None = None) -> None:
        """Replace a table by these rows; its dataset is made if there is none."""
        dataset, name = table[-2:]
        columns = ", ".join(f"`{column}` {kind}" for column, kind in self.column_types(rows, types).items())
        self.execute(f"CREATE SCHEMA IF NOT EXISTS `{dataset}`")
        self.execute(f"CREATE OR REPLACE TABLE `{dataset}`.`{name}` ({columns})")
        self.append((dataset, name), rows)

    def append(self, table: tuple[str, ...], rows: pa.Table) -> None:
        """Add rows to a table, by position."""
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, rows.schema) as writer:
            writer.write_table(rows)
        dataset, name = table[-2:]
        self.call("PUT", f"/sandbox/rows/{PROJECT}/{dataset}/{name}", data=sink.getvalue().to_pybytes())

    def jobs(self) -> list[dict[str, Any]]:
        """The query jobs that were started over the asynchronous interface, as ``jobs.get`` shows them."""
        found: list[dict[str, Any]] = self.call("GET", "/sandbox/activity").json()["jobs"]
        return found

    def busy(self) -> int:
        """Count the jobs that run and the streams that are being read."""
        activity = self.call("GET", "/sandbox/activity").json()
        return int(activity["reading"]) + len([job for job in activity["jobs"] if job["status"]["state"] != "DONE"])

    def allow_storage(self, allowed: bool) -> None:
        """Give or take the right to make read sessions, the one right that this server knows."""
        self.call("POST", "/sandbox/storage", json={"allowed": allowed})

    def sessions(self) -> int:
        """Count the read sessions that were made."""
        return int(self.call("GET", "/sandbox/activity").json()["sessions"])

    def call(self, method: str, path: str, **rest: Any) -> requests.Response:
        """Send a request to the server itself.

        :raises RuntimeError: if it refuses; shows its answer.
        """
        answer = requests.request(method, self.server.url + path, verify=self._ca_file, timeout=120, **rest)
        if not answer.ok:
            raise RuntimeError(f"{answer.status_code}: {answer.text[:1000]}")
        return answer
