"""Ours: the operator itself, outside of Airflow's processes. Only Airflow's state stores are plain variables here."""

from __future__ import annotations

import json
import os
import tempfile
from itertools import count
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from benchmarks import source
from benchmarks.processes import BenchmarkError, Place
from benchmarks.worker import Contestant

DUCKDB = {"memory_limit": "96MB", "threads": 1}
"""DuckDB's settings in the Airflow connection. It sorts the window; without a limit it takes the memory that the rows need."""


class Store:
    """A state store of Airflow's in memory; values pass through JSON, as they do there."""

    def __init__(self) -> None:
        self._values: dict[str, str] = {}

    def get(self, key: str, default: Any = None) -> Any:
        """The value of a key."""
        return json.loads(self._values[key]) if key in self._values else default

    def set(self, key: str, value: Any) -> None:
        """Keep a value."""
        self._values[key] = json.dumps(value)

    def delete(self, key: str) -> None:
        """Forget a value."""
        self._values.pop(key, None)


def airflow(home: Path) -> dict[str, str]:
    """The variables that give Airflow a home of its own; they must be set before its first import."""
    return {
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__LOGGING__LOGGING_LEVEL": "ERROR",
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
    }


def prepare(place: Place) -> None:
    """Give Airflow a home of its own and the two connections; before its first import."""
    home = Path(tempfile.mkdtemp(prefix="airflow-", dir=place.home))
    config = {**DUCKDB, "temp_directory": str(home / "spill")}
    os.environ |= {
        **airflow(home),
        "AIRFLOW__ACTIVATION__STATE_FOLDER": f"file://{home}/state",
        "AIRFLOW_CONN_BENCHMARK_BRAZE": json.dumps({"conn_type": "braze", "host": place.url, "password": "benchmark-key"}),
        "AIRFLOW_CONN_BENCHMARK_DUCKDB": json.dumps(
            {"conn_type": "duckdb", "host": place.database, "extra": json.dumps({"config": config})}
        ),
    }


def context_of(asset: Any) -> dict[str, Any]:
    """What Airflow hands to a task, as far as the operator asks for it."""
    return {
        "run_id": "benchmark",
        "ti": SimpleNamespace(dag_id="benchmark", task_id="import", try_number=1),
        "asset_state_store": {asset: Store()},
        "task_state_store": Store(),
        "outlet_events": {asset: SimpleNamespace(extra={})},
    }


def ours(place: Place) -> Contestant:
    """One run of the operator after the other, each of a pipeline that has never run."""
    prepare(place)
    from airflow.sdk import Context

    from activation.operators.braze_import import WarehouseIncrementalImportOperator

    numbers = count()

    def send(rows: int, in_flight: int) -> None:
        name = f"benchmark_{next(numbers)}"
        operator = WarehouseIncrementalImportOperator(
            task_id=name,
            pipeline_id=name,
            source={"type": "duckdb", "connection": "benchmark_duckdb", "table": source.table_of(rows)},
            destination={"type": "braze", "connection": "benchmark_braze", "data": "attributes"},
            delivery={"in_flight": in_flight},
        )
        report = operator.execute(cast(Context, context_of(operator.asset)))
        if report["rows"]["sent"] != rows:
            raise BenchmarkError(f"{report['rows']} of {rows:,} rows")

    return send
