"""Streams in a real Airflow: runs that follow each other without a pause, and runs that begin when an import has ended."""

from __future__ import annotations

import time
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest

from tests.e2e.conftest import STREAM_MEMBERS, World

pytestmark = pytest.mark.airflow


def _tasks(world: World, pipeline: str) -> list[dict[str, Any]]:
    """The task of every run, the first one first."""
    path = f"/dags/{pipeline}/dagRuns/~/taskInstances"
    return list(world.api.pages(path, "task_instances", {"order_by": "start_date"}))


def _done(world: World, pipeline: str) -> list[dict[str, Any]]:
    tasks = _tasks(world, pipeline)
    for task in tasks:
        assert task["state"] not in ("failed", "up_for_retry"), world.api.task_log(pipeline, task["dag_run_id"], "stream")
    return [task for task in tasks if task["state"] == "success"]


def _sent(world: World, pipeline: str) -> list[int]:
    """What the runs have sent, by their reports."""
    return [world.api.xcom(pipeline, task["dag_run_id"], "stream")["rows"]["sent"] for task in _done(world, pipeline)]


def _until(happened: Callable[[], Any]) -> None:
    deadline = time.monotonic() + 120
    while not happened():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.25)


def test_continuous_runs_follow_each_other_and_mails_are_sent_around_them(world: World) -> None:
    world.api.unpause("continuous")
    for count, name in enumerate(("first", "second"), start=1):
        _until(lambda count=count: len(_done(world, "continuous")) == count)  # the next run waits for a change
        world.enter(name)
    _until(lambda: len(_done(world, "continuous")) == 3)
    world.api.pause("continuous")
    tasks = _done(world, "continuous")
    for one, other in pairwise(tasks):
        assert one["end_date"] <= other["start_date"], "one at a time"
    assert {task["dag_run_id"].partition("__")[0] for task in tasks} == {"scheduled"}
    assert _sent(world, "continuous") == [STREAM_MEMBERS, 1, 1]
    messages = world.streamed("continuous")
    assert len(messages) == STREAM_MEMBERS + 2
    assert messages["second"]["person"] == {"name": {"firstName": "김 second"}}
    subjects = [str(mail["Subject"]) for mail in world.mails]
    assert subjects.count("Pipeline continuous has started") in (3, 4)
    assert subjects.count(f"Pipeline continuous has sent {STREAM_MEMBERS} rows") == 1
    assert subjects.count("Pipeline continuous has sent 1 rows") == 2


def test_a_stream_begins_when_the_import_that_it_follows_has_ended(world: World) -> None:
    world.forget()
    world.api.unpause("following")
    assert _tasks(world, "following") == []
    run_id = world.trigger("feeding")
    assert world.finish("feeding", run_id) == "success", world.log("feeding", run_id)
    _until(lambda: _done(world, "following"))
    (task,) = _tasks(world, "following")
    assert task["dag_run_id"].startswith("asset_triggered__")
    assert _sent(world, "following") == [len(world.streamed("following"))]
    assert len(world.streamed("following")) >= STREAM_MEMBERS
