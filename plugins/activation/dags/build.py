"""One pipeline to one DAG, or to the tasks of a group in somebody else's DAG."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from typing import Any

from airflow.sdk import DAG, BaseOperator, Param
from airflow.sdk.definitions.param import ParamsDict

from activation.dags.alerts import callbacks, run_callbacks
from activation.dags.document import document
from activation.dags.exports import EXPORT_FORM, export_document, export_schedule, export_task
from activation.dags.frame import Frame, arguments_of
from activation.dags.imports import IMPORT_FORM, import_document, import_schedule, import_task
from activation.dags.kakao import KAKAO_FORM, kakao_document, kakao_schedule, kakao_task
from activation.dags.schedules import delayed
from activation.dags.streams import STREAM_FORM, stream_document, stream_schedule, stream_task
from activation.operators.base import PipelineOperator
from activation.operators.checking import PipelineCheckOperator
from activation.spec import BrazeDestination, Destination, KakaoDestination, KinesisDestination, Pipeline, S3Destination
from activation.spec.problems import SourceText


@dataclass(frozen=True, slots=True)
class Kind:
    """What makes the DAG of a pipeline to one type of destination.

    :ivar schedule: arguments of the DAG that say when it runs.
    :ivar form: the trigger form. Its defaults keep to their own schemas: they are not checked for each DAG.
    :ivar task: adds the task, and gives the first one if there are several.
    :ivar document: what Airflow shows beside the DAG, line by line.
    """

    schedule: Callable[[Pipeline, Any], dict[str, Any]]
    form: Mapping[str, Param]
    task: Callable[[Frame, Pipeline, Any], BaseOperator]
    document: Callable[[Pipeline, Any], tuple[str, ...]]


KINDS: Mapping[type[Destination], Kind] = {
    BrazeDestination: Kind(import_schedule, IMPORT_FORM, import_task, import_document),
    S3Destination: Kind(export_schedule, EXPORT_FORM, export_task, export_document),
    KinesisDestination: Kind(stream_schedule, STREAM_FORM, stream_task, stream_document),
    KakaoDestination: Kind(kakao_schedule, KAKAO_FORM, kakao_task, kakao_document),
}
"""The kind by the model of the destination. A new destination is one module beside this one and one line here."""


def build_dag(pipeline: Pipeline, texts: Sequence[SourceText] = ()) -> DAG:
    """Make the DAG of a pipeline. One run at a time, because a watermark knows only one writer.

    :param pipeline: from a pipeline file, or made in Python.
    :param texts: what it was read from, from the text on top down to the outermost defaults; Airflow shows the pipeline's own.
    """
    kind = kind_of(pipeline)
    dag = DAG(
        dag_id=pipeline.id,
        description=pipeline.description or None,
        **kind.schedule(pipeline, pipeline.destination),
        **_switched_off(pipeline.errors.stop_after),
        **run_callbacks(pipeline),
        max_active_runs=1,
        tags=["activation", *pipeline.tags],
        default_args=arguments_of(pipeline),
        doc_md=document(pipeline, kind.document(pipeline, pipeline.destination), texts),
    )
    add_tasks(Frame(dag, {name: f"{{{{ params.{name} }}}}" for name in kind.form}, callbacks(pipeline)), pipeline)
    # Given to the DAG when it is made, they would be checked against their schemas and copied for every task: twice the time.
    dag.params.update(ParamsDict({name: copy(field) for name, field in kind.form.items()}))
    delayed(dag, pipeline.timing)
    return dag


def kind_of(pipeline: Pipeline) -> Kind:
    """What makes the DAG of this pipeline."""
    return KINDS[type(pipeline.destination)]


def add_tasks(frame: Frame, pipeline: Pipeline) -> None:
    """Put the tasks of a pipeline into a DAG or a task group: ``check``, if the pipeline wants it, and what moves the rows."""
    first = kind_of(pipeline).task(frame, pipeline, pipeline.destination)
    for task in frame.dag.tasks:
        if isinstance(task, PipelineOperator) and task.pipeline_id == pipeline.id:
            task.describe(pipeline)
    if pipeline.task.check and pipeline.task.partitions == 1:  # the first task of a split import looks at the same
        first.set_upstream(PipelineCheckOperator.of(pipeline, task_id="check", **frame.aside))


def _switched_off(after: int | None) -> dict[str, Any]:
    """After how many failed runs in a row Airflow pauses the DAG; without a number its own setting counts."""
    return {"max_consecutive_failed_dag_runs": after} if after else {}
