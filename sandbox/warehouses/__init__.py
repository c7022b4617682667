"""Local warehouses behind the official clients, on real sockets; one folder or module each.

The tests of the source contract, the demo and the benchmarks use the same ones.
"""

from __future__ import annotations

from importlib import import_module

from sandbox.warehouses.base import WarehouseSandbox

SANDBOXES = {
    "duckdb": "sandbox.warehouses.duckdb:DuckDBSandbox",
    "postgres": "sandbox.warehouses.postgres:PostgresSandbox",
    "snowflake": "sandbox.warehouses.snowflake:SnowflakeSandbox",
    "redshift": "sandbox.warehouses.redshift:RedshiftSandbox",
    "bigquery": "sandbox.warehouses.bigquery:BigQuerySandbox",
    "databricks": "sandbox.warehouses.databricks:DatabricksSandbox",
}
"""Source type -> its sandbox; imported on first use."""


def sandbox_of(engine: str) -> WarehouseSandbox:
    """Make the sandbox of a source type; it is started by entering it.

    :param engine: a key of :data:`SANDBOXES`.
    """
    module, _, name = SANDBOXES[engine].partition(":")
    made: WarehouseSandbox = getattr(import_module(module), name)()
    return made
