"""One try of a run that moves a watermark: what all of them have in common, whatever they move and whereto."""

from __future__ import annotations

import logging
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Protocol

from airflow.sdk import Asset

from activation.cursor.ledger import Ledger
from activation.cursor.progress import Progress, Tail
from activation.cursor.recovery import Move
from activation.cursor.watermark import Watermark
from activation.delivery.answer import Sink
from activation.delivery.engine import Traffic
from activation.delivery.folder import safe_name
from activation.delivery.journal import Journal
from activation.delivery.reader import Reader
from activation.delivery.rejects import PART, Origin, Rejects, parts_in
from activation.delivery.report import Report
from activation.delivery.run import Plan, Run
from activation.delivery.sent import Sent
from activation.errors import LimitExceededError
from activation.operators.memory import Memory, Opened, started, state_folder
from activation.operators.orders import Order
from activation.operators.record import now, recorded
from activation.operators.retention import tidy
from activation.operators.source import opened, relation_of, tag_of
from activation.operators.summary import summarize
from activation.spec import Pipeline
from activation.warehouses.base import Relation, Warehouse

if TYPE_CHECKING:
    from airflow.sdk import Context

log = logging.getLogger(__name__)


class Closable(Protocol):
    """Something that holds memory or files."""

    def close(self) -> None:
        """Free them."""


@dataclass(frozen=True, slots=True)
class Course:
    """How a window is moved.

    :ivar sent: what was sent last, if unchanged rows are skipped.
    :ivar keep: what the ledger keeps of the latest rows; see :class:`~activation.cursor.ledger.Ledger`.
    :ivar closing: what is closed in the end.
    """

    reader: Reader
    sink: Sink
    plan: Plan
    sent: Sent | None = None
    keep: Mapping[str, int] = field(default_factory=dict)
    closing: tuple[Closable | None, ...] = ()


class Movement(ABC):
    """One try. Everything that can be wrong with the configuration is found before the first row is read.

    :param pipeline: with rendered templates.
    :param context: Airflow's task context.
    :raises ConfigurationError: if the state folder is wrong.
    """

    def __init__(self, pipeline: Pipeline, asset: Asset, context: Context, order: Order = Order()) -> None:  # noqa: B008 - frozen
        self._pipeline, self._order = pipeline, order
        self._run: Run | None = None
        self._stopped = False
        self._id = str(context["run_id"])
        self._attempt = int(context["ti"].try_number)
        self._tag = tag_of(context)
        self._folder = state_folder(pipeline.id)
        self._journal = Journal(self._folder)
        self._sent_folder = self._folder / "sent"
        self._rejects_folder = self._folder / "rejects" / safe_name(self._id)
        self._asset_store, self._task_store = context["asset_state_store"][asset], context["task_state_store"]
        self._started = started(self._task_store, now())
        self._part = PART

    def __call__(self) -> Report:
        """Move the window, and keep the record of the run up to date.

        :raises ConfigurationError: if a connection, the table, a column or a right is missing.
        :raises ActivationError: whatever ended the try; its progress is kept, and a retry goes on behind it.
        """
        with self._recorded():
            report = self._move()
        tidy(self._journal)
        return report

    def stop(self) -> None:
        """Let what is in flight finish and end; from any thread or signal handler."""
        self._stopped = True
        if self._run is not None:
            self._run.stop()

    @abstractmethod
    def _connect(self) -> None:
        """Look at the destination's connection."""

    @abstractmethod
    def _bind(self, table: Relation) -> Watermark:
        """Find the columns; gives the watermark to start from."""

    @abstractmethod
    def _window(self, watermark: Watermark) -> Opened:
        """Decide what the run reads."""

    @abstractmethod
    def _expected(self, opened: Opened) -> int:
        """Count the rows that are left to read."""

    @abstractmethod
    def _course(self, opened: Opened) -> Course:
        """Put the parts together."""

    @abstractmethod
    def _close(self, watermark: Watermark, opened: Opened, tail: Tail) -> Watermark:
        """Where the pipeline stands once every row of the window has ended."""

    def _more(self) -> Mapping[str, Any]:
        """What the report says beside what all reports say."""
        return {}

    def _recorded(self) -> AbstractContextManager[None]:
        return recorded(self._journal, self._id, self._started, self._asset_store, **self._about())

    def _summarize(self, report: Mapping[str, Any], times: Mapping[str, str]) -> None:
        """Tell the Pipelines page how the run ended."""
        record = {"run": self._id, "status": report["status"], **times, "report": report, **self._about()}
        summarize(self._asset_store, record)

    def _about(self) -> dict[str, Any]:
        """What the record of the run says beside its status."""
        return {"mode": self._order.mode, "attempt": self._attempt}

    def _prepare(self) -> None:
        """Look at the destination's connection and at what is remembered; what is wrong there belongs into the record."""
        self._connect()
        self._memory = Memory(self._asset_store, self._task_store, self._journal.last(), self._id)

    def _move(self) -> Report:
        began = time.monotonic()
        self._prepare()
        self._warehouse, table = self._source()
        try:
            watermark = self._bind(table)
            opened = self._resume(watermark) or self._open(watermark)
            rejects = Rejects(self._rejects_folder, Origin(self._pipeline.id, self._id, self._attempt), opened.parts, self._part)
            try:
                report = self._report(opened, rejects, watermark, began)
                self._commit(report)
            finally:
                _tell(rejects)
            return report
        finally:
            self._warehouse.close()

    def _source(self) -> tuple[Warehouse, Relation]:
        """The open warehouse, and what is read from it."""
        source = self._pipeline.source
        return opened(source, self._tag), relation_of(source)

    def _resume(self, watermark: Watermark) -> Opened | None:
        """The window that an earlier try has begun."""
        return self._memory.resume(watermark)

    def _open(self, watermark: Watermark) -> Opened:
        """Open a new window and keep it before the first row is read, so that a retry sees the same one."""
        opened = replace(self._window(watermark), parts=parts_in(self._rejects_folder, self._part))
        self._memory.save(opened)
        return opened

    def _report(self, opened: Opened, rejects: Rejects, watermark: Watermark, began: float) -> Report:
        expected = self._allowed(opened)
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
            self._more(),
        )

    def _allowed(self, opened: Opened) -> int:
        """Count what is left to read.

        :raises LimitExceededError: if it is more than the pipeline allows.
        """
        expected = self._expected(opened)
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
        return expected

    def _deliver(self, opened: Opened, rejects: Rejects, expected: int) -> tuple[Progress, Traffic]:
        course = self._course(opened)
        with ExitStack() as held:
            for one in (*course.closing, course.sent):
                if one is not None:
                    held.callback(one.close)

            def save(done: Progress, count: int) -> None:
                self._memory.save(replace(opened, progress=done, parts=count))

            ledger = Ledger(opened.progress, **course.keep)
            plan = replace(course.plan, expected=expected)
            self._run = Run(course.reader, course.sink, ledger, rejects, plan, save)
            if self._stopped:
                self._run.stop()
            outcome = self._run()
            if course.sent is not None:
                course.sent.commit()
            return outcome

    def _commit(self, report: Report) -> None:
        """First the journal, then the asset state; a crash between the two is mended by the next run."""
        self._memory.guard()
        move = Move(self._memory.held, report.after)
        told, times = report.to_json(), {"started": self._started, "ended": now()}
        self._journal.write(move, told, **times, **self._about())
        self._memory.commit(report.after)
        self._summarize(told, times)
        totals = report.totals
        log.info(
            "Done: read %s = sent %s + rejected %s + skipped %s in %.1f s, %s requests. Watermark %s.",
            *(f"{count:,}" for count in (totals.read, totals.sent, totals.rejected, totals.skipped)),
            report.seconds,
            f"{report.traffic.requests:,}",
            report.after,
        )


def _tell(rejects: Rejects) -> None:
    """Say in the log what this try rejected and where it lies."""
    for code, count in sorted(rejects.counts.items(), key=lambda item: -item[1]):
        log.warning("Rejected %s × %s: %s", f"{count:,}", code, rejects.samples[code])
    if rejects.counts:
        log.warning("The rejected rows are kept in %s", rejects.folder)
