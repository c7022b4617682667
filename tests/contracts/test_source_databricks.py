"""The source contract with Databricks."""

from __future__ import annotations

from tests.contracts.engines.databricks import Databricks
from tests.contracts.source_suite import *  # noqa: F403 - whatever the suite has
from tests.contracts.source_suite import engine_of

engine = engine_of(Databricks)
