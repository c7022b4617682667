"""Fixed rate-limit windows that start and end with the clock (row S11)."""

from collections.abc import Callable
from math import ceil
from typing import NamedTuple

from sandbox.braze import contract
from sandbox.braze.rates import Rate, Windows


class Verdict(NamedTuple):
    """What the limiter says of one request; ``reset`` is the epoch second at which the deciding window ends."""

    allowed: bool
    limit: int
    remaining: int
    reset: float


class RateLimiter:
    """Counts requests by scope. The windows of N seconds begin at multiples of N since the epoch."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._counts: dict[tuple[str, int], tuple[int, int]] = {}

    def take(self, scope: str, windows: Windows) -> Verdict | None:
        """Count one request against its windows; ``None`` where there are none.

        A request that is refused is not counted (I). Of several windows, the one with the fewest requests left
        decides what is reported; of those, the one that ends last.
        """
        now = self._clock()
        current = []
        for limit, seconds in _sizes(windows):
            number = int(now // seconds)
            known, used = self._counts.get((scope, seconds), (number, 0))
            current.append((limit, seconds, number, used if known == number else 0))
        if not current:
            return None
        tightest = min(current, key=lambda window: (max(window[0] - window[3], 0), -(window[2] + 1) * window[1]))
        limit, seconds, number, used = tightest
        reset = float((number + 1) * seconds)
        if used >= limit:
            return Verdict(False, limit, 0, reset)
        for _, size, start, count in current:
            self._counts[scope, size] = (start, count + 1)
        return Verdict(True, limit, limit - used - 1, reset)

    def headers(self, verdict: Verdict, rate: Rate) -> dict[str, str]:
        """The answer's headers in the style that is switched on; a refusal may carry the retry time alone."""
        seconds_left = str(max(ceil(verdict.reset - self._clock()), 1))
        if not verdict.allowed and rate.rejection == "retry_after":
            return {contract.RETRY_AFTER_HEADER: seconds_left}
        return {
            contract.LIMIT_HEADER: str(verdict.limit),
            contract.REMAINING_HEADER: str(verdict.remaining),
            contract.RESET_HEADER: str(int(verdict.reset)) if rate.headers == "epoch" else seconds_left,
        }


def _sizes(windows: Windows) -> list[tuple[int, int]]:
    sizes = [(windows.burst, windows.burst_seconds), (windows.minute, contract.MINUTE), (windows.hour, contract.HOUR)]
    return [(limit, seconds) for limit, seconds in sizes if limit is not None]
