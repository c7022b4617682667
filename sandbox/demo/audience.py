"""The demo's audience: a list of advertising ids becomes a customer file of Kakao Moment, and follows the list."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sandbox.demo import devices
from sandbox.demo.devices import Expected
from sandbox.demo.screen import say, tell
from sandbox.demo.source import AUDIENCE, DAILY
from sandbox.demo.world import World

TASK = "upload"
DEFERRED = "deferred"
STATUS = "customerFileStatus"


@dataclass
class Watched:
    """A run while it goes on.

    :ivar deferred: seconds for which its task was seen waiting without a worker.
    """

    world: World
    pipeline: str
    title: str
    deferred: float = 0.0
    _since: float = field(default_factory=time.monotonic)
    _before: str | None = None

    def __call__(self, run: Mapping[str, Any]) -> None:
        """Look at the task; told of the run twice a second."""
        now = time.monotonic()
        (task,) = self.world.api.task_instances(self.pipeline, str(run["dag_run_id"]))
        if self._before == DEFERRED:
            self.deferred += now - self._since
        self._since, self._before = now, task["state"]
        files = ", ".join(f"{one['name']} is {one[STATUS]}" for one in files_of(self.world))
        tell(f"   {self.title}: the task is {task['state'] or 'not begun'}; {files or 'Kakao has no file yet'}")


def run(world: World) -> list[str]:
    """Register the list, change it, and replace the file's ids; tell what Kakao then has.

    :returns: what is wrong.
    """
    say(f"10. The pipelines {AUDIENCE}, once, and {DAILY}, every morning: people for an ad group, by their advertising ids")
    for pipeline in (AUDIENCE, DAILY):
        world.api.unpause(pipeline)
    first = devices.expect(world.source.database)
    if faults := _deliver(world, AUDIENCE, "register", first):
        return faults
    world.source.relist()
    second = devices.expect(world.source.database)
    gone, new = first.ids - second.ids, second.ids - first.ids
    say(f"   the list changes: {len(gone):,} ids leave it, {len(new):,} are new")
    return _deliver(world, DAILY, "edit", second)


def files_of(world: World) -> list[dict[str, Any]]:
    """The customer files that Kakao has, as its API shows them."""
    return world.kakao.files(world.kakao.account)


def _deliver(world: World, pipeline: str, title: str, expected: Expected) -> list[str]:
    """Run a pipeline, and compare what Kakao then has with the list."""
    watched, began = Watched(world, pipeline, title), time.monotonic()
    run_id = world.api.trigger(pipeline)
    state = world.api.wait_for_run(pipeline, run_id, watched)
    tries = len(world.api.tries(pipeline, run_id, TASK))
    say(f"   {title}: {state} after {time.monotonic() - began:.0f} s{f' and {tries} tries' if tries > 1 else ''}")
    if state != "success":
        say(world.api.task_log(pipeline, run_id, TASK))
        return [f"{pipeline}: Airflow says {state}"]
    report = world.api.xcom(pipeline, run_id, TASK)
    rows = report["rows"]
    say(f"      {rows['read']:,} rows: {rows['sent']:,} ids sent, {rows['rejected']:,} rejected, {rows['skipped']:,} skipped")
    say(f"      rejected and kept: {_listed(report['reasons'])}; skipped: {_listed(report['skips'])}")
    if watched.deferred:
        say(f"      for {watched.deferred:.0f} s the task was deferred: it waited for Kakao and took no worker slot")
    faults = differences(report, expected)
    if not watched.deferred:
        faults.append("the task was never seen deferred")
    files = files_of(world)
    faults += [f"Kakao has {len(files)} files instead of 1"] if len(files) != 1 else _compare(world, files[0], expected.ids)
    return [f"{pipeline}: {fault}" for fault in faults]


def differences(report: Mapping[str, Any], expected: Expected) -> list[str]:
    """What is wrong with a report's books."""
    rejected, skipped = sum(expected.rejected.values()), sum(expected.skipped.values())
    rows = {"read": expected.read, "sent": len(expected.ids), "rejected": rejected, "skipped": skipped}
    checks = {"rows": rows, "reasons": expected.rejected, "skips": expected.skipped}
    return [f"{name} {report[name]} instead of {wanted}" for name, wanted in checks.items() if report[name] != wanted]


def _compare(world: World, file: Mapping[str, Any], expected: frozenset[str]) -> list[str]:
    held = world.kakao.content(file["id"])
    missing, strange, twice = len(expected - set(held)), len(set(held) - expected), len(held) - len(set(held))
    say(f"      Kakao's file {file['name']} (number {file['id']}) is {file[STATUS]} and holds {len(held):,} ids")
    if missing or strange or twice:
        return [f"{missing:,} ids are missing at Kakao, {strange:,} do not belong there, {twice:,} are there twice"]
    say("      exactly those of the table, cleaned once more with plain Python")
    return [] if file[STATUS] == "COMPLETE" else [f"the file is {file[STATUS]} instead of COMPLETE"]


def _listed(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count:,} {reason}" for reason, count in sorted(counts.items())) or "none"
