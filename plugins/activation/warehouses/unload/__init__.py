"""Warehouses that write files to S3 by themselves: the statement as text, how it is submitted, and how its answer is read."""

from __future__ import annotations

from importlib import import_module

from activation.warehouses.base import Warehouse
from activation.warehouses.unload.base import Unloader

ENGINES = {"redshift": "redshift:RedshiftUnloader", "snowflake": "snowflake:SnowflakeUnloader"}
"""Source type of a pipeline file -> module and class. BigQuery writes to Google's storage only, unless with Omni."""


def unloader_of(engine: str, warehouse: Warehouse) -> Unloader | None:
    """Who lets this warehouse write; ``None`` for an engine that cannot."""
    if engine not in ENGINES:
        return None
    module, _, name = ENGINES[engine].partition(":")
    found: Unloader = getattr(import_module(f"{__name__}.{module}"), name)(warehouse)
    return found
