"""How long records and rejects are kept, and how many: the settings, and the cleaning after a run."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone

from airflow.sdk.configuration import conf

from activation.delivery.journal import Journal

log = logging.getLogger(__name__)

STREAM_RUNS, MOST = "keep_stream_runs", 10_000
"""The option for the runs of one stream, of which there may be one every few seconds, and its default."""

REJECTS, RUNS = "keep_rejects_days", "keep_runs_days"
"""The options of the section ``[activation]``."""

DAYS = {REJECTS: 30, RUNS: 365}
"""Their defaults (contracts: braze 1.6): a log of rows for 30 days, the data of runs for 12 months."""


def tidy(journal: Journal) -> None:
    """Remove what is old enough, once the work is done. What goes wrong is told and harms no run; the next one tries again."""
    with _harmless():
        removed = journal.clean(datetime.now(timezone.utc), rejects=_kept(REJECTS), runs=_kept(RUNS))
        if removed:
            log.info("%s files of old runs were removed ([activation] %s, %s).", f"{removed:,}", REJECTS, RUNS)


def thin_out(journal: Journal) -> None:
    """Remove the oldest records of a stream beyond their greatest number; otherwise like :func:`tidy`."""
    most = _number(STREAM_RUNS, MOST)
    if most is None:
        return
    with _harmless():
        removed = journal.thin_out(most)
        if removed:
            log.info("The records of %s old runs were removed ([activation] %s).", f"{removed:,}", STREAM_RUNS)


@contextmanager
def _harmless() -> Iterator[None]:
    try:
        yield
    except Exception as error:  # noqa: BLE001 - object storages raise errors of their own, and rows that are sent are sent
        why = error if isinstance(error, OSError) else type(error).__name__
        log.warning("Old records and rejects could not be removed: %s", why)


def _kept(option: str) -> timedelta | None:
    """How long; ``None`` is for ever."""
    days = _number(option, DAYS[option])
    return None if days is None else timedelta(days=days)


def _number(option: str, default: int) -> int | None:
    """A setting, ``None`` for no limit. One that is no number removes nothing."""
    text = str(conf.get("activation", option, fallback=default)).strip()
    if not text.isdecimal():
        log.warning("[activation] %s = %s is no number; nothing is removed. Write a whole number, 0 for ever.", option, text)
        return None
    return int(text) or None
