"""A replay: the rows that earlier runs rejected are sent once more; the watermark stays where it is."""

from __future__ import annotations

import logging

from activation.cursor.progress import Tail
from activation.cursor.timestamps import from_text
from activation.cursor.watermark import Watermark
from activation.cursor.window import Window
from activation.delivery.kept import Chosen, Kept
from activation.delivery.report import Report
from activation.errors import ConfigurationError
from activation.operators.importing import Import
from activation.operators.memory import Opened
from activation.operators.record import now
from activation.warehouses.base import Relation, Warehouse
from activation.warehouses.kept import TABLE, KeptRows

log = logging.getLogger(__name__)

EVERYTHING = Window(None, True, from_text("2261-12-31T23:59:59Z"), nulls=True)


class Replay(Import):
    """One try. Rows that are rejected again are kept among this run's rejects; the old ones are put aside in either case."""

    def _source(self) -> tuple[Warehouse, Relation]:
        chosen = self._chosen()
        if not (runs := self._kept().runs(chosen)):
            raise ConfigurationError(
                f"{self._pipeline.id} has no rejects to replay{f' of run {chosen.run}' if chosen.run else ''}"
                f"{f' with the code {chosen.code}' if chosen.code else ''}.",
                "Look at `activation rejects list`, and choose a run and a code that are there.",
            )
        log.info("Replaying %s rejects of %s runs.", f"{sum(run.reasons.total() for run in runs):,}", len(runs))
        return KeptRows(self._kept().records(chosen), self._pipeline.cursor.column), TABLE

    def _open(self, watermark: Watermark) -> Opened:
        opened = Opened(EVERYTHING, watermark, 0)
        self._memory.save(opened)
        return opened

    def _close(self, watermark: Watermark, opened: Opened, tail: Tail) -> Watermark:
        return watermark

    def _commit(self, report: Report) -> None:
        moved = self._kept().put_aside(self._chosen(), self._id)
        self._journal.note(self._id, self._started, report.to_json()["status"], ended=now(), report=report.to_json())
        self._memory.forget()
        totals = report.totals
        log.info("Done: of %s replayed rejects %s were sent, %s rejected again.", f"{moved:,}", totals.sent, totals.rejected)

    def _kept(self) -> Kept:
        return Kept(self._folder / "rejects", but=self._id)

    def _chosen(self) -> Chosen:
        return Chosen(self._order.replay_run, self._order.replay_code)
