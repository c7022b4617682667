"""When a pipeline's DAG runs, in Airflow's terms."""

from __future__ import annotations

from typing import Any

import pendulum
from airflow.sdk import DAG, AssetAny, CronTriggerTimetable

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
    if timing.cron is not None and timing.timezone is not None:
        return CronTriggerTimetable(timing.cron, timezone=timing.timezone)
    return "@continuous" if timing.continuous else timing.cron


def delayed(dag: DAG, timing: Schedule | None) -> None:
    """Put a task before those of a DAG that waits in Airflow's triggerer until the delay of a scheduled run is over.

    A later cron expression would not be the same: ``0 0 1 * *`` and a delay of a day is no expression for every month, and the
    interval of an export would move. Runs that are started by hand, and runs that are late anyway, do not wait.
    """
    if timing is None or not timing.delay.milliseconds:
        return
    from airflow.providers.standard.sensors.date_time import DateTimeSensorAsync

    tasks = list(dag.tasks)
    until = f"dag_run.run_after + macros.timedelta(milliseconds={timing.delay.milliseconds})"
    delay = DateTimeSensorAsync(
        task_id="delay",
        dag=dag,
        target_time=f"{{{{ ({until} if dag_run.run_type == 'scheduled' else dag_run.run_after).isoformat() }}}}",
        execution_timeout=None,
    )
    for task in tasks:
        task.set_upstream(delay)
