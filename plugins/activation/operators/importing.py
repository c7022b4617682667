"""One try of an import: the rows of a table that changed since the last run, into Braze."""

from __future__ import annotations

import json
import logging
from dataclasses import replace

from activation.cursor.boundary import Boundary, Future, Rule
from activation.cursor.progress import Tail
from activation.cursor.watermark import Watermark
from activation.delivery.reader import Reader, Source
from activation.delivery.sent import Sent, drop
from activation.destinations.braze.kinds import KINDS
from activation.hooks.braze import BrazeHook
from activation.operators.braze_parts import Parts, braze_parts
from activation.operators.memory import Opened
from activation.operators.movement import Course, Movement
from activation.operators.orders import FULL, INCREMENTAL
from activation.records.digests import Digests
from activation.records.fingerprints import Fingerprints
from activation.records.layout import bind
from activation.records.mapping import mapped
from activation.spec import BrazeDestination, Pipeline
from activation.warehouses.base import Relation

log = logging.getLogger(__name__)


class Import(Movement):
    """One try of a pipeline whose destination is Braze."""

    def _connect(self) -> None:
        self._endpoint = BrazeHook(self._pipeline.destination.connection).get_conn()
        self._boundary = boundary_of(self._pipeline)

    @property
    def _data(self) -> str:
        to = self._pipeline.destination
        assert isinstance(to, BrazeDestination)  # noqa: S101 - the operator takes no other
        return to.data

    def _bind(self, table: Relation) -> Watermark:
        self._lay_out(table)
        self._memory.hold_to({"data": self._data})
        return self._memory.watermark()

    def _lay_out(self, table: Relation) -> None:
        """Find the columns."""
        cursor = self._pipeline.cursor
        shape, columns = KINDS[self._data].shape, self._warehouse.columns(table)
        chosen = self._pipeline.columns
        self._layout = bind(table, columns, cursor=cursor.column, key=cursor.key or (), shape=shape, chosen=chosen)

    def _window(self, watermark: Watermark) -> Opened:
        survey = self._warehouse.survey(self._layout.extract, watermark.at)
        begin = Watermark() if self._order.mode == FULL else watermark
        window = self._boundary.open(begin, now=survey.now, at=survey.at, nulls=survey.nulls, latest=survey.latest)
        if survey.nulls and not window.nulls:
            log.warning("%s rows have no cursor value; earlier runs rejected them, no run can send them.", f"{survey.nulls:,}")
        if survey.latest is not None and survey.latest > window.upper:
            log.warning("Some rows are stamped later than this window's end (%s); they wait for a later run.", window)
        return Opened(window, watermark, survey.nulls)

    def _expected(self, opened: Opened) -> int:
        left = self._warehouse.count(self._layout.extract, opened.window, opened.progress.after)
        limit = self._order.limit
        return left if limit is None else min(left, max(0, limit - opened.progress.totals.read))

    def _close(self, watermark: Watermark, opened: Opened, tail: Tail) -> Watermark:
        return self._boundary.close(watermark, opened.window, tail, nulls=opened.nulls, run=self._id)

    def _parts(self) -> Parts:
        tick = self._warehouse.tick_of(self._layout.extract)
        parts = braze_parts(self._pipeline, self._endpoint, self._layout.roles, tick)
        return replace(parts, encoder=mapped(parts.encoder, self._pipeline.columns, self._layout, started=self._started))

    def _course(self, opened: Opened) -> Course:
        boundary, parts = self._boundary, self._parts()
        names = [column.name for column in self._layout.extract.values]
        seen = {} if self._order.mode == FULL else opened.watermark.seen
        digests = Digests(names, seen) if boundary.rule is Rule.DEDUP else None
        source = Source(self._warehouse, self._layout.extract, opened.window, opened.progress, self._order.limit)
        sent = self._sent(opened)
        return Course(
            Reader(source, parts.encoder, digests, sent),
            parts.sink,
            parts.plan,
            sent,
            {"lookback": boundary.lookback, "remember": boundary.remember},
            (parts.encoder, digests),
        )

    @property
    def _skips(self) -> bool:
        """Whether rows are left out that equal what was sent last."""
        return self._pipeline.cursor.skip_unchanged and KINDS[self._data].repeats is not None

    def _sent(self, opened: Opened) -> Sent | None:
        """What was sent, if rows that equal it are skipped; if not, what is known of it would grow old, and is dropped."""
        repeats, destination = KINDS[self._data].repeats, self._pipeline.destination
        if repeats is None or not self._skips:
            drop(self._sent_folder)
            return None
        to = {"url": self._endpoint.url, **destination.model_dump(mode="json", include={"connection", "data", "catalog"})}
        skipping = self._order.mode == INCREMENTAL
        after, binding = opened.progress.after, json.dumps(to, sort_keys=True)
        return Sent(self._sent_folder, Fingerprints(repeats), self._id, after, binding=binding, skipping=skipping)


def boundary_of(pipeline: Pipeline) -> Boundary:
    """What the block ``cursor`` says about windows."""
    cursor = pipeline.cursor
    return Boundary(
        Rule(cursor.rule),
        cursor.lookback.milliseconds * 1_000_000,
        cursor.settle.milliseconds * 1_000_000,
        Future(cursor.future),
        cursor.remember,
    )
