"""The mark of a pipeline that was made inactive for good (contracts: s3_export 1.2). It lies in the pipeline's state folder."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from activation.delivery.folder import Folder, replace_text
from activation.errors import TransientError

MARK = "inactive.json"


@dataclass(frozen=True, slots=True)
class Inactive:
    """When, by whom and why a pipeline was made inactive.

    :ivar at: ISO 8601 in UTC; empty if the mark cannot be read.
    :ivar by: the user's name; empty if it is not known.
    :ivar reason: in the user's words; empty if none was given.
    """

    at: str
    by: str = ""
    reason: str = ""

    def __str__(self) -> str:
        day = f" on {datetime.fromisoformat(self.at):%Y-%m-%d}" if self.at else ""
        return f"made inactive{day}{f' by {self.by}' if self.by else ''}{f' ({self.reason})' if self.reason else ''}"


def read_mark(folder: Folder) -> Inactive | None:
    """The mark of a pipeline; ``None`` if it was never made inactive. A mark that cannot be read is a mark.

    :param folder: the pipeline's folder in the state folder.
    :raises OSError: if the folder cannot be reached.
    """
    path = folder / MARK
    if not path.exists():
        return None
    try:
        known: Any = json.loads(path.read_text(encoding="utf-8"))
        datetime.fromisoformat(known["at"])
        return Inactive(known["at"], str(known.get("by", "")), str(known.get("reason", "")))
    except (ValueError, KeyError, TypeError, AttributeError):
        return Inactive("")


def write_mark(folder: Folder, mark: Inactive) -> Inactive:
    """Make a pipeline inactive; the first mark stays.

    :returns: the mark that holds.
    :raises TransientError: if it cannot be written.
    """
    try:
        if (known := read_mark(folder)) is not None:
            return known
        folder.mkdir(parents=True, exist_ok=True)
        replace_text(folder, MARK, json.dumps(asdict(mark), ensure_ascii=False, indent=1))
    except OSError as error:
        raise TransientError(f"The state folder {folder} cannot be written: {error}.") from error
    return mark
