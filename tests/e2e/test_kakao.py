"""Customer files in a real Airflow: a run that waits for Kakao takes no worker slot, and ends green."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.e2e.conftest import ROWS, World

pytestmark = pytest.mark.airflow

TASK = "upload"


def _slots(world: World, count: int) -> None:
    world.api.call("PATCH", "/pools/default_pool", body={"slots": count}, params={"update_mask": ["slots"]})


@pytest.fixture
def one_slot(world: World) -> Iterator[None]:
    """All tasks of this Airflow share one slot."""
    usual = world.api.call("GET", "/pools/default_pool")["slots"]
    _slots(world, 1)
    yield
    _slots(world, usual)


def _task(world: World, run_id: str) -> dict[str, Any]:
    (task,) = world.api.task_instances("audience", run_id)
    return dict(task)


def _until_deferred(world: World, run_id: str) -> None:
    deadline = time.monotonic() + 60
    while (state := _task(world, run_id)["state"]) != "deferred":
        assert state not in ("failed", "up_for_retry"), world.api.task_log("audience", run_id, TASK)
        assert time.monotonic() < deadline, state
        time.sleep(0.25)


def test_another_task_runs_in_the_only_slot_while_a_run_waits_for_kakao(world: World, one_slot: None) -> None:
    run_id = world.trigger("audience")
    _until_deferred(world, run_id)
    pool = world.api.call("GET", "/pools/default_pool")
    assert (pool["slots"], pool["open_slots"], pool["running_slots"], pool["deferred_slots"]) == (1, 1, 0, 1)
    (file,) = world.kakao.files()
    assert (file["name"], file["customerFileStatus"], file["unique"]) == ("VIP", "WAITING", ROWS)

    other = world.trigger("audience_preview", mode="preview")
    assert world.finish("audience_preview", other) == "success", world.api.task_log("audience_preview", other, TASK)
    preview = world.api.xcom("audience_preview", other, TASK)
    assert preview["files"] == [{"name": "Newcomers", "ids": ROWS, "bytes": ROWS * 37}]
    assert _task(world, run_id)["state"] == "deferred"

    world.kakao.set_status(file["id"], "COMPLETE")
    assert world.finish("audience", run_id) == "success", world.api.task_log("audience", run_id, TASK)
    report = world.api.xcom("audience", run_id, TASK)
    assert report["rows"] == {"read": ROWS, "sent": ROWS, "rejected": 0, "skipped": 0}
    ((name, number, status),) = [(one["name"], one["id"], one["status"]) for one in report["files"]]
    assert (name, number, status) == ("VIP", file["id"], "COMPLETE")
    assert world.kakao.calls()["register"] == 1
    assert _task(world, run_id)["try_number"] == 1, "a wait is no try"
