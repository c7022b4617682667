"""A process in which one way exports from one engine: ``python -m benchmarks.exporting.worker WAY ENGINE``."""

from __future__ import annotations

import sys
from pathlib import Path

from benchmarks.exporting.ways import SOURCE, TARGET, contestant
from benchmarks.ours import DUCKDB, airflow
from benchmarks.processes import Jobs
from benchmarks.worker import serve
from sandbox.aws import AwsSandbox
from sandbox.warehouses.base import WarehouseSandbox


class Exporter(Jobs):
    """Runs this module.

    :param way: ``ours``, or one of :data:`benchmarks.exporting.ways.PEERS`.
    :param folder: takes what it prints, Airflow's home and the state.
    """

    def __init__(self, way: str, sandbox: WarehouseSandbox, aws: AwsSandbox, folder: Path) -> None:
        # DuckDB sorts in the exporting process.
        extra = {"config": {**DUCKDB, "temp_directory": str(folder / "spill")}} if sandbox.engine == "duckdb" else {}
        variables = {
            **airflow(folder / "airflow"),
            **sandbox.environment(),
            **aws.environment(),
            "AIRFLOW__ACTIVATION__STATE_FOLDER": f"file://{folder}/state",
            f"AIRFLOW_CONN_{SOURCE.upper()}": sandbox.connection(**extra),
            f"AIRFLOW_CONN_{TARGET.upper()}": aws.connection(),
        }
        errors = folder / f"{sandbox.engine} {way}.log"
        super().__init__("benchmarks.exporting.worker", way, sandbox.engine, errors=errors, variables=variables)


if __name__ == "__main__":
    serve(lambda: contestant(*sys.argv[1:]))
