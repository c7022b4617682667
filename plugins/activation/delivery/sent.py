"""Leaves out rows whose item equals the last one that was sent about the same thing, without asking the destination.

An item counts as sent only after the destination has taken it; where that is not certain, nothing is known and the next item is
sent. So it goes in this order:

1. Before the items of a chunk are given to the sender, their hashes go to a numbered log file. From then on nothing is known of
   their users.
2. Items that the destination refuses are written to the log as forgotten, before the progress says that their rows are settled.
3. When every row of the window is settled, the log becomes the new state of the store, and then the watermark moves.

A log that an earlier try or run has left behind tells what may have been sent. Of a try of the same run, the files whose rows the
progress knows as settled count as sent; all other files count as forgotten.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import count
from typing import Any

import numpy as np
import numpy.typing as npt

from activation.cursor.window import Position
from activation.delivery.folder import Folder, listed
from activation.delivery.sent_files import Entries, read, write
from activation.delivery.sent_store import MANIFEST, SHARDS, SentStore
from activation.delivery.units import Unit
from activation.errors import TransientError
from activation.records.encoded import Encoded
from activation.records.fingerprints import Fingerprinting, Numbers, hashing

log = logging.getLogger(__name__)

LOG = "log"


class Sent:
    """What a pipeline has sent, for one try of a run.

    :param folder: keeps it; nothing else may write there.
    :param prints: knows the items again; closed with this object.
    :param run: the run's id.
    :param settled: the place up to which earlier tries of the run have settled every row; ``None``: none.
    :param binding: the destination, as a text. What was sent to another one does not count.
    :param skipping: whether rows are left out; if not, everything is sent, and remembered all the same.
    :raises TransientError: from here and from every method, if the folder cannot be read or written.
    """

    def __init__(
        self, folder: Folder, prints: Fingerprinting, run: str, settled: Position | None, *, binding: str, skipping: bool = True
    ) -> None:
        self._folder, self._prints, self._run, self._skipping = folder, prints, run, skipping
        with told(folder):
            self._store = SentStore(folder, f"{binding} {hashing()}")
            self._numbers = count(1 + self._adopt(settled))

    def pass_on(self, encoded: Encoded, last: Position) -> tuple[Encoded, npt.NDArray[np.int64]]:
        """Take out the items that need not be sent, and write down the others; they may then be sent.

        :param last: the place of the last row of their batch.
        :returns: what is left to send, and the rows that were left out.
        """
        prints = self._prints.of(encoded)
        entries = Entries(encoded.subjects, prints.upper, prints.lower)
        order = np.argsort(entries.key, kind="stable")
        ordered = entries.take(order)
        with told(self._folder):
            skipped = np.zeros(len(entries), np.bool_)
            if self._skipping and len(entries):
                same = self._store.known(ordered.key, ordered.upper, ordered.lower) & ~prints.always[order]
                skipped[order] = _unbroken(ordered.key, same)
            sent = np.flatnonzero(~skipped)
            if len(sent):
                noted = entries.take(sent)
                if not prints.lasting:
                    always = prints.always[sent]
                    noted.upper[always] = noted.lower[always] = 0
                self._note(noted, at=last.to_json())
                self._doubt(noted)
        if not skipped.any():
            return encoded, np.empty(0, np.int64)
        return replace(encoded.take(sent), rejected=encoded.rejected), encoded.rows[skipped]

    def settle(self, units: Iterable[Unit]) -> None:
        """Forget the items that the destination has refused.

        :param units: units that are settled, with their rejects.
        """
        refused = [_refused(unit) for unit in units]
        key = np.concatenate(refused) if refused else np.empty(0, np.uint64)
        if len(key):
            with told(self._folder):
                self._note(Entries(key, key, key).forgotten())

    def commit(self) -> None:
        """Remember what was sent; every row of the window must be settled. A second call does nothing."""
        with told(self._folder):
            files = listed(self._folder / LOG)
            if not files:
                return
            self._store.apply(read(file)[0] for file in files)
            for file in files:
                file.unlink()

    def close(self) -> None:
        """Free the memory and the files."""
        self._prints.close()
        self._store.close()

    def _adopt(self, settled: Position | None) -> int:
        """Take over the log of earlier tries and runs; gives the number of its last file."""
        number = 0
        for file in listed(self._folder / LOG):
            name = file.name.removesuffix(".arrow")
            if not name.isdecimal():
                file.unlink()  # a crash has cut it off before it counted
                continue
            number = int(name)
            try:
                entries, about = read(file)
            except ValueError as error:
                log.warning(
                    "%s cannot be read (%s): nothing is known of what was sent, and every row is sent once more.", file, error
                )
                drop(self._folder)
                self._store.forget()
                return 0
            self._doubt(entries)
            if about["at"] is not None and (about["run"] != self._run or not _reached(about["at"], settled)):
                # For good: later on the progress may pass a row that was in this file and has left the window meanwhile.
                write(self._folder / LOG, file.name, entries.forgotten(), {"run": self._run, "at": None})
        return number

    def _doubt(self, entries: Entries) -> None:
        if self._skipping:
            self._store.doubt(np.unique(entries.key))

    def _note(self, entries: Entries, *, at: Any = None) -> None:
        place = self._folder / LOG
        place.mkdir(parents=True, exist_ok=True)
        write(place, f"{next(self._numbers):08d}.arrow", entries, {"run": self._run, "at": at})


def drop(folder: Folder) -> None:
    """Forget everything that was sent.

    :raises TransientError: if it cannot be removed.
    """
    with told(folder):
        if folder.is_dir():
            for file in (folder / MANIFEST, *listed(folder / SHARDS), *listed(folder / LOG)):
                if file.exists():
                    file.unlink()


def _unbroken(key: Numbers, same: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Which items are the same as the stored one, as are all items of their user before them.

    :param key: sorted; equal keys stand in the order of their rows.
    """
    others = np.cumsum(~same)
    starts = np.append(True, key[1:] != key[:-1])
    before = np.append(0, others[:-1])[np.flatnonzero(starts)][np.cumsum(starts) - 1]
    unbroken: npt.NDArray[np.bool_] = others == before
    return unbroken


def _refused(unit: Unit) -> Numbers:
    """The keys of the items that the destination has refused; rows that the rules rejected were never sent."""
    encoded = unit.chunk.encoded
    rows = np.array([one.row for one in unit.rejected], np.int64)
    return encoded.subjects[np.isin(encoded.rows, rows)]


def _reached(at: Any, settled: Position | None) -> bool:
    return at is not None and settled is not None and Position.from_json(at).order <= settled.order


@contextmanager
def told(folder: Folder) -> Iterator[None]:
    """Tell what goes wrong in a folder.

    :raises TransientError: instead of the error.
    """
    try:
        yield
    except (OSError, ValueError) as error:
        raise TransientError(f"What was sent last could not be kept in {folder}: {error}") from error
