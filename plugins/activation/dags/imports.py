"""The part of a DAG that belongs to an import."""

from __future__ import annotations

from typing import Any

from airflow.sdk import BaseOperator

from activation.dags.forms import RESET_TO, dry_run, limit, mode, text
from activation.dags.frame import Frame
from activation.dags.partitions import partition_tasks
from activation.dags.schedules import plain_schedule
from activation.operators.braze_import import WarehouseIncrementalImportOperator
from activation.operators.orders import MODES
from activation.spec import Destination, Pipeline

IMPORT_FORM = {
    "mode": mode(
        MODES,
        "incremental: what changed since the last run. full: every row. replay: rejected rows once more. "
        "preview: shows what would be sent. reset: only moves the watermark. check: looks at source and destination.",
    ),
    "limit": limit("Most rows of this run."),
    "dry_run": dry_run("With mode incremental or full: shows what the run would send. Nothing is sent and no state changes."),
    "reset_to": text(**RESET_TO),
    "replay_run": text("Replay run", "With mode replay: only this run's."),
    "replay_code": text("Replay code", "With mode replay: only this reason."),
}
"""The trigger form."""


def import_schedule(pipeline: Pipeline, to: Destination) -> dict[str, Any]:
    """Arguments of the DAG that say when it runs."""
    return plain_schedule(pipeline)


def import_task(frame: Frame, pipeline: Pipeline, to: Destination) -> BaseOperator:
    """Add the task; gives the first one, if there are several."""
    blocks: dict[str, Any] = {
        "pipeline_id": pipeline.id,
        "source": pipeline.source.model_dump(mode="json"),
        "destination": to.model_dump(mode="json"),
        "cursor": pipeline.cursor.model_dump(mode="json"),
        "columns": pipeline.columns.model_dump(mode="json", exclude_none=True),
        "delivery": pipeline.delivery.model_dump(mode="json"),
        "order": frame.order,
        "max_reject_share": pipeline.errors.max_reject_share,
        "max_rows": pipeline.errors.max_rows,
    }
    if pipeline.task.partitions > 1:
        return partition_tasks(frame, blocks, pipeline.task.partitions)
    return WarehouseIncrementalImportOperator(task_id="import", **blocks, **frame.work)


def import_document(pipeline: Pipeline, to: Destination) -> tuple[str, ...]:
    """What Airflow shows beside the DAG, line by line."""
    source, cursor, partitions = pipeline.source, pipeline.cursor, pipeline.task.partitions
    split = f" It is moved in {partitions} slices at the same time, and the watermark moves once." if partitions > 1 else ""
    return (
        f"Carries the rows of `{source.name}` ({source.type}, connection `{source.connection}`) that changed since the last "
        f"run into {to.type.capitalize()} (connection `{to.connection}`).{split}\n",
        f"* Rows are chosen by `{cursor.column}`, boundary rule `{cursor.rule}`.",
        f"* The watermark is the state of the asset `activation/{pipeline.id}`; a retry goes on where the last try stopped.",
        f"* The report of a run is the XCom of its task `{'publish' if split else 'import'}`; rejected rows are kept in the "
        "state folder.",
    )
