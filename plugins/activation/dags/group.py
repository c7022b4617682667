"""A pipeline inside somebody else's DAG."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from airflow.sdk import TaskGroup
from airflow.sdk.exceptions import ParamValidationError

from activation.dags.alerts import callbacks
from activation.dags.build import add_tasks, kind_of
from activation.dags.document import document
from activation.dags.frame import Frame, arguments_of
from activation.dags.reading import read_pipeline
from activation.errors import ConfigurationError
from activation.spec import Pipeline
from activation.spec.expressions import has_jinja
from activation.spec.problems import SourceText


class ActivationTaskGroup(TaskGroup):
    """The tasks of a pipeline as a group, which can stand before and behind other tasks::

        with DAG("nightly", schedule="@daily", max_active_runs=1):
            extract() >> ActivationTaskGroup("users_to_braze") >> report()

    It has the tasks that the pipeline's own DAG would have but ``delay``; the DAG's schedule counts, and not the pipeline's.
    Retries, pool, queue, time-out and alerts are the pipeline's. So is the state: the same pipeline in two DAGs has one
    watermark, and only one of them may run at a time.

    :param pipeline: a pipeline, the path of its file (a relative one counts from the DAG file's folder), or the id of one in the
        folder ``pipelines`` beside the DAG file.
    :param group_id: the pipeline's id, if it is left out.
    :param arguments: what the run is asked to do, by the names of the pipeline's trigger form (``mode``, ``limit``, ``dry_run``,
        ``interval_start`` …); Jinja is allowed. Without them an import carries what changed since the last run. All others are
        arguments of Airflow's ``TaskGroup``.
    :raises ConfigurationError: if there is no such pipeline, it is broken, or an argument is wrong.
    """

    def __init__(self, pipeline: Pipeline | Path | str, group_id: str | None = None, **arguments: Any) -> None:
        texts: tuple[SourceText, ...] = ()
        if not isinstance(pipeline, Pipeline):
            pipeline, texts = read_pipeline(pipeline, Path(sys._getframe(1).f_code.co_filename).parent)
        kind = kind_of(pipeline)
        given = {name: arguments.pop(name) for name in kind.form if name in arguments}
        told = document(pipeline, kind.document(pipeline, pipeline.destination), texts)
        defaults: Any = {**arguments_of(pipeline), **arguments.pop("default_args", {})}
        shown = {"tooltip": pipeline.description, "doc_md": told, **arguments}
        try:
            super().__init__(group_id=group_id or pipeline.id, default_args=defaults, **shown)
        except TypeError as error:
            raise _unknown(pipeline, error, [*kind.form]) from None
        if pipeline.task.partitions > 1 and self.dag.max_active_runs != 1:
            raise ConfigurationError(
                f"The pipeline {pipeline.id} has partitions, but the DAG {self.dag.dag_id} may have several runs at a time.",
                "Give the DAG max_active_runs=1.",
            )
        order = {name: field.value for name, field in kind.form.items()} | _checked(pipeline, given)
        add_tasks(Frame(self.dag, order, callbacks(pipeline), self), pipeline)


def _checked(pipeline: Pipeline, given: Mapping[str, Any]) -> dict[str, Any]:
    """Compare what is given with the trigger form; templates are looked at when they are rendered."""
    form = kind_of(pipeline).form
    for name, value in given.items():
        if isinstance(value, str) and has_jinja(value):
            continue
        try:
            form[name].__copy__().resolve(value)
        except ParamValidationError as error:
            raise ConfigurationError(
                f"The group of the pipeline {pipeline.id} has {name} = {value!r}: {str(error).splitlines()[0]}.",
                str(form[name].description or ""),
            ) from None
    return dict(given)


def _unknown(pipeline: Pipeline, error: TypeError, known: list[str]) -> ConfigurationError:
    found = re.search(r"unexpected keyword argument '(\w+)'", str(error))
    if found is None:
        raise error
    return ConfigurationError(
        f"The group of the pipeline {pipeline.id} has no argument {found[1]}.",
        f"Choose from {', '.join(known)}, or the arguments of Airflow's TaskGroup.",
    )
