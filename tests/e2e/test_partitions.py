"""An import in three slices through a real Airflow: mapped tasks, one watermark, one event."""

from __future__ import annotations

import os
import signal
import time
from collections import Counter
from typing import Any

import pytest

from tests.e2e.conftest import ROWS, World

pytestmark = pytest.mark.airflow

LATENCY_MS = 300


def states(world: World, run_id: str) -> Counter[tuple[str, str]]:
    return Counter((one["task_id"], one["state"]) for one in world.api.task_instances("split", run_id))


def killed(world: World, run_id: str) -> int:
    """Kill the process of one slice once the server has taken a part of the rows; gives which one."""
    deadline = time.monotonic() + 120
    while int(world.braze.summary()["objects"]["attributes"]["accepted"]) < ROWS // 10:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    found = [one for one in world.api.task_instances("split", run_id) if (one["task_id"], one["state"]) == ("import", "running")]
    os.kill(found[0]["pid"], signal.SIGKILL)
    return int(found[0]["map_index"])


def report_of(world: World, run_id: str) -> dict[str, Any]:
    found: dict[str, Any] = world.api.xcom("split", run_id, "publish")
    return found


def test_three_slices_one_of_them_killed_move_one_watermark(world: World) -> None:
    world.forget()
    world.braze.change(answers={"latency_ms": LATENCY_MS})
    try:
        run_id = world.trigger("split")
        index = killed(world, run_id)
        assert world.finish("split", run_id) == "success"
    finally:
        world.braze.change(answers={"latency_ms": 0})
    assert states(world, run_id) == {("check", "success"): 1, ("import", "success"): 3, ("publish", "success"): 1}
    tasks = [one for one in world.api.task_instances("split", run_id) if one["task_id"] == "import"]
    assert {one["rendered_map_index"]: one["try_number"] for one in tasks} == {
        f"{number + 1} of 3": 1 + (number == index) for number in range(3)
    }
    report = report_of(world, run_id)
    assert report["rows"] == {"read": ROWS, "sent": ROWS, "rejected": 0, "skipped": 0}
    assert sum(one["read"] for one in report["partitions"]) == ROWS
    assert min(one["read"] for one in report["partitions"]) > ROWS * 0.3
    assert world.watermark("split")["updated_at"] == report["watermark"]["after"] == "2026-01-01T00:00:59.999Z"
    held = {user["external_id"]: user["attributes"] for user in world.braze.users()}
    assert held == {f"user-{n:06d}": {"name": f"김{n}", "n": n} for n in range(ROWS)}
    assert world.braze.summary()["concurrency_violations"] == 0


def test_without_rows_no_slice_is_run_and_a_limit_is_one_tasks_work(world: World) -> None:
    world.api.set_asset_state("activation/split", "watermark", {"updated_at": "2026-01-01T00:01:00Z"})
    run_id = world.trigger("split")
    assert world.finish("split", run_id) == "success"
    assert states(world, run_id) == {("check", "success"): 1, ("import", "skipped"): 1, ("publish", "success"): 1}
    assert report_of(world, run_id)["rows"]["read"] == 0
    world.api.set_asset_state("activation/split", "watermark", {"updated_at": None})
    run_id = world.trigger("split", limit=1000)
    assert world.finish("split", run_id) == "success"
    assert states(world, run_id) == {("check", "success"): 1, ("import", "success"): 1, ("publish", "success"): 1}
    assert report_of(world, run_id)["rows"]["sent"] == 1000
    assert world.watermark("split")["updated_at"] == "2026-01-01T00:00:00.999Z"
