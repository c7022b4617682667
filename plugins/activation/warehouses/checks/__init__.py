"""A read-only self-check of a warehouse: what the tests prove against local servers, looked at on the real service."""

from __future__ import annotations

from activation.warehouses.checks.control import control_checks
from activation.warehouses.checks.rows import row_checks
from activation.warehouses.checks.samples import SAMPLES
from activation.warehouses.checks.table import table_checks
from activation.warehouses.checks.types import type_checks

__all__ = ["SAMPLES", "control_checks", "row_checks", "table_checks", "type_checks"]
