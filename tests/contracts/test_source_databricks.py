"""The source contract with Databricks."""

from __future__ import annotations

from tests.contracts.engines.databricks import Databricks
from tests.contracts.source_suite import (
    TestColumns,
    TestFaults,
    TestMapping,
    TestMemory,
    TestResume,
    TestTyped,
    TestWindows,
    engine_of,
    warehouse,
)

__all__ = [
    "TestColumns",
    "TestFaults",
    "TestMapping",
    "TestMemory",
    "TestResume",
    "TestTyped",
    "TestWindows",
    "engine",
    "warehouse",
]

engine = engine_of(Databricks)
