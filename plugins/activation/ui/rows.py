"""One line of the list: what Airflow and the summary in the asset's state say of a pipeline."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

from activation.cursor.timestamps import NANOSECONDS, from_text
from activation.destinations.s3.status import Facts, Run, Status, is_over, status_of
from activation.operators.facts import EXTRA
from activation.operators.orders import only_looks
from activation.operators.summary import FAILED

WEEK = 7
"""Days that a line shows (contracts: s3_export 1.3)."""

_DAY = ("runs", "failed", "read", "sent", "rejected")
_ROWS = ("read", "sent", "rejected", "skipped")


def row(found: Any, can: Mapping[str, bool], now: datetime) -> dict[str, Any]:
    """One pipeline as the list shows it.

    :param found: what :func:`activation.ui.airflow.found` gives.
    :param can: what the user may do: ``run`` and ``edit``.
    :param now: aware.
    """
    facts: Mapping[str, Any] = (found.extra or {}).get(EXTRA) or {}
    summary = _summary(found.summary)
    last = _last(found, summary.get("last"))
    watermark = summary.get("watermark")
    return {
        "dag_id": found.dag_id,
        "pipeline": found.asset.partition("/")[2],
        "kind": facts.get("kind", ""),
        "type": facts.get("type", ""),
        "data": facts.get("data", ""),
        "description": facts.get("description", ""),
        "source": facts.get("source") or dict.fromkeys(("engine", "connection", "name"), ""),
        "target": facts.get("target") or dict.fromkeys(("label", "connection"), ""),
        "status": status(found, facts, last, now).value,
        "paused": bool(found.is_paused),
        "running": found.running,
        "schedule": in_words(facts, found.timetable_description),
        "cron": facts.get("schedule"),
        "zone": facts.get("zone") or "UTC",
        "next_run": None if found.is_paused or found.is_stale else iso(found.next_run),
        "last": last,
        "week": _week(summary.get("days") or {}, now),
        "watermark": watermark,
        "lag_seconds": _lag(watermark, now),
        "creator": facts.get("owner") or found.owners or "",
        "created": iso(found.created),
        "changed": iso(found.changed),
        "changed_by": _version(found),
        "can": dict(can),
    }


def counters(rows: Iterable[Mapping[str, Any]]) -> dict[str, int]:
    """What stands above the list (contracts: s3_export 1.3)."""
    counted = dict.fromkeys(("all", "active", "running", "completed", "failing"), 0)
    for one in rows:
        counted["all"] += 1
        counted["active"] += one["status"] == Status.ACTIVE.value
        counted["running"] += one["running"] is not None
        counted["completed"] += one["status"] == Status.COMPLETED.value
        counted["failing"] += one["last"] is not None and one["last"]["state"] == "failed"
    return counted


def status(found: Any, facts: Mapping[str, Any], last: Mapping[str, Any] | None, now: datetime) -> Status:
    """How a pipeline stands (contracts: s3_export 1.2). Of other kinds than exports it is Active, Paused or Inactive; Failed, if
    its file is broken.
    """
    if facts.get("broken"):
        return Status.FAILED
    export, removed = facts.get("export"), bool(found.is_stale or found.inactive)
    if export is None:
        return Status.INACTIVE if removed else Status.PAUSED if found.is_paused else Status.ACTIVE
    runs = [Run("running")] if found.running is not None and not _looks(found, found.running_conf) else []
    if last is not None:
        runs.append(Run(last["state"], last["status"] == "config_error"))
    over = export["type"] == "periodic" and is_over(export["end"], facts["zone"], now)
    return status_of(Facts(export["type"], runs, bool(found.is_paused), over, removed))


def in_words(facts: Mapping[str, Any], description: str | None) -> str:
    """When a pipeline runs, as people say it: ``hourly``, ``Every 15 minutes``, ``daily (Asia/Seoul)``, ``by hand``.

    :param description: Airflow's words for the timetable, if it has any.
    """
    said, zone = facts.get("schedule"), facts.get("zone") or "UTC"
    if (facts.get("export") or {}).get("type") == "one_time":
        return "once"
    if said is None:
        return "by hand" if "schedule" in facts else description or ""
    word = said.removeprefix("@") if said.startswith(("@", "after ", "continuous", "once")) else description or said
    return word if zone == "UTC" or word == "hourly" else f"{word} ({zone})"


def iso(instant: datetime | None) -> str | None:
    """An instant as the page reads it, in milliseconds."""
    return None if instant is None else instant.isoformat(timespec="milliseconds")


def _summary(text: str | None) -> Mapping[str, Any]:
    """What a run has kept; nothing if a person has put something else there."""
    with suppress(ValueError):
        known = json.loads(text or "{}")
        return known if isinstance(known, dict) else {}
    return {}


def _last(found: Any, known: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """The run that ended last. Of one that left no summary only Airflow knows: it was killed, or there was nothing to do.

    A run without a summary that went well is passed over if the one before it went well too: a stream that looks every few
    seconds tells of the last time at which it had something to do.
    """
    state = None if found.ended_state is None else str(found.ended_state)
    kept = {**known, "state": "failed" if known["status"] in FAILED else "success"} if known else None
    if kept and state and kept["run"] == found.ended_run:
        return {**kept, "state": state}
    if state is None or _looks(found, found.ended_conf):
        return kept
    if kept and (kept["state"] == state == "success" or kept["started"] > (iso(found.ended_started) or "")):
        return kept
    started, ended = found.ended_started, found.ended_at
    return {
        "run": found.ended_run,
        "status": "error" if state == "failed" else state,
        "mode": "",
        "started": iso(started),
        "ended": iso(ended),
        "seconds": round((ended - started).total_seconds(), 3) if started and ended else None,
        **dict.fromkeys(_ROWS),
        "error": "",
        "state": state,
    }


def _looks(found: Any, conf: Any) -> bool:
    """Whether a run only looked; what a DAG of somebody else is triggered with has a meaning of its own."""
    return found.asset.partition("/")[2] == found.dag_id and only_looks(conf)


def _version(found: Any) -> str | None:
    """Airflow's version of the DAG, and the commit that it came with, where the bundle has such."""
    if found.version is None:
        return None
    commit = f" · {found.commit[:7]}" if found.commit else ""
    return f"version {found.version}{commit} ({found.bundle})"


def _week(days: Mapping[str, Mapping[str, int]], now: datetime) -> list[dict[str, Any]]:
    names = [(now.date() - timedelta(days=back)).isoformat() for back in range(WEEK - 1, -1, -1)]
    return [{"day": day, **{name: (days.get(day) or {}).get(name, 0) for name in _DAY}} for day in names]


def _lag(watermark: str | None, now: datetime) -> float | None:
    with suppress(ValueError):
        return None if watermark is None else round(max(0.0, now.timestamp() - from_text(watermark) / NANOSECONDS), 3)
    return None
