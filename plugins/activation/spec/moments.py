"""Instants in pipeline files: a day, or a day and a time, in a time zone that stands elsewhere unless they have an offset."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, Field

from activation.spec.invalid import invalid

_MOMENT = re.compile(r"[12]\d{3}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d)?(?:Z|[+-]\d\d:\d\d)?)?")
_DAY = len("2026-07-19")


def _moment(text: str) -> str:
    try:
        if _MOMENT.fullmatch(text):
            _read(text)
            return text
    except ValueError:
        pass
    fix = "Write it like 2026-07-19, 2026-07-19T09:00 or 2026-07-19T09:00:00+09:00."
    raise invalid("is not a day or an instant", fix)


def _read(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


def instant(text: str, zone: str, *, last: bool = False) -> datetime:
    """The aware instant that a text stands for.

    :param text: a :data:`Moment`.
    :param zone: the time zone of a text without an offset, by its IANA name.
    :param last: whether a day means its last second and not its first.
    """
    read = _read(text)
    if last and len(text) == _DAY:
        read += timedelta(days=1, seconds=-1)
    return read if read.tzinfo else read.replace(tzinfo=ZoneInfo(zone))


Moment = Annotated[str, AfterValidator(_moment), Field(json_schema_extra={"pattern": f"^{_MOMENT.pattern}$"})]
"""A day, ``2026-07-19``, or an instant, ``2026-07-19T09:00`` or ``2026-07-19T09:00:00+09:00``."""
