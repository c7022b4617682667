"""Which spans of time an export covers: the run's data interval, the days of a one-time export, or a snapshot at midnight."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo

from activation.cursor.window import Window
from activation.destinations.s3.cases import ExportCase
from activation.destinations.s3.errors import case_error
from activation.spec.s3 import S3Export
from activation.warehouses.sql import LAST

DAYS_BACK = 30
"""How far back events can be exported (contracts: s3_export 1.5)."""

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_UTC = ZoneInfo("UTC")
_SHORTEST = 28
"""Days that every month has."""


@dataclass(frozen=True, slots=True)
class Interval:
    """A span of time: the first instant, and the first one behind it. Both are one instant for a snapshot.

    :ivar zone: where days begin; where clocks change, a day may have 23 or 25 hours.
    """

    start: datetime
    end: datetime
    zone: ZoneInfo = _UTC

    @property
    def hourly(self) -> bool:
        """Whether it is shorter than a day."""
        return self.start != self.end and self._wall(self.end) - self._wall(self.start) < timedelta(days=1)

    @property
    def window(self) -> Window:
        """The rows of this span; all rows, those without an instant too, for a snapshot."""
        if self.start == self.end:
            return Window(None, True, LAST, nulls=True)
        return Window(_nanoseconds(self.start), True, _nanoseconds(self.end) - 1, nulls=False)

    def before(self, lookback: timedelta) -> tuple[Interval, ...]:
        """The spans of the same length that lie at most so far before this one, the oldest first, and this one.

        Days, weeks and months are told by the calendar, so that each of them is one that an earlier run has exported.
        """
        found = [self]
        reach = self._instant(self.start) - lookback
        while self.start != self.end and self._instant(found[-1].start) > reach:
            found.append(found[-1]._previous())
        return tuple(reversed(found))

    def _previous(self) -> Interval:
        start, end = self._wall(self.start), self._wall(self.end)
        apart = self._instant(self.end) - self._instant(self.start)
        months = 12 * (end.year - start.year) + end.month - start.month
        if apart <= timedelta(hours=1):
            return Interval(self._instant(self.start) - apart, self.start, self.zone)
        if months and (start.day, start.time()) == (end.day, end.time()) and start.day <= _SHORTEST:
            year, month = divmod(12 * start.year + start.month - 1 - months, 12)
            before = start.replace(year=year, month=month + 1)
        else:
            before = start - (end - start)
        return Interval(before.replace(tzinfo=self.zone), self.start, self.zone)

    def _wall(self, instant: datetime) -> datetime:
        """What clocks show there."""
        return instant.astimezone(self.zone).replace(tzinfo=None)

    @staticmethod
    def _instant(instant: datetime) -> datetime:
        return instant.astimezone(timezone.utc)

    def __str__(self) -> str:
        if self.start == self.end:
            return f"the snapshot of {self.start.isoformat()}"
        return f"{self.start.isoformat()} to {self.end.isoformat()}"


def interval_of(export: S3Export, data: str, given: Mapping[str, Any], run: Any, now: datetime) -> Interval:
    """The span that a run exports.

    :param data: ``event`` or ``user_profile``.
    :param given: ``interval_start`` and ``interval_end`` of the trigger form; empty texts for the run's own.
    :param run: Airflow's run, for its data interval.
    :raises ConfigurationError: ``invalid_parameter``, if there is no interval, or the limits of ``compat`` forbid it.
    """
    zone = ZoneInfo(export.zone)
    if data == "user_profile":
        midnight = _midnight(now.astimezone(zone).date().isoformat(), zone)
        return Interval(midnight, midnight, zone)
    if export.type == "one_time":
        last = datetime.fromisoformat(str(export.to_date)) + timedelta(days=1)
        found = Interval(_midnight(str(export.from_date), zone), _midnight(last.date().isoformat(), zone), zone)
    else:
        found = _given(given, zone) or _scheduled(run, zone)
    if found.end > now:
        raise case_error(
            ExportCase.PARAMETER, f"The interval {found} is not over yet at {now.isoformat(timespec='seconds')}.", "Run it later."
        )
    if export.compat == "dfinery" and found.start < _midnight(now.astimezone(zone).date().isoformat(), zone) - timedelta(
        days=DAYS_BACK
    ):
        raise case_error(
            ExportCase.PARAMETER,
            f"The interval {found} begins more than {DAYS_BACK} days back.",
            "Choose later days, or lift the limits with compat: none.",
        )
    return found


def _given(given: Mapping[str, Any], zone: ZoneInfo) -> Interval | None:
    texts = [str(given.get(name) or "") for name in ("interval_start", "interval_end")]
    if not any(texts):
        return None
    try:
        start, end = (datetime.fromisoformat(text.replace("Z", "+00:00")) for text in texts)
    except ValueError:
        raise case_error(
            ExportCase.PARAMETER,
            "interval_start and interval_end are not both instants.",
            "Write both, like 2026-07-19T09:00:00+09:00.",
        ) from None
    start, end = (instant if instant.tzinfo else instant.replace(tzinfo=zone) for instant in (start, end))
    if not start < end:
        raise case_error(ExportCase.PARAMETER, "interval_end is not behind interval_start.", "Write the earlier instant first.")
    return Interval(start, end, zone)


def _scheduled(run: Any, zone: ZoneInfo) -> Interval:
    start, end = getattr(run, "data_interval_start", None), getattr(run, "data_interval_end", None)
    if start is None or end is None or start == end:
        raise case_error(
            ExportCase.PARAMETER,
            "The run has no data interval, so nothing says what to export.",
            "Trigger it with a logical date, or give interval_start and interval_end.",
        )
    # Plain instants: what pendulum calculates has types of its own.
    return Interval(datetime.fromisoformat(start.isoformat()), datetime.fromisoformat(end.isoformat()), zone)


def _midnight(day: str, zone: ZoneInfo) -> datetime:
    return datetime.fromisoformat(day).replace(tzinfo=zone)


def _nanoseconds(instant: datetime) -> int:
    return (instant - _EPOCH) // timedelta(microseconds=1) * 1_000
