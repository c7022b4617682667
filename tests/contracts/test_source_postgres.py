"""The source contract with PostgreSQL, through both drivers of the official hook."""

from __future__ import annotations

from tests.contracts.engines.postgres import Postgres, Postgres2
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

engine = engine_of(Postgres, Postgres2)
