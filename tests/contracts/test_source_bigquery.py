"""The source contract with BigQuery, through the official hook."""

from __future__ import annotations

from tests.contracts.engines.bigquery import BigQuery
from tests.contracts.source_suite import *  # noqa: F403 - whatever the suite has
from tests.contracts.source_suite import engine_of

engine = engine_of(BigQuery)
