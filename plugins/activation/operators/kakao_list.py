"""From a table of the warehouse to a clean list of advertising ids on the worker's disk, and to the files that it becomes."""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa

from activation.delivery.report import by_reason
from activation.delivery.report import share as percent
from activation.errors import FatalError, LimitExceededError, StoppedError
from activation.operators.source import opened, relation_of
from activation.records.advertising_ids import INVALID, MISSING, Cleaned, IdRules, clean, id_column
from activation.spec import KakaoDestination, Pipeline
from activation.warehouses.base import Column, Relation, Warehouse, named

log = logging.getLogger(__name__)

OVER_LIMIT = "over_limit"
"""Reason for ids that did not fit into the one file, where only the first ones are sent."""

_SHARED_ROWS = 1_000
"""Rows from which on the share of rejects counts (errors.max_reject_share)."""

_BATCH_ROWS = 16_384
"""Rows of a batch: enough to be quick, few enough that what the cleaning makes of them takes little memory."""

_TOLD_SECONDS = 10.0
_SAMPLES = 3

Batches = Iterable[pa.RecordBatch]


@dataclass(frozen=True, slots=True)
class Counts:
    """How the rows of a list ended: ``read = sent + rejected + skipped``.

    :ivar reasons: reason -> rejected rows.
    :ivar skips: reason -> skipped rows.
    """

    read: int
    sent: int
    reasons: Mapping[str, int]
    skips: Mapping[str, int]

    @property
    def rows(self) -> dict[str, int]:
        """The rows by their end.

        :raises FatalError: if they are not as many as were read.
        """
        rejected, skipped = sum(self.reasons.values()), sum(self.skips.values())
        if self.read != self.sent + rejected + skipped:
            raise FatalError(
                f"The books do not balance: {self.read} rows were read, {self.sent} ids sent + {rejected} rejected + "
                f"{skipped} skipped. Please report it."
            )
        return {"read": self.read, "sent": self.sent, "rejected": rejected, "skipped": skipped}

    @classmethod
    def of(cls, cleaned: Cleaned, sent: int, to: KakaoDestination) -> Counts:
        """The ends of the rows of a list of which so many ids are sent."""
        counts = Counter({reason: count for reason, count in cleaned.counts.items() if count})
        kept = (MISSING, INVALID) if to.ids.on_invalid == "reject" else ()
        reasons = {reason: counts.pop(reason) for reason in kept if reason in counts}
        if left := cleaned.ids - sent:
            counts[OVER_LIMIT] = left
        return cls(cleaned.read, sent, reasons, dict(counts))


@dataclass
class Listing:
    """Reads and cleans the list of a pipeline.

    :ivar tag: who runs the statement, for the warehouse's query history.
    :ivar also: names of further columns that are read.
    """

    pipeline: Pipeline
    tag: Mapping[str, str]
    also: tuple[str, ...] = ()
    _warehouse: Warehouse | None = field(default=None, init=False)
    _stopped: bool = field(default=False, init=False)

    @property
    def _to(self) -> KakaoDestination:
        to = self.pipeline.destination
        assert isinstance(to, KakaoDestination)  # noqa: S101 - the operator takes no other
        return to

    def __call__(self, place: Path, around: Callable[[Batches, tuple[Column, ...]], Batches] | None = None) -> Cleaned:
        """Read everything.

        :param place: a folder for the list's files.
        :param around: sees the batches and their columns, the ids' one first, on their way to the cleaning.
        :raises ConfigurationError: if the table, a column or a right is missing, or the column is no text.
        :raises LimitExceededError: if the table has more rows than errors.max_rows; nothing was read then.
        """
        relation = relation_of(self.pipeline.source)
        self._warehouse = opened(self.pipeline.source, self.tag)
        with closing(self._warehouse) as warehouse:
            columns = self._columns(relation, warehouse.columns(relation))
            expected = self._expected(warehouse, relation)
            batches: Batches = warehouse.scan(relation, columns, rows=_BATCH_ROWS)
            if around is not None:
                batches = around(batches, columns)
            return clean(batches, columns[0].name, IdRules(self._to.ids.case), place, self._progress(expected))

    def stop(self) -> None:
        """End the reading; from any thread or signal handler."""
        self._stopped = True
        if self._warehouse is not None:
            self._warehouse.cancel()

    def _columns(self, relation: Relation, there: tuple[Column, ...]) -> tuple[Column, ...]:
        from activation.records.layout import column_named

        name = named(relation)
        first = id_column(there, self._to.ids.column, name)
        also = there if self._to.output.columns == "all" else [column_named(name, there, one) for one in self.also]
        return tuple({column.name: column for column in (first, *also)}.values())

    def _expected(self, warehouse: Warehouse, relation: Relation) -> int:
        expected, most = warehouse.count_rows(relation), self.pipeline.errors.max_rows
        if most is not None and expected > most:
            raise LimitExceededError(
                f"{named(relation)} has {expected:,} rows, more than errors.max_rows = {most:,} allows. Nothing was read. "
                "Raise max_rows, or choose fewer rows with source.query."
            )
        log.info("Reading %s rows of %s", f"{expected:,}", self.pipeline.source.name)
        return expected

    def _progress(self, expected: int) -> Callable[[int], None]:
        told = time.monotonic()

        def tell(rows: int) -> None:
            nonlocal told
            if self._stopped:
                raise StoppedError("The task was asked to stop while it was reading.")
            if time.monotonic() - told >= _TOLD_SECONDS:
                told = time.monotonic()
                log.info("%s rows (%s) read", f"{rows:,}", percent(min(rows, expected), expected))

        return tell


def check_share(counts: Counts, most: float) -> None:
    """Refuse a list of which too much is rejected.

    :param most: greatest share of rejects.
    :raises FatalError: if it is more; nothing was sent.
    """
    rows = counts.rows
    if rows["read"] >= _SHARED_ROWS and rows["rejected"] > most * rows["read"]:
        raise FatalError(
            f"{rows['rejected']:,} of {rows['read']:,} rows were rejected ({by_reason(counts.reasons)}), more than "
            f"errors.max_reject_share = {most} allows. Nothing was sent; the rejects are kept: activation rejects list. "
            "Correct destination.ids.column or the table, or write ids: {on_invalid: skip}."
        )


def check_limit(cleaned: Cleaned, limit_bytes: int, line_bytes: int, to: KakaoDestination) -> None:
    """Refuse a list that does not fit into the one file that a run may make.

    :raises LimitExceededError: if it does not.
    """
    size = cleaned.ids * line_bytes
    if to.over_limit == "stop" and size > limit_bytes:
        other = "split, which makes several files" if to.mode == "register" else "first_200mb, which leaves the rest out"
        raise LimitExceededError(
            f"The list has {cleaned.ids:,} ids, {size:,} bytes; a customer file takes {limit_bytes:,}. Nothing was sent. "
            f"Choose fewer rows with source.query, or write destination.file.when_over_limit: {other}."
        )


def samples(cleaned: Cleaned) -> dict[str, list[str]]:
    """Some rejected values of each reason, of which nothing but the first character can be told."""
    found: dict[str, list[str]] = {}
    with closing(cleaned.rejects()) as batches:
        for batch in batches:
            for value, reason in zip(
                *(batch.column(name).slice(0, 100).to_pylist() for name in ("value", "reason")), strict=True
            ):
                if value is not None and len(found.setdefault(reason, [])) < _SAMPLES:
                    found[reason].append(f"{value[0]}***" if value else "")
            break
    return found
