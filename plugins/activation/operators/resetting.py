"""A reset: a person moves the watermark, forwards or backwards. The journal records it like any other move."""

from __future__ import annotations

import logging
from typing import Any

from activation.cursor.recovery import Move
from activation.cursor.watermark import Watermark
from activation.delivery.sent import drop
from activation.operators.importing import Import
from activation.operators.movement import Movement
from activation.operators.record import now

log = logging.getLogger(__name__)


class Resetting(Movement):
    """One reset, whatever the pipeline moves."""

    def reset(self) -> dict[str, Any]:
        """Move the watermark to where the order says.

        :returns: JSON: the watermark before and after.
        """
        with self._recorded():
            return self._reset()

    def _reset(self) -> dict[str, Any]:
        self._prepare()
        before = self._memory.watermark()
        after = Watermark(self._order.reset_to, run=self._id)
        report = {
            "pipeline": self._pipeline.id,
            "run": self._id,
            "status": "reset",
            "rows": dict.fromkeys(("read", "sent", "rejected", "skipped"), 0),
            "watermark": {"before": str(before), "after": str(after)},
        }
        self._memory.guard()
        drop(self._sent_folder)
        move = Move(self._memory.held, after)
        times = {"started": self._started, "ended": now()}
        self._journal.write(move, report, **times, **self._about())
        self._memory.commit(after)
        self._summarize(report, times)
        self._memory.unbind()
        log.info("The watermark was moved from %s to %s.", before, after)
        return report


class Reset(Resetting, Import):
    """The reset of an import."""
