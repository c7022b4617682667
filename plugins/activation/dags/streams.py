"""The part of a DAG that belongs to a stream of profiles."""

from __future__ import annotations

from typing import Any

from airflow.sdk import BaseOperator

from activation.dags.forms import RESET_TO, dry_run, limit, mode, text
from activation.dags.frame import Frame
from activation.dags.schedules import plain_schedule
from activation.operators.kinesis_stream import KinesisProfileStreamOperator
from activation.operators.orders import CHECK, FULL, INCREMENTAL, PREVIEW, RESET
from activation.spec import Duration, KinesisDestination, Pipeline
from activation.spec.kinesis_rules import attribute_changes

MODES = (INCREMENTAL, FULL, PREVIEW, RESET, CHECK)
"""What a run can be asked to do; a profile that was rejected comes again with its next change, or with ``full``."""

STREAM_FORM = {
    "mode": mode(
        MODES,
        "incremental: the profiles that changed since the last run. full: every profile that is in a mapped audience now, once "
        "more. preview: shows what would be sent. reset: only moves the watermark. check: looks at source and stream.",
    ),
    "limit": limit("With mode preview or a dry run: most profiles to show."),
    "dry_run": dry_run("With mode incremental or full: shows what the run would send. Nothing is sent and no state changes."),
    "reset_to": text(**RESET_TO),
}
"""The trigger form."""


def stream_schedule(pipeline: Pipeline, to: KinesisDestination) -> dict[str, Any]:
    """Arguments of the DAG that say when it runs."""
    return plain_schedule(pipeline)


def stream_task(frame: Frame, pipeline: Pipeline, to: KinesisDestination) -> BaseOperator:
    """Add the task; gives the first one, if there are several."""
    return KinesisProfileStreamOperator(
        task_id="stream",
        pipeline_id=pipeline.id,
        source=pipeline.source.model_dump(mode="json"),
        destination=_looking(pipeline, to).model_dump(mode="json"),
        cursor=pipeline.cursor.model_dump(mode="json", exclude_unset=True),
        columns=pipeline.columns.model_dump(mode="json", exclude_unset=True),
        delivery=pipeline.delivery.model_dump(mode="json", exclude_unset=True),
        order=frame.order,
        max_reject_share=pipeline.errors.max_reject_share,
        max_rows=pipeline.errors.max_rows,
        **frame.work,
    )


def _looking(pipeline: Pipeline, to: KinesisDestination) -> KinesisDestination:
    """The destination with a wait for runs that follow each other without a pause only."""
    if pipeline.timing is not None and pipeline.timing.continuous:
        return to
    return to.model_copy(update={"changes": to.changes.model_copy(update={"wait": Duration(0)})})


def stream_document(pipeline: Pipeline, to: KinesisDestination) -> tuple[str, ...]:
    """What Airflow shows beside the DAG, line by line."""
    source, count = pipeline.source, len(to.audiences)
    return (
        f"Sends each profile of `{source.name}` ({source.type}, connection `{source.connection}`) that changed as one JSON "
        f"message to the Kinesis data stream `{to.stream.name}` (connection `{to.connection}`).\n",
        f"* {count:,} mapped audience{'s' if count > 1 else ''}, {len(pipeline.columns.fields) or 'all'} attributes; "
        f"attributes count by `{attribute_changes(source, to)}`.",
        f"* The watermark is the state of the asset `activation/{pipeline.id}`; a retry goes on where the last try stopped.",
        "* The report of a run, with how long changes took to arrive, is the XCom of its task `stream`.",
    )
