"""The run journal: one small JSON record a run, written before the watermark moves, and kept when Airflow cleans up."""

from __future__ import annotations

import json
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

    def write(self, move: Move, report: dict[str, Any], *, ended: str) -> None:
        """Record a finished run: first in ``runs/``, then as the latest one.

        :param ended: when the run ended, ISO 8601 in UTC; sorts the records.
        :raises TransientError: if the record cannot be written; the watermark must then not move.
        """
        before = None if move.before is None else move.before.to_json()
        record = {"ended": ended, "move": {"before": before, "after": move.after.to_json()}, "report": report}
        text = json.dumps(record, ensure_ascii=False, indent=1)
        runs = self._folder / "runs"
        try:
            runs.mkdir(parents=True, exist_ok=True)
            (runs / f"{safe_name(ended)}_{safe_name(str(report['run']))}.json").write_text(text, encoding="utf-8")
            _replace(self._folder, text)
        except OSError as error:
            raise TransientError(f"The run journal could not be written to {self._folder}: {error}") from error


def _replace(folder: Folder, text: str) -> None:
    """Replace the latest record; on a disk by renaming, so that a crash leaves the old or the new one whole."""
    if not isinstance(folder, Path):
        (folder / LATEST).write_text(text, encoding="utf-8")
        return
    new = folder / f"{LATEST}.new"
    new.write_text(text, encoding="utf-8")
    new.replace(folder / LATEST)
