"""Keeps the record of a run up to date while it runs and when it fails."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timezone
from typing import Any

from activation.delivery.journal import Journal
from activation.errors import ActivationError, ConfigurationError, LimitExceededError
from activation.operators.summary import summarize

log = logging.getLogger(__name__)


def now() -> str:
    """This moment, ISO 8601 in UTC, in milliseconds."""
    return datetime.now(timezone.utc).isoformat(timespec="milliseconds")


@contextmanager
def recorded(journal: Journal, run: str, started: str, store: Any = None, **about: Any) -> Iterator[None]:
    """Record that a run is running, and how it failed if it does; what succeeds records itself.

    :param store: the state of the pipeline's asset, whose summary tells of a failure too.
    :param about: what else the record says: the mode, the number of the try.
    """
    journal.note(run, started, "running", **about)
    with failures_recorded(journal, run, started, store, **about):
        yield


@contextmanager
def failures_recorded(journal: Journal, run: str, started: str, store: Any = None, **about: Any) -> Iterator[None]:
    """Record how a run failed, if it does: for one of several tasks of a run that another one has recorded."""
    try:
        yield
    except BaseException as error:
        # The texts of our own errors carry no secret; of others nothing but the kind is kept.
        text = str(error) if isinstance(error, ActivationError) else type(error).__name__
        failure = {"status": status_of(error), "ended": now(), "error": text, **about}
        if store is not None:
            summarize(store, {"run": run, "started": started, **failure})
        try:
            journal.note(run, started, **failure)
        except ActivationError as other:
            log.warning("%s", other)
        raise


def status_of(error: BaseException) -> str:
    """The status of a run that an error has ended (contracts: braze 1.6)."""
    if isinstance(error, LimitExceededError):
        return "limit_exceeded"
    return "config_error" if isinstance(error, ConfigurationError) else "error"
