"""Puts the rows of a profile, which come from several tables, together to one row: joins and texts in bulk."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from activation.errors import ConfigurationError
from activation.records.arrays import to_arrow, to_numpy
from activation.records.profiles.audiences import known_audiences
from activation.records.profiles.blocks import blocks, numbered
from activation.records.profiles.gathered import NEVER, Gathered, Numbers, bools, numbers, single, texts, without
from activation.records.profiles.identities import IdentityRows, IdentityWriter
from activation.records.profiles.joining import Quotes
from activation.records.profiles.memberships import MembershipRows, MembershipWriter
from activation.records.profiles.rules import INDEX, MessageRules, Reading
from activation.warehouses.base import CURSOR
from activation.warehouses.profiles import IDENTITY, IDENTITY_VALUES, MEMBERSHIP, PROFILE, WRITE

ROWS = 16_384
"""Most rows of a batch that the assembler gives."""

ID = "profile_id"

MADE = (
    "segment_membership",
    "identity_map",
    "audience_state",
    "realized",
    "written",
    "primary_identity",
    "changed_at",
    "broken",
)
"""The columns behind the attributes."""


@dataclass(frozen=True, slots=True)
class _Rows:
    """Rows of one kind.

    :ivar block: the columns of all rows.
    :ivar places: of these rows among them.
    :ivar number: of each row's profile.
    :ivar moment: UPDATED_AT of each row in microseconds since the epoch, where it lies in the window, else :data:`NEVER`.
    """

    block: Mapping[str, pa.Array]
    places: pa.Array
    number: Numbers
    moment: Numbers

    def column(self, name: str) -> pa.Array:
        """The values of these rows."""
        return self.block[name].take(self.places)


class Assembler:
    """Gives one row a profile, for the profiles about which there is news.

    That is: a mapped audience has the profile now, or the profile has left one in the window. An unknown status in a mapped
    audience is news too, so that it is seen among the rejects. A profile without a row of its own has no attributes.

    :param audiences: as :func:`~activation.records.profiles.audiences.known_audiences` takes them.
    :raises ConfigurationError: if the audiences or the attribute columns are not as the messages need them.
    """

    def __init__(self, reading: Reading, audiences: pa.Table, rules: MessageRules) -> None:
        self._reading = reading
        # The id is there anyway, and a pipeline may well map it.
        self._attributes = {column.name: f"c{index}" for index, column in enumerate(reading.attributes) if column.name != ID}
        if taken := sorted({CURSOR, *MADE} & {*self._attributes}):
            raise ConfigurationError(
                f"The table of profiles has a mapped column {taken[0]}, but the name is taken.",
                "Read from a view that gives it another name.",
            )
        known = known_audiences(audiences, reading.fresh, rules)
        self._quotes = Quotes()
        self._membership_writer = MembershipWriter(known, rules, reading, self._quotes)
        self._identity_writer = IdentityWriter(rules, self._quotes)

    def batches(self, union: Iterable[pa.RecordBatch]) -> Generator[pa.RecordBatch, None, None]:
        """Assemble rows that come in the order of the ids, with the columns ``kind``, ``id``, ``at``, ``c0``, ``c1``, ….

        Columns: ``cursor`` (0), ``profile_id``, the attributes under their own names, ``segment_membership`` and ``identity_map``
        (JSON), ``audience_state`` (text of the statuses in the mapped audiences), ``realized`` (whether a mapped audience has the
        profile), ``written`` (whether it is sent even if it has the fingerprint of what was sent last), ``primary_identity``,
        ``changed_at`` (microseconds since the epoch of the first change in the window; -1: it is not known), ``broken`` (index of
        :data:`~activation.records.profiles.rules.BROKEN` or NULL).

        :raises FatalError: if the rows are not in the order of the code points of their ids.
        """
        for rows in blocks(union):
            batch = self._assembled(rows)
            for first in range(0, batch.num_rows, ROWS):
                yield batch.slice(first, ROWS)

    def close(self) -> None:
        """Free the memory that the assembling holds."""
        self._quotes.close()

    def _assembled(self, rows: pa.Table) -> pa.RecordBatch:
        ids = single(rows["id"])
        number = numbered(ids)
        found = Gathered(int(number[-1]) + 1)
        kinds = self._kinds(rows, number)
        arrays = {
            CURSOR: to_arrow(np.zeros(found.profiles, np.int64)),
            ID: ids.take(to_arrow(np.flatnonzero(np.diff(number, prepend=-1)))),
            **self._profiles(kinds[PROFILE], found),
            **self._memberships(kinds[MEMBERSHIP], found),
            **self._identities(kinds[IDENTITY], found),
        }
        self._writes(kinds[WRITE], found)
        whole = self._reading.lower is None
        arrays |= {
            "realized": bools(found.realized),
            "written": bools(found.written & found.realized),
            "changed_at": to_arrow(np.where((found.moment == NEVER) | whole, -1, found.moment)),
            "broken": without(found.broken, found.broken == NEVER),
        }
        names = [CURSOR, ID, *self._attributes, *MADE]
        return pa.record_batch([arrays[name] for name in names], names).filter(bools(found.realized | found.told))

    def _kinds(self, rows: pa.Table, number: Numbers) -> Mapping[int, _Rows]:
        """The rows by their kind."""
        at, lower = numbers(rows["at"]), self._reading.lower
        inside = (at <= self._reading.upper) & (True if lower is None else at > lower)
        moment = np.where(inside, at, NEVER)
        kind = to_numpy(rows["kind"], np.int64)
        places = {one: np.flatnonzero(kind == one) for one in (PROFILE, MEMBERSHIP, IDENTITY, WRITE)}
        block = {name: single(rows[name]) for name in rows.column_names}
        return {one: _Rows(block, to_arrow(those), number[those], moment[those]) for one, those in places.items()}

    def _profiles(self, rows: _Rows, found: Gathered) -> dict[str, pa.Array]:
        """The attributes; the last row counts where there are several, which breaks a rule."""
        several = np.flatnonzero(np.bincount(rows.number, minlength=found.profiles) > 1)
        found.break_rules(several, np.full(len(several), INDEX["profile_twice"]))
        if self._reading.mode != "writes":
            found.changed(rows.number, rows.moment)
        if self._reading.mode == "row":
            found.written[rows.number[rows.moment != NEVER]] = True
        places = np.full(found.profiles, -1)
        places[rows.number] = np.arange(len(rows.number))
        chosen = without(places, places < 0)
        return {name: rows.column(column).take(chosen) for name, column in self._attributes.items()}

    def _memberships(self, rows: _Rows, found: Gathered) -> dict[str, pa.Array]:
        columns = (rows.column(f"c{index}") for index in range(3))
        written = self._membership_writer.of(MembershipRows(rows.number, rows.moment, *columns))
        found.realized[written.number[written.realized]] = True
        found.told[written.number[written.told]] = True
        found.changed(written.number, written.moment)
        found.break_rules(written.number, written.broken)
        return {
            "segment_membership": _object(texts(written.piece, written.number, found.profiles)),
            "audience_state": texts(written.state, written.number, found.profiles),
        }

    def _identities(self, rows: _Rows, found: Gathered) -> dict[str, pa.Array]:
        columns = (rows.column(f"c{index}") for index in range(len(IDENTITY_VALUES)))
        written = self._identity_writer.of(IdentityRows(rows.number, *columns))
        number = written.number
        found.changed(rows.number, rows.moment)
        found.break_rules(number, written.broken)
        first = np.full(found.profiles, -1)
        for chosen in (np.arange(len(number)), np.flatnonzero(written.main)):
            first[number[chosen[::-1]]] = chosen[::-1]  # of several assignments to one place the last one stays
        return {
            "identity_map": _object(texts(written.piece, number, found.profiles)),
            "primary_identity": written.id.take(without(first, first < 0)),
        }

    def _writes(self, rows: _Rows, found: Gathered) -> None:
        if self._reading.mode == "writes":
            found.written[rows.number] = True
            found.changed(rows.number, rows.moment)


def _object(members: pa.Array) -> pa.Array:
    """Objects; a profile without members has an empty one."""
    return pc.if_else(pc.equal(members, ""), "{}", members)
