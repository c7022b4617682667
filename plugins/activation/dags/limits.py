"""Limits of the ``alerts`` block: which of them a run has passed, and what was told already."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from typing import Any

from activation.cursor.timestamps import NANOSECONDS, from_text
from activation.delivery.folder import Folder, replace_text
from activation.spec.alerts import Alerts
from activation.spec.quantities import Duration

FILE = "alerts.json"
"""The names of the limits that stand passed, and the last failed try that was told, in the pipeline's state folder."""

FAILED = "failed "
"""What the name of a failed try begins with."""


def passed_limits(alerts: Alerts, report: Mapping[str, Any], now: datetime) -> dict[str, str]:
    """Compare the report of a run that ended well with the limits.

    :param now: when it ended; aware.
    :returns: ``row_errors``, ``latency`` and ``delay`` -> what is wrong, or an empty text; a limit of which the report says
        nothing, because the run had no rows for example, is absent.
    """
    found = {"row_errors": _row_errors(alerts.row_errors, report), "latency": _latency(alerts.latency, report)}
    found["delay"] = _delay(alerts.delay, report, now)
    return {name: problem for name, problem in found.items() if problem is not None}


def _row_errors(share: float | None, report: Mapping[str, Any]) -> str | None:
    rows = report["rows"]
    read, rejected = rows["read"], rows["rejected"]
    if not read:
        return None
    passed = share is not None and rejected and rejected >= share * read
    return f"{rejected:,} of {read:,} rows were rejected" if passed else ""


def _latency(limit: Duration | None, report: Mapping[str, Any]) -> str | None:
    latency = report.get("latency") or {}
    if not latency.get("records"):
        return None
    slow = float(latency["p95"])
    passed = limit is not None and slow > limit.seconds
    return f"one change in twenty took {_words(slow)} or longer to arrive, the limit is {limit}" if passed else ""


def _delay(limit: Duration | None, report: Mapping[str, Any], now: datetime) -> str | None:
    """A report of an import or an export has no latency; there the limit means nothing."""
    if "latency" not in report:
        return None
    behind = now.timestamp() - from_text(report["window"]["upper"]) / NANOSECONDS
    late = max(float(report["seconds"]), behind)
    passed = limit is not None and late > limit.seconds
    return f"the run ended {_words(late)} behind the warehouse, the limit is {limit}" if passed else ""


def _words(seconds: float) -> str:
    return str(Duration(round(seconds) * 1000))


class Told:
    """What was told; kept in a file, because each run of Airflow is another process.

    :param folder: the pipeline's folder in the state folder.
    """

    def __init__(self, folder: Folder) -> None:
        self._folder = folder
        self._names: set[str] = set()
        with suppress(OSError, ValueError):
            self._names = {str(name) for name in json.loads((folder / FILE).read_text(encoding="utf-8"))}

    def __contains__(self, name: str) -> bool:
        return name in self._names

    def note(self, name: str, *, passed: bool) -> None:
        """Remember that a limit stands passed, once somebody was told, or is kept again.

        :raises OSError: if it cannot be written; the next run then tells it once more.
        """
        if passed != (name in self._names):
            self._write(self._names ^ {name})

    def note_failure(self, name: str) -> None:
        """Remember that a failed try was told; earlier ones are forgotten.

        :param name: begins with :data:`FAILED`.
        :raises OSError: if it cannot be written.
        """
        self._write({name, *(each for each in self._names if not each.startswith(FAILED))})

    def _write(self, names: set[str]) -> None:
        self._names = names
        self._folder.mkdir(parents=True, exist_ok=True)
        replace_text(self._folder, FILE, json.dumps(sorted(self._names)))
