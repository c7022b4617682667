"""All that the page asks of the inside of Airflow's API server: who is logged in, what they may do, and its database.

Airflow does not promise to keep these interfaces, so they stand in this one module.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from airflow.api_fastapi.app import get_auth_manager
from airflow.api_fastapi.auth.managers.models.resource_details import DagAccessEntity, DagDetails
from airflow.api_fastapi.common.db.common import SessionDep
from airflow.api_fastapi.core_api.security import GetUserDep, get_user, requires_access_dag
from airflow.models.asset import AssetModel, TaskOutletAssetReference
from airflow.models.asset_state_store import AssetStateStoreModel
from airflow.models.dag import DagModel, DagTag
from airflow.models.dag_version import DagVersion
from airflow.models.dagrun import DagRun
from airflow.models.serialized_dag import SerializedDagModel
from airflow.models.team import dag_bundle_team_association_table as teams
from sqlalchemy import and_, func, literal, select, union
from sqlalchemy.orm import aliased

from activation.operators.memory import asset_of
from activation.operators.summary import INACTIVE, SUMMARY

__all__ = ["GetUserDep", "Rights", "SessionDep", "document_of", "found", "get_user", "requires_access_dag", "rights", "runs_of"]

ASSETS = asset_of("").name
"""How the names of our assets begin."""

TAG = "activation"
"""Of the DAGs that are made of pipelines."""

UNDER_WAY = ("queued", "running")
ENDED = ("success", "failed")
"""States of Airflow's runs."""

_SUMMARY, _MARK, _NEWEST = AssetStateStoreModel, aliased(AssetStateStoreModel), aliased(DagVersion)
_ENDED, _UNDER_WAY = aliased(DagRun), aliased(DagRun)
"""A pipeline's summary, mark and newest version, its last run that ended and the one that is under way."""


@dataclass(frozen=True, slots=True)
class Rights:
    """Ids of DAGs that a user may look at, run, and pause."""

    read: frozenset[str]
    run: frozenset[str]
    edit: frozenset[str]


def rights(user: Any, rows: Iterable[Any]) -> Rights:
    """What a user may do, as the auth manager says it.

    :param rows: from :func:`found`.
    """
    by_team = defaultdict[Any, set[str]](set)
    for row in rows:
        by_team[row.team].add(row.dag_id)
    manager = get_auth_manager()

    def run(dag_id: str, team: Any) -> bool:
        details = DagDetails(id=dag_id, team_name=team)
        return manager.is_authorized_dag(method="POST", access_entity=DagAccessEntity.RUN, details=details, user=user)

    read, edit = (
        frozenset[str]().union(
            *(
                manager.filter_authorized_dag_ids(dag_ids=ids, user=user, method=method, team_name=team)
                for team, ids in by_team.items()
            )
        )
        for method in ("GET", "PUT")
    )
    may_run = frozenset(one for team, ids in by_team.items() for one in ids & read if run(one, team))
    return Rights(read, may_run, edit & read)


def found(session: Any, dag_id: str | None = None) -> list[Any]:
    """All that the list shows, in one statement: a row for each pipeline of each DAG.

    A DAG that Airflow has not found any more has no references to assets; it is known by its tag.

    :param dag_id: only this one's.
    """
    owned, versions = _owned().subquery(), _versions().subquery()
    last, now = (_newest(states).subquery() for states in (ENDED, UNDER_WAY))
    statement = (
        select(*_columns(versions))
        .join(owned, owned.c.dag_id == DagModel.dag_id)
        .join(AssetModel, AssetModel.id == owned.c.asset_id)
        .outerjoin(_SUMMARY, and_(_SUMMARY.asset_id == AssetModel.id, _SUMMARY.key == SUMMARY))
        .outerjoin(_MARK, and_(_MARK.asset_id == AssetModel.id, _MARK.key == INACTIVE))
        .outerjoin(last, last.c.dag_id == DagModel.dag_id)
        .outerjoin(_ENDED, _ENDED.id == last.c.id)
        .outerjoin(now, now.c.dag_id == DagModel.dag_id)
        .outerjoin(_UNDER_WAY, _UNDER_WAY.id == now.c.id)
        .outerjoin(versions, versions.c.dag_id == DagModel.dag_id)
        .outerjoin(_NEWEST, and_(_NEWEST.dag_id == DagModel.dag_id, _NEWEST.version_number == versions.c.number))
        .outerjoin(teams, teams.c.dag_bundle_name == DagModel.bundle_name)
        .order_by(DagModel.dag_id, AssetModel.name)
    )
    return list(session.execute(statement if dag_id is None else statement.where(DagModel.dag_id == dag_id)))


def _columns(versions: Any) -> tuple[Any, ...]:
    return (
        DagModel.dag_id,
        DagModel.is_stale,
        DagModel.is_paused,
        DagModel.owners,
        DagModel.timetable_description,
        DagModel.next_dagrun_create_after.label("next_run"),
        AssetModel.id.label("asset_id"),
        AssetModel.name.label("asset"),
        AssetModel.extra.label("extra"),
        _SUMMARY.value.label("summary"),
        _MARK.value.label("inactive"),
        _ENDED.run_id.label("ended_run"),
        _ENDED.state.label("ended_state"),
        _ENDED.start_date.label("ended_started"),
        _ENDED.end_date.label("ended_at"),
        _ENDED.conf.label("ended_conf"),
        _UNDER_WAY.run_id.label("running"),
        _UNDER_WAY.conf.label("running_conf"),
        versions.c.created,
        _NEWEST.created_at.label("changed"),
        _NEWEST.version_number.label("version"),
        _NEWEST.bundle_version.label("commit"),
        _NEWEST.bundle_name.label("bundle"),
        teams.c.team_name.label("team"),
    )


def _versions() -> Any:
    """When each DAG was read first, and the number of its newest version."""
    created, number = func.min(DagVersion.created_at), func.max(DagVersion.version_number)
    return select(DagVersion.dag_id, created.label("created"), number.label("number")).group_by(DagVersion.dag_id)


def _owned() -> Any:
    """Which DAG keeps which of our assets up to date."""
    ours = AssetModel.name.startswith(ASSETS, autoescape=True)
    current = (
        select(TaskOutletAssetReference.dag_id, TaskOutletAssetReference.asset_id)
        .join(AssetModel, AssetModel.id == TaskOutletAssetReference.asset_id)
        .where(ours)
    )
    gone = (
        select(DagModel.dag_id, AssetModel.id.label("asset_id"))
        .join(DagTag, and_(DagTag.dag_id == DagModel.dag_id, DagTag.name == TAG))
        .join(AssetModel, AssetModel.name == literal(ASSETS).concat(DagModel.dag_id))
        .where(DagModel.is_stale)
    )
    return union(current, gone)


def _newest(states: tuple[str, ...]) -> Any:
    """The newest run of each DAG in one of these states."""
    return select(DagRun.dag_id, func.max(DagRun.id).label("id")).where(DagRun.state.in_(states)).group_by(DagRun.dag_id)


def runs_of(session: Any, dag_id: str, most: int) -> list[Any]:
    """The newest runs of a DAG, the newest first.

    :param most: how many.
    """
    columns = (DagRun.run_id, DagRun.state.label("state"), DagRun.conf, DagRun.start_date, DagRun.end_date)
    return list(session.execute(select(*columns).where(DagRun.dag_id == dag_id).order_by(DagRun.id.desc()).limit(most)))


def document_of(session: Any, dag_id: str) -> tuple[str, list[str]]:
    """What a DAG says of itself as Markdown, and the names of its trigger form; nothing if Airflow has not kept it."""
    stored = SerializedDagModel.get(dag_id, session=session)
    return (stored.dag.doc_md or "", list(stored.dag.params)) if stored is not None else ("", [])
