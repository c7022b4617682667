"""The engines that a pipeline can read from. A new one is a module, a line here and an entry in the contract suite."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from activation.warehouses.base import Session, Warehouse

ENGINES = {
    "duckdb": "activation.warehouses.duckdb:DuckDBWarehouse",
    "postgres": "activation.warehouses.postgres:PostgresWarehouse",
    "snowflake": "activation.warehouses.snowflake:SnowflakeWarehouse",
    "databricks": "activation.warehouses.databricks:DatabricksWarehouse",
    "redshift": "activation.warehouses.redshift:RedshiftWarehouse",
    "bigquery": "activation.warehouses.bigquery:BigQueryWarehouse",
}
"""Source type of a pipeline file -> the class that is handed the hook's connection; imported on first use."""


_ANY = Session()


def open_warehouse(engine: str, connection: Any, session: Session = _ANY) -> Warehouse:
    """Wrap an open client connection.

    :param engine: a key of :data:`ENGINES`.
    :param connection: what the official hook gave, see :data:`activation.hooks.connections.HOOKS`.
    :param session: how its statements are run.
    """
    module, _, name = ENGINES[engine].partition(":")
    warehouse: Warehouse = getattr(import_module(module), name)(connection, session)
    return warehouse


def explain(engine: str, error: Exception) -> Exception:
    """Turn what the engine's driver raised while it connected into an error that says what to do.

    :param engine: a key of :data:`ENGINES`.
    :returns: an :class:`~activation.errors.ActivationError`; an error that is not the driver's comes back as it is.
    """
    explained: Exception = import_module(ENGINES[engine].partition(":")[0]).map_error(error)
    return explained
