"""The times that row S6 accepts."""

from datetime import datetime, timezone

import pytest

from sandbox.braze.identity import ObjectRefused
from sandbox.braze.validation import checked_time


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-01-02", (2026, 1, 2)),
        ("2026-01-02T03:04", (2026, 1, 2, 3, 4)),
        ("2026-01-02T03:04:05", (2026, 1, 2, 3, 4, 5)),
        ("2026-01-02T03:04:05Z", (2026, 1, 2, 3, 4, 5)),
        ("2026-01-02T03:04:05.123Z", (2026, 1, 2, 3, 4, 5, 123_000)),
        ("2026-01-02T03:04:05.123456789Z", (2026, 1, 2, 3, 4, 5, 123_456)),
        ("2026-01-02T03:04:05:678+0900", (2026, 1, 1, 18, 4, 5, 678_000)),
        ("2026-01-02T03:04:05+09:00", (2026, 1, 1, 18, 4, 5)),
        ("2015-02-15 21:04:32 -0500", (2015, 2, 16, 2, 4, 32)),
        ("2024-02-29T00:00:00-01", (2024, 2, 29, 1)),
    ],
)
def test_s06_accepted_times(text: str, expected: tuple[int, ...]) -> None:
    assert checked_time(text) == datetime(*expected, tzinfo=timezone.utc)  # type: ignore[arg-type, misc]


@pytest.mark.parametrize(
    "value",
    [
        "",
        "now",
        "02.01.2026",
        "2026-13-01",
        "2026-02-30",
        "2026-01-02T25:00:00Z",
        "2026-01-02T03:04:05+9:00",
        "2026-01-02T03:04:05Z tomorrow",
        "0000-01-01",
        "0001-01-01T00:00:00+01:00",
        1_767_322_445,
        None,
        True,
    ],
)
def test_s06_refused_times(value: object) -> None:
    with pytest.raises(ObjectRefused):
        checked_time(value)
