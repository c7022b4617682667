"""The demo's exports: two hours of events, one of them twice, and the profiles; each is read back and compared."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import zip_longest
from typing import Any

import pyarrow as pa

from sandbox.airflow.api import AirflowApi
from sandbox.demo import customers
from sandbox.demo.partner import Delivery, ReadBackError
from sandbox.demo.screen import say, tell
from sandbox.demo.source import EVENTS, PROFILES
from sandbox.demo.world import EXPORT, World

PROBE = "external id"
"""The check that the partner's role is refused without it."""

_CHECKED = re.compile(r"Check ([\w ]+): ok,")


@dataclass(frozen=True, slots=True)
class Job:
    """One export.

    :ivar title: for people.
    :ivar expected: what the partner must have, in the order of the first column.
    """

    pipeline: str
    run_id: str
    title: str
    expected: pa.Table


def run(world: World) -> list[str]:
    """Make the exports, and tell what the partner then has.

    :returns: what is wrong.
    """
    database = world.source.database
    for pipeline in (EVENTS, PROFILES):
        world.api.unpause(pipeline)
    faults, hours = list[str](), list[Job]()
    for start in customers.hours(database)[-2:]:
        end = start + timedelta(hours=1)
        title = f"events, {start:%H:%M} to {end:%H:%M} UTC"
        hours.append(Job(EVENTS, _trigger(world.api, start, end), title, customers.events(database, start)))
    first = _deliver(world, hours[0], faults)
    if first is not None:
        _probed(world.api, hours[0], faults)
    kept = [first, *(_deliver(world, job, faults) for job in hours[1:])]
    if first is not None:
        _again(world, hours[0], first, faults)
    profiles = customers.profiles(database, active=True)
    title = f"active profiles, {profiles.num_rows:,} of {customers.PEOPLE:,}"
    kept.append(_deliver(world, Job(PROFILES, world.api.trigger(PROFILES), title, profiles), faults))
    if any(kept):
        say(f"   copies of the partner's files: {world.partner.folder}")
    return faults


def differences(expected: pa.Table, found: pa.Table) -> int:
    """How many rows differ, place by place."""
    if found.equals(expected):
        return 0
    return sum(one != other for one, other in zip_longest(expected.to_pylist(), found.to_pylist()))


def _trigger(api: AirflowApi, start: datetime, end: datetime) -> str:
    """Ask for the run of a data interval, as the schedule would make it when the interval is over."""
    interval = {"data_interval_start": start.isoformat(), "data_interval_end": end.isoformat()}
    body = {"logical_date": start.isoformat(), **interval, "conf": {}}
    return str(api.call("POST", f"/dags/{EVENTS}/dagRuns", body=body)["dag_run_id"])


def _deliver(world: World, job: Job, faults: list[str]) -> Delivery | None:
    """Wait for an export, read it back, and compare it with the warehouse."""
    if not _succeeded(world.api, job, job.title, faults):
        return None
    (told,) = world.api.xcom(job.pipeline, job.run_id, EXPORT)["exports"]
    found = _read(world, job, told["manifest"], faults)
    if found is None:
        return None
    size = sum(found.sizes.values())
    parts = "1 part" if len(found.sizes) == 1 else f"{len(found.sizes)} parts"
    say(f"      {found.rows.num_rows:,} rows, {parts}, {size:,} bytes in {found.place}/")
    wrong = differences(job.expected, found.rows)
    if wrong:
        faults.append(f"{job.title}: rows that differ from the warehouse: {wrong:,}")
    else:
        say("      read back by its _manifest.json: equal to the warehouse, row by row")
    if (told["rows"], told["files"], told["bytes"]) != (found.rows.num_rows, len(found.sizes), size):
        faults.append(f"{job.title}: the report says {told}")
    return found


def _again(world: World, job: Job, before: Delivery, faults: list[str]) -> None:
    """Let an export run again, and see that its files are the same."""
    title = f"{job.title}, once more"
    world.api.clear_task(job.pipeline, job.run_id, EXPORT)
    if not _succeeded(world.api, job, title, faults):
        return
    (told,) = world.api.xcom(job.pipeline, job.run_id, EXPORT)["exports"]
    after = _read(world, job, told["manifest"], faults)
    if after is None:
        return
    if len(world.api.tries(job.pipeline, job.run_id, EXPORT)) != 2:
        faults.append(f"{title}: the task did not run twice")
    elif (after.place, after.hashes) == (before.place, before.hashes):
        say(f"      the same {len(after.hashes)} files, byte for byte")
    else:
        faults.append(f"{title}: the files differ from those of the first time")


def _succeeded(api: AirflowApi, job: Job, title: str, faults: list[str]) -> bool:
    began = time.monotonic()

    def on_tick(run: dict[str, Any]) -> None:
        tell(f"   {title}: {run['state']} for {time.monotonic() - began:.0f} s")

    state = api.wait_for_run(job.pipeline, job.run_id, on_tick)
    say(f"   {title}: {state} after {time.monotonic() - began:.0f} s")
    if state != "success":
        say(api.task_log(job.pipeline, job.run_id, EXPORT))
        faults.append(f"{title}: Airflow says {state}")
    return state == "success"


def _read(world: World, job: Job, manifest: str, faults: list[str]) -> Delivery | None:
    try:
        return world.partner.read(manifest, job.expected)
    except ReadBackError as error:
        faults.append(f"{job.title}: {error}")
        return None


def _probed(api: AirflowApi, job: Job, faults: list[str]) -> None:
    """Tell what was checked before the first byte, by the task's own log."""
    checked = _CHECKED.findall(api.task_log(job.pipeline, job.run_id, EXPORT))
    say(f"      checked before its first byte: {', '.join(checked)}")
    if PROBE not in checked:
        faults.append(f"{job.title}: nobody tried whether the role is refused without its external id")
