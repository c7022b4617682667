"""How long records and rejects are kept: the settings, and the cleaning after a run."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta, timezone

from airflow.sdk.configuration import conf

from activation.delivery.journal import Journal

log = logging.getLogger(__name__)

REJECTS, RUNS = "keep_rejects_days", "keep_runs_days"
"""The options of the section ``[activation]``."""

DAYS = {REJECTS: 30, RUNS: 365}
"""Their defaults (contracts: braze 1.6): a log of rows for 30 days, the data of runs for 12 months."""


def tidy(journal: Journal) -> None:
    """Remove what is old enough, once the work is done. What goes wrong is told and harms no run; the next one tries again."""
    try:
        removed = journal.clean(datetime.now(timezone.utc), rejects=_kept(REJECTS), runs=_kept(RUNS))
    except Exception as error:  # noqa: BLE001 - object storages raise errors of their own, and rows that are sent are sent
        why = error if isinstance(error, OSError) else type(error).__name__
        log.warning("Old records and rejects could not be removed: %s", why)
    else:
        if removed:
            log.info("%s files of old runs were removed ([activation] %s, %s).", f"{removed:,}", REJECTS, RUNS)


def _kept(option: str) -> timedelta | None:
    """How long; ``None`` is for ever. A setting that is no number of days removes nothing."""
    text = str(conf.get("activation", option, fallback=DAYS[option])).strip()
    if not text.isdecimal():
        log.warning(
            "[activation] %s = %s is no number of days; nothing is removed. Write a whole number, 0 for ever.", option, text
        )
        return None
    return timedelta(days=int(text)) if int(text) else None
