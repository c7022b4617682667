"""Tells the task log how far a run is: rows, rate, share done."""

from __future__ import annotations

import logging
import time

from activation.cursor.progress import Progress
from activation.delivery.engine import Traffic
from activation.delivery.report import share

log = logging.getLogger(__name__)

LOG_EVERY = 5.0
"""Seconds between two lines."""


class Watch:
    """Writes a line every few seconds, and one at the end.

    :param before: rows that earlier tries settled.
    :param expected: rows that are left to read.
    """

    def __init__(self, before: int, expected: int) -> None:
        self._before, self._whole = before, before + expected
        self._started = self._told = time.monotonic()

    def tell(self, progress: Progress, traffic: Traffic, *, final: bool) -> None:
        """Write a line if it is time, or if it is the last one."""
        now = time.monotonic()
        if not final and now - self._told < LOG_EVERY:
            return
        self._told = now
        totals = progress.totals
        rate = (totals.read - self._before) / max(now - self._started, 1e-9)
        whole = max(self._whole, totals.read)
        extra = {
            "skipped": totals.skipped,
            "requests repeated": traffic.retries - traffic.limited,
            "requests turned away by the rate limit": traffic.limited,
        }
        log.info(
            "%s of %s rows (%s), %s rows/s: %s sent, %s rejected%s",
            f"{totals.read:,}",
            f"{whole:,}",
            share(totals.read, whole),
            f"{rate:,.0f}",
            f"{totals.sent:,}",
            f"{totals.rejected:,}",
            "".join(f", {count:,} {what}" for what, count in extra.items() if count),
        )
