"""The world of the demo: where everything lies, the servers, and how Airflow is told about them."""

from __future__ import annotations

import json
import shutil
import time
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType

from activation.spec import S3Destination, load_file
from sandbox.airflow import LocalAirflow, Settings
from sandbox.airflow.api import AirflowApi
from sandbox.braze import BrazeSandbox
from sandbox.braze import Settings as BrazeSettings
from sandbox.demo import customers, warehouse
from sandbox.demo.partner import Partner
from sandbox.demo.screen import say, tell, waiting
from sandbox.demo.source import EVENTS, PIPELINE, PROFILES, ROOT, SERVERS, Source, source_of
from sandbox.environments import telling

TASK = "import"
EXPORT = "export"


class World:
    """Seeds the warehouse and runs the servers for as long as a ``with`` block lasts.

    :param source: the engine that the pipelines read, a key of :data:`~sandbox.demo.source.SERVERS`.
    :param port: of Airflow; 0 takes a free one.
    :param scheduled: whether the pipelines also run by their schedules; otherwise only when they are triggered.
    """

    def __init__(self, folder: Path, source: str = "duckdb", *, port: int = 0, scheduled: bool = False) -> None:
        self.folder = folder
        self.state = folder / "state"
        self.source: Source = source_of(source, folder)
        self.braze: BrazeSandbox
        self.partner: Partner
        self.airflow: LocalAirflow
        self.api: AirflowApi
        self._port, self._scheduled = port, scheduled

    def __enter__(self) -> World:
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        with ExitStack() as stack:
            say(
                f"1. A warehouse with {warehouse.USERS:,} users and 50 rows that no one can deliver, "
                f"{customers.HOURS * customers.AN_HOUR:,} events and {customers.PEOPLE:,} profiles"
            )
            say(f"   {SERVERS[self.source.engine].title}")
            stack.enter_context(self.source)
            say("2. A Braze contract server")
            self.braze = stack.enter_context(BrazeSandbox(BrazeSettings()))
            say(f"   {self.braze.url}")
            self._start_partner(stack)
            self._start_airflow(stack)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        say("Stopping Airflow and the servers")
        self._stack.close()

    def _start_partner(self, stack: ExitStack) -> None:
        say("3. A partner's AWS account: a bucket, and a role that nobody may act as without its external id")
        destination = load_file(ROOT / "dags" / "pipelines" / f"{EVENTS}.yaml").destination
        assert isinstance(destination, S3Destination)  # noqa: S101 - the sample exports
        self.partner = Partner(destination, self.folder / "partner")
        with waiting("starting the account"), telling(lambda text: say(f"   {text}")):
            stack.enter_context(self.partner)
        say(f"   s3://{self.partner.bucket} at {self.partner.aws.url}, {self.partner.role}")

    def _start_airflow(self, stack: ExitStack) -> None:
        say("4. A real Airflow: API server, scheduler, DAG processor, triggerer (half a minute)")
        started = time.monotonic()
        self.airflow = LocalAirflow(
            self.folder / "airflow",
            self.source.dags(),
            env=self._environment(),
            settings=Settings(port=self._port),
            progress=lambda seconds, text: tell(f"   {seconds:4.0f} s  {text}"),
        )
        stack.enter_context(self.airflow)
        self.api = self.airflow.api()
        for pipeline in (PIPELINE, EVENTS, PROFILES):
            self.api.wait_for_dag(pipeline)
        say(f"   {self.airflow.url} after {time.monotonic() - started:.0f} s; its log: {self.airflow.log_file}")

    def _environment(self) -> dict[str, str]:
        return {
            **self.source.environment(),
            **self.partner.environment(),
            "AIRFLOW_CONN_BRAZE": json.dumps({"conn_type": "braze", "host": self.braze.url, "password": self.braze.key}),
            "AIRFLOW__ACTIVATION__STATE_FOLDER": f"file://{self.state}",
            "AIRFLOW__SCHEDULER__USE_JOB_SCHEDULE": str(self._scheduled),
        }
