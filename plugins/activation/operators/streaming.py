"""One try of a stream: the profiles that changed since the last run, into a Kinesis data stream."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property
from typing import Any

import pyarrow as pa

from activation.cursor.progress import Tail
from activation.cursor.timestamps import from_text
from activation.cursor.watermark import Watermark
from activation.cursor.window import Window
from activation.delivery.audiences import MappedAudiences
from activation.delivery.reader import Reader, Source
from activation.delivery.report import Report
from activation.delivery.sent import Sent
from activation.destinations.kinesis.encoder import ProfileEncoder
from activation.destinations.kinesis.sink import KinesisSink
from activation.errors import ConfigurationError, StoppedError
from activation.hooks.connections import HOOKS
from activation.operators.kinesis_parts import check_stream, encoder_of, message_rules, plan_of, sending_of, tell_soft_limits
from activation.operators.memory import Opened
from activation.operators.movement import Course, Movement
from activation.operators.orders import FULL, INCREMENTAL
from activation.operators.retention import thin_out
from activation.operators.ways import stream_hook
from activation.records.fingerprints import MarkedPrints
from activation.records.profile_layout import Related, Wanted, bind_profiles
from activation.records.profiles.assembler import Assembler
from activation.records.profiles.rows import EXTRACT, ProfileRows
from activation.records.profiles.rules import Reading
from activation.spec import KinesisDestination
from activation.warehouses.base import Relation
from activation.warehouses.profiles import audiences_of

log = logging.getLogger(__name__)

_BLINK = 0.2
"""Seconds between two looks whether the task is to stop."""


class Stream(Movement):
    """One try of a pipeline whose destination is Kinesis."""

    @property
    def _to(self) -> KinesisDestination:
        to = self._pipeline.destination
        assert isinstance(to, KinesisDestination)  # noqa: S101 - the operator takes no other
        return to

    def __call__(self) -> Report:
        """Move the window; see :meth:`Movement.__call__`. So many runs follow each other that their records are counted too."""
        report = super().__call__()
        if not self._quiet:
            thin_out(self._journal)
        return report

    def _connect(self) -> None:
        tell_soft_limits(self._pipeline)
        hook = stream_hook(self._to)
        self._stream = hook.stream()
        check_stream(hook.access(), self._to)
        self._most_bytes = int(self._to.records.max_bytes or hook.max_record_bytes())
        self._audiences = MappedAudiences(self._folder, self._to.audiences, from_text(self._started) // 1_000_000)
        self._sink: KinesisSink | None = None
        self._counted: tuple[Window, int] | None = None
        self._quiet = False

    def _bind(self, table: Relation) -> Watermark:
        changes, source = self._to.changes, self._pipeline.source
        related = Related(**source.related_parts())
        fields = {path: field.columns for path, field in self._pipeline.columns.fields.items()}
        mode = changes.attributes or ("content" if related.writes is None else "writes")
        wanted = Wanted(self._to.audiences, fields, mode, self._pipeline.cursor.column)
        fresh = self._audiences.fresh if changes.backfill else ()
        if self._order.mode == FULL:
            fresh = tuple(self._to.audiences)
        self._read = replace(bind_profiles(self._warehouse, table, related, wanted), fresh=fresh)
        self._memory.hold_to({"stream": self._stream.arn})
        return self._memory.watermark()

    def _window(self, watermark: Watermark) -> Opened:
        """What changed since the watermark; waits for a change as long as the pipeline says."""
        # A pipeline that begins, or maps an audience anew, counts from now on: what happens meanwhile must not be passed over.
        waits = self._order.mode == INCREMENTAL and watermark.at is not None and not self._audiences.fresh
        changes = self._to.changes
        until = time.monotonic() + (changes.wait.seconds if waits else 0.0)
        while True:
            window = self._next(watermark)
            changed = self._warehouse.count_changes(self._read, window)
            if changed or time.monotonic() >= until:
                self._counted = window, changed
                return Opened(window, watermark, 0)
            self._rest(min(changes.poll.seconds, max(0.0, until - time.monotonic())))

    def _next(self, watermark: Watermark) -> Window:
        cursor = self._pipeline.cursor
        upper = max(self._warehouse.clock() - cursor.settle.milliseconds * 1_000_000, watermark.at or 0)
        if watermark.at is not None:
            return Window(watermark.at - cursor.lookback.milliseconds * 1_000_000, False, upper, False)
        return Window(None if self._to.changes.backfill or self._order.mode == FULL else upper, False, upper, False)

    def _rest(self, seconds: float) -> None:
        """Wait for the next look; a file that nobody can write while it is open is let go meanwhile."""
        exclusive = HOOKS[self._pipeline.source.type].exclusive
        if exclusive:
            self._warehouse.close()
        self._sleep(seconds)
        if exclusive:
            self._warehouse, _ = self._source()

    def _sleep(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            if self._stopped:
                raise StoppedError("The task was asked to stop while it was waiting for changes.")
            time.sleep(min(_BLINK, left))

    def _expected(self, opened: Opened) -> int:
        window, after = opened.window, opened.progress.after
        if after is None and self._counted is not None and self._counted[0] == window:
            expected = self._counted[1]
        else:
            expected = self._warehouse.count_changes(self._read, window, after.key[0] if after else "")
        self._quiet = not expected and not opened.progress.totals.read and not self._audiences.fresh
        return expected

    @cached_property
    def _known(self) -> pa.Table:
        """The audiences of the warehouse, and since when the pipeline maps them.

        :raises ConfigurationError: if a mapped one is not there.
        """
        table, times = audiences_of(self._warehouse, self._read), self._audiences.times
        ids = table["id"].to_pylist()
        if missing := [one for one in times if one not in set(ids)]:
            raise ConfigurationError(
                f"The table of audiences has no audience {missing[0]}, which destination.audiences maps.",
                "Correct the id, or add the audience to the table.",
            )
        created = [times[one].created if one in times else None for one in ids]
        updated = [times[one].updated if one in times else None for one in ids]
        table = table.append_column("mapped", pa.array([one in times for one in ids], pa.bool_()))
        table = table.append_column("mapping_created", pa.array(created, pa.int64()))
        return table.append_column("mapping_updated", pa.array(updated, pa.int64()))

    def _rows(self, window: Window) -> ProfileRows:
        """The changed profiles; the assembler is to be closed."""
        reading = replace(Reading.of(self._read, window), fresh=self._audiences.fresh)
        assembler = Assembler(reading, self._known, message_rules(self._to))
        return ProfileRows(self._warehouse, self._read, assembler)

    def _encoder(self) -> ProfileEncoder:
        return encoder_of(self._pipeline, self._read, self._started, self._most_bytes)

    def _course(self, opened: Opened) -> Course:
        rows, encoder = self._rows(opened.window), self._encoder()
        sent = Sent(
            self._sent_folder,
            MarkedPrints(),
            self._id,
            opened.progress.after,
            binding=f"{self._stream.arn} {self._read.mode}",
            skipping=self._order.mode == INCREMENTAL and not self._audiences.again.intersection(self._read.fresh),
        )
        self._sink = KinesisSink(self._stream, sending_of(self._pipeline), in_flight=self._pipeline.delivery.in_flight)
        reader = Reader(Source(rows, EXTRACT, opened.window, opened.progress), encoder, None, sent)
        return Course(reader, self._sink, plan_of(self._pipeline), sent, {}, (encoder, rows.assembler))

    def _close(self, watermark: Watermark, opened: Opened, tail: Tail) -> Watermark:
        return watermark if self._quiet else Watermark(opened.window.upper, run=self._id)

    def _more(self) -> Mapping[str, Any]:
        assert self._sink is not None  # noqa: S101 - it has sent what is reported
        latency, counters = self._sink.latency, self._sink.counters
        seconds = {"p50": latency.p50, "p95": latency.p95, "max": latency.longest if latency.count else None}
        told = {name: None if value is None else round(value, 3) for name, value in seconds.items()}
        return {
            "latency": {**told, "records": latency.count},
            "records": {"throttled": counters.throttled, "failed": counters.failed, "resent": counters.resent},
        }

    def _commit(self, report: Report) -> None:
        """A run that found nothing leaves no trace: the next one looks from the same watermark on."""
        if self._quiet:
            self._memory.forget()
            self._journal.drop(self._id, self._started)
            log.info("Nothing changed in the window %s.", report.window)
            return
        self._audiences.commit()
        super()._commit(report)
