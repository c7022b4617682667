"""Airflow's metadata database with DAGs in it, for the commands that ask Airflow."""

from __future__ import annotations

from typing import Any

import pytest


@pytest.fixture(scope="session")
def metadata_db() -> None:
    """The tables of the metadata database, in the AIRFLOW_HOME of this process."""
    from airflow.utils.db import initdb

    initdb()


def register(dag: Any, *, paused: bool = False) -> None:
    """Put a DAG into the database, as the DAG processor does."""
    from airflow.models.dag import DagModel
    from airflow.models.dagbundle import DagBundleModel
    from airflow.models.serialized_dag import SerializedDagModel
    from airflow.serialization.definitions.dag import SerializedDAG
    from airflow.serialization.serialized_objects import LazyDeserializedDAG
    from airflow.utils.session import create_session

    lazy = LazyDeserializedDAG.from_dag(dag)
    with create_session() as session:
        if session.get(DagBundleModel, "tests") is None:
            session.add(DagBundleModel(name="tests"))
            session.flush()
        SerializedDAG.bulk_write_to_db("tests", None, [lazy], session=session)
        SerializedDagModel.write_dag(lazy, bundle_name="tests", session=session)
        session.get_one(DagModel, dag.dag_id).is_paused = paused


def runs_of(dag_id: str) -> list[dict[str, Any]]:
    """The configurations of the runs that a DAG was asked for."""
    from airflow.models.dagrun import DagRun
    from airflow.utils.session import create_session
    from sqlalchemy import select

    with create_session() as session:
        return [
            dict(run.conf or {}) for run in session.scalars(select(DagRun).where(DagRun.dag_id == dag_id).order_by(DagRun.id))
        ]
