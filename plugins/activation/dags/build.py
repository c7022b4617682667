"""One pipeline to one DAG."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from airflow.sdk import DAG, Param

from activation.dags.alerts import callbacks
from activation.dags.exports import export_document, export_params, export_schedule, export_task
from activation.dags.imports import import_document, import_params, import_schedule, import_task
from activation.dags.kakao import kakao_document, kakao_params, kakao_schedule, kakao_task
from activation.dags.schedules import delayed
from activation.dags.streams import stream_document, stream_params, stream_schedule, stream_task
from activation.spec import BrazeDestination, Destination, KakaoDestination, KinesisDestination, Pipeline, S3Destination


@dataclass(frozen=True, slots=True)
class Kind:
    """What makes the DAG of a pipeline to one type of destination.

    :ivar schedule: arguments of the DAG that say when it runs.
    :ivar params: the trigger form.
    :ivar task: adds the task; its last argument is what Airflow calls around it.
    :ivar document: what Airflow shows beside the DAG, line by line.
    """

    schedule: Callable[[Pipeline, Any], dict[str, Any]]
    params: Callable[[], dict[str, Param]]
    task: Callable[[DAG, Pipeline, Any, dict[str, Any]], None]
    document: Callable[[Pipeline, Any], tuple[str, ...]]


KINDS: Mapping[type[Destination], Kind] = {
    BrazeDestination: Kind(import_schedule, import_params, import_task, import_document),
    S3Destination: Kind(export_schedule, export_params, export_task, export_document),
    KinesisDestination: Kind(stream_schedule, stream_params, stream_task, stream_document),
    KakaoDestination: Kind(kakao_schedule, kakao_params, kakao_task, kakao_document),
}
"""The kind by the model of the destination. A new destination is one module beside this one and one line here."""


def build_dag(pipeline: Pipeline) -> DAG:
    """Make the DAG of a pipeline. One run at a time, because a watermark knows only one writer.

    :param pipeline: from a pipeline file, or made in Python.
    """
    errors, to = pipeline.errors, pipeline.destination
    kind = KINDS[type(to)]
    about = f"**{pipeline.description}**\n" if pipeline.description else ""
    dag = DAG(
        dag_id=pipeline.id,
        description=pipeline.description or None,
        **kind.schedule(pipeline, to),
        **_switched_off(errors.stop_after),
        max_active_runs=1,
        tags=["activation", *pipeline.tags],
        default_args={
            "owner": pipeline.owner,
            "retries": errors.retries,
            "retry_delay": errors.retry_delay.timedelta,
            "execution_timeout": errors.timeout.timedelta if errors.timeout else None,
            **pipeline.task.arguments(),
        },
        params=kind.params(),
        doc_md="\n".join((about, *kind.document(pipeline, to))),
    )
    kind.task(dag, pipeline, to, callbacks(pipeline))
    delayed(dag, pipeline.timing)
    return dag


def _switched_off(after: int | None) -> dict[str, Any]:
    """After how many failed runs in a row Airflow pauses the DAG; without a number its own setting counts."""
    return {"max_consecutive_failed_dag_runs": after} if after else {}
