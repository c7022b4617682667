"""Accepted requests on their way to the profiles: at once, later, or out of order (rows S8 and S10)."""

import heapq
import random
from collections.abc import Sequence
from typing import NamedTuple

from sandbox.braze.activity import Activity, ActivityLog, count
from sandbox.braze.profiles import ActivityWrite, AttributeWrite, ProfileStore
from sandbox.braze.settings import Visibility


class Batch(NamedTuple):
    """The accepted objects of one request."""

    attributes: Sequence[AttributeWrite] = ()
    events: Sequence[ActivityWrite] = ()
    purchases: Sequence[ActivityWrite] = ()


class Ledger:
    """What the server holds: profiles, events, purchases, and what is accepted but not yet applied."""

    def __init__(self, visibility: Visibility) -> None:
        self.profiles = ProfileStore()
        self.events = ActivityLog()
        self.purchases = ActivityLog()
        self._visibility = visibility
        self._random = random.Random(visibility.seed)
        self._waiting: list[tuple[float, int, Batch]] = []
        self._accepted = 0

    @property
    def waiting(self) -> int:
        """Requests accepted but not yet applied."""
        return len(self._waiting)

    def change(self, visibility: Visibility) -> None:
        """Use other delays for the requests to come."""
        if visibility != self._visibility:
            self._visibility = visibility
            self._random = random.Random(visibility.seed)

    def accept(self, batch: Batch, now: float) -> None:
        """Take a request in; it is applied when its time has come (``now`` in epoch seconds)."""
        delay = self._visibility.delay_ms
        if self._visibility.unordered:
            delay += self._random.random() * self._visibility.spread_ms
        if delay <= 0 and not self._waiting:
            self._apply(batch, now)
            return
        self._accepted += 1
        heapq.heappush(self._waiting, (now + delay / 1000, self._accepted, batch))

    def settle(self, until: float) -> None:
        """Apply every request whose time has come, in the order of those times."""
        while self._waiting and self._waiting[0][0] <= until:
            at, _, batch = heapq.heappop(self._waiting)
            self._apply(batch, at)

    def settle_all(self) -> None:
        """Apply everything that waits, in the order of its times."""
        self.settle(float("inf"))

    def _apply(self, batch: Batch, now: float) -> None:
        # D: within a request Braze generally starts with attributes, then events, then purchases.
        write = self.profiles.write
        for attributes in batch.attributes:
            write(attributes, now)
        for event in batch.events:
            self._append(event, now, self.events, purchase=False)
        for purchase in batch.purchases:
            self._append(purchase, now, self.purchases, purchase=True)

    def _append(self, write: ActivityWrite, now: float, log: ActivityLog, *, purchase: bool) -> None:
        profile = self.profiles.resolve(write.key, write.update_only, now)
        if profile is None:
            return
        log.append(profile.braze_id, write.sent, write.number)
        activity = profile.activity = profile.activity or Activity()
        count(activity.purchases if purchase else activity.events, write.name, write.time, write.number)
        activity.revenue += write.revenue
