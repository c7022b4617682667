"""The part of a DAG that belongs to an import."""

from __future__ import annotations

from typing import Any

from airflow.sdk import DAG, Param

from activation.dags.schedules import plain_schedule
from activation.operators.braze_import import WarehouseIncrementalImportOperator
from activation.operators.orders import INCREMENTAL, MODES
from activation.spec import Destination, Pipeline


def import_schedule(pipeline: Pipeline, to: Destination) -> dict[str, Any]:
    """Arguments of the DAG that say when it runs."""
    return plain_schedule(pipeline)


def import_params() -> dict[str, Param]:
    """The trigger form."""
    return {
        "mode": Param(
            INCREMENTAL,
            enum=[*MODES],
            title="Mode",
            description="incremental: what changed since the last run. full: every row. replay: rejected rows once more. "
            "preview: shows what would be sent. reset: only moves the watermark.",
        ),
        "limit": Param(None, type=["null", "integer"], minimum=1, title="Limit", description="Most rows of this run."),
        "reset_to": Param(
            None,
            type=["null", "string"],
            title="Reset to",
            description="With mode reset: the new watermark, such as 2026-07-19T09:07:23Z; empty is the beginning.",
        ),
        "replay_run": Param(None, type=["null", "string"], title="Replay run", description="With mode replay: only this run's."),
        "replay_code": Param(
            None, type=["null", "string"], title="Replay code", description="With mode replay: only this reason."
        ),
    }


def import_task(dag: DAG, pipeline: Pipeline, to: Destination, callbacks: dict[str, Any]) -> None:
    """Add the task.

    :param callbacks: what Airflow calls when it begins, has failed or has succeeded.
    """
    WarehouseIncrementalImportOperator(
        task_id="import",
        dag=dag,
        pipeline_id=pipeline.id,
        source=pipeline.source.model_dump(mode="json"),
        destination=to.model_dump(mode="json"),
        cursor=pipeline.cursor.model_dump(mode="json"),
        columns=pipeline.columns.model_dump(mode="json", exclude_none=True),
        delivery=pipeline.delivery.model_dump(mode="json"),
        order={name: f"{{{{ params.{name} }}}}" for name in dag.params},
        max_reject_share=pipeline.errors.max_reject_share,
        max_rows=pipeline.errors.max_rows,
        **callbacks,
    )


def import_document(pipeline: Pipeline, to: Destination) -> tuple[str, ...]:
    """What Airflow shows beside the DAG, line by line."""
    source, cursor = pipeline.source, pipeline.cursor
    return (
        f"Carries the rows of `{source.name}` ({source.type}, connection `{source.connection}`) that changed since the last "
        f"run into {to.type.capitalize()} (connection `{to.connection}`).\n",
        f"* Rows are chosen by `{cursor.column}`, boundary rule `{cursor.rule}`.",
        f"* The watermark is the state of the asset `activation/{pipeline.id}`; a retry goes on where the last try stopped.",
        "* The report of a run is the XCom of its task `import`; rejected rows are kept in the state folder.",
    )
