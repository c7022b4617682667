"""One pipeline to one DAG."""

from __future__ import annotations

from typing import Any

import pendulum
from airflow.sdk import DAG, Param

from activation.dags.alerts import Mail, OnFailure, OnSuccess
from activation.dags.exports import export_document, export_params, export_schedule, export_task
from activation.operators.braze_import import WarehouseIncrementalImportOperator
from activation.operators.orders import INCREMENTAL, MODES
from activation.spec import Destination, Pipeline, S3Destination

START = pendulum.datetime(2024, 1, 1, tz="UTC")
"""Any fixed day: runs carry on from the watermark, not from a date, and nothing is caught up."""


def build_dag(pipeline: Pipeline) -> DAG:
    """Make the DAG of a pipeline. One run at a time, because a watermark knows only one writer.

    :param pipeline: from a pipeline file, or made in Python.
    """
    errors, to = pipeline.errors, pipeline.destination
    when: dict[str, Any] = {"schedule": pipeline.schedule, "start_date": START, "catchup": False}
    if isinstance(to, S3Destination):
        when = export_schedule(pipeline, to, START)
    dag = DAG(
        dag_id=pipeline.id,
        description=pipeline.description or None,
        **when,
        max_active_runs=1,
        tags=["activation", *pipeline.tags],
        default_args={
            "owner": pipeline.owner,
            "retries": errors.retries,
            "retry_delay": errors.retry_delay.timedelta,
            "execution_timeout": errors.timeout.timedelta if errors.timeout else None,
            **pipeline.task.arguments(),
        },
        params=export_params() if isinstance(to, S3Destination) else _params(),
        doc_md=_document(pipeline),
    )
    if isinstance(to, S3Destination):
        export_task(dag, pipeline, to, _callbacks(pipeline))
    else:
        _import_task(dag, pipeline, to, _callbacks(pipeline))
    return dag


def _callbacks(pipeline: Pipeline) -> dict[str, Any]:
    """What Airflow calls behind a task."""
    alerts = pipeline.alerts
    if not alerts.email:
        return {}
    mail = Mail(pipeline.id, alerts.email, alerts.connection, alerts.row_errors, alerts.success, alerts.empty)
    return {"on_failure_callback": [OnFailure(mail)], "on_success_callback": [OnSuccess(mail)]}


def _import_task(dag: DAG, pipeline: Pipeline, to: Destination, callbacks: dict[str, Any]) -> None:
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


def _params() -> dict[str, Param]:
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


def _document(pipeline: Pipeline) -> str:
    """What Airflow shows beside the DAG."""
    to = pipeline.destination
    about = export_document(pipeline, to) if isinstance(to, S3Destination) else _import_document(pipeline)
    return "\n".join((f"**{pipeline.description}**\n" if pipeline.description else "", *about))


def _import_document(pipeline: Pipeline) -> tuple[str, ...]:
    source, destination, cursor = pipeline.source, pipeline.destination, pipeline.cursor
    return (
        f"Carries the rows of `{source.name}` ({source.type}, connection `{source.connection}`) that changed since the last "
        f"run into {destination.type.capitalize()} (connection `{destination.connection}`).\n",
        f"* Rows are chosen by `{cursor.column}`, boundary rule `{cursor.rule}`.",
        f"* The watermark is the state of the asset `activation/{pipeline.id}`; a retry goes on where the last try stopped.",
        "* The report of a run is the XCom of its task `import`; rejected rows are kept in the state folder.",
    )
