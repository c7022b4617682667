"""From the name of an Airflow connection to an open warehouse, with errors that say what to do."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseHook
from airflow.sdk.exceptions import AirflowNotFoundException

from activation.errors import ActivationError, ConfigurationError

if TYPE_CHECKING:
    from airflow.sdk import Connection

    from activation.warehouses.base import Warehouse

HOOKS = {
    "duckdb": ("activation.hooks.duckdb:DuckDBHook", "duckdb_conn_id", ""),
    "postgres": ("airflow.providers.postgres.hooks.postgres:PostgresHook", "postgres_conn_id", "postgres"),
}
"""Source type -> the hook's class, the name of its connection argument, and the extra of this package that brings it."""


def find_connection(conn_id: str) -> Connection:
    """Get an Airflow connection.

    :raises ConfigurationError: if there is none of that name.
    """
    try:
        return BaseHook.get_connection(conn_id)
    except AirflowNotFoundException:
        raise ConfigurationError(
            f"There is no Airflow connection {conn_id!r}.",
            f"Create it under Admin › Connections or as AIRFLOW_CONN_{conn_id.upper()}, or correct its name in the pipeline.",
        ) from None


def open_source(engine: str, conn_id: str) -> Warehouse:
    """Open the warehouse behind an Airflow connection, through the hook of its type.

    :param engine: a key of :data:`HOOKS`: the ``source.type`` of a pipeline.
    :raises ConfigurationError: if the connection, the hook's package or a right is missing.
    :raises TransientError: if the warehouse cannot be reached now.
    """
    from activation.warehouses import explain, open_warehouse

    find_connection(conn_id)
    try:
        connection = _hook(engine, conn_id).get_conn()
    except ActivationError:
        raise
    except Exception as error:  # noqa: BLE001 - drivers share no base class; what is not theirs is raised as it is
        raise explain(engine, error) from None
    return open_warehouse(engine, connection)


def _hook(engine: str, conn_id: str) -> Any:
    path, argument, extra = HOOKS[engine]
    module, _, name = path.partition(":")
    try:
        hook = getattr(import_module(module), name)
    except ImportError as error:
        raise ConfigurationError(
            f"Reading from {engine} needs a package that is not installed: {error.name}.",
            f"Install airflow-activation[{extra}]." if extra else "Install it.",
        ) from None
    return hook(**{argument: conn_id})
