"""From the name of an Airflow connection to an open warehouse, with errors that say what to do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseHook
from airflow.sdk.exceptions import AirflowNotFoundException

from activation.errors import ActivationError, ConfigurationError

if TYPE_CHECKING:
    from airflow.sdk import Connection

    from activation.warehouses.base import Warehouse


@dataclass(frozen=True, slots=True)
class SourceHook:
    """How the hook of a source type is made, and how it gives a client.

    :ivar path: the hook's class.
    :ivar argument: the keyword that takes the id of the connection.
    :ivar extra: the extra of this package that brings the hook; empty if it is always there.
    :ivar client: the hook's method that gives the client; a path ``module:function`` is a function that takes the hook.
    :ivar exclusive: whether nobody can write the warehouse while a connection to it is open.
    """

    path: str
    argument: str
    extra: str = ""
    client: str = "get_conn"
    exclusive: bool = False


HOOKS = {
    "duckdb": SourceHook("activation.hooks.duckdb:DuckDBHook", "duckdb_conn_id", exclusive=True),
    "postgres": SourceHook("airflow.providers.postgres.hooks.postgres:PostgresHook", "postgres_conn_id", "postgres"),
    "snowflake": SourceHook("airflow.providers.snowflake.hooks.snowflake:SnowflakeHook", "snowflake_conn_id", "snowflake"),
    "databricks": SourceHook(
        "airflow.providers.databricks.hooks.databricks_sql:DatabricksSqlHook",
        "databricks_conn_id",
        "databricks",
        "activation.hooks.databricks:connect",
    ),
    "redshift": SourceHook(
        "airflow.providers.amazon.aws.hooks.redshift_sql:RedshiftSQLHook",
        "redshift_conn_id",
        "redshift",
        "activation.hooks.redshift:connect",
    ),
    "bigquery": SourceHook(
        "airflow.providers.google.cloud.hooks.bigquery:BigQueryHook",
        "gcp_conn_id",
        "google",
        "activation.hooks.bigquery:client_of",
    ),
}
"""Source type of a pipeline file -> its hook."""


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


def open_source(engine: str, conn_id: str, *, tag: Mapping[str, str] | None = None, timeout: float | None = None) -> Warehouse:
    """Open the warehouse behind an Airflow connection, through the hook of its type.

    :param engine: a key of :data:`HOOKS`: the ``source.type`` of a pipeline.
    :param tag: who runs the statements, for the warehouse's query history.
    :param timeout: seconds after which the warehouse stops a statement.
    :raises ConfigurationError: if the connection, the hook's package or a right is missing.
    :raises TransientError: if the warehouse cannot be reached now.
    """
    from activation.warehouses import explain, open_warehouse
    from activation.warehouses.base import Session

    options = find_connection(conn_id).extra_dejson
    known = HOOKS[engine]
    hook = _load(engine, known.path)(**{known.argument: conn_id})
    try:
        client = _load(engine, known.client)(hook) if ":" in known.client else getattr(hook, known.client)()
    except ActivationError:
        raise
    except Exception as error:  # noqa: BLE001 - drivers share no base class; what is not theirs is raised as it is
        raise explain(engine, error) from None
    return open_warehouse(engine, client, Session(tag or {}, timeout, options))


def _load(engine: str, path: str) -> Any:
    module, _, name = path.partition(":")
    try:
        return getattr(import_module(module), name)
    except ImportError as error:
        extra = HOOKS[engine].extra
        raise ConfigurationError(
            f"Reading from {engine} needs a package that is not installed: {error.name}.",
            f"Install airflow-activation[{extra}]." if extra else "Install it.",
        ) from None
