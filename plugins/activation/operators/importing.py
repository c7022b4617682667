"""One try of an import: puts warehouse, window, encoder, sink and stores together, and moves the watermark at the end."""

from __future__ import annotations

import json
import logging
import time
from contextlib import AbstractContextManager, closing
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from airflow.sdk import Asset

from activation.cursor.boundary import Boundary, Future, Rule
from activation.cursor.ledger import Ledger
from activation.cursor.progress import Progress, Tail
from activation.cursor.recovery import Move
from activation.cursor.watermark import Watermark
from activation.delivery.engine import Traffic
from activation.delivery.folder import safe_name
from activation.delivery.journal import Journal
from activation.delivery.reader import Reader, Source
from activation.delivery.rejects import Origin, Rejects, parts_in
from activation.delivery.report import Report
from activation.delivery.run import Run
from activation.delivery.sent import Sent, drop
from activation.destinations.braze.kinds import KINDS
from activation.errors import LimitExceededError
from activation.hooks.braze import BrazeHook
from activation.hooks.connections import open_source
from activation.operators.braze_parts import Parts, braze_parts
from activation.operators.memory import Memory, Opened, started, state_folder
from activation.operators.orders import FULL, INCREMENTAL, Order
from activation.operators.record import now, recorded
from activation.operators.retention import tidy
from activation.records.digests import Digests
from activation.records.fingerprints import Fingerprints
from activation.records.layout import bind
from activation.records.mapping import mapped
from activation.spec import BrazeDestination, Pipeline
from activation.warehouses.base import Query, Relation, Warehouse

if TYPE_CHECKING:
    from airflow.sdk import Context

log = logging.getLogger(__name__)


class Import:
    """One try. Everything that can be wrong with the configuration is found before the first row is read.

    :param pipeline: with rendered templates.
    :param context: Airflow's task context.
    :raises ConfigurationError: if the state folder is wrong.
    """

    def __init__(self, pipeline: Pipeline, asset: Asset, context: Context, order: Order = Order()) -> None:  # noqa: B008 - frozen
        self._pipeline, self._order = pipeline, order
        assert isinstance(pipeline.destination, BrazeDestination)  # noqa: S101 - the only kind there is
        self._data = pipeline.destination.data
        self._boundary = _boundary(pipeline)
        self._run: Run | None = None
        self._stopped = False
        self._connection = pipeline.destination.connection
        self._id = str(context["run_id"])
        self._attempt = int(context["ti"].try_number)
        self._tag = _tag(context)
        self._folder = state_folder(pipeline.id)
        self._journal = Journal(self._folder)
        self._sent_folder = self._folder / "sent"
        self._rejects_folder = self._folder / "rejects" / safe_name(self._id)
        self._asset_store, self._task_store = context["asset_state_store"][asset], context["task_state_store"]
        self._started = started(self._task_store, now())

    def __call__(self) -> Report:
        """Move the window, and keep the record of the run up to date.

        :raises ConfigurationError: if a connection, the table, a column or a right is missing.
        :raises ActivationError: whatever ended the try; its progress is kept, and a retry goes on behind it.
        """
        with self._recorded():
            report = self._move()
        tidy(self._journal)
        return report

    def _recorded(self) -> AbstractContextManager[None]:
        return recorded(self._journal, self._id, self._started, **self._about())

    def _about(self) -> dict[str, Any]:
        """What the record of the run says beside its status."""
        return {"mode": self._order.mode, "attempt": self._attempt}

    def _prepare(self) -> None:
        """Look at the destination's connection and at what is remembered; what is wrong there belongs into the record."""
        self._endpoint = BrazeHook(self._connection).get_conn()
        self._memory = Memory(self._asset_store, self._task_store, self._journal.last(), self._id)

    def _move(self) -> Report:
        began = time.monotonic()
        self._prepare()
        self._warehouse, table = self._source()
        with closing(self._warehouse):
            watermark = self._bind(table)
            opened = self._memory.resume(watermark) or self._open(watermark)
            rejects = Rejects(self._rejects_folder, Origin(self._pipeline.id, self._id, self._attempt), opened.parts)
            try:
                report = self._report(opened, rejects, watermark, began)
                self._commit(report)
            finally:
                _tell(rejects)
            return report

    def _source(self) -> tuple[Warehouse, Relation]:
        """The open warehouse, and what is read from it."""
        source = self._pipeline.source
        timeout = source.statement_timeout.seconds if source.statement_timeout else None
        read = source.relation()
        warehouse = open_source(source.type, source.connection, tag=self._tag, timeout=timeout)
        return warehouse, Query(read) if isinstance(read, str) else read

    def _bind(self, table: Relation) -> Watermark:
        """Find the columns; gives the watermark to start from."""
        cursor = self._pipeline.cursor
        shape, columns = KINDS[self._data].shape, self._warehouse.columns(table)
        chosen = self._pipeline.columns
        self._layout = bind(table, columns, cursor=cursor.column, key=cursor.key or (), shape=shape, chosen=chosen)
        self._memory.hold_to({"data": self._data})
        return self._memory.watermark()

    def _report(self, opened: Opened, rejects: Rejects, watermark: Watermark, began: float) -> Report:
        expected = self._warehouse.count(self._layout.extract, opened.window, opened.progress.after)
        if self._order.limit is not None:
            expected = min(expected, max(0, self._order.limit - opened.progress.totals.read))
        most = self._pipeline.errors.max_rows
        if most is not None and expected + opened.progress.totals.read > most:
            raise LimitExceededError(
                f"The window has {expected:,} rows to read, more than errors.max_rows = {most:,} allows. Nothing was sent. "
                "Raise max_rows, or move the rows in parts: run with a limit."
            )
        settled = opened.progress.totals.read
        log.info(
            "Window %s of %s: %s rows to read%s.",
            opened.window,
            self._pipeline.source.name,
            f"{expected:,}",
            f", {settled:,} were settled by earlier tries" if settled else "",
        )
        progress, traffic = self._deliver(opened, rejects, expected)
        after = self._close(watermark, opened, progress.tail)
        return Report(
            self._pipeline.id,
            self._id,
            opened.window,
            watermark,
            after,
            progress.totals,
            traffic,
            progress.tail.nulls if opened.window.nulls else opened.nulls,
            time.monotonic() - began,
            str(self._rejects_folder) if progress.totals.rejected else "",
        )

    def _close(self, watermark: Watermark, opened: Opened, tail: Tail) -> Watermark:
        return self._boundary.close(watermark, opened.window, tail, nulls=opened.nulls, run=self._id)

    def stop(self) -> None:
        """Let what is in flight finish and end; from any thread or signal handler."""
        self._stopped = True
        if self._run is not None:
            self._run.stop()

    def _open(self, watermark: Watermark) -> Opened:
        """Open a new window and keep it before the first row is read, so that a retry sees the same one."""
        opened = replace(self._window(watermark), parts=parts_in(self._rejects_folder))
        self._memory.save(opened)
        return opened

    def _window(self, watermark: Watermark) -> Opened:
        survey = self._warehouse.survey(self._layout.extract, watermark.at)
        begin = Watermark() if self._order.mode == FULL else watermark
        window = self._boundary.open(begin, now=survey.now, at=survey.at, nulls=survey.nulls, latest=survey.latest)
        if survey.nulls and not window.nulls:
            log.warning("%s rows have no cursor value; earlier runs rejected them, no run can send them.", f"{survey.nulls:,}")
        if survey.latest is not None and survey.latest > window.upper:
            log.warning("Some rows are stamped later than this window's end (%s); they wait for a later run.", window)
        return Opened(window, watermark, survey.nulls)

    def _parts(self) -> Parts:
        tick = self._warehouse.tick_of(self._layout.extract)
        parts = braze_parts(self._pipeline, self._endpoint, self._layout.roles, tick)
        return replace(parts, encoder=mapped(parts.encoder, self._pipeline.columns, self._layout, started=self._started))

    def _deliver(self, opened: Opened, rejects: Rejects, expected: int) -> tuple[Progress, Traffic]:
        boundary = self._boundary
        parts = self._parts()
        plan = replace(parts.plan, expected=expected)
        names = [column.name for column in self._layout.extract.values]
        seen = {} if self._order.mode == FULL else opened.watermark.seen
        digests = Digests(names, seen) if boundary.rule is Rule.DEDUP else None
        ledger = Ledger(opened.progress, lookback=boundary.lookback, remember=boundary.remember)
        source = Source(self._warehouse, self._layout.extract, opened.window, opened.progress, self._order.limit)
        sent = self._sent(opened)
        reader = Reader(source, parts.encoder, digests, sent)

        def save(done: Progress, count: int) -> None:
            self._memory.save(replace(opened, progress=done, parts=count))

        self._run = Run(reader, parts.sink, ledger, rejects, plan, save)
        if self._stopped:
            self._run.stop()
        try:
            outcome = self._run()
            if sent is not None:
                sent.commit()
            return outcome
        finally:
            for closable in (parts.encoder, digests, sent):
                if closable is not None:
                    closable.close()

    def _sent(self, opened: Opened) -> Sent | None:
        """What was sent, if rows that equal it are skipped; if not, what is known of it would grow old, and is dropped."""
        repeats, destination = KINDS[self._data].repeats, self._pipeline.destination
        if not self._pipeline.cursor.skip_unchanged or repeats is None:
            drop(self._sent_folder)
            return None
        to = {"url": self._endpoint.url, **destination.model_dump(mode="json", include={"connection", "data", "catalog"})}
        skipping = self._order.mode == INCREMENTAL
        after, binding = opened.progress.after, json.dumps(to, sort_keys=True)
        return Sent(self._sent_folder, Fingerprints(repeats), self._id, after, binding=binding, skipping=skipping)

    def _commit(self, report: Report) -> None:
        """First the journal, then the asset state; a crash between the two is mended by the next run."""
        self._memory.guard()
        move = Move(self._memory.held, report.after)
        self._journal.write(move, report.to_json(), started=self._started, ended=now(), **self._about())
        self._memory.commit(report.after)
        totals = report.totals
        log.info(
            "Done: read %s = sent %s + rejected %s + skipped %s in %.1f s, %s requests. Watermark %s.",
            *(f"{count:,}" for count in (totals.read, totals.sent, totals.rejected, totals.skipped)),
            report.seconds,
            f"{report.traffic.requests:,}",
            report.after,
        )


def _tag(context: Context) -> dict[str, str]:
    """Who runs, for the warehouse's query history."""
    task = context["ti"]
    return {"dag": str(getattr(task, "dag_id", "")), "task": str(getattr(task, "task_id", "")), "run": str(context["run_id"])}


def _tell(rejects: Rejects) -> None:
    """Say in the log what this try rejected and where it lies."""
    for code, count in sorted(rejects.counts.items(), key=lambda item: -item[1]):
        log.warning("Rejected %s × %s: %s", f"{count:,}", code, rejects.samples[code])
    if rejects.counts:
        log.warning("The rejected rows are kept in %s", rejects.folder)


def _boundary(pipeline: Pipeline) -> Boundary:
    cursor = pipeline.cursor
    return Boundary(
        Rule(cursor.rule),
        cursor.lookback.milliseconds * 1_000_000,
        cursor.settle.milliseconds * 1_000_000,
        Future(cursor.future),
        cursor.remember,
    )
