"""Who is told of failures in a real Airflow, and what begins runs there beside the clock."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from urllib.parse import quote

import pytest

from tests.e2e.conftest import World

pytestmark = pytest.mark.airflow

LATE = 8
"""Seconds in which Airflow's DAG processor would have called the DAG's callback, too."""


def _until(happened: Callable[[], object]) -> None:
    deadline = time.monotonic() + 90
    while not happened():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.25)


def _told(world: World, run_id: str, to: str = "crm@example.com") -> list[str]:
    """The mails about a run."""
    bodies = [(mail, mail.get_body(("html",))) for mail in world.mails if mail["To"] == to]
    return [f"{mail['Subject']} {part.get_content()}" for mail, part in bodies if part and run_id in str(part.get_content())]


def test_a_failure_is_told_once_with_its_error(world: World) -> None:
    run_id = world.trigger("missing_table")
    assert world.finish("missing_table", run_id) == "failed"
    _until(lambda: _told(world, run_id))
    time.sleep(LATE)
    (mail,) = _told(world, run_id)
    assert mail.startswith("Error in pipeline missing_table ")
    assert "marketing.nobody" in mail


@pytest.mark.allows("empty")  # the check asks Braze with nothing in the request
def test_a_check_that_finds_something_wrong_fails_with_its_findings_and_tells_nobody(world: World) -> None:
    run_id = world.trigger("missing_table", mode="check")
    assert world.finish("missing_table", run_id) == "failed"
    path = f"/dags/missing_table/dagRuns/{quote(run_id)}/taskInstances/import/xcomEntries/findings"
    found = world.api.call("GET", path, params={"stringify": False})["value"]
    assert {one["check"]: one["verdict"] for one in found} == {"source": "ok", "table": "wrong", "connection": "ok"}
    time.sleep(LATE)
    assert _told(world, run_id) == []


def test_a_task_that_was_killed_is_told_once(world: World) -> None:
    world.forget()
    world.braze.change(answers={"latency_ms": 200})
    try:
        run_id = world.trigger("given_up")
        _until(lambda: world.braze.summary()["objects"]["attributes"]["accepted"])
        os.kill(world.api.task_instances("given_up", run_id)[0]["pid"], signal.SIGKILL)
        assert world.finish("given_up", run_id) == "failed"
    finally:
        world.braze.change(answers={"latency_ms": 0})
    _until(lambda: _told(world, run_id))
    time.sleep(LATE)
    (mail,) = _told(world, run_id)
    assert mail.startswith("Error in pipeline given_up ")
    assert "it was killed, or its worker was lost" in mail


def test_who_cannot_be_told_is_a_warning_of_the_task_and_the_others_are_told(world: World) -> None:
    run_id = world.trigger("untold")
    assert world.finish("untold", run_id) == "failed"
    _until(lambda: _told(world, run_id, "notified@example.com"))
    log = world.log("untold", run_id)
    assert "crm@example.com (mail connection no_mail) could not be told: Error in pipeline untold." in log
    assert "There is no Airflow connection 'no_mail'." in log
    assert "There is no notifier for a connection of type duckdb (warehouse)." in log
    assert len(_told(world, run_id, "notified@example.com")) == 1


def test_once_is_one_run_when_the_pipeline_is_switched_on(world: World) -> None:
    world.api.unpause("once")
    _until(lambda: [task for task in world.api.task_instances("once", "~") if task["state"] == "success"])
    time.sleep(LATE)
    (task,) = world.api.task_instances("once", "~")
    assert task["dag_run_id"].startswith("scheduled__")


def test_a_pipeline_begins_behind_an_asset_of_another_dag_or_by_the_clock(world: World) -> None:
    world.api.unpause("either")
    world.api.unpause("feeds")
    run_id = world.api.trigger("feeds", {})
    assert world.api.wait_for_run("feeds", run_id, timeout=90) == "success"

    def begun() -> set[str]:
        return {task["dag_run_id"].partition("__")[0] for task in world.api.task_instances("either", "~")}

    _until(lambda: "asset_triggered" in begun())
    assert begun() <= {"asset_triggered", "scheduled"}
