"""What the commands ask of Airflow itself, through its metadata database: they work wherever Airflow's own command line does."""

from __future__ import annotations

import getpass
import json
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from typing import Any

from activation.errors import ConfigurationError


@dataclass(frozen=True, slots=True)
class Triggered:
    """A run that Airflow will start.

    :ivar paused: whether it waits until a person unpauses the DAG.
    """

    dag: str
    run: str
    paused: bool

    def __str__(self) -> str:
        waits = f" It waits: the DAG is paused (airflow dags unpause {self.dag})." if self.paused else ""
        return f"Airflow starts the run {self.run} of {self.dag}.{waits}"


def trigger(dag: str, order: Mapping[str, Any]) -> Triggered:
    """Ask for an ordinary run of a DAG, as ``airflow dags trigger`` does.

    :param order: the parameters of the run, see :class:`activation.operators.orders.Order`; ``None`` values are left out.
    :raises ConfigurationError: if there is no such DAG, if it would ignore the parameters, or if Airflow cannot be asked.
    """
    conf = {name: value for name, value in order.items() if value is not None}
    with database(f"Trigger {dag} in the UI with the configuration {json.dumps(conf)} instead"):
        from airflow.api.client import get_current_api_client

        paused = _look_at(dag, conf)
        found = get_current_api_client().trigger_dag(dag_id=dag, conf=conf, triggering_user_name=user())
    if found is None:
        raise ConfigurationError(f"Airflow did not make a run of {dag}.", f"Try airflow dags trigger {dag}.")
    return Triggered(dag, str(found["dag_run_id"]), paused)


def asset_state(name: str, uri: str, key: str) -> Any:
    """A value of an asset's state; ``None`` if there is none.

    :raises ConfigurationError: if Airflow's database cannot be used, or if it holds no JSON there.
    """
    with database("Look at the asset's tab Asset State Store in the UI instead"), _state_of(name, uri) as (store, scope, session):
        text = None if scope is None else store.get(scope, key, session=session)
    try:
        return None if text is None else json.loads(text)
    except ValueError:
        raise ConfigurationError(f"The state {key!r} of the asset {name} is no JSON.") from None


def keep_asset_state(name: str, uri: str, key: str, value: str) -> None:
    """Keep a text in an asset's state, if Airflow knows the asset.

    :raises ConfigurationError: if Airflow's database cannot be used.
    """
    with database("Write it in the asset's tab Asset State Store in the UI instead"), _state_of(name, uri) as found:
        store, scope, session = found
        if scope is not None:
            store.set(scope, key, json.dumps(value, ensure_ascii=False), session=session)


@contextmanager
def _state_of(name: str, uri: str) -> Iterator[tuple[Any, Any, Any]]:
    """Airflow's store of states, an asset's place in it, and a session; no place, if there is no such asset."""
    from airflow.models.asset import AssetModel
    from airflow.state import AssetScope, get_state_backend
    from airflow.utils.session import create_session
    from sqlalchemy import select

    with create_session() as session:
        asset = session.scalar(select(AssetModel.id).where(AssetModel.name == name, AssetModel.uri == uri))
        yield get_state_backend(), None if asset is None else AssetScope(asset_id=asset), session


def pause(dag: str) -> None:
    """Pause a DAG, as ``airflow dags pause`` does.

    :raises ConfigurationError: if Airflow's database cannot be used.
    """
    with database(f"Pause {dag} in the UI instead"):
        from airflow.models.dag import DagModel
        from airflow.utils.session import create_session

        with create_session() as session:
            if (model := session.get(DagModel, dag)) is not None:
                model.is_paused = True


def _look_at(dag: str, conf: Mapping[str, Any]) -> bool:
    """Whether a DAG is paused.

    :raises ConfigurationError: if it is not there, or would run as if nothing had been asked of it.
    """
    from airflow.configuration import conf as settings
    from airflow.models.dag import DagModel
    from airflow.models.serialized_dag import SerializedDagModel
    from airflow.utils.session import create_session

    with create_session() as session:
        model, stored = session.get(DagModel, dag), SerializedDagModel.get(dag, session=session)
        if model is None or stored is None or model.is_stale:
            raise ConfigurationError(
                f"Airflow knows no DAG {dag}.",
                "Look at `airflow dags list`: name the DAG by --dag if it is not called like the pipeline, and mend its file if "
                "`airflow dags list-import-errors` shows it.",
            )
        known, paused = set(stored.dag.params), bool(model.is_paused)
    if not set(conf) <= known:
        raise ConfigurationError(
            f"The DAG {dag} has no parameter {', '.join(sorted(set(conf) - known))}, so it would do an ordinary run.",
            "Give its task the argument order with these parameters, as activation.dags.build does.",
        )
    if not settings.getboolean("core", "dag_run_conf_overrides_params", fallback=True):
        raise ConfigurationError(
            "[core] dag_run_conf_overrides_params is False, so Airflow would do an ordinary run.",
            "Set AIRFLOW__CORE__DAG_RUN_CONF_OVERRIDES_PARAMS=True.",
        )
    return paused


def user() -> str | None:
    """Who asks; Airflow shows it beside the run."""
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):  # a container may run as a user without a name
        return None


@contextmanager
def database(instead: str) -> Iterator[None]:
    """Tell what goes wrong in Airflow's database as an error of ours.

    :param instead: what a person can do without it, one sentence without its full stop.
    :raises ConfigurationError: if the database cannot be used, or Airflow refuses.
    """
    from airflow.sdk.exceptions import AirflowException
    from sqlalchemy.exc import SQLAlchemyError

    try:
        with redirect_stdout(sys.stderr):  # what Airflow logs is no part of a command's answer
            yield
    except SQLAlchemyError as error:  # its text may hold the database's address
        raise ConfigurationError(
            f"Airflow's metadata database cannot be used ({type(error).__name__}).",
            f"Run this command where `airflow dags list` works, with the same AIRFLOW_HOME and settings. {instead}.",
        ) from None
    except AirflowException as error:
        raise ConfigurationError(f"Airflow refused: {' '.join(str(error).split())}", f"{instead}.") from None
