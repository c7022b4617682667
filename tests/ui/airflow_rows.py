"""What Airflow would write into its database around a run."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from typing import Any

from activation.dags.build import build_dag
from activation.operators.memory import asset_of
from activation.spec import Pipeline
from tests.cli.conftest import register

SOURCE = {"type": "duckdb", "connection": "world_duckdb", "table": "crm.source"}
BRAZE = {"type": "braze", "connection": "world_braze", "data": "attributes"}


def registered(name: str, *, paused: bool = False, **blocks: Any) -> None:
    """Let Airflow read a pipeline."""
    pipeline = Pipeline.model_validate({"id": name, "source": SOURCE, "destination": BRAZE, **blocks})
    register(build_dag(pipeline), paused=paused)


def asset_id(name: str) -> int:
    """The asset of a pipeline."""
    from airflow.models.asset import AssetModel
    from airflow.utils.session import create_session
    from sqlalchemy import select

    with create_session() as session:
        return session.scalars(select(AssetModel.id).where(AssetModel.name == asset_of(name).name)).one()


def keep(name: str, key: str, value: Any) -> None:
    """Keep a value in the state of a pipeline's asset, as Airflow's API does for a task."""
    from airflow.state import AssetScope, get_state_backend
    from airflow.utils.session import create_session

    with create_session() as session:
        get_state_backend().set(AssetScope(asset_id=asset_id(name)), key, json.dumps(value), session=session)


def ran(dag: str, run: str, state: str, started: datetime, ended: datetime | None = None, **conf: Any) -> None:
    """A run."""
    from airflow.models.dagrun import DagRun
    from airflow.utils.session import create_session
    from airflow.utils.state import DagRunState
    from airflow.utils.types import DagRunType

    with create_session() as session:
        made = DagRun(dag_id=dag, run_id=run, run_type=DagRunType.MANUAL, state=DagRunState(state), conf=conf, run_after=started)
        made.start_date, made.end_date = started, ended
        session.add(made)


def utc(*parts: int) -> datetime:
    """An instant in UTC."""
    return datetime(*parts, tzinfo=timezone.utc)  # type: ignore[arg-type,misc]
