"""Databricks SQL: the connector's own protocol over HTTPS, answered by real Spark SQL."""

from sandbox.warehouses.databricks.sandbox import DatabricksSandbox

__all__ = ["DatabricksSandbox"]
