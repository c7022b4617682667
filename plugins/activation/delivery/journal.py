"""The run journal: one small JSON record a run, written before the watermark moves, and kept when Airflow cleans up.

A record's ``status`` is ``running``, ``success``, ``partial`` (some rows were rejected), ``error``, ``config_error``,
``limit_exceeded`` (contracts: braze 1.6) or ``reset``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from itertools import islice
from pathlib import Path
from typing import Any

from activation.cursor.recovery import Move
from activation.cursor.watermark import Watermark
from activation.delivery.folder import Folder, listed, replace_text, safe_name
from activation.errors import ConfigurationError, TransientError

LATEST = "latest.json"

OLDER = 100
"""Most records from before the days asked for that are looked at for the last run that went well."""

READERS = 8
"""Records that are read at the same time: in object storage each takes a round trip."""

_WELL = ("success", "partial")

_NAME = re.compile(r"(?P<second>\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d)[\d.-]*_(?P<run>.+)\.json")
"""The name of a record: when the run began, in UTC, and the run's id, as :func:`safe_name` writes them."""


@dataclass(frozen=True, slots=True)
class _Record:
    name: str
    started: datetime
    run: str
    path: Folder


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

    def write(self, move: Move, report: dict[str, Any], *, started: str, ended: str, **more: Any) -> None:
        """Record a finished run: first in ``runs/``, then as the latest one.

        :param started: when its first try began, ISO 8601 in UTC; together with the run it names the record.
        :param ended: when the run ended.
        :param more: what else the record says.
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
            **more,
        }
        text = self._write(str(report["run"]), started, record)
        try:
            replace_text(self._folder, LATEST, text)
        except OSError as error:
            raise self._unwritable(error) from error

    def ended(self, run: str, started: str) -> bool:
        """Whether a run is recorded as finished; one that failed, or of which nothing is known, is not."""
        with suppress(OSError, ValueError):
            record = json.loads((self._folder / "runs" / _name(run, started)).read_text(encoding="utf-8"))
            return isinstance(record, dict) and "move" in record
        return False

    def drop(self, run: str, started: str) -> None:
        """Forget a run that found nothing to do: a stream that looks every few seconds would fill the folder with such records.

        :raises TransientError: if the record cannot be removed.
        """
        try:
            (self._folder / "runs" / _name(run, started)).unlink()
        except FileNotFoundError:
            pass
        except OSError as error:
            raise self._unwritable(error) from error

    def latest(self, most: int) -> list[dict[str, Any]]:
        """The newest records, the newest first; one that cannot be read is left out.

        :param most: how many.
        """
        found: list[dict[str, Any]] = []
        records = reversed(self._records())
        with ThreadPoolExecutor(READERS) as readers:
            while len(found) < most and (some := list(islice(records, most - len(found)))):
                found += [content for content in readers.map(_content, some) if content is not None]
        return found

    def since(self, start: datetime) -> Iterator[dict[str, Any]]:
        """Records of the runs that began at an instant or after it, the newest first; and behind them older ones, until one
        has told of a run that went well. One that cannot be read, or whose end is no instant, is left out.

        :param start: aware.
        """
        older, well = 0, False
        for record in reversed(self._records()):
            if record.started < start:
                if well or older == OLDER:
                    return
                older += 1
            with suppress(ValueError, TypeError):
                content = _content(record)
                if content is not None and ("ended" not in content or datetime.fromisoformat(content["ended"]).tzinfo):
                    well = well or content.get("status") in _WELL
                    yield content

    def clean(self, now: datetime, *, rejects: timedelta | None, runs: timedelta | None) -> int:
        """Remove what is older than it has to be kept: rejects first, later the records of the runs themselves.

        The age of rejects is that of their run's newest record, because a run that is cleared has several. A record stays as
        long as there are rejects of its run. Files that carry no name of the journal's are left alone.

        :param rejects: how long the rejects of a run are kept (contracts: braze 1.6 keeps them 30 days); ``None``: for ever.
        :param runs: how long its record is kept (12 months there); ``None``: for ever.
        :returns: how many files were removed.
        """
        records = self._records()
        newest = {record.run: record.started for record in records}  # they come by age
        kept = {one.name: one for one in listed(self._folder / "rejects") if one.is_dir()}
        removed = 0
        for run, started in newest.items():
            if run in kept and rejects is not None and started < now - rejects:
                removed += _empty(kept.pop(run))
        for record in records:
            if record.run not in kept and runs is not None and record.started < now - runs:
                record.path.unlink()
                removed += 1
        return removed

    def thin_out(self, most: int) -> int:
        """Remove the oldest records beyond a number; one stays as long as there are rejects of its run.

        :param most: how many stay at least.
        :returns: how many were removed.
        """
        old = self._records()[:-most]
        kept = {one.name for one in listed(self._folder / "rejects") if one.is_dir()} if old else set()
        removed = [record for record in old if record.run not in kept]
        for record in removed:
            record.path.unlink()
        return len(removed)

    def _records(self) -> list[_Record]:
        """The records of all runs, the oldest first."""
        found = []
        for path in listed(self._folder / "runs"):
            if match := _NAME.fullmatch(path.name):
                with suppress(ValueError):
                    started = datetime.strptime(match["second"], "%Y-%m-%dT%H-%M-%S").replace(tzinfo=timezone.utc)
                    found.append(_Record(path.name, started, match["run"], path))
        return sorted(found, key=lambda record: record.name)

    def _write(self, run: str, started: str, record: dict[str, Any]) -> str:
        text = json.dumps(record, ensure_ascii=False, indent=1)
        runs = self._folder / "runs"
        try:
            runs.mkdir(parents=True, exist_ok=True)
            (runs / _name(run, started)).write_text(text, encoding="utf-8")
        except OSError as error:
            raise self._unwritable(error) from error
        return text

    def _unwritable(self, error: OSError) -> TransientError:
        return TransientError(f"The run journal could not be written to {self._folder}: {error}")


def _content(record: _Record) -> dict[str, Any] | None:
    """What a record says; ``None`` if it cannot be read."""
    with suppress(OSError, ValueError):
        content = json.loads(record.path.read_text(encoding="utf-8"))
        return content if isinstance(content, dict) else None
    return None


def _name(run: str, started: str) -> str:
    return f"{safe_name(started)}_{safe_name(run)}.json"


def _empty(folder: Folder) -> int:
    """Remove the files of a folder; on a disk the folder goes too, object storage knows none."""
    files = [one for one in folder.iterdir() if not one.is_dir()]
    for file in files:
        file.unlink()
    if isinstance(folder, Path) and not any(folder.iterdir()):
        folder.rmdir()
    return len(files)
