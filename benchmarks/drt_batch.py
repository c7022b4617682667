"""drt-core from PyPI, a general reverse-ETL tool, in its batch mode: its own engine, DuckDB source and REST destination.

A sync of drt sends one request after the other (``drt run --threads`` runs several syncs side by side, not one). Everything that
can be set is set for speed: no rate limit, the payload's text is spliced into the body unparsed, no state is kept, and the engine
hands over many rows at once, because the destination opens a connection anew for each hand-over.
"""

from __future__ import annotations

from pathlib import Path

from drt.config.base import BearerAuth, RateLimitConfig
from drt.config.destinations_saas import RestApiDestinationConfig
from drt.config.profiles import DuckDBProfile
from drt.config.sync_options import SyncConfig, SyncOptions
from drt.destinations.rest_api import RestApiDestination
from drt.engine.sync import run_sync
from drt.sources.duckdb import DuckDBSource

from benchmarks import source
from benchmarks.processes import BenchmarkError, Place
from benchmarks.worker import Contestant

BATCH = 75
HAND_OVER = 15_000
TEMPLATE = (
    '{"attributes":[{% for row in rows %}{"external_id":{{ row.EXTERNAL_ID | tojson_safe }},{{ row.PAYLOAD[1:] }}'
    "{% if not loop.last %},{% endif %}{% endfor %}]}"
)


def drt_batch(place: Place) -> Contestant:
    """One sync of drt in the mode ``full``."""
    destination = RestApiDestinationConfig(
        type="rest_api",
        url=f"{place.url}/users/track",
        headers={"Content-Type": "application/json"},
        auth=BearerAuth(type="bearer", token="benchmark-key"),
        body_mode="batch",
        batch_template=TEMPLATE,
        max_records_per_request=BATCH,
    )
    options = SyncOptions(mode="full", batch_size=HAND_OVER, rate_limit=RateLimitConfig(requests_per_second=0))
    profile = DuckDBProfile(type="duckdb", database=place.database)

    def send(rows: int, in_flight: int) -> None:
        model = f"SELECT EXTERNAL_ID, PAYLOAD FROM {source.table_of(rows)}"
        sync = SyncConfig(name="users_to_braze", model=model, destination=destination, sync=options)
        result = run_sync(sync, DuckDBSource(), RestApiDestination(), profile, Path(place.home))
        if result.success != rows:
            raise BenchmarkError(f"drt-core reports {result.success:,} of {rows:,} rows: {result.errors[:1]}")

    return send
