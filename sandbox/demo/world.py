"""The world of the demo: where everything lies, the servers, and how Airflow is told about them."""

from __future__ import annotations

import json
import shutil
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType

from sandbox.airflow import LocalAirflow, Settings
from sandbox.airflow.api import AirflowApi
from sandbox.braze import BrazeSandbox
from sandbox.braze import Settings as BrazeSettings
from sandbox.demo import warehouse

ROOT = Path(__file__).resolve().parents[2]
PIPELINE = "users_to_braze"
TASK = "import"


def say(text: str) -> None:
    """One line for the person who watches."""
    print(text, flush=True)


def tell(text: str) -> None:
    """A line that the next one replaces, on a terminal; elsewhere nothing, so that logs stay short."""
    if sys.stdout.isatty():
        print(f"\r\033[K{text}", end="", flush=True)


def told() -> None:
    """End a line of :func:`tell`."""
    if sys.stdout.isatty():
        print("\r\033[K", end="", flush=True)


class World:
    """Seeds the warehouse and runs both servers for as long as a ``with`` block lasts.

    :param port: of Airflow; 0 takes a free one.
    :param scheduled: whether the pipeline also runs by its schedule; otherwise only when it is triggered.
    """

    def __init__(self, folder: Path, *, port: int = 0, scheduled: bool = False) -> None:
        self.folder = folder
        self.database = folder / "warehouse.duckdb"
        self.state = folder / "state"
        self.braze: BrazeSandbox
        self.airflow: LocalAirflow
        self.api: AirflowApi
        self._port, self._scheduled = port, scheduled
        self._stack = ExitStack()

    def __enter__(self) -> World:
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        say(f"1. A DuckDB warehouse with {warehouse.USERS:,} users and 50 rows that no one can deliver")
        warehouse.seed(self.database)
        say("2. A Braze contract server")
        self.braze = self._stack.enter_context(BrazeSandbox(BrazeSettings()))
        say(f"   {self.braze.url}")
        say("3. A real Airflow: API server, scheduler, DAG processor, triggerer (half a minute)")
        started = time.monotonic()
        self.airflow = LocalAirflow(
            self.folder / "airflow",
            ROOT / "dags",
            env=self._environment(),
            settings=Settings(port=self._port),
            progress=lambda seconds, text: tell(f"   {seconds:4.0f} s  {text}"),
        )
        try:
            self._stack.enter_context(self.airflow)
            self.api = self.airflow.api()
            self.api.wait_for_dag(PIPELINE)
        except BaseException:
            self._stack.close()
            raise
        told()
        say(f"   {self.airflow.url} after {time.monotonic() - started:.0f} s; its log: {self.airflow.log_file}")
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        told()
        say("Stopping Airflow and the contract server")
        self._stack.close()

    def _environment(self) -> dict[str, str]:
        return {
            "AIRFLOW_CONN_WAREHOUSE": json.dumps({"conn_type": "duckdb", "host": str(self.database)}),
            "AIRFLOW_CONN_BRAZE": json.dumps({"conn_type": "braze", "host": self.braze.url, "password": self.braze.key}),
            "AIRFLOW__ACTIVATION__STATE_FOLDER": f"file://{self.state}",
            "AIRFLOW__SCHEDULER__USE_JOB_SCHEDULE": str(self._scheduled),
        }
