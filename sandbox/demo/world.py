"""The world of the demo: where everything lies, the servers, and how Airflow is told about them."""

from __future__ import annotations

import json
import shutil
import time
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType

from activation.spec import KinesisDestination, S3Destination, load_file
from sandbox.airflow import LocalAirflow, Settings
from sandbox.airflow.api import AirflowApi
from sandbox.braze import BrazeSandbox
from sandbox.braze import Settings as BrazeSettings
from sandbox.demo import customers, devices, profiles, warehouse
from sandbox.demo.partner import Partner
from sandbox.demo.screen import say, tell, waiting
from sandbox.demo.source import EVENTS, PIPELINES, ROOT, SERVERS, STREAM, Source, source_of
from sandbox.environments import telling
from sandbox.kakao import KakaoSandbox
from sandbox.kinesis import KinesisSandbox

TASK = "import"
EXPORT = "export"
SHARDS = 4
LOOK_UP = 3.0
"""Seconds that Kakao takes to look up the people of a file; the real one takes hours."""

ON_DEMAND = '''"""Makes the DAGs of dags/activation.py. The demo asks for their runs itself, except for the continuous ones."""

from airflow.sdk.definitions.timetables.simple import ContinuousTimetable, NullTimetable

from activation.dags import load

found = load("pipelines")
for dag in found.values():
    if not isinstance(dag.timetable, ContinuousTimetable):
        dag.timetable = NullTimetable()
globals().update(found)
'''
"""Takes the place of ``dags/activation.py``, so that no run comes by itself when a quarter of an hour begins meanwhile."""


class World:
    """Seeds the warehouse and runs the servers for as long as a ``with`` block lasts.

    :param source: the engine that the pipelines read, a key of :data:`~sandbox.demo.source.SERVERS`.
    :param port: of Airflow; 0 takes a free one.
    :param scheduled: whether all pipelines run by their schedules; otherwise only the continuous one does.
    """

    def __init__(self, folder: Path, source: str = "duckdb", *, port: int = 0, scheduled: bool = False) -> None:
        self.folder = folder
        self.state = folder / "state"
        self.source: Source = source_of(source, folder)
        self.braze: BrazeSandbox
        self.partner: Partner
        self.kinesis: KinesisSandbox
        self.stream = ""
        self.kakao: KakaoSandbox
        self.airflow: LocalAirflow
        self.api: AirflowApi
        self._port, self._scheduled = port, scheduled

    def __enter__(self) -> World:
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        with ExitStack() as stack:
            say(
                f"1. A warehouse with {warehouse.USERS:,} users and 50 rows that no one can deliver, "
                f"{customers.HOURS * customers.AN_HOUR:,} events, {customers.PEOPLE:,} profiles to export and "
                f"{profiles.PEOPLE:,} to stream, {devices.PEOPLE:,} advertising ids"
            )
            say(f"   {SERVERS[self.source.engine].title}")
            stack.enter_context(self.source)
            say("2. A Braze contract server")
            self.braze = stack.enter_context(BrazeSandbox(BrazeSettings()))
            say(f"   {self.braze.url}")
            self._start_partner(stack)
            self._start_kinesis(stack)
            self._start_kakao(stack)
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

    def _start_kinesis(self, stack: ExitStack) -> None:
        destination = load_file(ROOT / "dags" / "pipelines" / f"{STREAM}.yaml").destination
        assert isinstance(destination, KinesisDestination)  # noqa: S101 - the sample streams
        self.kinesis = stack.enter_context(KinesisSandbox(SHARDS, tls=True))
        self.stream = destination.stream.place[2]
        self.kinesis.create(self.stream)
        say(f"4. A Kinesis server with the data stream {self.stream}: {SHARDS} shards that take 1,000 records a second each")
        say(f"   {self.kinesis.url}")

    def _start_kakao(self, stack: ExitStack) -> None:
        states = {"complete_seconds": LOOK_UP, "modify_seconds": LOOK_UP}
        self.kakao = stack.enter_context(KakaoSandbox(states=states))
        say(f"5. A Kakao Moment contract server with the ad account {self.kakao.account}; it looks people up in {LOOK_UP:.0f} s")
        say(f"   {self.kakao.url}")

    def _dags(self) -> Path:
        """The folder with the DAGs."""
        dags = self.source.dags()
        if self._scheduled:
            return dags
        copies = self.folder / "on_demand"
        shutil.copytree(dags, copies, ignore=shutil.ignore_patterns("__pycache__"))
        (copies / "activation.py").write_text(ON_DEMAND, encoding="utf-8")
        return copies

    def _start_airflow(self, stack: ExitStack) -> None:
        say("6. A real Airflow: API server, scheduler, DAG processor, triggerer (half a minute)")
        started = time.monotonic()
        self.airflow = LocalAirflow(
            self.folder / "airflow",
            self._dags(),
            env=self._environment(),
            settings=Settings(port=self._port),
            progress=lambda seconds, text: tell(f"   {seconds:4.0f} s  {text}"),
        )
        stack.enter_context(self.airflow)
        self.api = self.airflow.api()
        for pipeline in PIPELINES:
            self.api.wait_for_dag(pipeline)
        say(f"   {self.airflow.url} after {time.monotonic() - started:.0f} s; its log: {self.airflow.log_file}")

    def _environment(self) -> dict[str, str]:
        return {
            **self.source.environment(),
            **self.partner.environment(),
            "AIRFLOW_CONN_KINESIS": self.kinesis.connection(),
            "AIRFLOW_CONN_KAKAO": self.kakao.connection(),
            "AIRFLOW_CONN_BRAZE": json.dumps({"conn_type": "braze", "host": self.braze.url, "password": self.braze.key}),
            "AIRFLOW__ACTIVATION__STATE_FOLDER": f"file://{self.state}",
            # So much later may a supervisor see that its task has deferred; if it is resumed before, Airflow takes it for lost.
            "AIRFLOW__WORKERS__MIN_HEARTBEAT_INTERVAL": "1",
        }
