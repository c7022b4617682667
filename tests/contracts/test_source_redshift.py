"""The source contract with Redshift's stand-in, through both drivers."""

from __future__ import annotations

from tests.contracts.engines.redshift import Redshift, RedshiftRows
from tests.contracts.source_suite import *  # noqa: F403 - whatever the suite has
from tests.contracts.source_suite import engine_of

engine = engine_of(Redshift, RedshiftRows)
