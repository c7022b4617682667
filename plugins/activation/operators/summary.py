"""The short account of a pipeline's last days, kept in the state of its asset: the Pipelines page reads nothing else of its runs.

It repeats what the run journal says, which it never replaces: where it cannot be kept, the run goes on.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any

from activation.cursor.timestamps import from_text

log = logging.getLogger(__name__)

SUMMARY = "summary"
"""The key of the asset's state."""

INACTIVE = "inactive"
"""The key of the text that ``activation deactivate`` leaves there for the page; the mark that counts lies in the state folder."""

DAYS = 8
"""Days that are kept: the last seven, and the one that has begun."""

MOST_ERROR = 300
"""Characters of an error that are kept."""

FAILED = ("error", "config_error", "limit_exceeded")
"""Statuses of a run that failed."""

_COUNTS = ("read", "sent", "rejected")


def summarize(store: Any, record: Mapping[str, Any]) -> None:
    """Add a run that has ended. What goes wrong is a warning.

    :param store: ``context["asset_state_store"][asset]``.
    :param record: of the run's journal: ``status``, ``run``, ``started``, ``ended`` and, if it has them, ``mode``, ``error``
        and ``report``.
    """
    try:
        store.set(SUMMARY, summed(store.get(SUMMARY, default=None), record))
    except Exception as error:  # noqa: BLE001 - a page that is out of date is no reason to fail a run whose rows have arrived
        log.warning("What the Pipelines page shows of this run could not be kept (%s).", type(error).__name__)


def summed(known: Any, record: Mapping[str, Any]) -> dict[str, Any]:
    """The summary with one more run: the tries of one run count once, as the last of them ended (contracts: s3_export 1.3).

    :param known: the summary before; anything but a summary counts for nothing.
    :returns: ``{"last": …, "days": {"2026-07-19": {"runs", "failed", "read", "sent", "rejected"}}, "watermark"}``; days are UTC.
    """
    before = _mapping(known)
    days = {day: dict(counts) for day, counts in _mapping(before.get("days")).items()}
    last, now = _mapping(before.get("last")), _last(record)
    if last and (last.get("run"), last.get("started")) == (now["run"], now["started"]):
        _count(days, last, -1)
    _count(days, now, 1)
    return {
        "last": now,
        "days": {day: days[day] for day in sorted(days)[-DAYS:]},
        "watermark": _watermark(record.get("report") or {}, before.get("watermark")),
    }


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _last(record: Mapping[str, Any]) -> dict[str, Any]:
    rows = (record.get("report") or {}).get("rows") or {}
    started, ended = str(record["started"]), str(record["ended"])
    took = datetime.fromisoformat(ended) - datetime.fromisoformat(started)
    return {
        "run": str(record["run"]),
        "status": str(record["status"]),
        "mode": str(record.get("mode") or ""),
        "started": started,
        "ended": ended,
        "seconds": round(took.total_seconds(), 3),
        **{name: rows.get(name) for name in (*_COUNTS, "skipped")},
        "error": str(record.get("error") or "")[:MOST_ERROR],
    }


def _count(days: dict[str, dict[str, int]], run: Mapping[str, Any], by: int) -> None:
    day = datetime.fromisoformat(run["ended"]).astimezone(timezone.utc).date().isoformat()
    counts = days.setdefault(day, dict.fromkeys(("runs", "failed", *_COUNTS), 0))
    counts["runs"] += by
    counts["failed"] += by * (run["status"] in FAILED)
    for name in _COUNTS:
        counts[name] += by * (run[name] or 0)


def _watermark(report: Mapping[str, Any], known: str | None) -> str | None:
    """How far the pipeline has come: its watermark, or the end of the latest interval that was exported."""
    if isinstance(moved := report.get("watermark"), Mapping):
        return None if moved["after"] == "none" else str(moved["after"])
    ends = [str(one["end"]) for one in report.get("exports") or ()]
    return max([*ends, *([known] if known else [])], key=from_text, default=None) if ends else known
