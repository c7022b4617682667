"""Checks of statements that take too long: cancelled from outside, and stopped by the warehouse itself."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial

from activation.errors import TransientError
from activation.findings import Check, Skip, Wrong
from activation.warehouses.base import Query, Warehouse
from activation.warehouses.checks.reading import EVERYTHING, extract_of
from activation.warehouses.checks.samples import Samples

_STARTED = 2.0
"""Seconds until an endless statement is cancelled: by then it has reached the warehouse."""

_ENDED = 30.0
"""Most seconds that an end may take to arrive here; a service polls and answers over the network."""

SHORT = 5.0
"""Seconds of the time-out that is tried; Redshift and Snowflake count whole seconds or more."""

THREAD = "activation-check"
"""Name of the threads that read endlessly."""


def control_checks(warehouse: Warehouse, samples: Samples, reopen: Callable[[float], Warehouse] | None) -> Iterator[Check]:
    """The checks of one engine.

    :param reopen: opens another warehouse with a statement time-out in seconds; ``None`` leaves the time-out untried.
    """
    yield Check("cancellation", partial(_cancel, warehouse, samples))
    yield Check("time-out", partial(_timeout, samples, reopen))
    yield Check("tag", partial(_tag, samples))


class _Endless:
    """Reads the endless query in a thread of its own."""

    def __init__(self, warehouse: Warehouse, samples: Samples) -> None:
        self.warehouse = warehouse
        self.extract = extract_of(warehouse, Query(samples.endless))
        self.error: BaseException | None = None
        self.thread = threading.Thread(target=self._read, name=THREAD, daemon=True)
        self.thread.start()

    def _read(self) -> None:
        try:
            for _ in self.warehouse.batches(self.extract, EVERYTHING):
                pass
        except BaseException as error:  # noqa: BLE001 - it is looked at by the one who waits
            self.error = error

    def ended(self, seconds: float) -> bool:
        """Wait for the end."""
        self.thread.join(seconds)
        return not self.thread.is_alive()

    def stopped(self, started: float) -> str:
        """How it ended, if it ended as it should."""
        if self.error is None:
            raise Skip("the endless query came to an end by itself")
        if not isinstance(self.error, TransientError):
            raise Wrong(f"expected an error that a retry mends, but got {type(self.error).__name__}: {self.error}")
        return f"stopped after {time.monotonic() - started:.1f} s"


def _cancel(warehouse: Warehouse, samples: Samples) -> str:
    endless = _Endless(warehouse, samples)
    if endless.ended(_STARTED):
        endless.stopped(time.monotonic())
        raise Wrong(f"expected the endless query to run until it is cancelled, but it ended at once: {endless.error}")
    began = time.monotonic()
    warehouse.cancel()
    if not endless.ended(_ENDED):
        raise Wrong(f"expected the statement to end within {_ENDED:.0f} s after its cancellation, but it still runs")
    shown = endless.stopped(began)
    warehouse.columns(Query(samples.endless))
    return f"{shown}; the connection still works"


def _timeout(samples: Samples, reopen: Callable[[float], Warehouse] | None) -> str:
    if reopen is None:
        raise Skip("takes a while; ask for it with --slow")
    with closing(reopen(SHORT)) as warehouse:
        began = time.monotonic()
        endless = _Endless(warehouse, samples)
        if not endless.ended(SHORT + _ENDED):
            warehouse.cancel()
            endless.ended(_ENDED)
            raise Wrong(f"expected the warehouse to stop a statement after {SHORT:.0f} s, but it still runs")
        return endless.stopped(began)


def _tag(samples: Samples) -> str:
    raise Skip(f"only you can see it: {samples.history}")
