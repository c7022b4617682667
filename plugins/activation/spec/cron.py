"""A check of cron expressions that needs no library, and takes no more than Airflow does."""

from __future__ import annotations

import difflib
import re
from typing import Annotated

from pydantic import AfterValidator

from activation.spec.invalid import invalid

PRESETS = ("@hourly", "@daily", "@weekly", "@monthly")
CONTINUOUS = "continuous"
"""The word for runs back to back."""

_MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
_DAYS = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"]
_FIELDS: tuple[tuple[str, int, int, dict[str, int]], ...] = (
    ("minute", 0, 59, {}),
    ("hour", 0, 23, {}),
    ("day of the month", 1, 31, {}),
    ("month", 1, 12, {name: number for number, name in enumerate(_MONTHS, 1)}),
    ("day of the week", 0, 7, {name: number for number, name in enumerate(_DAYS)}),
)
_ITEM = re.compile(r"(?:\*|([0-9]{1,2}|[a-z]{3})(?:-([0-9]{1,2}|[a-z]{3}))?)(?:/([0-9]{1,2}))?")
_LONGEST = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_FIX = f'Write five fields, minute hour day month weekday, like "*/15 * * * *", or one of {", ".join(PRESETS)}.'


def _cron(text: str) -> str:
    fields = text.lower().split()
    if text in PRESETS or fields == [CONTINUOUS]:
        return text.strip().lower()
    if text.startswith("@"):
        raise invalid("is not a known preset", _FIX, kind="preset")
    if len(fields) == 1 and difflib.get_close_matches(fields[0], [CONTINUOUS]):
        raise invalid("is not a cron expression", f"Did you mean {CONTINUOUS}? {_FIX}")
    if len(fields) != 5:
        raise invalid(f"has {len(fields)} field{'s' if len(fields) != 1 else ''} where a cron expression has 5", _FIX)
    sets = [_numbers(field, *limits) for field, limits in zip(fields, _FIELDS, strict=True)]
    if fields[4] == "*" and all(min(sets[2], default=0) > _LONGEST[month - 1] for month in sets[3]):
        raise invalid("names a day that its months do not have, so it would never run", _FIX)
    return " ".join(fields)


def _numbers(field: str, name: str, low: int, high: int, names: dict[str, int]) -> set[int]:
    """The numbers that a field stands for; empty for the last day of the month."""
    if field == "l" and name == "day of the month":
        return set()
    found: set[int] = set()
    for item in field.split(","):
        match = _ITEM.fullmatch(item)
        if match is None:
            raise invalid(f"has a {name} that cron does not know", _FIX)
        first, last, step = match.groups()
        begin = low if first is None else names[first] if first in names else int(first) if first.isdigit() else -1
        end = high if first is None or (step and not last) else begin
        if last is not None:
            end = names[last] if last in names else int(last) if last.isdigit() else -1
        if not low <= begin <= end <= high or (step is not None and not 1 <= int(step) <= high):
            raise invalid(f"has a {name} outside {low} to {high}, or a range that runs backwards", _FIX)
        found.update(range(begin, end + 1, int(step or 1)))
    return found


Cron = Annotated[str, AfterValidator(_cron)]
"""A cron expression of five fields, in lower case with single blanks, one of :data:`PRESETS`, or :data:`CONTINUOUS`."""
