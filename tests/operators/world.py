"""A DuckDB warehouse, the Braze contract server and the operator between them; Airflow's stores are plain variables."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import duckdb
import pytest
from airflow.sdk import Context

from activation.operators.braze_import import WarehouseIncrementalImportOperator
from sandbox.braze import BrazeSandbox
from tests.support.task import task_instance


class Store:
    """A state store of Airflow's; values pass through JSON, as they do there."""

    def __init__(self) -> None:
        self.values: dict[str, str] = {}

    def get(self, key: str, default: Any = None) -> Any:
        return json.loads(self.values[key]) if key in self.values else default

    def set(self, key: str, value: Any) -> None:
        self.values[key] = json.dumps(value)

    def delete(self, key: str) -> None:
        self.values.pop(key, None)


@dataclass
class World:
    """One pipeline and its surroundings."""

    braze: BrazeSandbox
    folder: Path
    destination: dict[str, Any] = field(default_factory=lambda: {"data": "attributes"})
    blocks: dict[str, Any] = field(default_factory=dict)
    stores: dict[str, Store] = field(default_factory=lambda: defaultdict(Store))
    pushed: dict[str, Any] = field(default_factory=dict)
    runs: int = 0
    tries: int = 0
    task: Store = field(default_factory=Store)

    def sql(self, text: str, params: Sequence[Any] = ()) -> list[Any]:
        """Run a statement in the warehouse."""
        with duckdb.connect(str(self.folder / "warehouse.duckdb")) as connection:
            return connection.execute(text, list(params) or None).fetchall()

    def table(self, columns: str, *rows: Sequence[Any]) -> None:
        """Make the table ``crm.source`` anew; the first column is ``UPDATED_AT``."""
        self.sql(f"CREATE SCHEMA IF NOT EXISTS crm; CREATE OR REPLACE TABLE crm.source (UPDATED_AT TIMESTAMP, {columns})")
        for row in rows:
            self.sql(f"INSERT INTO crm.source VALUES ({', '.join('?' for _ in row)})", row)

    def run(self, order: Mapping[str, Any] | None = None, *, retry: bool = False, **changed: Any) -> dict[str, Any]:
        """One run of the pipeline; gives its XCom.

        :param retry: whether it is a further try of the last run.
        """
        if retry:
            self.tries += 1
        else:
            self.runs, self.tries, self.task = self.runs + 1, 1, Store()
        blocks = {"pipeline_id": "p", **self.blocks, **changed}
        operator = WarehouseIncrementalImportOperator(
            task_id="import",
            source={"type": "duckdb", "connection": "world_duckdb", "table": "crm.source"},
            destination={"type": "braze", "connection": "world_braze", **self.destination},
            order=order,
            **blocks,
        )
        context = {
            "run_id": f"run-{self.runs}",
            "ti": task_instance("p", "import", self.tries, self.pushed),
            "asset_state_store": {operator.asset: self.stores[operator.pipeline_id]},
            "task_state_store": self.task,
            "outlet_events": {operator.asset: SimpleNamespace(extra={})},
        }
        return operator.execute(cast(Context, context))

    def watermark(self) -> Any:
        """Where the pipeline stands."""
        found = self.stores["p"].get("watermark")
        return found and found["updated_at"]


def make(braze: BrazeSandbox, folder: Path, patch: pytest.MonkeyPatch) -> World:
    """Make a world around a running server."""
    patch.setenv("AIRFLOW__ACTIVATION__STATE_FOLDER", f"file://{folder}/state")
    patch.setenv("AIRFLOW_CONN_WORLD_DUCKDB", json.dumps({"conn_type": "duckdb", "host": str(folder / "warehouse.duckdb")}))
    patch.setenv("AIRFLOW_CONN_WORLD_BRAZE", json.dumps({"conn_type": "braze", "host": braze.url, "password": braze.key}))
    return World(braze, folder)
