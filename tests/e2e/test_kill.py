"""The task's process dies at ten random moments of the first load: nothing is lost, and little is sent twice."""

from __future__ import annotations

import os
import random
import signal
import time

import pytest

from tests.e2e.conftest import IN_FLIGHT, ROWS, World

pytestmark = pytest.mark.airflow

KILLS = 10
BATCH = 75
LATENCY_MS = 100
CHECKPOINT = 0.5
WINDOW_ROWS = IN_FLIGHT * BATCH
MOST_TWICE = WINDOW_ROWS + int(WINDOW_ROWS * CHECKPOINT / (LATENCY_MS / 1000))
"""Rows in flight, and what the server can acknowledge at the most in one checkpoint interval at its latency."""


def _accepted(world: World) -> int:
    return int(world.braze.summary()["objects"]["attributes"]["accepted"])


def _kill_after(world: World, run_id: str, rows: int) -> int:
    """Kill the task's process once the server has taken so many rows; gives how many it had then."""
    deadline = time.monotonic() + 90
    while (taken := _accepted(world)) < rows:
        assert time.monotonic() < deadline, f"only {taken} rows came in 90 s"
        time.sleep(0.01)
    pid = world.api.task_instances("killed", run_id)[0]["pid"]
    os.kill(pid, signal.SIGKILL)
    return taken


@pytest.mark.timeout(900)
def test_f20_ten_kills_lose_nothing_and_repeat_little(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    chance = random.Random()
    world.braze.change(answers={"latency_ms": LATENCY_MS})
    told = [f"at most {MOST_TWICE:,} rows may be sent twice: {WINDOW_ROWS:,} in flight + one checkpoint interval"]
    try:
        for number in range(1, KILLS + 1):
            world.forget()
            if number > 1:
                world.api.set_asset_state("activation/killed", "watermark", {"updated_at": None})
            run_id = world.trigger("killed")
            taken = _kill_after(world, run_id, chance.randrange(1, ROWS * 9 // 10))
            assert world.finish("killed", run_id) == "success"
            summary = world.braze.summary()
            rows = world.api.xcom("killed", run_id, "import")["rows"]
            told.append(f"kill {number:2}: at {taken:6,} rows; {summary['resent_objects']:5,} of {ROWS:,} rows sent twice")
            assert summary["profiles"] == ROWS
            assert summary["resent_objects"] <= MOST_TWICE
            assert summary["concurrency_violations"] == 0
            assert rows == {"read": ROWS, "sent": ROWS, "rejected": 0, "skipped": 0}
            assert len(world.api.tries("killed", run_id, "import")) == 2
    finally:
        world.braze.change(answers={"latency_ms": 0})
        with capsys.disabled():
            print("", *told, sep="\n  ")
    held = {user["external_id"]: user["attributes"] for user in world.braze.users()}
    assert held == {f"user-{n:06d}": {"name": f"김{n}", "n": n} for n in range(ROWS)}


def test_a_polite_stop_sends_no_row_twice(world: World) -> None:
    world.forget()
    world.braze.change(answers={"latency_ms": LATENCY_MS})
    try:
        run_id = world.trigger("stopped")
        deadline = time.monotonic() + 90
        while _accepted(world) < ROWS // 4:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        os.kill(world.api.task_instances("stopped", run_id)[0]["pid"], signal.SIGTERM)
        assert world.finish("stopped", run_id) == "success"
    finally:
        world.braze.change(answers={"latency_ms": 0})
    summary = world.braze.summary()
    assert summary["profiles"] == ROWS
    assert summary["resent_objects"] == 0
    assert "The task was asked to stop" in world.log("stopped", run_id, 1)
    assert "were settled by earlier tries" in world.log("stopped", run_id, 2)
