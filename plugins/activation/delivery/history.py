"""The records of the last days, for lists of many pipelines: nothing is read that is older than needed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from typing import Any

from activation.delivery.journal import Journal

OLDER = 100
"""Most records from before the days asked for that are looked at for the last run that went well."""

_WELL = ("success", "partial")


class History(Journal):
    """A journal that is read backwards.

    :param folder: the pipeline's folder in the state folder.
    """

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
            with suppress(OSError, ValueError, TypeError):
                content = json.loads(record.path.read_text(encoding="utf-8"))
                if isinstance(content, dict) and ("ended" not in content or datetime.fromisoformat(content["ended"]).tzinfo):
                    well = well or content.get("status") in _WELL
                    yield content
