"""The whole state of one server, in one place."""

import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

from sandbox.braze.concurrency import Concurrency
from sandbox.braze.faults import FaultInjector
from sandbox.braze.ledger import Batch, Ledger
from sandbox.braze.limiter import RateLimiter
from sandbox.braze.settings import ApiKey, Faults, Settings
from sandbox.braze.stats import Exchange, Stats
from sandbox.braze.wire import ARRAYS


class World:
    """Settings, keys, what is held and what is counted. Used by one event loop only."""

    def __init__(self, settings: Settings, keys: Iterable[ApiKey], clock: Callable[[], float] = time.time) -> None:
        self.settings = settings
        self.permissions = {key.value: key.permissions for key in keys}
        self.clock = clock
        self.concurrency = Concurrency()
        self._empty()

    def change(self, settings: Settings) -> None:
        """Use other settings from now on."""
        self.settings = settings
        self.faults.change(settings.faults)
        self.ledger.change(settings.visibility)

    def reset(self) -> None:
        """Forget data, counts, rate-limit windows and fault rules; keep the other settings."""
        self.settings = replace(self.settings, faults=Faults())
        self.concurrency.reset()
        self._empty()

    def accept(self, batch: Batch, exchange: Exchange) -> None:
        """Count the objects of a request and hand them to the ledger."""
        sent = (
            [write.sent for write in batch.attributes],
            [write.sent for write in batch.events],
            [write.sent for write in batch.purchases],
        )
        for array, objects in zip(ARRAYS, sent, strict=True):
            if objects:
                exchange.accepted[array] = self.stats.accepted(array, objects)
        self.ledger.settle(exchange.started)
        self.ledger.accept(batch, self.clock())

    def settled(self) -> Ledger:
        """What is held, after everything that is due has been applied."""
        self.ledger.settle(self.clock())
        return self.ledger

    def summary(self) -> dict[str, Any]:
        """All counts as JSON values."""
        ledger = self.settled()
        return {
            "profiles": len(ledger.profiles),
            "events": ledger.events.total,
            "purchases": ledger.purchases.total,
            "unknown_users_skipped": ledger.profiles.skipped,
            "requests_waiting": ledger.waiting,
            **self.stats.summary(),
            "max_concurrent_requests": self.concurrency.highest,
            "concurrency_violations": self.concurrency.violations,
            "faults": self.faults.summary(),
        }

    def _empty(self) -> None:
        self.ledger = Ledger(self.settings.visibility)
        self.limiter = RateLimiter(self.clock)
        self.faults = FaultInjector(self.settings.faults)
        self.stats = Stats()
