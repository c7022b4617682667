"""A replay: the rows that earlier runs rejected are sent once more; the watermark stays where it is."""

from __future__ import annotations

import logging
from contextlib import closing
from dataclasses import replace

from activation.cursor.progress import Tail
from activation.cursor.timestamps import from_text
from activation.cursor.watermark import Watermark
from activation.cursor.window import Window
from activation.delivery.kept import Chosen, Kept
from activation.delivery.rejects import parts_in
from activation.delivery.report import Report
from activation.errors import ConfigurationError
from activation.operators.importing import Import
from activation.operators.memory import Opened
from activation.operators.record import now
from activation.warehouses.base import Column, Relation, Warehouse
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

    def _bind(self, table: Relation) -> Watermark:
        """Rejects are kept as texts; what a field becomes may depend on the type that its column has in the warehouse."""
        watermark = super()._bind(table)
        if any(one.column and not one.as_ and not one.mask for one in self._pipeline.columns.fields.values()):
            warehouse, origin = super()._source()
            with closing(warehouse):
                types = {column.name: column.type for column in warehouse.columns(origin)}
            made = {name: Column(one.name, types.get(one.name, one.type)) for name, one in self._layout.columns.items()}
            self._layout = replace(self._layout, columns=made)
        return watermark

    def _open(self, watermark: Watermark) -> Opened:
        opened = Opened(EVERYTHING, watermark, 0, parts=parts_in(self._rejects_folder))
        self._memory.save(opened)
        return opened

    def _close(self, watermark: Watermark, opened: Opened, tail: Tail) -> Watermark:
        return watermark

    def _commit(self, report: Report) -> None:
        moved = self._kept().put_aside(self._chosen(), self._id)
        text = report.to_json()
        ended = now()
        self._journal.note(self._id, self._started, text["status"], ended=ended, report=text, **self._about())
        self._memory.forget()
        self._summarize(text, {"started": self._started, "ended": ended})
        totals = report.totals
        log.info("Done: of %s replayed rejects %s were sent, %s rejected again.", f"{moved:,}", totals.sent, totals.rejected)

    def _kept(self) -> Kept:
        return Kept(self._folder / "rejects", but=self._id)

    def _chosen(self) -> Chosen:
        return Chosen(self._order.replay_run, self._order.replay_code)
