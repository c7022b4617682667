"""Which export this is: whose it is, what it holds and of which time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timezone
from urllib.parse import quote
from zoneinfo import ZoneInfo

from activation.errors import ConfigurationError

_MARK = 1024
"""Bytes of a mark at most; all metadata of an object share 2,048 bytes (Amazon S3, user-defined object metadata)."""


@dataclass(frozen=True, slots=True)
class Identity:
    """One export of one pipeline (contracts: s3_export 3.3).

    :ivar run_id: Airflow's run, the same for every try of it.
    :ivar data: ``event`` or ``user_profile``.
    :ivar start: the first instant of the interval; aware.
    :ivar end: the first instant behind the interval; aware. The same as ``start`` for a snapshot.
    :ivar timezone: the zone of the pipeline's days and hours, by its IANA name.
    :ivar snapshot_at: the instant that profiles are as of; ``None`` for events.
    """

    pipeline_id: str
    pipeline_name: str
    run_id: str
    data: str
    start: datetime
    end: datetime
    timezone: str
    snapshot_at: datetime | None = None

    def __post_init__(self) -> None:
        """Check the instants and the zone.

        :raises ConfigurationError: if an instant carries no zone, the interval ends before it starts, or the zone is unknown.
        """
        for instant in (self.start, self.end, self.snapshot_at):
            if instant is not None and instant.tzinfo is None:
                raise ConfigurationError(
                    f"The instant {instant} of the export of {self.pipeline_id} has no time zone.", "Give it one, such as +09:00."
                )
        if self.end < self.start:
            raise ConfigurationError(
                f"The interval of the export of {self.pipeline_id} ends at {self.end}, before it starts at {self.start}.",
                "Let it end at or after its start.",
            )
        self.zone()

    def zone(self) -> ZoneInfo:
        """The zone of the pipeline's days and hours.

        :raises ConfigurationError: if there is none of this name.
        """
        try:
            return ZoneInfo(self.timezone)
        except (KeyError, ValueError, OSError) as error:
            raise ConfigurationError(
                f"There is no time zone {self.timezone!r}.", "Write a name of the IANA database, such as Asia/Seoul or UTC."
            ) from error

    @property
    def mark(self) -> str:
        """The run as metadata of an object can carry it: printable ASCII, the same for every try of the run."""
        return quote(f"{self.pipeline_id}/{self.run_id}", safe="/:+")[:_MARK]


def utc_text(instant: datetime) -> str:
    """ISO 8601 in UTC with ``Z``; a fraction only where there is one."""
    return instant.astimezone(timezone.utc).isoformat().replace("+00:00", "Z")
