"""What an operator sees of Airflow's task instance."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any


def task_instance(dag: str, task: str, attempt: int = 1, pushed: dict[str, Any] | None = None) -> Any:
    """A try of a task.

    :param pushed: where its XComs go, by key.
    """
    kept = {} if pushed is None else pushed

    def push(key: str, value: Any) -> None:
        kept[key] = value

    return SimpleNamespace(try_number=attempt, dag_id=dag, task_id=task, xcom_push=push)
