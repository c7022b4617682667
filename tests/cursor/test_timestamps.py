from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from activation.cursor.timestamps import from_text, to_text

YEAR_1, YEAR_9999 = from_text("0001-01-01T00:00:00Z"), from_text("9999-12-31T23:59:59.999999999Z")


@given(st.integers(YEAR_1, YEAR_9999))
def test_f08_every_nanosecond_survives_the_round_trip(instant: int) -> None:
    assert from_text(to_text(instant)) == instant


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("2026-07-19T09:07:23.123456789Z", "2026-07-19T09:07:23.123456789Z"),
        ("2026-07-19 09:07:23", "2026-07-19T09:07:23Z"),
        ("2026-07-19T18:07:23.5+09:00", "2026-07-19T09:07:23.5Z"),
        ("2026-07-19T18:07:23+0900", "2026-07-19T09:07:23Z"),
        ("1969-12-31T23:59:59.999999999Z", "1969-12-31T23:59:59.999999999Z"),
        ("2026-03-29T01:30:00+01:00", "2026-03-29T00:30:00Z"),
        ("2026-03-29T03:00:00+02:00", "2026-03-29T01:00:00Z"),
    ],
)
def test_f08_text_is_read_as_utc_unless_it_names_a_zone(text: str, written: str) -> None:
    assert to_text(from_text(text)) == written


def test_digits_are_cut_not_rounded() -> None:
    assert to_text(from_text("2026-01-01T00:00:00.999999999Z"), digits=6) == "2026-01-01T00:00:00.999999Z"
    assert to_text(from_text("2026-01-01T00:00:00.999999999Z"), digits=0) == "2026-01-01T00:00:00Z"


@pytest.mark.parametrize("text", ["", "yesterday", "2026-07-19", "2026-07-19T09:07", "2026-07-19T09:07:23.1234567890Z"])
def test_other_text_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ValueError, match=r"is not an ISO 8601 timestamp such as 2026-07-19T09:07:23\.123456Z"):
        from_text(text)
