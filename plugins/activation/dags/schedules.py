"""When a pipeline's DAG runs, in Airflow's terms."""

from __future__ import annotations

from typing import Any

import pendulum
from airflow.sdk import AssetAny

from activation.operators.memory import asset_of
from activation.spec import Pipeline
from activation.spec.schedule import Schedule

START = pendulum.datetime(2024, 1, 1, tz="UTC")
"""Any fixed day: runs carry on from the watermark, not from a date, and nothing is caught up."""


def plain_schedule(pipeline: Pipeline) -> dict[str, Any]:
    """Arguments of the DAG that say when it runs, for runs that carry on from a watermark."""
    return {"schedule": _schedule(pipeline.timing), "start_date": START, "catchup": False}


def _schedule(timing: Schedule | None) -> Any:
    """A cron expression or preset, or the assets that the pipelines to wait for keep up to date."""
    if timing is None:
        return None
    if timing.after:
        assets = [asset_of(pipeline_id) for pipeline_id in timing.after]
        return AssetAny(*assets) if timing.wait_for == "any" else assets
    return "@continuous" if timing.continuous else timing.cron
