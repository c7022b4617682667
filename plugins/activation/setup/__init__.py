"""SQL that makes what a pipeline needs in a warehouse: the table, and who may read it. One module an engine, mostly data."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from activation.setup.script import Kit

KITS = {
    "duckdb": "activation.setup.duckdb",
    "postgres": "activation.setup.postgres",
    "snowflake": "activation.setup.snowflake",
    "redshift": "activation.setup.redshift",
    "bigquery": "activation.setup.bigquery",
    "databricks": "activation.setup.databricks",
}
"""Source type of a pipeline file -> the module whose ``KIT`` writes its script."""


def kit_of(engine: str) -> Kit:
    """Find the templates of an engine.

    :param engine: a key of :data:`KITS`.
    """
    kit: Kit = import_module(KITS[engine]).KIT
    return kit
