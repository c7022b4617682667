"""The run journal: one small JSON record a run, written before the watermark moves, and kept when Airflow cleans up.

A record's ``status`` is ``running``, ``success``, ``partial`` (some rows were rejected), ``error``, ``config_error``,
``limit_exceeded`` (contracts: braze 1.6) or ``reset``.
"""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from activation.cursor.recovery import Move
from activation.cursor.watermark import Watermark
from activation.delivery.folder import Folder, safe_name
from activation.errors import ConfigurationError, TransientError

LATEST = "latest.json"


class Journal:
    """The records of one pipeline.

    :param folder: the pipeline's folder in the state folder.
    """

    def __init__(self, folder: Folder) -> None:
        self._folder = folder

    def last(self) -> Move | None:
        """What the last finished run did to the watermark; ``None`` if no run has finished.

        :raises ConfigurationError: if the record is unreadable; says what to do.
        """
        path = self._folder / LATEST
        if not path.exists():
            return None
        try:
            move = json.loads(path.read_text(encoding="utf-8"))["move"]
            before = None if move["before"] is None else Watermark.from_json(move["before"])
            return Move(before, Watermark.from_json(move["after"]))
        except (ValueError, KeyError, TypeError) as error:
            raise ConfigurationError(
                f"The run journal {path} cannot be read: {error}.",
                "Restore it from its newest good copy in the folder runs/ beside it.",
            ) from error

    def note(self, run: str, started: str, status: str, **more: Any) -> None:
        """Record how a run stands that has not moved the watermark: it is running, or it has failed.

        :param started: when its first try began, ISO 8601 in UTC; together with the run it names the record.
        :raises TransientError: if the record cannot be written.
        """
        self._write(run, started, {"status": status, "run": run, "started": started, **more})

    def write(self, move: Move, report: dict[str, Any], *, started: str, ended: str) -> None:
        """Record a finished run: first in ``runs/``, then as the latest one.

        :param started: when its first try began, ISO 8601 in UTC; together with the run it names the record.
        :param ended: when the run ended.
        :raises TransientError: if the record cannot be written; the watermark must then not move.
        """
        before = None if move.before is None else move.before.to_json()
        record = {
            "status": report["status"],
            "run": report["run"],
            "started": started,
            "ended": ended,
            "move": {"before": before, "after": move.after.to_json()},
            "report": report,
        }
        text = self._write(str(report["run"]), started, record)
        try:
            _replace(self._folder, text)
        except OSError as error:
            raise self._unwritable(error) from error

    def clean(self, now: datetime, *, rejects: timedelta, runs: timedelta) -> int:
        """Remove what is older than it has to be kept: rejects first, later the records of the runs themselves.

        :param rejects: how long the rejects of a run are kept (contracts: braze 1.6 keeps them 30 days).
        :param runs: how long its record is kept (12 months there).
        :returns: how many files were removed.
        """
        folder, kept = self._folder / "runs", self._folder / "rejects"
        removed = 0
        folders = {one.name: one for one in kept.iterdir()} if kept.exists() else {}
        for record in list(folder.iterdir()) if folder.exists() else ():
            stamp, _, run = record.name.removesuffix(".json").partition("_")
            if stamp < safe_name((now - rejects).isoformat()) and run in folders:
                for part in list(folders.pop(run).iterdir()):
                    part.unlink()
                    removed += 1
            if stamp < safe_name((now - runs).isoformat()):
                record.unlink()
                removed += 1
        return removed

    def _write(self, run: str, started: str, record: dict[str, Any]) -> str:
        text = json.dumps(record, ensure_ascii=False, indent=1)
        runs = self._folder / "runs"
        try:
            runs.mkdir(parents=True, exist_ok=True)
            (runs / f"{safe_name(started)}_{safe_name(run)}.json").write_text(text, encoding="utf-8")
        except OSError as error:
            raise self._unwritable(error) from error
        return text

    def _unwritable(self, error: OSError) -> TransientError:
        return TransientError(f"The run journal could not be written to {self._folder}: {error}")


def _replace(folder: Folder, text: str) -> None:
    """Replace the latest record; on a disk by renaming, so that a crash leaves the old or the new one whole."""
    if not isinstance(folder, Path):
        (folder / LATEST).write_text(text, encoding="utf-8")
        return
    new = folder / f"{LATEST}.new"
    new.write_text(text, encoding="utf-8")
    new.replace(folder / LATEST)
