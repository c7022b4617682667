"""Warehouses that write files to S3 by themselves: the statement as text, how it is submitted, and how its answer is read."""

from __future__ import annotations

from importlib import import_module

from activation.warehouses.base import Warehouse
from activation.warehouses.unload.base import Unloader

ENGINES = {
    "databricks": "databricks:DatabricksUnloader",
    "redshift": "redshift:RedshiftUnloader",
    "snowflake": "snowflake:SnowflakeUnloader",
}
"""Source type of a pipeline file -> module and class."""

REFUSALS = {
    "bigquery": "BigQuery's EXPORT DATA writes to Cloud Storage, and to S3 only as BigQuery Omni, from data in a region of AWS.",
    "duckdb": "DuckDB runs inside of the task, where our own writer is the one that writes to S3.",
    "postgres": "PostgreSQL does not write to S3 by itself.",
}
"""Source type -> why it cannot, one sentence."""


def unloader_of(engine: str, warehouse: Warehouse) -> Unloader | None:
    """Who lets this warehouse write; ``None`` for an engine that cannot."""
    if engine not in ENGINES:
        return None
    module, _, name = ENGINES[engine].partition(":")
    found: Unloader = getattr(import_module(f"{__name__}.{module}"), name)(warehouse)
    return found
