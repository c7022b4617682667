"""What Airflow says of all pipelines, in one grouped query each: whose DAGs run them, whether they are paused, the last runs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from activation.cli.metadata_db import database
from activation.destinations.known import DagRun, Seen
from activation.destinations.s3.status import UNDER_WAY
from activation.operators.memory import asset_of

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

_ASSETS = asset_of("").name
"""What the names of our assets begin with."""


def seen(names: Iterable[str]) -> dict[str, Seen]:
    """What Airflow says of pipelines, by id. A pipeline is run by each DAG with a task that keeps its asset up to date.

    :param names: pipelines whose DAG may have gone; of others nothing is told but what is current.
    :raises ConfigurationError: if Airflow's database cannot be used.
    """
    with database("The run journals in the state folder tell how each run went"):
        from airflow.utils.session import create_session

        with create_session() as session:
            owners = _owners(session)
            for name in names:
                if not owners[name]:
                    owners[name].add(name)  # what its DAG was called when its file was there
            ids = sorted({dag for dags in owners.values() for dag in dags})
            models, runs = _models(session, ids), _runs(session, ids)
    return {name: _seen([models[dag] for dag in sorted(dags) if dag in models], runs) for name, dags in owners.items()}


def _owners(session: Session) -> defaultdict[str, set[str]]:
    """The DAGs of each pipeline; Airflow forgets those that have gone."""
    from airflow.models.asset import AssetModel, TaskOutletAssetReference
    from sqlalchemy import select

    found = defaultdict[str, set[str]](set)
    rows = session.execute(
        select(AssetModel.name, TaskOutletAssetReference.dag_id)
        .join(TaskOutletAssetReference, TaskOutletAssetReference.asset_id == AssetModel.id)
        .where(AssetModel.name.startswith(_ASSETS, autoescape=True))
    )
    for asset, dag in rows:
        found[asset.removeprefix(_ASSETS)].add(dag)
    return found


def _models(session: Session, ids: list[str]) -> dict[str, Any]:
    """The DAGs that Airflow has ever read, and whether the DAG file of each has an import error now."""
    from airflow.models.dag import DagModel
    from airflow.models.errors import ParseImportError
    from sqlalchemy import exists, select

    failing = exists().where(
        ParseImportError.filename == DagModel.relative_fileloc, ParseImportError.bundle_name == DagModel.bundle_name
    )
    columns = (DagModel.dag_id, DagModel.is_stale, DagModel.is_paused, DagModel.timetable_summary, failing.label("failing"))
    return {row.dag_id: row for row in session.execute(select(*columns).where(DagModel.dag_id.in_(ids)))}


def _runs(session: Session, ids: list[str]) -> dict[str, list[DagRun]]:
    """Of each DAG the newest run that is under way, and the one that ended last."""
    from airflow.models.dagrun import DagRun as Model
    from sqlalchemy import case, func, select

    under_way = case((Model.state.in_(UNDER_WAY), 1), else_=0)
    place = func.row_number().over(partition_by=(Model.dag_id, under_way), order_by=(Model.end_date.desc(), Model.id.desc()))
    columns = (Model.dag_id, Model.run_id, Model.state.label("state"), Model.end_date, under_way.label("under_way"))
    ranked = select(*columns, place.label("place")).where(Model.dag_id.in_(ids)).subquery()
    rows = session.execute(select(ranked).where(ranked.c.place == 1).order_by(ranked.c.under_way.desc()))
    found = defaultdict[str, list[DagRun]](list)
    for row in rows:
        found[row.dag_id].append(DagRun(row.run_id, str(row.state), None if row.under_way else row.end_date))
    return found


def _seen(models: list[Any], runs: Mapping[str, list[DagRun]]) -> Seen:
    current = [model for model in models if not model.is_stale]
    summaries = dict.fromkeys(model.timetable_summary for model in current if model.timetable_summary)
    all_runs = [run for model in current or models for run in runs.get(model.dag_id, ())]
    return Seen(
        dags=tuple(model.dag_id for model in current),
        broken=any(model.is_stale and model.failing for model in models),
        paused=bool(current) and all(model.is_paused for model in current),
        cycle=", ".join(summaries),
        runs=tuple(sorted(all_runs, key=lambda run: (run.ended is None, run.ended), reverse=True)),
    )
