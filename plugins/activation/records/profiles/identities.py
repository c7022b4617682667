"""The identities of profiles: what each one adds to ``identityMap`` (contracts: kinesis 1.5)."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from activation.records.arrays import to_arrow, to_numpy
from activation.records.profiles.gathered import NEVER, Flags, Numbers
from activation.records.profiles.joining import Coded, Places, Quotes, chosen, glued, ranks
from activation.records.profiles.rules import INDEX, MessageRules


@dataclass(frozen=True, slots=True)
class IdentityRows:
    """Rows of the table of identities; flags are ``true``, ``false`` or NULL. Shape (rows,) each.

    :ivar number: of the row's profile, ascending.
    """

    number: Numbers
    namespace: pa.Array
    id: pa.Array
    removed: pa.Array
    is_primary: pa.Array
    authenticated_state: pa.Array

    def take(self, rows: Numbers) -> IdentityRows:
        """Some of the rows, in another order."""
        columns = (self.namespace, self.id, self.removed, self.is_primary, self.authenticated_state)
        return IdentityRows(self.number[rows], *(column.take(to_arrow(rows)) for column in columns))


@dataclass(frozen=True, slots=True)
class Identities:
    """The identities that are not removed, in the order of their profiles, equal ones once; shape (identities,) each.

    :ivar number: of the profile.
    :ivar id: as it stands in the table.
    :ivar main: whether it is the primary one.
    :ivar piece: the texts of one profile, put together, are its map; of what breaks no rule.
    :ivar broken: index of a rule, or :data:`~activation.records.profiles.gathered.NEVER`.
    """

    number: Numbers
    id: pa.Array
    main: Flags
    piece: pa.Array
    broken: Numbers


class IdentityWriter:
    """Writes identities."""

    def __init__(self, rules: MessageRules, quotes: Quotes) -> None:
        self._full, self._quotes = rules.identity_fields == "full", quotes

    def of(self, rows: IdentityRows) -> Identities:
        """Write what is not removed."""
        gone = to_numpy(pc.fill_null(pc.equal(rows.removed, "true"), False), np.bool_)
        rows, key, space = _in_order(rows.take(np.flatnonzero(~gone)) if gone.any() else rows)
        if not len(key):
            return Identities(key, rows.id, gone[:0], rows.id, key)
        same = (np.diff(key) == 0) & to_numpy(pc.equal(rows.id.slice(1), rows.id.slice(0, len(key) - 1)), np.bool_)
        first = np.flatnonzero(np.append(True, ~same))
        main = np.maximum.reduceat(
            to_numpy(pc.fill_null(pc.equal(rows.is_primary, "true").cast(pa.int64()), -1), np.int64), first
        )
        # Of equal identities the one with the greatest state is the last.
        rows, code = rows.take(np.append(first[1:], len(key)) - 1) if same.any() else rows, space.codes[first]
        empty = to_numpy(pc.equal(pc.fill_null(space.values, ""), ""), np.bool_)[code] | to_numpy(pc.equal(rows.id, ""), np.bool_)
        broken = np.where(empty, INDEX["identity_incomplete"], NEVER)
        return Identities(rows.number, rows.id, main == 1, self._pieces(rows, main, space.values, code), broken)

    def _pieces(self, rows: IdentityRows, main: Numbers, spaces: pa.Array, code: Numbers) -> pa.Array:
        """The texts; the first one of a namespace opens it, the last one of the profile closes the map."""
        places = Places.of(rows.number, code)
        names = self._quotes(spaces)
        begin = [glued(mark, names, ':[{"id":') for mark in ("{", "],")]
        heads = [*begin, pa.array([',{"id":'] * len(names), pa.string())]
        tails = pa.array(["}", "}]}"]).take(to_arrow(places.last.astype(np.int64)))
        if self._full:
            states = pc.binary_join_element_wise(',"authenticatedState":', self._quotes(rows.authenticated_state), "")
            tails = glued(states, pa.array(["", ',"primary":false', ',"primary":true']).take(to_arrow(main + 1)), tails)
        return glued(chosen(heads, places.head, code), self._quotes(rows.id), tails)


def _in_order(rows: IdentityRows) -> tuple[IdentityRows, Numbers, Coded]:
    """The rows by profile, namespace, id and state; with what orders them before the id, and their namespaces."""
    state = pc.if_else(pc.equal(rows.authenticated_state, ""), None, rows.authenticated_state)
    rows = replace(rows, id=pc.fill_null(rows.id, ""), authenticated_state=state)
    space = Coded.of(rows.namespace)
    key = rows.number * len(space.values) + ranks(space.values)[space.codes]
    if (np.diff(key) < 0).any():
        order = np.argsort(key, kind="stable")
        rows, key, space = rows.take(order), key[order], Coded(space.values, space.codes[order])
    upward = to_numpy(pc.greater(rows.id.slice(1), rows.id.slice(0, max(0, len(key) - 1))), np.bool_)
    if ((np.diff(key) > 0) | upward).all():
        return rows, key, space
    table = pa.table([to_arrow(key), rows.id, pc.fill_null(rows.authenticated_state, "")], ["key", "id", "state"])
    order = to_numpy(pc.sort_indices(table, [(name, "ascending") for name in table.column_names]), np.uint64).astype(np.int64)
    return rows.take(order), key[order], Coded(space.values, space.codes[order])
