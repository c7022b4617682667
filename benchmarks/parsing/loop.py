"""The loop that people write in a DAG file: what all DAGs need stands in a JSON file, and nothing of it is checked."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

from airflow.sdk import DAG, CronDataIntervalTimetable, CronTriggerTimetable, Param

from benchmarks.parsing.neutral import asset, tell


def dags(dag_file: str) -> dict[str, DAG]:
    """The DAGs of the rows in ``rows.json`` beside the DAG file, by their ids."""
    rows = json.loads(Path(dag_file).with_name("rows.json").read_text(encoding="utf-8"))
    return {row["dag"]["dag_id"]: dag(row) for row in rows}


def dag(row: Mapping[str, Any]) -> DAG:
    """One DAG with its tasks."""
    given = dict(row["default_args"])
    given["retry_delay"] = timedelta(seconds=given["retry_delay"])
    given["execution_timeout"] = timedelta(seconds=given["execution_timeout"])
    made = DAG(
        **row["dag"],
        schedule=schedule(row["schedule"]),
        start_date=datetime.fromisoformat(row["start"]),
        tags=row["tags"],
        default_args=given,
        params=form(row["params"]),
    )
    for task in row["tasks"]:
        module, _, name = task["operator"].rpartition(".")
        told = {one: partial(tell, to=row["told"]) for one in task["set"]}
        getattr(import_module(module), name)(task_id=task["task_id"], dag=made, **task["arguments"], **told)
    return made


def schedule(given: Mapping[str, Any]) -> Any:
    """When a DAG runs.

    :param given: the fields of :class:`benchmarks.parsing.pipelines.Schedule`; those that are empty may be left out.
    """
    if given.get("after"):
        return [asset(one) for one in given["after"]]
    if not given.get("timezone"):
        return given.get("cron")
    kind = CronDataIntervalTimetable if given.get("interval") else CronTriggerTimetable
    return kind(given["cron"], timezone=given["timezone"])


def form(params: Mapping[str, Any]) -> dict[str, Param]:
    """The trigger form."""
    return {name: Param(**param) for name, param in params.items()}
