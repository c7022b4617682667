"""Row S11 with a clock in hand."""

import pytest

from sandbox.braze import Rate, Windows, contract
from sandbox.braze.limiter import RateLimiter, Verdict


class Clock:
    """Seconds since the epoch, moved by hand."""

    def __init__(self, now: float) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


NOON = 1_800_014_400.0  # a full hour


def taken(limiter: RateLimiter, windows: Windows, times: int) -> list[bool]:
    verdicts = [limiter.take("track", windows) for _ in range(times)]
    return [verdict is not None and verdict.allowed for verdict in verdicts]


def test_s11_no_windows_no_verdict() -> None:
    assert RateLimiter(Clock(NOON)).take("track", Windows()) is None


def test_s11_burst_windows_start_at_multiples_of_their_length() -> None:
    clock = Clock(NOON + 2.9)
    limiter, windows = RateLimiter(clock), Windows(burst=2, burst_seconds=3)
    assert taken(limiter, windows, 3) == [True, True, False]
    clock.now = NOON + 3.0  # a tenth of a second later, but in the next window
    assert taken(limiter, windows, 3) == [True, True, False]
    clock.now = NOON + 5.999
    assert taken(limiter, windows, 1) == [False]


@pytest.mark.parametrize(
    ("windows", "start", "reset"),
    [
        (Windows(minute=5), NOON + 61, NOON + 120),
        (Windows(hour=5), NOON + 61, NOON + 3_600),
        (Windows(burst=5, burst_seconds=3), NOON + 61, NOON + 63),
        (Windows(minute=5), NOON + 60, NOON + 120),
    ],
)
def test_s11_reset_is_the_end_of_the_clock_window(windows: Windows, start: float, reset: float) -> None:
    assert RateLimiter(Clock(start)).take("track", windows) == Verdict(True, 5, 4, reset)


def test_s11_tightest_window_is_told() -> None:
    clock = Clock(NOON)
    limiter, windows = RateLimiter(clock), Windows(burst=10, burst_seconds=1, hour=3)
    assert limiter.take("track", windows) == Verdict(True, 3, 2, NOON + 3_600)
    assert taken(limiter, windows, 3) == [True, True, False]
    clock.now = NOON + 1  # the burst is open again, the hour is not
    assert limiter.take("track", windows) == Verdict(False, 3, 0, NOON + 3_600)


def test_s11_refused_requests_are_not_counted() -> None:
    clock = Clock(NOON)
    limiter, windows = RateLimiter(clock), Windows(burst=1, burst_seconds=1, hour=2)
    assert taken(limiter, windows, 5) == [True, False, False, False, False]
    clock.now = NOON + 1
    assert taken(limiter, windows, 1) == [True]


def test_s11_scopes_are_separate() -> None:
    limiter, windows = RateLimiter(Clock(NOON)), Windows(burst=1)
    assert taken(limiter, windows, 2) == [True, False]
    other = limiter.take("bulk", windows)
    assert other is not None
    assert other.allowed


@pytest.mark.parametrize(
    ("rate", "allowed", "headers"),
    [
        (Rate(), True, ("5", "4", "1800018000", None)),
        (Rate(headers="seconds_left"), True, ("5", "4", "90", None)),
        (Rate(), False, ("5", "0", "1800018000", None)),
        (Rate(headers="seconds_left"), False, ("5", "0", "90", None)),
        (Rate(rejection="retry_after"), False, (None, None, None, "90")),
        (Rate(rejection="retry_after"), True, ("5", "4", "1800018000", None)),
    ],
)
def test_s11_header_styles(rate: Rate, allowed: bool, headers: tuple[str | None, ...]) -> None:
    limiter = RateLimiter(Clock(NOON + 3_510.5))
    found = limiter.headers(Verdict(allowed, 5, 4 if allowed else 0, NOON + 3_600), rate)
    names = (contract.LIMIT_HEADER, contract.REMAINING_HEADER, contract.RESET_HEADER, contract.RETRY_AFTER_HEADER)
    assert tuple(found.get(name) for name in names) == headers
