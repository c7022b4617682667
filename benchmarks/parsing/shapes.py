"""What our DAGs are made of, as plain data: from it the same DAGs are made in the other ways."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from benchmarks.parsing.pipelines import Made

if TYPE_CHECKING:
    from airflow.sdk import DAG

Shape = dict[str, Any]
"""A DAG: ``dag`` has its arguments that are plain, ``schedule`` the fields of :class:`~benchmarks.parsing.pipelines.Schedule`,
``start`` an ISO text, ``default_args`` with durations in seconds, ``params`` by their names, ``told`` who is told of its runs,
and ``tasks`` with ``task_id``, ``operator``, ``arguments`` and the callbacks that are ``set``."""

CALLBACKS = ("on_execute_callback", "on_failure_callback", "on_success_callback")
_PLAIN = ("dag_id", "description", "catchup", "max_active_runs")
_SCALARS = (str, int, float, timedelta)
_OWN = {"dagfactory"}
"""Tags that a way adds of its own accord."""


def shape(dag: DAG, made: Made) -> Shape:
    """Read one of our DAGs. The blocks of its tasks are those of the pipeline file, without what our models add."""
    return {
        "dag": {name: getattr(dag, name) for name in _PLAIN},
        "tags": made.tags,
        "schedule": asdict(made.schedule),
        "start": dag.start_date.isoformat() if dag.start_date else None,
        "default_args": {name: _plain(value) for name, value in dag.default_args.items() if isinstance(value, _SCALARS)},
        "params": {name: _param(dag.params.get_param(name)) for name in dag.params},
        "told": made.blocks.get("alerts", {}).get("email", []),
        "tasks": [_task(task, made) for task in dag.tasks],
    }


def _param(param: Any) -> Shape:
    return {"default": param.value, "description": param.description, **param.schema}


def _task(task: Any, made: Made) -> Shape:
    return {
        "task_id": task.task_id,
        "operator": f"{type(task).__module__}.{type(task).__qualname__}",
        "arguments": _arguments(vars(task)["_BaseOperator__init_kwargs"], made),
        "set": [name for name in CALLBACKS if getattr(task, name)],
    }


def _arguments(given: Shape, made: Made) -> Shape:
    """The pipeline's id, its blocks, and what Airflow renders when the task runs."""
    found: Shape = {"pipeline_id": made.pipeline_id}
    for name, value in given.items():
        if name in made.blocks:
            found[name] = made.blocks[name]
        elif isinstance(value, (str, dict)) and "{{" in str(value):
            found[name] = value
    return found


def _plain(value: Any) -> Any:
    return value.total_seconds() if isinstance(value, timedelta) else value


def content(dag: DAG) -> Shape:
    """What is compared of a DAG, as Airflow serialises it; owner, retries and their delay as its tasks have them."""
    from airflow.serialization.serialized_objects import DagSerialization

    data = DagSerialization.to_dict(dag)["dag"]
    return {
        "schedule": _timetable(data["timetable"]),
        "tags": sorted(set(data.get("tags", ())) - _OWN),
        "params": sorted(name for name, _ in data.get("params", ())),
        "tasks": sorted((_compared(dag, task["__var"]) for task in data["tasks"]), key=json.dumps),
    }


def _timetable(data: Shape) -> str:
    """``CronTriggerTimetable 0 * * * * UTC``, or the assets instead."""
    given = data["__var"]
    parts = [data["__type"].rpartition(".")[2], given.get("expression"), given.get("timezone")]
    objects = given.get("asset_condition", {}).get("objects", ())
    return " ".join(str(part) for part in [*parts, *(one["name"] for one in objects)] if part)


def _compared(dag: DAG, data: Shape) -> Shape:
    task = dag.get_task(data["task_id"])
    outlets = [outlet.get("__var", outlet) for outlet in data.get("outlets", ())]
    return {
        "task_id": task.task_id,
        "owner": task.owner,
        "retries": task.retries,
        "retry_delay": str(task.retry_delay),
        "timeout": str(task.execution_timeout),
        "downstream": sorted(task.downstream_task_ids),
        "outlet": f"activation/{dag.dag_id}" in {outlet["name"] for outlet in outlets},
        "told": sorted(name for name in data if name.startswith("has_on_") and data[name]),
    }
