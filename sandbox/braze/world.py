"""The whole state of one server, in one place."""

import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial
from typing import Any

from sandbox.braze.catalogs import Catalogs
from sandbox.braze.cdi import Integrations
from sandbox.braze.concurrency import Concurrency
from sandbox.braze.faults import FaultInjector
from sandbox.braze.ledger import Batch, Ledger
from sandbox.braze.limiter import RateLimiter
from sandbox.braze.recorder import Recorder
from sandbox.braze.schedule import Change, Schedule
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
        self.schedule.change(settings.visibility)
        self.ledger.profiles.change(settings.attributes)
        self.recorder.change(settings.validation)

    def reset(self) -> None:
        """Forget data, counts, violations, rate-limit windows and fault rules; keep the other settings."""
        self.settings = replace(self.settings, faults=Faults())
        self.concurrency.reset()
        self._empty()

    def accept(self, batch: Batch, exchange: Exchange, *, at_once: bool = False) -> None:
        """Count the objects of a track request and take it in."""
        sent = (
            [write.sent for write in batch.attributes],
            [write.sent for write in batch.events],
            [write.sent for write in batch.purchases],
        )
        for array, objects in zip(ARRAYS, sent, strict=True):
            if objects:
                exchange.accepted[array] = self.stats.accepted(array, objects)
        self.take_in(partial(self.ledger.apply, batch), exchange, at_once=at_once)

    def take_in(self, change: Change, exchange: Exchange, *, at_once: bool = False) -> None:
        """Carry an accepted request out when its time has come."""
        self.schedule.settle(exchange.started)
        self.schedule.accept(change, self.clock(), at_once=at_once)

    def settled(self) -> Ledger:
        """What is held of users, after everything that is due has been carried out."""
        self.schedule.settle(self.clock())
        return self.ledger

    def summary(self) -> dict[str, Any]:
        """All counts as JSON values."""
        ledger = self.settled()
        return {
            "profiles": len(ledger.profiles),
            "profiles_deleted": ledger.profiles.deleted,
            "events": ledger.events.total,
            "purchases": ledger.purchases.total,
            "catalog_items": self.catalogs.items,
            "unknown_users_skipped": ledger.profiles.skipped,
            "requests_waiting": self.schedule.waiting,
            **self.stats.summary(),
            "max_concurrent_requests": self.concurrency.highest,
            "concurrency_violations": self.concurrency.violations,
            "faults": self.faults.summary(),
        }

    def _empty(self) -> None:
        self.schedule = Schedule(self.settings.visibility)
        self.ledger = Ledger(self.settings.attributes)
        self.catalogs = Catalogs()
        self.integrations = Integrations()
        self.limiter = RateLimiter(self.clock)
        self.faults = FaultInjector(self.settings.faults)
        self.stats = Stats()
        self.recorder = Recorder(self.settings.validation)
