"""Where the tasks of a pipeline are put, and what all of them get."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from airflow.sdk import DAG, TaskGroup

from activation.spec import Pipeline


@dataclass(frozen=True, slots=True)
class Frame:
    """A place in a DAG.

    :ivar order: what a run is asked to do, by the names of the trigger form: templates or values.
    :ivar callbacks: what Airflow calls when the task that moves rows begins, has failed or has succeeded.
    :ivar group: the task group in somebody else's DAG; ``None`` is a DAG of our own.
    """

    dag: DAG
    order: Mapping[str, Any]
    callbacks: Mapping[str, Any] = field(default_factory=dict)
    group: TaskGroup | None = None

    @property
    def place(self) -> dict[str, Any]:
        """Arguments of every operator."""
        return {"dag": self.dag, **({} if self.group is None else {"task_group": self.group})}

    @property
    def work(self) -> dict[str, Any]:
        """Arguments of the operator that moves rows. Only a DAG of our own has one run at a time for certain."""
        alone = {} if self.group is None else {"max_active_tis_per_dag": 1}
        return {**self.place, **self.callbacks, **alone}

    @property
    def aside(self) -> dict[str, Any]:
        """Arguments of an operator that prepares or ends the work: of the callbacks only that of a failure is for it."""
        told = {name: call for name, call in self.callbacks.items() if name == "on_failure_callback"}
        return {**self.place, **told}


def arguments_of(pipeline: Pipeline) -> dict[str, Any]:
    """What the blocks ``errors`` and ``task`` say of all tasks: default arguments of a DAG or a task group."""
    errors = pipeline.errors
    return {
        "owner": pipeline.owner,
        "retries": errors.retries,
        "retry_delay": errors.retry_delay.timedelta,
        "execution_timeout": errors.timeout.timedelta if errors.timeout else None,
        **pipeline.task.arguments(),
    }
