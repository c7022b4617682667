"""Cleaning a column of advertising ids: every row becomes an id, a kept reject, or a number in the report."""

from __future__ import annotations

import errno
from collections import Counter
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from activation.errors import ConfigurationError
from activation.records.advertising_ids.bridge import chosen, lengths_of, mask_of
from activation.records.advertising_ids.digits import CHARACTERS, RECORD, records_of
from activation.records.advertising_ids.parts import LINE_BYTES, PartFile, ids_of, write_part
from activation.records.advertising_ids.rules import ALL_ZERO, AROUND, DUPLICATE, INVALID, MISSING, IdRules
from activation.records.advertising_ids.spill import Spill
from activation.records.advertising_ids.threads import ahead

REJECTS = pa.schema([pa.field("value", pa.string()), pa.field("reason", pa.string())])
"""A kept reject: the text as the warehouse gave it, which may be null, and why it is no id."""

_AT_ONCE = 1 << 14
"""Rows that are looked at together; what that takes fits into a processor's cache."""

_BUFFER = 1 << 20
_FULL = (errno.ENOSPC, errno.EDQUOT)
_ROW_BYTES = 2 * RECORD.itemsize + LINE_BYTES
"""Most bytes on disk for a row that is an id."""


@dataclass(frozen=True)
class Cleaned:
    """What came of a column. Its files go when it is closed.

    :ivar read: rows.
    :ivar ids: different ids.
    :ivar counts: reason -> rows that are not among them. ``missing`` and ``not_an_advertising_id`` are kept rejects, ``all_zero``
        and ``duplicate`` are skipped; all together and ``ids`` make ``read``.
    :ivar place: the folder of its files.
    """

    read: int
    ids: int
    counts: Mapping[str, int]
    place: Path

    def parts(self, limit_bytes: int, *, most: int | None = None) -> list[PartFile]:
        """Write the part files, all full but the last. The same ids give the same bytes, in whatever order they were read.

        :param limit_bytes: most bytes of a file.
        :param most: how many files at most; the ids behind them are left out.
        :raises ConfigurationError: if an id does not fit into a file, or the disk is full.
        """
        per = ids_of(limit_bytes)
        starts = range(0, self.ids, per)[:most]

        def write(start: int) -> PartFile:
            path = self.place / f"part-{start // per + 1:05}.csv"
            return write_part(self.place / "ids", start, min(per, self.ids - start), path)

        with _disk(self.place):
            return list(ahead(write, starts))

    def rejects(self) -> Generator[pa.RecordBatch, None, None]:
        """Give the kept rejects, in the shape of :data:`REJECTS` and in the order in which they were read."""
        with pa.OSFile(str(self.place / "rejects")) as file, pa.ipc.open_stream(file) as found:
            yield from found

    def close(self) -> None:
        """Remove the files; after a second call nothing happens."""
        _remove(self.place)

    def __enter__(self) -> Cleaned:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()


def clean(
    batches: Iterable[pa.RecordBatch],
    column: str,
    rules: IdRules,
    place: Path,
    progress: Callable[[int], None] | None = None,
) -> Cleaned:
    """Read a column to its end and keep its different ids on disk. Memory does not grow with the rows.

    :param batches: with the column as ``string``; a generator is closed in the end.
    :param place: a folder for the files, for this call alone; is made.
    :param progress: is told the rows so far after each batch; what it raises ends the reading.
    :raises ConfigurationError: if the column is no text, or the disk is full.
    """
    place.mkdir(parents=True, exist_ok=True)
    try:
        with _disk(place), Spill(place / "spill") as spill:
            cleaning = _Cleaning(column, rules, spill)
            with pa.OSFile(str(place / "rejects"), "wb") as file, pa.ipc.new_stream(file, REJECTS) as rejects:
                for batch in batches:
                    for rejected in cleaning.batch(batch):
                        rejects.write_batch(rejected)
                    if progress is not None:
                        progress(cleaning.read)
            return cleaning.done(_distinct(spill, place / "ids"), place)
    except BaseException:
        _remove(place)
        raise
    finally:
        if isinstance(batches, Generator):
            batches.close()


def _remove(place: Path) -> None:
    for file in (place / "ids", place / "rejects", *place.glob("part-*.csv")):
        file.unlink(missing_ok=True)


def _distinct(spill: Spill, path: Path) -> int:
    """Write the different ids into a file, and count them."""
    count = 0
    with path.open("wb", buffering=_BUFFER) as file:
        for share in spill.shares():
            file.write(share.view(np.uint8).data)
            count += len(share)
    return count


class _Cleaning:
    """Sorts the rows of batches into ids and rejects, and counts."""

    def __init__(self, column: str, rules: IdRules, spill: Spill) -> None:
        self._column, self._rules, self._spill = column, rules, spill
        self._counts = Counter(dict.fromkeys((MISSING, INVALID, ALL_ZERO, DUPLICATE), 0))
        self.read = self._kept = 0

    def batch(self, batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
        """Hand the ids of a batch over, and give its rejects."""
        texts = batch.column(self._column)
        if texts.type != pa.string():
            raise ConfigurationError(
                f"The column {self._column} came as {texts.type}; advertising ids are read from texts only.",
                f"Cast it in a query: SELECT CAST({self._column} AS VARCHAR) AS {self._column} FROM ….",
            )
        self.read += len(texts)
        for start in range(0, len(texts), _AT_ONCE):
            piece = texts.slice(start, _AT_ONCE)
            found = self._take(piece)
            if not found.all():
                yield from self._trimmed(piece.filter(mask_of(~found)))

    def done(self, ids: int, place: Path) -> Cleaned:
        """The counts, once it is known how many different ids there are."""
        self._counts[DUPLICATE] = self._kept - ids
        return Cleaned(self.read, ids, dict(self._counts), place)

    def _trimmed(self, texts: pa.StringArray) -> Iterator[pa.RecordBatch]:
        """Look once more at what is no id as it stands, without what is around it."""
        bare = pc.utf8_trim(texts, characters=AROUND)
        found = self._take(bare)
        if found.all():
            return
        wrong = mask_of(~found)
        empty = lengths_of(bare.filter(wrong)) == 0
        missing = int(np.count_nonzero(empty))
        self._counts[MISSING] += missing
        self._counts[INVALID] += len(empty) - missing
        yield pa.RecordBatch.from_arrays([texts.filter(wrong), chosen(empty, INVALID, MISSING)], schema=REJECTS)

    def _take(self, texts: pa.StringArray) -> npt.NDArray[np.bool_]:
        """Hand over what is an id as it stands; says which of the texts are one, those of zeros among them."""
        found: npt.NDArray[np.bool_] = lengths_of(texts) == CHARACTERS
        records, right = records_of(texts if found.all() else texts.filter(mask_of(found)), self._rules.case)
        found[found] = right
        some = (records["high"] | records["low"]) != 0
        kept = int(np.count_nonzero(some))
        self._counts[ALL_ZERO] += len(records) - kept
        self._kept += kept
        self._spill.add(records if kept == len(records) else np.take(records, np.flatnonzero(some)))
        return found


@contextmanager
def _disk(place: Path) -> Iterator[None]:
    """Tell a full disk from other faults."""
    try:
        yield
    except OSError as error:
        if error.errno not in _FULL:
            raise
        raise ConfigurationError(
            f"The disk of {place} is full: the advertising ids do not fit there.",
            f"Give it {_ROW_BYTES} bytes for each row, or let the worker's temporary files go to a larger disk (TMPDIR).",
        ) from None
