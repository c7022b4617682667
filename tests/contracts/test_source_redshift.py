"""The source contract with Redshift's stand-in, through both drivers."""

from __future__ import annotations

from tests.contracts.engines.redshift import Redshift, RedshiftRows
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

engine = engine_of(Redshift, RedshiftRows)
