"""What the headers say about the request budget (contracts: braze 2.4)."""

from __future__ import annotations

from email.utils import formatdate

import pytest

from activation.delivery.answer import RateNote
from activation.destinations.braze.answers import read_rate

NOW = 1_800_000_000.25
LIMIT, REMAINING, RESET = "X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset"


def headers(reset: str, **others: str) -> dict[str, str]:
    return {LIMIT: "3000", REMAINING: "17", RESET: reset, **others}


def test_f17_an_epoch_second_is_exact() -> None:
    assert read_rate(headers("1800000003"), NOW) == RateNote(3000, 17, 2.75, True, None)


def test_f17_seconds_left_are_rounded_somehow() -> None:
    assert read_rate(headers("2"), NOW) == RateNote(3000, 17, 2.0, False, None)
    assert read_rate(headers("0"), NOW) == RateNote(3000, 17, 0.0, False, None)
    assert read_rate(headers("3600"), NOW) == RateNote(3000, 17, 3600.0, False, None)


def test_an_epoch_second_in_the_past_is_now() -> None:
    assert read_rate(headers("1799999999"), NOW) == RateNote(3000, 17, 0.0, True, None)


@pytest.mark.parametrize("change", [str.lower, str.upper, str.title])
def test_the_names_count_in_any_case(change: object) -> None:
    assert callable(change)
    changed = {change(name): value for name, value in headers("1800000003").items()}
    assert read_rate(changed, NOW) == RateNote(3000, 17, 2.75, True, None)
    assert read_rate({change("X-Ratelimit-Retry-After"): "4"}, NOW) == RateNote(retry_after=4.0, exact=False)


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"Content-Type": "application/json"},
        {LIMIT: "", REMAINING: "", RESET: ""},
        {LIMIT: "many", REMAINING: "-1", RESET: "soon", "Retry-After": "Wed, 21 Oct 2026 07:28:00 GMT"},
        {LIMIT: "3.5", REMAINING: "²", RESET: "1e3"},
    ],
)
def test_what_says_nothing_is_no_note(given: dict[str, str]) -> None:
    assert read_rate(given, NOW) is None


def test_a_part_of_the_headers_is_taken_for_what_it_is() -> None:
    assert read_rate({REMAINING: " 5 "}, NOW) == RateNote(remaining=5, exact=False)
    assert read_rate({RESET: "1800000003", REMAINING: ""}, NOW) == RateNote(reset_in=2.75)


def test_f17_brazes_own_retry_header_goes_before_the_common_one() -> None:
    assert read_rate({"Retry-After": "9", "X-Ratelimit-Retry-After": "2"}, NOW) == RateNote(retry_after=2.0, exact=False)
    assert read_rate({"Retry-After": "9"}, NOW) == RateNote(retry_after=9.0, exact=False)
    assert read_rate(headers("1800000003", **{"Retry-After": "9"}), NOW) == RateNote(3000, 17, 2.75, True, 9.0)


@pytest.mark.parametrize("latency", [0.0, 0.9, 4.0])
def test_a_date_that_agrees_with_the_own_clock_changes_nothing(latency: float) -> None:
    dated = headers("1800000003", Date=formatdate(int(NOW - latency), usegmt=True))
    assert read_rate(dated, NOW) == RateNote(3000, 17, 2.75, True, None)


@pytest.mark.parametrize("skew", [-86_400, -10, -2, 10, 86_400])
def test_where_the_own_clock_is_wrong_the_date_of_the_answer_counts(skew: int) -> None:
    dated = headers("1800000003", date=formatdate(int(NOW), usegmt=True))
    assert read_rate(dated, NOW + skew) == RateNote(3000, 17, 3.0, False, None)


def test_a_date_that_is_none_is_ignored() -> None:
    assert read_rate(headers("1800000003", Date="yesterday"), NOW) == RateNote(3000, 17, 2.75, True, None)
