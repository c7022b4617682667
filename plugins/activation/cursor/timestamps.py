"""Instants as whole nanoseconds since 1970-01-01T00:00:00Z, and their text form.

Nanoseconds because Snowflake keeps nine digits (contracts: braze 1.1); the other engines use six. Python's ``datetime`` has six,
so it never stands between a warehouse and a watermark.
"""

from __future__ import annotations

import re
from datetime import datetime, timezone

NANOSECONDS = 1_000_000_000
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_TEXT = re.compile(r"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:?\d\d)?")


def to_text(instant: int, *, digits: int = 9) -> str:
    """Write an instant as ISO 8601 in UTC, for example ``2026-07-19T09:07:23.000000001Z``.

    :param instant: nanoseconds since the epoch.
    :param digits: most fractional digits to write (0 to 9); a finer rest is cut off, trailing zeros are dropped.
    """
    seconds, rest = divmod(instant, NANOSECONDS)
    day, second = divmod(seconds, 86_400)
    date = datetime.fromordinal(_EPOCH.toordinal() + day).date()
    fraction = f"{rest:09d}"[:digits].rstrip("0")
    clock = f"{second // 3600:02d}:{second // 60 % 60:02d}:{second % 60:02d}"
    return f"{date.isoformat()}T{clock}{'.' + fraction if fraction else ''}Z"


def from_text(text: str) -> int:
    """Read ISO 8601 with up to nine fractional digits; a value without a zone is UTC (contracts: braze 1.3).

    :raises ValueError: if the text is not such a timestamp.
    """
    match = _TEXT.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"{text!r} is not an ISO 8601 timestamp such as 2026-07-19T09:07:23.123456Z")
    date, clock, fraction, zone = match.groups()
    offset = "+00:00" if zone in (None, "Z") else zone if ":" in zone else f"{zone[:3]}:{zone[3:]}"
    moment = datetime.fromisoformat(f"{date}T{clock}{offset}")
    seconds = (moment - _EPOCH).days * 86_400 + (moment - _EPOCH).seconds
    return seconds * NANOSECONDS + int((fraction or "").ljust(9, "0"))
