"""The statements that find changed profiles and read all of each, for every engine (contracts: kinesis_profiles 1.3).

The changed ids are found first, from the rows of the window alone; every table is then joined to them, so that the rest of it is
not sorted or sent.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import replace

from activation.cursor.window import Window
from activation.warehouses.base import Column
from activation.warehouses.profiles import (
    EXITED,
    IDENTITY,
    IDENTITY_VALUES,
    MEMBERSHIP,
    PROFILE,
    WRITE,
    ProfileRead,
    ProfileTable,
    width,
)
from activation.warehouses.sql import Dialect, Statement, Writer

_PLAIN = re.compile(r"^(u?(tiny|small|big|huge)?int(eger|\d+)?|number\(\d+,\s*0\)|uuid)$")
"""Types whose values are equal exactly if their texts are, and which no collation changes: their indexes can be used."""

_Part = Callable[[Writer], str]
"""A part of a statement about one table; its parameters go to the writer, so parts are asked for in their order."""


def changes(dialect: Dialect, read: ProfileRead, window: Window, after: str = "") -> Statement:
    """Read the changed profiles in the order of their ids: the kind, the id, the ticks of UPDATED_AT and of the last
    qualification, then the texts.

    :param after: only the ids behind this one.
    """
    return _Changes(dialect, read, window, after).rows()


def count_changes(dialect: Dialect, read: ProfileRead, window: Window, after: str = "") -> Statement:
    """Count the changed profiles."""
    return _glue("SELECT COUNT(*) FROM (", _Changes(dialect, read, window, after).changed(), ") AS c")


class _Changes:
    """The statement's tables; ``k`` is what they are joined by, ``i`` the text of the id."""

    def __init__(self, dialect: Dialect, read: ProfileRead, window: Window, after: str) -> None:
        self.dialect, self.read, self.tables, self.window, self.after = dialect, read, read.tables, window, after
        kinds = {table.columns["profile_id"].type.lower() for table in read.tables.followed}
        self.plain = len(kinds) == 1 and all(_PLAIN.match(kind) for kind in kinds)

    def rows(self) -> Statement:
        of = self.tables.memberships.columns
        identity = [self.tables.identities.columns.get(name) for name in IDENTITY_VALUES]
        every = _union(
            self.table(PROFILE, self.tables.profiles, self.read.attributes),
            self.table(MEMBERSHIP, self.tables.memberships, [of["audience_id"], of["status"]], of["last_qualification_time"]),
            self.table(IDENTITY, self.tables.identities, identity),
        )
        values = [f"u.v{number}" for number in range(width(self.read))]
        names = ", ".join(["u.n", "u.i", "u.t", "u.q", *values])
        found = _glue(f"SELECT {names} FROM (", every, ") AS u JOIN (", self.changed(), ") AS c ON u.k = c.k")
        # Without a lower bound every member is read, whatever was written before.
        if self.read.mode == "writes" and self.tables.writes is not None and self.window.lower is not None:
            found = _union(found, _glue(f"SELECT {names} FROM (", self.writes(self.tables.writes), ") AS u"))
        return _glue(f"SELECT {names} FROM (", found, f") AS u ORDER BY u.i{self.dialect.collation} ASC, u.n ASC")

    def writes(self, table: ProfileTable) -> Statement:
        """The writes of the window. Each makes its profile a changed one, so they need not be joined to all of those."""
        attribute = table.columns["attribute"]
        conditions = [self.behind, self.inside, self.of_paths(attribute)]
        found = self.table(WRITE, table, [attribute], None, *conditions)
        members = self.ids(self.tables.memberships, self.of(self.read.mapped))
        return _glue("SELECT w.* FROM (", found, ") AS w WHERE w.k IN (", members, ")")

    def changed(self) -> Statement:
        """The ids of the profiles that may have changed, each once."""
        memberships, of_mapped = self.tables.memberships, self.of(self.read.mapped)
        if self.window.lower is None:
            terms = [self.ids(memberships, of_mapped, self.realized)]
        else:
            others = _union(self.ids(self.tables.identities, self.inside), self.attributes())
            members = self.ids(memberships, of_mapped)
            terms = [
                self.ids(memberships, of_mapped, self.inside),
                _glue("SELECT o.k FROM (", others, ") AS o WHERE o.k IN (", members, ")"),
            ]
            terms += [self.ids(memberships, self.of(self.read.fresh), self.realized)] if self.read.fresh else []
        return _glue("SELECT DISTINCT t.k FROM (", _union(*terms), ") AS t")

    def attributes(self) -> Statement:
        """The ids of the profiles whose attributes may have changed."""
        if self.read.mode == "writes" and self.tables.writes is not None:
            return self.ids(self.tables.writes, self.inside, self.of_paths(self.tables.writes.columns["attribute"]))
        return self.ids(self.tables.profiles, self.inside)

    def ids(self, table: ProfileTable, *conditions: _Part) -> Statement:
        writer = self.writer(table)
        where = " AND ".join(condition(writer) for condition in (self.behind, *conditions))
        return writer.done(f"SELECT {self.key(writer)} AS k FROM {writer.source} WHERE {where}")

    def table(
        self, kind: int, table: ProfileTable, values: Iterable[Column | None], instant: Column | None = None, *conditions: _Part
    ) -> Statement:
        """The rows of a table as texts; columns that another kind has and this one has not are NULL.

        Without conditions the optimizers see through it to the table's indexes.

        :param instant: one more instant, in the ticks of its type.
        """
        writer = self.writer(table)
        known = [f"{self.key(writer)} AS k", f"{kind} AS n", f"{writer.exact(table.columns['profile_id'])} AS i"]
        known.append(f"{writer.usable(writer.ticks(), nulls=True)} AS t")
        known.append(f"{_ticks(writer, instant) if instant else f'CASE WHEN 1 = 0 THEN {writer.ticks()} END'} AS q")
        texts = [_nothing(self.dialect) if column is None else writer.exact(column) for column in values]
        texts += [_nothing(self.dialect)] * (width(self.read) - len(texts))
        shown = ", ".join([*known, *(f"{text} AS v{number}" for number, text in enumerate(texts))])
        where = " AND ".join(condition(writer) for condition in conditions)
        return writer.done(f"SELECT {shown} FROM {writer.source}{' WHERE ' + where if where else ''}")

    def writer(self, table: ProfileTable) -> Writer:
        return Writer(self.dialect, replace(table.extract, key=(table.columns["profile_id"],)))

    def key(self, writer: Writer) -> str:
        (column,) = writer.extract.key
        return writer.column(column) if self.plain else writer.exact(column)

    def behind(self, writer: Writer) -> str:
        there = f"{writer.column(writer.extract.key[0])} IS NOT NULL"
        return f"{there} AND {writer.behind(writer.extract.key, (self.after,))}" if self.after else there

    def inside(self, writer: Writer) -> str:
        return writer.between(self.window, None)

    def of(self, audiences: tuple[str, ...]) -> _Part:
        return lambda writer: writer.among(self.tables.memberships.columns["audience_id"], audiences)

    def of_paths(self, attribute: Column) -> _Part:
        paths = self.read.paths
        return lambda writer: writer.among(attribute, paths) if paths else f"{writer.column(attribute)} IS NOT NULL"

    def realized(self, writer: Writer) -> str:
        """Not gone: a status that nobody knows is read too, so that it is told and not passed over."""
        status = writer.exact(self.tables.memberships.columns["status"])
        return f"COALESCE(LOWER({status}), '') NOT IN ({', '.join(map(writer.param, EXITED))})"


def _ticks(writer: Writer, column: Column) -> str:
    """The ticks of another instant of the same table."""
    other = Writer(writer.dialect, replace(writer.extract, cursor=column), writer.params)
    return other.usable(other.ticks(), nulls=True)


def _nothing(dialect: Dialect) -> str:
    """NULL as a text: the columns of a union need one type."""
    return dialect.text.replace("{column}", "NULL") + dialect.equality


def _union(*parts: Statement) -> Statement:
    return Statement(" UNION ALL ".join(part.sql for part in parts), tuple(value for part in parts for value in part.params))


def _glue(*parts: str | Statement) -> Statement:
    """One statement of texts and parts, with the parameters of all."""
    texts = "".join(part if isinstance(part, str) else part.sql for part in parts)
    return Statement(texts, tuple(value for part in parts if isinstance(part, Statement) for value in part.params))
