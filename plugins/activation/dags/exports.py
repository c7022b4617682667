"""The part of a DAG that belongs to an export of files."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from airflow.sdk import BaseOperator, CronDataIntervalTimetable, Param

from activation.dags.forms import dry_run, mode
from activation.dags.frame import Frame
from activation.dags.schedules import START
from activation.operators.orders import FILE_MODES
from activation.operators.s3_export import S3ExportOperator
from activation.spec import Pipeline, S3Destination

_ABOUT = "Leave both empty for the run's own interval. With a time zone, such as 2026-07-19T09:00:00+09:00."
EXPORT_FORM = {
    "mode": mode(
        FILE_MODES,
        "run: writes the files of the interval. preview: counts its rows and tells where its files would go. "
        "check: looks at source and bucket.",
    ),
    "interval_start": Param("", type="string", title="Interval start", description=f"First instant to export. {_ABOUT}"),
    "interval_end": Param("", type="string", title="Interval end", description=f"First instant that is not. {_ABOUT}"),
    "dry_run": dry_run("The same as mode preview."),
}
"""The trigger form."""


def export_schedule(pipeline: Pipeline, to: S3Destination) -> dict[str, Any]:
    """Arguments of the DAG that say when it runs."""
    export, zone = to.export, ZoneInfo(to.export.zone)
    if export.type == "one_time":
        return {"schedule": "@once", "start_date": START, "catchup": False}
    cron = pipeline.timing.cron if pipeline.timing else ""
    ends = datetime.fromisoformat(export.end).replace(tzinfo=zone) + timedelta(days=1, seconds=-1) if export.end else None
    return {
        "schedule": CronDataIntervalTimetable(cron or "", timezone=export.zone),
        "start_date": datetime.fromisoformat(export.start).replace(tzinfo=zone) if export.start else START,
        "end_date": ends,
        "catchup": export.catch_up,
    }


def export_task(frame: Frame, pipeline: Pipeline, to: S3Destination) -> BaseOperator:
    """Add the task; gives the first one, if there are several."""
    more: dict[str, Any] = {"in_flight": pipeline.delivery.in_flight} if "in_flight" in pipeline.delivery.model_fields_set else {}
    return S3ExportOperator(
        task_id="export",
        pipeline_id=pipeline.id,
        source=pipeline.source.model_dump(mode="json"),
        destination=to.model_dump(mode="json"),
        cursor=pipeline.cursor.model_dump(mode="json", exclude_unset=True),
        interval_start=frame.order["interval_start"],
        interval_end=frame.order["interval_end"],
        order={name: frame.order[name] for name in ("mode", "dry_run")},
        **more,
        **frame.work,
    )


def export_document(pipeline: Pipeline, to: S3Destination) -> tuple[str, ...]:
    """What Airflow shows beside the DAG, line by line."""
    source, files = pipeline.source, to.files
    what = "the profiles" if to.data == "user_profile" else "the events"
    return (
        f"Exports {what} of `{source.name}` ({source.type}, connection `{source.connection}`) as {files.format} files to "
        f"`{to.path}` (connection `{to.connection}`).\n",
        f"* An interval is chosen by `{pipeline.cursor.column}`; days begin at midnight in {to.export.zone}.",
        "* `_manifest.json` is written last: it lists every file with its rows and SHA-256. Readers go by it.",
        f"* If the interval was exported before: `{files.on_exists}`. The report of a run is the XCom of its task `export`.",
    )
