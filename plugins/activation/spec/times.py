"""Days and time zones in pipeline files."""

from __future__ import annotations

import re
from datetime import date
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, Field

from activation.spec.invalid import invalid


def _day(text: str) -> str:
    try:
        if re.fullmatch(r"\d{4}-\d\d-\d\d", text):
            date.fromisoformat(text)
            return text
    except ValueError:
        pass
    raise invalid("is not a day", "Write it like 2026-07-19.")


def _zone(text: str) -> str:
    try:
        ZoneInfo(text)
    except (KeyError, ValueError, OSError):
        raise invalid("is not a time zone", "Write a name of the IANA database, such as Asia/Seoul or UTC.") from None
    return text


Day = Annotated[str, AfterValidator(_day), Field(json_schema_extra={"format": "date"})]
"""A day, ``2026-07-19``; texts compare as the days do."""

Zone = Annotated[str, AfterValidator(_zone)]
"""The name of a time zone in the IANA database."""
