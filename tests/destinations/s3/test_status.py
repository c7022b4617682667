"""Statuses and their moves (contract s3_export 1.2), and the counters of the list (1.3)."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone
from itertools import product
from typing import Any, Literal

import pytest

from activation.destinations.s3.status import Counters, Export, Facts, Failure, Run, Status, count, status_of

NOW = datetime(2026, 7, 19, 12, tzinfo=timezone.utc)
GOOD, RUNNING, QUEUED = Run("success"), Run("running"), Run("queued")
FAILED, REFUSED = Run("failed"), Run("failed", refused=True)

KINDS: tuple[Literal["periodic", "one_time"], ...] = ("periodic", "one_time")
NEW = Facts("periodic")
ONCE = Facts("one_time")
MOVES: list[tuple[str, list[tuple[Facts, str]]]] = [
    ("created", [(NEW, "Active")]),
    ("paused and resumed", [(NEW, "Active"), (replace(NEW, paused=True), "Paused"), (NEW, "Active")]),
    ("active, then off", [(NEW, "Active"), (replace(NEW, removed=True), "Inactive")]),
    ("paused, then off", [(replace(NEW, paused=True), "Paused"), (replace(NEW, paused=True, removed=True), "Inactive")]),
    ("the end date passes", [(replace(NEW, runs=(GOOD,)), "Active"), (replace(NEW, runs=(GOOD,), over=True), "Ended")]),
    ("the end date passes while paused", [(replace(NEW, paused=True, over=True), "Ended")]),
    ("ended, then off", [(replace(NEW, over=True), "Ended"), (replace(NEW, over=True, removed=True), "Inactive")]),
    (
        "the role is taken away, and given back",
        [
            (replace(NEW, runs=(GOOD,)), "Active"),
            (replace(NEW, runs=(RUNNING, GOOD)), "Active"),
            (replace(NEW, runs=(REFUSED, GOOD)), "Failed"),
            (replace(NEW, runs=(QUEUED, REFUSED, GOOD)), "Failed"),
            (replace(NEW, runs=(REFUSED, GOOD), paused=True), "Failed"),
            (replace(NEW, runs=(GOOD, REFUSED, GOOD)), "Active"),
        ],
    ),
    ("what passes by itself", [(replace(NEW, runs=(FAILED, GOOD)), "Active"), (replace(NEW, runs=(FAILED, REFUSED)), "Active")]),
    (
        "extracted",
        [(ONCE, "Extracting"), (replace(ONCE, runs=(QUEUED,)), "Extracting"), (replace(ONCE, runs=(GOOD,)), "Completed")],
    ),
    ("not extracted", [(replace(ONCE, runs=(RUNNING,)), "Extracting"), (replace(ONCE, runs=(REFUSED,)), "Failed")]),
    ("cleared", [(replace(ONCE, runs=(FAILED,)), "Failed"), (replace(ONCE, runs=(RUNNING,)), "Extracting")]),
    ("done, then paused or removed", [(replace(ONCE, runs=(GOOD,), paused=True, removed=True), "Completed")]),
    ("never begun", [(replace(ONCE, paused=True), "Paused"), (replace(ONCE, removed=True), "Inactive")]),
]


@pytest.mark.parametrize("steps", [steps for _, steps in MOVES], ids=[name for name, _ in MOVES])
def test_the_status_follows_from_runs_and_switches(steps: list[tuple[Facts, str]]) -> None:
    assert [status_of(facts).value for facts, _ in steps] == [status for _, status in steps]


def test_s_l6_nothing_brings_an_inactive_export_back() -> None:
    runs = [(), (GOOD,), (RUNNING,), (REFUSED, GOOD), (FAILED,)]
    found = {
        status_of(Facts("periodic", one, paused, over, removed=True)) for one, paused, over in product(runs, *2 * [(True, False)])
    }
    assert found == {Status.INACTIVE}
    switched_off = {
        status_of(Facts(kind, one, paused, inactive=True)) for one in runs for paused in (True, False) for kind in KINDS
    }
    assert switched_off == {Status.INACTIVE}


def record(status: str, ended: datetime | None = None, **more: Any) -> dict[str, Any]:
    return {"status": status, "run": "r", **({"ended": ended.isoformat()} if ended else {}), **more}


def test_s_s1_the_counters_of_the_list() -> None:
    day, week = timedelta(days=1), timedelta(days=7)
    exports = [
        Export(
            "a", "periodic", Status.ACTIVE, [record("success", NOW - day), record("success", NOW - 2 * day), record("running")]
        ),
        Export("b", "periodic", Status.PAUSED, [record("error", NOW - week, error="unknown error: x", run="b1")]),
        Export(
            "c", "periodic", Status.INACTIVE, [record("config_error", NOW - week - timedelta(seconds=1), error="invalid arn: y")]
        ),
        Export("d", "periodic", Status.FAILED, iter([record("config_error", NOW - day, error="invalid arn: z", run="d1")])),
        Export("e", "one_time", Status.COMPLETED, [record("success", NOW - timedelta(hours=1))]),
        Export("f", "one_time", Status.COMPLETED),
        Export("g", "one_time", Status.EXTRACTING, [record("running")]),
    ]
    assert count(exports, NOW) == Counters(
        created=4,
        active=1,
        completed=2,
        errors=(
            Failure("d", "d1", "2026-07-18T12:00:00+00:00", "invalid arn: z"),
            Failure("b", "b1", "2026-07-12T12:00:00+00:00", "unknown error: x"),
        ),
        last_sync=NOW - timedelta(hours=1),
    )
    assert count((), NOW) == Counters(0, 0, 0, (), None)
