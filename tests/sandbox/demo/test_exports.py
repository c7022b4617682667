"""What the demo says of its exports: nothing is wrong, or what is. The files are real ones; Airflow is played."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import duckdb
import pyarrow as pa
import pytest

from activation.destinations.s3.export import export
from activation.destinations.s3.formats import Format
from activation.destinations.s3.identity import Identity
from activation.destinations.s3.parts import PartLimit
from activation.destinations.s3.plan import Place, Plan
from activation.spec import S3Destination, load_file
from sandbox.demo import customers, exports
from sandbox.demo.partner import Partner
from sandbox.demo.source import EVENTS, PROFILES, ROOT
from sandbox.demo.world import World

LOG = """INFO Check role: ok, assumed
INFO Check external id: ok, the role is refused without it
INFO Check KMS key: skipped, none"""


@pytest.fixture(scope="module")
def partner(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Partner]:
    sample = load_file(ROOT / "dags" / "pipelines" / f"{EVENTS}.yaml").destination
    assert isinstance(sample, S3Destination)
    with Partner(sample, tmp_path_factory.mktemp("partner")) as partner:
        yield partner


class _Airflow:
    """Exports by the product's own writer when it is asked for a run.

    :ivar spoil: what becomes of the rows of a run before they are written; it gets the run's number of times, from 1.
    """

    def __init__(self, database: Path, partner: Partner) -> None:
        self.database, self.partner = database, partner
        self.spoil: Callable[[pa.Table, int], pa.Table] = lambda rows, time: rows
        self.state, self.log = "success", LOG
        self.times: dict[str, int] = {}
        self.told: dict[str, dict[str, Any]] = {}

    def unpause(self, dag_id: str) -> None:
        assert dag_id in {EVENTS, PROFILES}

    def call(self, method: str, path: str, *, body: dict[str, Any]) -> dict[str, Any]:
        assert (method, path) == ("POST", f"/dags/{EVENTS}/dagRuns")
        assert body["data_interval_start"] == body["logical_date"] < body["data_interval_end"]
        return {"dag_run_id": self._run(body["logical_date"])}

    def trigger(self, dag_id: str) -> str:
        assert dag_id == PROFILES
        return self._run("profiles")

    def clear_task(self, dag_id: str, run_id: str, task_id: str) -> None:
        assert (dag_id, task_id) == (EVENTS, "export")
        self._run(run_id)

    def wait_for_run(self, dag_id: str, run_id: str, on_tick: Any) -> str:
        return self.state

    def xcom(self, dag_id: str, run_id: str, task_id: str) -> dict[str, Any]:
        return {"exports": [self.told[run_id]]}

    def task_log(self, dag_id: str, run_id: str, task_id: str) -> str:
        return self.log

    def tries(self, dag_id: str, run_id: str, task_id: str) -> list[Any]:
        return [None] * self.times[run_id]

    def _run(self, name: str) -> str:
        self.times[name] = self.times.get(name, 0) + 1
        start = datetime.fromisoformat("2026-07-19T00:00:00+00:00" if name == "profiles" else name)
        rows = customers.profiles(self.database, active=True) if name == "profiles" else customers.events(self.database, start)
        rows = self.spoil(rows, self.times[name])
        identity = Identity(name, name, "run", "event", start, start + timedelta(hours=1), "UTC", None)
        plan = Plan(
            Place(self.partner.bucket, f"crm/{start:%H}-{len(name)}"), identity, Format("csv", "gzip"), PartLimit(30, None)
        )
        report = export(rows.to_batches(), rows.schema, plan, self.partner.aws.client("s3"))
        self.told[name] = {**report.to_json(), "files": len(report.files)}
        return name


@pytest.fixture
def airflow(partner: Partner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> _Airflow:
    monkeypatch.setattr(customers, "AN_HOUR", 50)
    monkeypatch.setattr(customers, "PEOPLE", 20)
    database = tmp_path / "warehouse.duckdb"
    with duckdb.connect(str(database)) as warehouse:
        warehouse.execute("CREATE SCHEMA marketing")
    customers.seed(database)
    return _Airflow(database, partner)


def run(airflow: _Airflow) -> list[str]:
    """What the demo finds wrong."""
    world = SimpleNamespace(api=airflow, source=SimpleNamespace(database=airflow.database), partner=airflow.partner)
    return exports.run(cast(World, world))


def test_two_hours_one_of_them_twice_and_the_profiles(airflow: _Airflow, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(airflow) == []
    assert list(airflow.times.values()) == [2, 1, 1]
    said = capsys.readouterr().out
    assert said.count("equal to the warehouse, row by row") == 3
    assert said.count("the same 2 files, byte for byte") == 1
    assert "      checked before its first byte: role, external id\n" in said
    assert "   active profiles, 15 of 20: success after" in said


def test_a_lost_row_is_wrong(airflow: _Airflow) -> None:
    airflow.spoil = lambda rows, time: rows.slice(0, rows.num_rows - 1)
    faults = run(airflow)
    assert len(faults) == 3
    assert all(fault.endswith(": rows that differ from the warehouse: 1") for fault in faults)


def test_other_bytes_in_the_second_time_are_wrong(airflow: _Airflow) -> None:
    airflow.spoil = lambda rows, time: rows if time == 1 else rows.take(list(reversed(range(rows.num_rows))))
    (fault,) = run(airflow)
    assert fault.endswith(", once more: the files differ from those of the first time")


def test_a_run_that_fails_is_wrong(airflow: _Airflow, capsys: pytest.CaptureFixture[str]) -> None:
    airflow.state = "failed"
    faults = run(airflow)
    assert [fault.rpartition(": ")[2] for fault in faults] == ["Airflow says failed"] * 3
    assert LOG in capsys.readouterr().out


def test_a_role_that_nobody_has_probed_is_wrong(airflow: _Airflow) -> None:
    airflow.log = LOG.replace("external id: ok", "external id: skipped")
    (fault,) = run(airflow)
    assert fault.endswith("nobody tried whether the role is refused without its external id")
