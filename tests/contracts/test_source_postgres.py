"""The source contract with PostgreSQL, through both drivers of the official hook."""

from __future__ import annotations

from tests.contracts.engines.postgres import Postgres, Postgres2
from tests.contracts.source_suite import *  # noqa: F403 - whatever the suite has
from tests.contracts.source_suite import engine_of

engine = engine_of(Postgres, Postgres2)
