"""How an export stands, and how all of them do together (contracts: s3_export 1.2, 1.3).

All but the mark of what was made inactive follows from Airflow's own runs and from the run journals. They are handed in.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import Enum
from typing import Any, Literal
from zoneinfo import ZoneInfo

ERRORS_OF = timedelta(days=7)
"""How far back errors are counted (contracts: s3_export 1.3)."""

UNDER_WAY = ("queued", "running")
"""States of an Airflow run that has not ended."""

FAILURES = ("error", "config_error", "limit_exceeded")
"""Statuses of a journal record of a run that failed."""


class Status(Enum):
    """The value is what people see."""

    ACTIVE = "Active"
    PAUSED = "Paused"
    INACTIVE = "Inactive"
    ENDED = "Ended"
    FAILED = "Failed"
    EXTRACTING = "Extracting"
    COMPLETED = "Completed"


@dataclass(frozen=True, slots=True)
class Run:
    """A run of Airflow.

    :ivar state: ``queued``, ``running``, ``success`` or ``failed``.
    :ivar refused: whether it failed for what a person must fix, such as the role or its rights; the status of its journal record
        is ``config_error`` then.
    """

    state: str
    refused: bool = False


@dataclass(frozen=True, slots=True)
class Facts:
    """What the status of an export follows from.

    :ivar runs: the last runs, the newest first.
    :ivar paused: whether its DAG is paused.
    :ivar over: whether its end date has passed.
    :ivar removed: whether its pipeline file was taken away, so that Airflow has no current DAG for it (the DAG is stale).
    :ivar inactive: whether a person made it inactive; nothing brings it back.
    """

    type: Literal["periodic", "one_time"]
    runs: Sequence[Run] = ()
    paused: bool = False
    over: bool = False
    removed: bool = False
    inactive: bool = False


def status_of(facts: Facts) -> Status:
    """Derive the status of an export.

    A one-time export that was never begun and whose DAG is paused is told as paused, which Dfinery does not know: there an
    extraction begins as soon as it is made.
    """
    if facts.inactive:
        return Status.INACTIVE
    return _one_time(facts) if facts.type == "one_time" else _periodic(facts)


def _periodic(facts: Facts) -> Status:
    if facts.removed:
        return Status.INACTIVE
    if facts.over:
        return Status.ENDED
    ended = next((run for run in facts.runs if run.state not in UNDER_WAY), None)
    if ended is not None and ended.state == "failed" and ended.refused:
        return Status.FAILED
    return Status.PAUSED if facts.paused else Status.ACTIVE


def _one_time(facts: Facts) -> Status:
    if not facts.runs:
        return Status.INACTIVE if facts.removed else Status.PAUSED if facts.paused else Status.EXTRACTING
    last = facts.runs[0].state
    if last in UNDER_WAY:
        return Status.EXTRACTING
    return Status.COMPLETED if last == "success" else Status.FAILED


def is_over(end: str | None, zone: str, now: datetime) -> bool:
    """Whether a periodic export has ended.

    :param end: its last day, ``2026-07-19``; ``None`` has no end.
    :param zone: where that day is, by its IANA name.
    :param now: aware.
    """
    return end is not None and now.astimezone(ZoneInfo(zone)).date() > date.fromisoformat(end)


@dataclass(frozen=True, slots=True)
class Failure:
    """A run that failed.

    :ivar at: when it ended, ISO 8601.
    :ivar text: the error; it begins with its case.
    """

    pipeline: str
    run: str
    at: str
    text: str


@dataclass(frozen=True, slots=True)
class Counters:
    """What stands above the list of all exports (contracts: s3_export 1.3).

    :ivar created: periodic exports, whatever their status.
    :ivar active: periodic exports that are active.
    :ivar completed: one-time exports that are completed.
    :ivar errors: the runs of the last seven days that failed, of all exports, the newest first. The tries of one run count
        once, and not at all if the last one went well.
    :ivar last_sync: when the last run that went well ended; ``None`` if there is none.
    """

    created: int
    active: int
    completed: int
    errors: tuple[Failure, ...]
    last_sync: datetime | None


@dataclass(frozen=True, slots=True)
class Export:
    """One export in the list.

    :ivar status: ``None`` if Airflow has not read its file.
    :ivar records: its journal's records, in any order.
    """

    pipeline: str
    type: Literal["periodic", "one_time"]
    status: Status | None
    records: Iterable[Mapping[str, Any]] = ()


def failures(pipeline: str, records: Iterable[Mapping[str, Any]], now: datetime) -> tuple[Failure, ...]:
    """The errors of the last seven days of one pipeline of any kind, the newest first.

    :param records: its journal's records, in any order.
    :param now: aware.
    """
    found = [
        Failure(pipeline, str(record.get("run")), str(record["ended"]), str(record.get("error", "")))
        for record in records
        if record.get("status") in FAILURES and "ended" in record and now - ERRORS_OF <= _instant(record["ended"])
    ]
    return newest(found)


def newest(errors: Iterable[Failure]) -> tuple[Failure, ...]:
    """Errors of several pipelines, the newest first."""
    return tuple(sorted(errors, key=lambda failure: _instant(failure.at), reverse=True))


def count(exports: Iterable[Export], now: datetime) -> Counters:
    """Count all exports.

    :param now: aware.
    """
    created = active = completed = 0
    errors: list[Failure] = []
    syncs: list[datetime] = []
    for export in exports:
        created += export.type == "periodic"
        active += export.status is Status.ACTIVE
        completed += export.status is Status.COMPLETED
        records = tuple(export.records)
        errors += failures(export.pipeline, records, now)
        syncs += (_instant(one["ended"]) for one in records if one.get("status") == "success" and "ended" in one)
    return Counters(created, active, completed, newest(errors), max(syncs, default=None))


def _instant(text: object) -> datetime:
    return datetime.fromisoformat(str(text))
