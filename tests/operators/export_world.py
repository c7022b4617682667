"""A DuckDB warehouse, an S3 server and the operator between them; Airflow's stores are plain variables."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import duckdb
import pytest
from airflow.sdk import Context

from activation.operators.s3_export import S3ExportOperator
from sandbox.aws import AwsSandbox
from tests.support.task import task_instance

from .world import Store

EVENTS = (
    "(EVENT_ID BIGINT, EVENT_NAME VARCHAR, df_unified_id VARCHAR, SERVER_AT TIMESTAMPTZ, AMOUNT DECIMAL(18, 2), TAGS VARCHAR[])"
)


@dataclass
class ExportWorld:
    """One pipeline, its warehouse and its bucket.

    :ivar destination: keys of the destination block beside type, connection and path.
    """

    aws: AwsSandbox
    folder: Path
    bucket: str
    destination: dict[str, Any] = field(default_factory=lambda: {"data": "event"})
    cursor: dict[str, Any] = field(default_factory=lambda: {"column": "SERVER_AT", "key": ["EVENT_ID"]})
    pipeline: str = "events"
    tasks: dict[str, Store] = field(default_factory=lambda: defaultdict(Store))
    stores: dict[str, Store] = field(default_factory=lambda: defaultdict(Store))
    pushed: dict[str, Any] = field(default_factory=dict)

    def sql(self, text: str) -> list[Any]:
        """Run a statement in the warehouse."""
        with duckdb.connect(str(self.folder / "warehouse.duckdb")) as connection:
            connection.execute("SET TimeZone = 'UTC'")
            return connection.execute(text).fetchall()

    def events(self, *rows: str) -> None:
        """Make the table ``crm.events`` anew of rows in SQL."""
        self.sql(f"CREATE SCHEMA IF NOT EXISTS crm; CREATE OR REPLACE TABLE crm.events {EVENTS}")
        for row in rows:
            self.sql(f"INSERT INTO crm.events VALUES ({row})")

    def run(
        self, start: str, end: str, *, run_id: str = "", source: Mapping[str, Any] | None = None, **given: str
    ) -> dict[str, Any]:
        """One run over a data interval; gives its XCom.

        :param run_id: the run, if it is not that of the interval: a clearing or another trigger.
        :param given: what the trigger form says.
        """
        operator = S3ExportOperator(
            task_id="export",
            pipeline_id=self.pipeline,
            source=source or {"type": "duckdb", "connection": "world_duckdb", "table": "crm.events"},
            destination={"connection": "world_aws", "path": f"s3://{self.bucket}/crm", **self.destination},
            cursor=self.cursor,
            **given,
        )
        run = run_id or f"scheduled__{start}"
        interval = [datetime.fromisoformat(text) if text else None for text in (start, end)]
        context = {
            "run_id": run,
            "dag_run": SimpleNamespace(data_interval_start=interval[0], data_interval_end=interval[1]),
            "ti": task_instance(self.pipeline, "export", pushed=self.pushed),
            "asset_state_store": {operator.asset: self.stores[operator.pipeline_id]},
            "task_state_store": self.tasks[f"{self.pipeline}/{run}"],
            "outlet_events": {operator.asset: SimpleNamespace(extra={})},
        }
        return operator.execute(cast(Context, context))

    def objects(self, prefix: str = "crm/") -> dict[str, bytes]:
        """What lies in the bucket."""
        return self.aws.objects(self.bucket, prefix)

    def manifest(self, key: str) -> dict[str, Any]:
        """A manifest as it lies in the bucket."""
        found: dict[str, Any] = json.loads(self.objects()[key])
        return found

    def rows(self, key: str, columns: str = "*") -> list[Any]:
        """The rows of all parts that a manifest lists, in their order."""
        found: list[Any] = []
        for number, file in enumerate(self.manifest(key)["files"]):
            path = self.folder / f"{number}-{Path(file['key']).name}"
            path.write_bytes(self.objects()[file["key"]])
            with duckdb.connect() as connection:
                connection.execute("SET TimeZone = 'UTC'")
                found += connection.execute(f"SELECT {columns} FROM '{path}'").fetchall()
        return found


def make(aws: AwsSandbox, folder: Path, bucket: str, patch: pytest.MonkeyPatch) -> ExportWorld:
    """Make a world around a running server."""
    aws.bucket(bucket)
    patch.setenv("AIRFLOW__ACTIVATION__STATE_FOLDER", f"file://{folder}/state")
    patch.setenv("AIRFLOW_CONN_WORLD_DUCKDB", json.dumps({"conn_type": "duckdb", "host": str(folder / "warehouse.duckdb")}))
    patch.setenv("AIRFLOW_CONN_WORLD_AWS", aws.connection())
    for name, value in aws.environment().items():
        patch.setenv(name, value)
    return ExportWorld(aws, folder, bucket)
