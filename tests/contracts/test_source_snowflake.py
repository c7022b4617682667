"""The source contract with Snowflake."""

from __future__ import annotations

from tests.contracts.engines.snowflake import Snowflake
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

engine = engine_of(Snowflake)
