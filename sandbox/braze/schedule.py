"""Accepted requests on their way: carried out at once, later, or out of order (row S8)."""

import heapq
import random
from collections.abc import Callable

from sandbox.braze.settings import Visibility

Change = Callable[[float, int], None]
"""Carries a request out, given the epoch second and the number of the request."""


class Schedule:
    """What is accepted but not yet carried out."""

    def __init__(self, visibility: Visibility) -> None:
        self._visibility = visibility
        self._random = random.Random(visibility.seed)
        self._waiting: list[tuple[float, int, Change]] = []
        self._accepted = 0

    @property
    def waiting(self) -> int:
        """Requests accepted but not yet carried out."""
        return len(self._waiting)

    def change(self, visibility: Visibility) -> None:
        """Use other delays for the requests to come."""
        if visibility != self._visibility:
            self._visibility = visibility
            self._random = random.Random(visibility.seed)

    def accept(self, change: Change, now: float, *, at_once: bool = False) -> None:
        """Take a request in (``now`` in epoch seconds); ``at_once`` passes by those that wait."""
        self._accepted += 1
        delay = self._visibility.delay_ms
        if self._visibility.unordered:
            delay += self._random.random() * self._visibility.spread_ms
        if at_once or (delay <= 0 and not self._waiting):
            change(now, self._accepted)
        else:
            heapq.heappush(self._waiting, (now + delay / 1000, self._accepted, change))

    def settle(self, until: float) -> None:
        """Carry out every request whose time has come, in the order of those times."""
        while self._waiting and self._waiting[0][0] <= until:
            at, number, change = heapq.heappop(self._waiting)
            change(at, number)

    def settle_all(self) -> None:
        """Carry out everything that waits, in the order of its times."""
        self.settle(float("inf"))
