"""500 pipelines: the list asks the database as often as for five, and answers within its budget."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from statistics import median
from typing import Any
from uuid import uuid4

import pytest

from activation.operators.facts import EXTRA
from activation.operators.memory import asset_of
from activation.operators.summary import SUMMARY, summed

from .conftest import forget

MANY = 500
FEW = 5
RUNS = 40
"""Runs of each pipeline that Airflow still knows."""

BUDGET = 0.150
"""Seconds of server time."""

NOW = datetime.now(timezone.utc)
FACTS = {
    "kind": "import",
    "type": "braze",
    "data": "attributes",
    "description": "Users to Braze",
    "source": {"engine": "snowflake", "connection": "warehouse", "name": "marketing.users"},
    "target": {"label": "attributes", "connection": "braze"},
    "schedule": "*/15 * * * *",
    "zone": "UTC",
    "owner": "crm",
}


def filled(start: str, first: int, end: int) -> None:
    """Pipelines as Airflow keeps them, with a week of runs."""
    from airflow.models.asset import AssetModel, TaskOutletAssetReference
    from airflow.models.asset_state_store import AssetStateStoreModel
    from airflow.models.dag import DagModel, DagTag
    from airflow.models.dag_version import DagVersion
    from airflow.models.dagbundle import DagBundleModel
    from airflow.models.dagrun import DagRun
    from airflow.utils.session import create_session
    from sqlalchemy import insert, select

    ids = [f"{start}_{number:03d}" for number in range(first, end)]
    summary: Any = None
    for back in range(8, 0, -1):
        began = (NOW - timedelta(days=back)).isoformat(timespec="milliseconds")
        rows = {"rows": {"read": 10, "sent": 9, "rejected": 1, "skipped": 0}, "watermark": {"after": "2026-07-19T09:00:00Z"}}
        run = {"run": f"r{RUNS - 1}", "status": "partial", "mode": "incremental", "started": began, "ended": began}
        summary = summed(summary, {**run, "report": rows})
    with create_session() as session:
        if session.get(DagBundleModel, "tests") is None:
            session.add(DagBundleModel(name="tests"))
            session.flush()
        limits = {"max_active_tasks": 16, "max_active_runs": 1, "max_consecutive_failed_dag_runs": 0}
        fixed = {"bundle_name": "tests", "is_stale": False, "is_paused": False, "has_task_concurrency_limits": False, **limits}
        session.add_all(DagModel(dag_id=one, owners="crm", **fixed) for one in ids)
        session.add_all(asset_model(AssetModel, one) for one in ids)
        session.flush()
        names = [asset_of(one).name for one in ids]
        found = dict(session.execute(select(AssetModel.name, AssetModel.id).where(AssetModel.name.in_(names))).tuples().all())
        for one in ids:
            asset = found[asset_of(one).name]
            session.add(DagTag(dag_id=one, name="activation"))
            session.add(TaskOutletAssetReference(dag_id=one, task_id="import", asset_id=asset))
            session.add(AssetStateStoreModel(asset_id=asset, key=SUMMARY, value=json.dumps(summary)))
            session.add(DagVersion(dag_id=one, version_number=1, bundle_name="tests"))
            session.add(DagVersion(dag_id=one, version_number=2, bundle_name="tests"))
        about = {"run_type": "manual", "start_date": NOW, "end_date": NOW, "run_after": NOW, "conf": {}}
        runs = [{"dag_id": one, "run_id": f"r{run}", "state": "success", **about} for one in ids for run in range(RUNS)]
        session.execute(insert(DagRun.__table__), [{**run, "span_status": "not_started", "clear_number": 0} for run in runs])


def asset_model(model: Any, name: str) -> Any:
    asset = asset_of(name)
    return model(name=asset.name, uri=asset.uri, group=asset.group, extra={EXTRA: FACTS})


@pytest.fixture
def start(metadata_db: None) -> Iterator[str]:
    start = f"budget_{uuid4().hex[:8]}"
    yield start
    forget(start)


def counted(client: Any) -> tuple[int, int]:
    """The statements of one answer, and the pipelines in it."""
    from airflow import settings
    from sqlalchemy import event

    seen: list[str] = []

    def note(connection: Any, cursor: Any, statement: str, *_: Any) -> None:
        seen.append(statement)

    event.listen(settings.engine, "before_cursor_execute", note)
    try:
        lines = client.get("/activation/api/pipelines").json()["pipelines"]
    finally:
        event.remove(settings.engine, "before_cursor_execute", note)
    return len(seen), len(lines)


@pytest.mark.parametrize("user", ["admin", "crm", "reader"])
def test_the_number_of_statements_does_not_grow_with_the_pipelines(clients: dict[str, Any], start: str, user: str) -> None:
    before = counted(clients[user])[1]
    filled(start, 0, FEW)
    few, shown = counted(clients[user])
    assert shown == before + FEW
    filled(start, FEW, MANY)
    many, shown = counted(clients[user])
    assert shown == before + MANY
    assert many == few
    assert few <= 2, "whether the user's token was revoked, and the list"


@pytest.mark.quiet
def test_500_pipelines_take_150_ms(clients: dict[str, Any], start: str) -> None:
    filled(start, 0, MANY)
    took = []
    for _ in range(9):
        began = time.perf_counter()
        answer = clients["crm"].get("/activation/api/pipelines")
        took.append(time.perf_counter() - began)
    shown = [line for line in answer.json()["pipelines"] if line["dag_id"].startswith(start)]
    assert len(shown) == MANY
    assert all(line["last"]["sent"] == 9 and line["week"][-2]["runs"] == 1 for line in shown)
    assert median(took) <= BUDGET, [round(one * 1000) for one in took]
