"""One try of each task of a split import: the window is opened once, its slices move by themselves, the watermark moves once."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, closing
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from airflow.sdk import Asset

from activation.cursor.progress import Progress, Tail
from activation.cursor.watermark import Watermark
from activation.delivery.rejects import PART, parts_in
from activation.delivery.report import Report, check, judge
from activation.delivery.sent_slices import divide, store_of, undivide
from activation.errors import ConfigurationError
from activation.operators.braze_parts import Parts
from activation.operators.importing import Import, boundary_of
from activation.operators.memory import PROGRESS, STARTED, Opened, started
from activation.operators.orders import Order
from activation.operators.partition_plan import PARTITION, TAIL, Opening, added
from activation.operators.record import failures_recorded, now
from activation.operators.retention import tidy
from activation.spec import Pipeline
from activation.warehouses.base import Relation, Slice

if TYPE_CHECKING:
    from airflow.sdk import Context

log = logging.getLogger(__name__)

SLICING = "slicing"
"""The key of a slice's task state that says which slice its progress is of."""


class Check(Import):
    """One try of the first task: it finds what is wrong with the configuration, and opens the window.

    :param of: how many slices there will be.
    """

    def __init__(self, pipeline: Pipeline, asset: Asset, context: Context, order: Order, of: int) -> None:
        super().__init__(pipeline, asset, context, order)
        self._of = of
        if self._journal.ended(self._id, self._started):  # a run that is cleared after its end begins anew
            self._task_store.delete(PROGRESS)
            self._task_store.delete(STARTED)
            self._started = started(self._task_store, now())

    def open(self) -> Opening:
        """Open the window, or find the one that an earlier try has opened.

        :raises ConfigurationError: if a connection, the table, a column or a right is missing.
        :raises LimitExceededError: if the window has more rows than the pipeline allows.
        """
        with self._recorded():
            self._prepare()
            self._warehouse, table = self._source()
            with closing(self._warehouse):
                watermark = self._bind(table)
                slice = Slice(0, self._of, self._layout.subject)
                slicing = self._warehouse.slicing(replace(self._layout.extract, slice=slice))
                opened = self._resume(watermark) or self._open(watermark)
                rows = self._allowed(opened)
            if self._skips:
                divide(self._sent_folder, slicing)
            else:
                undivide(self._sent_folder)
        return Opening(opened, self._memory.held, self._started, self._of, slicing, rows)

    def _about(self) -> dict[str, Any]:
        return {**super()._about(), "partitions": self._of}


class SliceMovement(Import):
    """One try of one slice: it moves the rows, and leaves the watermark where it is."""

    def __init__(self, pipeline: Pipeline, asset: Asset, context: Context, order: Order, opening: Opening, index: int) -> None:
        super().__init__(pipeline, asset, context, order)
        self._opening, self._index = opening, index
        self._started = opening.started
        self._part = f"{PART}{index + 1}of{opening.of}-"
        self._sent_folder = store_of(self._sent_folder, index, opening.of)
        self._tail = Tail()

    def __call__(self) -> Report:
        """Move the slice; see :meth:`Movement.__call__`."""
        with self._recorded():
            return self._move()

    def _recorded(self) -> AbstractContextManager[None]:
        """The run's record is the first task's; only a failure is added. That the try goes on well must not hide another's."""
        return failures_recorded(self._journal, self._id, self._started, self._asset_store, **self._about())

    def _about(self) -> dict[str, Any]:
        return {**super()._about(), "partitions": self._opening.of, PARTITION: self._index}

    def _bind(self, table: Relation) -> Watermark:
        self._lay_out(table)
        slice = Slice(self._index, self._opening.of, self._layout.subject)
        self._layout = replace(self._layout, extract=replace(self._layout.extract, slice=slice))
        if self._warehouse.slicing(self._layout.extract) != self._opening.slicing:
            raise ConfigurationError(
                "The columns that name what a row is about were changed while this run was under way, so its slices do not fit "
                "together any more.",
                "Clear the task check together with the tasks behind it, or let the next run begin anew.",
            )
        return self._opening.opened.watermark

    def _resume(self, watermark: Watermark) -> Opened | None:
        found = super()._resume(watermark)
        same = found is not None and found.window == self._opening.opened.window
        return found if same and self._task_store.get(SLICING, default=None) == self._which() else None

    def _open(self, watermark: Watermark) -> Opened:
        opened = replace(self._opening.opened, progress=Progress(), parts=parts_in(self._rejects_folder, self._part))
        self._memory.save(opened)
        self._task_store.set(SLICING, self._which())
        return opened

    def _which(self) -> dict[str, Any]:
        return {"index": self._index, SLICING: self._opening.slicing}

    def _parts(self) -> Parts:
        """The slices share the destination's rate limit."""
        parts = super()._parts()
        return replace(parts, plan=replace(parts.plan, rate_share=parts.plan.rate_share / self._opening.of))

    def _close(self, watermark: Watermark, opened: Opened, tail: Tail) -> Watermark:
        self._tail = tail
        return watermark

    def _more(self) -> Mapping[str, Any]:
        return {PARTITION: {"index": self._index, "of": self._opening.of}, TAIL: self._tail.to_json()}

    def _commit(self, report: Report) -> None:
        """The progress stays: if the task is cleared while its window is still the run's, nothing is sent a second time."""
        totals = report.totals
        log.info(
            "Slice %s of %s is done: read %s = sent %s + rejected %s + skipped %s in %.1f s.",
            self._index + 1,
            self._opening.of,
            *(f"{count:,}" for count in (totals.read, totals.sent, totals.rejected, totals.skipped)),
            report.seconds,
        )


class Publish(Import):
    """One try of the last task: it proves that all slices are done, and moves the watermark.

    :param reports: of the slices, in their order.
    """

    def __init__(
        self,
        pipeline: Pipeline,
        asset: Asset,
        context: Context,
        order: Order,
        opening: Opening,
        reports: Sequence[Mapping[str, Any]],
    ) -> None:
        super().__init__(pipeline, asset, context, order)
        self._opening, self._reports = opening, reports
        self._started = opening.started

    def __call__(self) -> Report:
        """Move the watermark; if an earlier try has done so already, only its report is given once more.

        :raises FatalError: if a slice's report is missing, or somebody else has moved the watermark meanwhile.
        """
        if self._journal.ended(self._id, self._started):
            self._prepare()
            if (report := self._report_of_all()).after == self._memory.held:
                self._memory.forget()
                return report
        with self._recorded():
            self._prepare()
            self._memory.held = self._opening.held
            report = self._report_of_all()
            self._commit(report)
        tidy(self._journal)
        return report

    def _connect(self) -> None:
        """Nothing is sent here."""
        self._boundary = boundary_of(self._pipeline)

    def _about(self) -> dict[str, Any]:
        return {**super()._about(), "partitions": self._opening.of}

    def _report_of_all(self) -> Report:
        opened, boundary = self._opening.opened, self._boundary
        done = added(self._opening, self._id, self._reports, lookback=boundary.lookback, remember=boundary.remember)
        check(done.totals, done.totals.read)
        judge(done.totals, self._pipeline.errors.max_reject_share)
        return Report(
            self._pipeline.id,
            self._id,
            opened.window,
            opened.watermark,
            self._close(opened.watermark, opened, done.tail),
            done.totals,
            done.traffic,
            done.tail.nulls if opened.window.nulls else opened.nulls,
            done.seconds,
            done.rejects,
            {"partitions": list(done.each)},
        )
