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
ONCE = "once"
"""The word for one run, as soon as the pipeline is switched on."""

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
_PRESET_PAUSES = dict(zip(PRESETS, (60, 24 * 60, 7 * 24 * 60, 28 * 24 * 60), strict=True))
_LONGEST = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_FIX = f'Write five fields, minute hour day month weekday, like "*/15 * * * *", or one of {", ".join(PRESETS)}.'


def _cron(text: str) -> str:
    fields = text.lower().split()
    if text in PRESETS or fields in ([CONTINUOUS], [ONCE]):
        return text.strip().lower()
    if text.startswith("@"):
        raise invalid("is not a known preset", _FIX, kind="preset")
    if len(fields) == 1 and (near := difflib.get_close_matches(fields[0], [CONTINUOUS, ONCE])):
        raise invalid("is not a cron expression", f"Did you mean {near[0]}? {_FIX}")
    if len(fields) != 5:
        raise invalid(f"has {len(fields)} field{'s' if len(fields) != 1 else ''} where a cron expression has 5", _FIX)
    sets = _sets(fields)
    if fields[4] == "*" and all(min(sets[2], default=0) > _LONGEST[month - 1] for month in sets[3]):
        raise invalid("names a day that its months do not have, so it would never run", _FIX)
    return " ".join(fields)


def _sets(fields: list[str]) -> list[set[int]]:
    return [_numbers(field, *limits) for field, limits in zip(fields, _FIELDS, strict=True)]


def _numbers(field: str, name: str, low: int, high: int, names: dict[str, int]) -> set[int]:
    """The numbers that a field stands for; empty for the last day of the month."""
    if field == "l" and name == "day of the month":
        return set()
    found: set[int] = set()
    for item in field.split(","):
        match = _ITEM.fullmatch(item)
        if match is None:
            raise invalid(f"has {_a(name)} that cron does not know", _FIX)
        first, last, step = match.groups()
        begin = low if first is None else names[first] if first in names else int(first) if first.isdigit() else -1
        end = high if first is None or (step and not last) else begin
        if last is not None:
            end = names[last] if last in names else int(last) if last.isdigit() else -1
        if not low <= begin <= end <= high or (step is not None and not 1 <= int(step) <= high):
            raise invalid(f"has {_a(name)} outside {low} to {high}, or a range that runs backwards", _FIX)
        found.update(range(begin, end + 1, int(step or 1)))
    return found


def shortest_pause(cron: str) -> int:
    """The least minutes between two times of a cron expression of five fields, or of one of :data:`PRESETS`.

    Two times around midnight count wherever the hours allow them, though their days may never follow each other.
    """
    if cron in PRESETS:
        return _PRESET_PAUSES[cron]
    minutes, hours = (sorted(numbers) for numbers in _sets(cron.split())[:2])
    times = [60 * hour + minute for hour in hours for minute in minutes]
    return min(after - before for before, after in zip(times, [*times[1:], times[0] + 24 * 60], strict=True))


def skips_a_month(cron: str) -> bool:
    """Whether a month can pass without a time of a cron expression: one that it does not name, or that lacks the day."""
    if cron in PRESETS:
        return False
    fields = cron.split()
    days, months = _sets(fields)[2:4]
    return len(months) < 12 or (fields[4] == "*" and min(days, default=0) > _LONGEST[1] - 1)


Cron = Annotated[str, AfterValidator(_cron)]
"""A cron expression of five fields in lower case with single blanks, one of :data:`PRESETS`, :data:`CONTINUOUS`, :data:`ONCE`."""


def _a(name: str) -> str:
    return f"{'an' if name == 'hour' else 'a'} {name}"
