"""The statements of a run, for every engine: one dialect as data, one builder, no connection.

Identifiers are always quoted and values are always parameters. Every column is named through the table's alias, because engines
disagree on whether a bare name in ORDER BY means the column or the output of the same name.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from activation.cursor.timestamps import from_text, to_text
from activation.cursor.window import Position, Window
from activation.errors import ConfigurationError
from activation.warehouses.base import Column, Extract, Only, Query, Relation, Slice

DAY = 86_400_000_000_000
"""Nanoseconds of a day: the grain of a DATE column."""

FIRST = from_text("0001-01-01T00:00:00Z")
LAST = from_text("9999-12-31T23:59:59.999999999Z")
"""The instants that a watermark can be written for; a cursor value outside of them counts as none."""

_NEVER = "1 = 0"

_DIGITS = re.compile(r"\(\d+\)")


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement and its parameters, in the order of the placeholders."""

    sql: str
    params: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CursorType:
    """How the columns of one type serve as a cursor.

    :ivar ticks: expression over ``{column}`` that gives whole ticks since the epoch as a 64-bit integer.
    :ivar bound: expression over ``{value}``, the placeholder of a text, that gives a value of the column's own type; comparing
        in the column's type keeps an index usable and every digit.
    :ivar tick: nanoseconds of one tick.
    :ivar grain: nanoseconds between two neighbouring values of the type; a bound is floored to it.
    :ivar zone: what a bound's text ends with, for example ``+00``; empty for a type without a zone, which holds UTC.
    :ivar first: lowest usable instant, nanoseconds since the epoch.
    :ivar last: highest usable instant, nanoseconds since the epoch.
    :ivar unbounded: whether the type holds values outside of ``first`` to ``last``, infinity for example.
    """

    ticks: str
    bound: str
    tick: int = 1_000
    grain: int = 1_000
    zone: str = ""
    first: int = FIRST
    last: int = LAST
    unbounded: bool = False


@dataclass(frozen=True, slots=True)
class Dialect:
    """What the statements of one engine look like.

    :ivar cursors: type name in lower case -> how it serves as a cursor; a name with its precision goes before the one without.
    :ivar now: expression for the warehouse's clock in whole microseconds since the epoch.
    :ivar text: expression over ``{column}`` that gives its text.
    :ivar json: pairs of a pattern and an expression over ``{column}``; the first pattern found in the lower-case type replaces
        ``text`` with an expression that gives JSON, or another text than the engine's usual one.
    :ivar native: pattern of lower-case types that are read as they are, because the reader turns their Arrow values into the
        same text in bulk; as a part of the key they are text nevertheless.
    :ivar typed: pattern of lower-case types that are read as they are where values are wanted in their own types.
    :ivar collation: what makes a comparison of texts go by code point.
    :ivar equality: what makes texts equal only if all their code points are, where a column's own collation might say otherwise;
        empty where it would keep an index from being used.
    :ivar among: condition over ``{value}`` and ``{texts}``, the placeholder of a JSON array, for an engine that takes few
        parameters; without it each text is a parameter of an IN.
    :ivar quote: the character around an identifier; inside it is doubled.
    :ivar placeholder: ``?`` or ``%s``.
    :ivar nulls_first: expression over ``{column}`` that sorts NULL before every value.
    :ivar slot: expression over ``{text}`` and the number ``{of}`` that gives the slice of a text, 0 to ``{of}`` - 1: evenly, and
        the same one in every session, on every node and in every version of the engine.
    """

    cursors: dict[str, CursorType] = field(hash=False)
    now: str
    text: str
    json: tuple[tuple[str, str], ...] = ()
    native: str = ""
    typed: str = ""
    collation: str = ""
    equality: str = ""
    among: str = ""
    quote: str = '"'
    placeholder: str = "?"
    nulls_first: str = "{column} ASC NULLS FIRST"
    slot: str = ""

    def identifier(self, name: str) -> str:
        """Quote a name.

        :raises ConfigurationError: if it is empty or holds a NUL character.
        """
        if not name or "\0" in name:
            raise ConfigurationError(
                f"{name!r} cannot be the name of a table or column.", "Write the name as the engine shows it."
            )
        quoted = self.quote + name.replace(self.quote, self.quote * 2) + self.quote
        return quoted.replace("%", "%%") if self.placeholder == "%s" else quoted

    def table(self, relation: Relation) -> str:
        """Write what stands behind FROM: a quoted name, or a query in parentheses."""
        if isinstance(relation, Query):
            # The line break ends a comment in the query's last line.
            return f"({relation.sql.replace('%', '%%') if self.placeholder == '%s' else relation.sql}\n)"
        return ".".join(self.identifier(part) for part in relation)

    def cursor(self, column: Column) -> CursorType:
        """Find how a column serves as a cursor.

        :raises ConfigurationError: if its type has no instants.
        """
        kind = column.type.lower()
        found = self.cursors.get(kind) or self.cursors.get(_DIGITS.sub("", kind))
        if found is None:
            allowed = ", ".join(sorted({_DIGITS.sub("", name) for name in self.cursors}))
            raise ConfigurationError(
                f"Column {column.name!r} has the type {column.type}, which cannot be the cursor.",
                f"Choose a column of one of these types: {allowed}.",
            )
        return found


def select(
    dialect: Dialect,
    extract: Extract,
    window: Window,
    after: Position | None = None,
    limit: int | None = None,
    *,
    typed: bool = False,
) -> Statement:
    """Read a window in the order ``(cursor NULLS FIRST, key)``: the cursor in ticks, then the values as text or native.

    :param after: only the rows behind this place.
    :param limit: only so many rows.
    :param typed: gives the values only, each in its own type where the client can take it.
    :raises ConfigurationError: for an unusable cursor type, name or position.
    """
    writer = Writer(dialect, extract)
    nulls = window.nulls and (after is None or after.at is None)
    ticks = [] if typed else [f"{writer.usable(writer.ticks(), nulls)} AS c"]
    native = dialect.typed if typed else dialect.native
    values = [f"{writer.shown(column, native)} AS v{number}" for number, column in enumerate(extract.values, 1)]
    columns = ", ".join([*ticks, *values])
    where = writer.chosen(writer.window(window, after, nulls))
    placed = writer.usable(writer.cursor, nulls)
    first = dialect.nulls_first.replace("{column}", placed) if nulls else f"{placed} ASC"
    order = ", ".join([first, *(f"{writer.key(column)} ASC" for column in extract.key)])
    most = "" if limit is None else f" LIMIT {int(limit)}"
    return writer.done(f"SELECT {columns} FROM {writer.source} WHERE {where} ORDER BY {order}{most}")


def count(dialect: Dialect, extract: Extract, window: Window, after: Position | None = None) -> Statement:
    """Count the rows that :func:`select` gives."""
    writer = Writer(dialect, extract)
    where = writer.chosen(writer.window(window, after, window.nulls and (after is None or after.at is None)))
    return writer.done(f"SELECT COUNT(*) FROM {writer.source} WHERE {where}")


def scan(dialect: Dialect, relation: Relation, columns: Sequence[Column]) -> Statement:
    """Read every row in no order: the columns as text."""
    writer = Writer(dialect, whole(relation, columns))
    values = ", ".join(f"{writer.shown(column, dialect.native)} AS v{number}" for number, column in enumerate(columns, 1))
    return writer.done(f"SELECT {values} FROM {writer.source}")


def count_rows(dialect: Dialect, relation: Relation) -> Statement:
    """Count every row."""
    writer = Writer(dialect, whole(relation))
    return writer.done(f"SELECT COUNT(*) FROM {writer.source}")


def whole(relation: Relation, columns: Sequence[Column] = ()) -> Extract:
    """All rows of a relation, which then needs no cursor."""
    return Extract(relation, Column("", ""), (), tuple(columns))


def survey(dialect: Dialect, extract: Extract, at: int | None) -> Statement:
    """Take the clock in microseconds, the rows at the watermark, those without a cursor value, and the latest in ticks.

    One statement, so all four belong to one moment; a subquery for each, so each can use an index.
    """
    writer = Writer(dialect, extract)
    kind = writer.kind
    if at is None or at % kind.grain or not kind.first <= at <= kind.last:
        equal = "0"
    else:
        equal = f"(SELECT COUNT(*) FROM {writer.source} WHERE {writer.cursor} = {writer.bound(at)})"
    nulls = f"(SELECT COUNT(*) FROM {writer.source} WHERE {writer.missing()})"
    inside = f" WHERE {writer.inside()}" if kind.unbounded else ""
    latest = f"(SELECT MAX({writer.cursor}) AS c FROM {writer.source}{inside})"
    return writer.done(
        f"SELECT {dialect.now}, {equal}, {nulls}, (SELECT {kind.ticks.replace('{column}', 'm.c')} FROM {latest} AS m)"
    )


class Writer:
    """Parts of one statement; parameters are kept in the order in which the parts are asked for.

    :param params: takes the parameters; those of another part, if the two stand in one statement.
    """

    def __init__(self, dialect: Dialect, extract: Extract, params: list[str] | None = None) -> None:
        self.dialect = dialect
        self.extract = extract
        self.source = f"{dialect.table(extract.table)} AS src"
        self.params: list[str] = [] if params is None else params

    @property
    def kind(self) -> CursorType:
        return self.dialect.cursor(self.extract.cursor)

    @property
    def cursor(self) -> str:
        return self.column(self.extract.cursor)

    def done(self, sql: str) -> Statement:
        return Statement(sql, tuple(self.params))

    def param(self, text: str) -> str:
        self.params.append(text)
        return self.dialect.placeholder

    def bound(self, instant: int) -> str:
        text = to_text(instant // self.kind.grain * self.kind.grain)
        shown = text[:10] if self.kind.grain == DAY else text[:-1].replace("T", " ") + self.kind.zone
        return self.kind.bound.replace("{value}", self.param(shown))

    def ticks(self) -> str:
        return self.kind.ticks.replace("{column}", self.cursor)

    def shown(self, column: Column, native: str) -> str:
        as_it_is = native and re.search(native, column.type.lower())
        return self.column(column) if as_it_is else self.value(column)

    def value(self, column: Column) -> str:
        kind = column.type.lower()
        template = next((form for pattern, form in self.dialect.json if re.search(pattern, kind)), self.dialect.text)
        return template.replace("{column}", self.column(column))

    def column(self, column: Column) -> str:
        return f"src.{self.dialect.identifier(column.name)}"

    def key(self, column: Column) -> str:
        return f"COALESCE({self.value(column)}, ''){self.dialect.collation}"

    def exact(self, column: Column) -> str:
        """A text that equals another one only by its code points."""
        return self.value(column) + self.dialect.equality

    def among(self, column: Column, texts: tuple[str, ...]) -> str:
        """Whether a column has one of these texts."""
        if self.dialect.among:
            listed = self.param(json.dumps(texts, ensure_ascii=False))
            return self.dialect.among.replace("{texts}", listed).replace("{value}", self.exact(column))
        return f"{self.exact(column)} IN ({', '.join(self.param(text) for text in texts)})"

    def inside(self) -> str:
        return f"{self.cursor} >= {self.bound(self.kind.first)} AND {self.cursor} <= {self.bound(self.kind.last)}"

    def usable(self, expression: str, nulls: bool) -> str:
        """Make an expression NULL where the cursor value is outside of the usable instants, if such rows are read."""
        return f"CASE WHEN {self.inside()} THEN {expression} END" if nulls and self.kind.unbounded else expression

    def missing(self) -> str:
        if not self.kind.unbounded:
            return f"{self.cursor} IS NULL"
        first, last = self.bound(self.kind.first), self.bound(self.kind.last)
        return f"({self.cursor} IS NULL OR {self.cursor} < {first} OR {self.cursor} > {last})"

    def chosen(self, where: str) -> str:
        """Add the conditions on single columns."""
        found = [self.only(only) for only in self.extract.only]
        if (slice := self.extract.slice) is not None:
            found.append(f"{self.slot(slice)} = {slice.index:d}")
        return " AND ".join([f"({where})", *found]) if found else where

    def slot(self, slice: Slice) -> str:
        """The number of the slice that a row falls into."""
        texts = (f"NULLIF({self.value(column)}{self.dialect.collation}, '')" for column in slice.by)
        text = f"COALESCE({', '.join(texts)}, '')"
        return self.dialect.slot.replace("{of}", f"{slice.of:d}").replace("{text}", text)

    def only(self, only: Only) -> str:
        value = self.value(only.column)
        marks = ", ".join(self.param(text) for text in only.texts)
        return f"{value} IN ({marks})" if only.inside else f"({value} IS NULL OR {value} NOT IN ({marks}))"

    def window(self, window: Window, after: Position | None, nulls: bool) -> str:
        if after is not None and len(after.key) != len(self.extract.key):
            raise ConfigurationError(
                f"The kept position has {len(after.key)} key values, but the key has {len(self.extract.key)} columns.",
                "The key was changed while a run was unfinished: clear the run's progress, or put the old key back.",
            )
        if not nulls:
            return self.between(window, after if after is not None and after.at is not None else None)
        missing = self.missing()
        if after is not None and after.key:
            missing += f" AND {self.behind(self.extract.key, after.key)}"
        elif after is not None:
            missing = _NEVER
        return f"({missing}) OR ({self.between(window, None)})"

    def between(self, window: Window, after: Position | None) -> str:
        kind, parts = self.kind, list[str]()
        lower = window.lower
        if window.upper < kind.first or (lower is not None and lower > kind.last):
            return _NEVER
        if lower is not None and lower >= kind.first:
            parts.append(self.above(lower, window.closed))
        elif kind.unbounded:
            parts.append(f"{self.cursor} >= {self.bound(kind.first)}")
        if after is not None and after.at is not None:
            parts.append(self.beyond(after.at, after.key))
        parts.append(f"{self.cursor} <= {self.bound(min(window.upper, kind.last))}")
        return " AND ".join(parts)

    def above(self, lower: int, closed: bool) -> str:
        """Values are whole grains: above a bound between two of them is the same, open or closed, as above the floor."""
        sign = ">=" if closed and lower % self.kind.grain == 0 else ">"
        return f"{self.cursor} {sign} {self.bound(lower)}"

    def beyond(self, at: int, key: tuple[str, ...]) -> str:
        if at > self.kind.last:
            return _NEVER
        if at < self.kind.first:
            return "1 = 1"
        if at % self.kind.grain or not key:
            return f"{self.cursor} > {self.bound(at)}"
        # The first comparison says nothing new; it lets an index find the start, which the OR alone does not.
        start, later, equal = (f"{self.cursor} {sign} {self.bound(at)}" for sign in (">=", ">", "="))
        return f"{start} AND ({later} OR ({equal} AND {self.behind(self.extract.key, key)}))"

    def behind(self, columns: tuple[Column, ...], values: tuple[str, ...]) -> str:
        later = f"{self.key(columns[0])} > {self.param(values[0])}"
        if len(columns) == 1:
            return later
        equal = f"{self.key(columns[0])} = {self.param(values[0])}"
        return f"({later} OR ({equal} AND {self.behind(columns[1:], values[1:])}))"
