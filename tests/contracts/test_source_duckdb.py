"""The source contract with DuckDB."""

from __future__ import annotations

from tests.contracts.engines.duckdb import DuckDB
from tests.contracts.source_suite import *  # noqa: F403 - whatever the suite has
from tests.contracts.source_suite import engine_of

engine = engine_of(DuckDB)
