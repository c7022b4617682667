"""A process in which one way reads from one engine: ``python -m benchmarks.reading.worker WAY ENGINE``."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

from benchmarks.ours import airflow
from benchmarks.processes import Jobs
from benchmarks.reading.ways import CONNECTION, contestant
from benchmarks.worker import serve
from sandbox.warehouses.base import WarehouseSandbox


class Reader(Jobs):
    """Runs this module.

    :param way: ``ours``, or one of :data:`benchmarks.reading.ways.PEERS`.
    :param folder: takes what it prints and Airflow's home.
    :param extra: fields that the connection gets beside its usual ones.
    """

    def __init__(self, way: str, sandbox: WarehouseSandbox, folder: Path, extra: Mapping[str, object]) -> None:
        variables = {
            **airflow(folder / "airflow"),
            **sandbox.environment(),
            f"AIRFLOW_CONN_{CONNECTION.upper()}": sandbox.connection(**extra),
        }
        errors = folder / f"{sandbox.engine} {way}.log"
        super().__init__("benchmarks.reading.worker", way, sandbox.engine, errors=errors, variables=variables)


if __name__ == "__main__":
    serve(lambda: contestant(*sys.argv[1:]))
