"""When a pipeline's DAG runs, in Airflow's terms."""

from __future__ import annotations

from typing import Any

import pendulum
from airflow.sdk import DAG, Asset, AssetAny, AssetOrTimeSchedule, CronTriggerTimetable

from activation.operators.memory import asset_of
from activation.spec import Pipeline
from activation.spec.schedule import Schedule

START = pendulum.datetime(2024, 1, 1, tz="UTC")
"""Any fixed day: runs carry on from the watermark, not from a date, and nothing is caught up."""


def plain_schedule(pipeline: Pipeline) -> dict[str, Any]:
    """Arguments of the DAG that say when it runs, for runs that carry on from a watermark."""
    timing = pipeline.timing
    start, end = (timing.begins or START, timing.ends) if timing else (START, None)
    return {"schedule": _schedule(timing), "start_date": start, "end_date": end, "catchup": False}


def _schedule(timing: Schedule | None) -> Any:
    """A cron expression or preset, the assets to wait for, or both."""
    if timing is None:
        return None
    assets = _assets(timing)
    if timing.cron is None:
        return assets
    if assets is not None:
        clock = CronTriggerTimetable(timing.cron, timezone=timing.timezone or "UTC")
        return AssetOrTimeSchedule(timetable=clock, assets=assets)
    if timing.timezone is not None and not (timing.continuous or timing.once):
        return CronTriggerTimetable(timing.cron, timezone=timing.timezone)
    return f"@{timing.cron}" if timing.continuous or timing.once else timing.cron


def _assets(timing: Schedule) -> list[Any] | AssetAny | None:
    """References to the assets that pipelines and other DAGs keep up to date, which say more about them there."""
    # References only: an asset of ours, named here once more, would take from the pipeline's own what it tells of itself.
    found: list[Any] = [Asset.ref(name=asset_of(pipeline_id).name) for pipeline_id in timing.after]
    found += [Asset.ref(uri=name) if "://" in name else Asset.ref(name=name) for name in timing.assets]
    return (AssetAny(*found) if timing.wait_for == "any" else found) if found else None


def delayed(dag: DAG, timing: Schedule | None) -> None:
    """Put a task before those of a DAG that waits in Airflow's triggerer until the delay of a scheduled run is over.

    A later cron expression would not be the same: ``0 0 1 * *`` and a delay of a day is no expression for every month, and the
    interval of an export would move. Runs that are started by hand, and runs that are late anyway, do not wait.
    """
    if timing is None or not timing.delay.milliseconds:
        return
    from airflow.providers.standard.sensors.date_time import DateTimeSensorAsync

    tasks = [task for task in dag.tasks if not task.upstream_task_ids]
    until = f"dag_run.run_after + macros.timedelta(milliseconds={timing.delay.milliseconds})"
    delay = DateTimeSensorAsync(
        task_id="delay",
        dag=dag,
        target_time=f"{{{{ ({until} if dag_run.run_type == 'scheduled' else dag_run.run_after).isoformat() }}}}",
        execution_timeout=None,
    )
    for task in tasks:
        task.set_upstream(delay)
