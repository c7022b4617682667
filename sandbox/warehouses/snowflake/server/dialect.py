"""What fakesnow's translation to DuckDB lacks: nanoseconds, formats, exact names and the service's own error numbers."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from string import Template
from typing import Any

import fakesnow.cursor  # type: ignore[import-not-found]
import sqlglot  # type: ignore[import-not-found]
from fakesnow import transforms
from fakesnow.cursor import FakeSnowflakeCursor
from fakesnow.rowtype import describe_as_rowtype  # type: ignore[import-not-found]
from snowflake.connector.errors import ProgrammingError
from sqlglot import exp

NAIVE = {0: "TIMESTAMP_S", 3: "TIMESTAMP_MS", 6: "TIMESTAMP", 9: "TIMESTAMP_NS"}
"""Digits of TIMESTAMP_NTZ -> DuckDB's type; other numbers of digits get the next finer one. TIMESTAMP_TZ always has six."""

DIGITS = {**{kind: digits for digits, kind in NAIVE.items()}, "TIMESTAMP WITH TIME ZONE": 6, "TIME": 6}
"""DuckDB's type -> digits behind the second that it keeps."""

_CLOCK = "%H:%M:%S.%n"
_FORMATS = {"YYYY-MM-DD HH24:MI:SS.FF9": f"%Y-%m-%d {_CLOCK}", "YYYY-MM-DD": "%Y-%m-%d", "HH24:MI:SS.FF9": _CLOCK}
_FORMATS |= {'YYYY-MM-DD"T"HH24:MI:SS.FF6"Z"': "%Y-%m-%dT%H:%M:%S.%fZ"}
"""Format of TO_VARCHAR -> format of DuckDB's STRFTIME."""

_UNKNOWN_COLUMN = re.compile(r'Referenced column "(.+?)" (?:was )?not found|does not have a column named "(.+?)"')

TRANSLATIONS = 1_000
"""Queries whose translation is kept, since one takes fakesnow 60 ms."""

_translations: dict[tuple[str, str, str], exp.Expression] = {}

_FIND = (
    "SELECT 1 FROM duckdb_tables() WHERE (database_name, schema_name, table_name) = (?, ?, ?) "
    "UNION ALL SELECT 1 FROM duckdb_views() WHERE (database_name, schema_name, view_name) = (?, ?, ?)"
)


class _Answer(Template):
    """The text of an answer, which fakesnow makes without a thought of names that hold an apostrophe."""

    def substitute(self, *args: Any, **values: Any) -> str:
        """Fill in the names."""
        return super().substitute(*args, **{name: str(value).replace("'", "''") for name, value in values.items()})


for _name, _value in tuple(vars(fakesnow.cursor).items()):
    if isinstance(_value, Template):
        setattr(fakesnow.cursor, _name, _Answer(_value.template))


class Cursor(FakeSnowflakeCursor):  # type: ignore[misc]
    """A cursor of fakesnow that knows more of Snowflake's SQL and finds names only as they are written.

    :ivar allowed: raises if the tables and views of these full names may not be read.
    """

    allowed: Callable[[Iterable[tuple[str, str, str]]], None] | None = None
    _text = ""

    def execute(self, command: str, params: Any = None, *args: Any, **kwargs: Any) -> FakeSnowflakeCursor:
        """Run a statement."""
        self._text = command
        return super().execute(command, params, *args, **kwargs)

    def _transform(self, expression: exp.Expression, params: Any) -> exp.Expression:
        if not isinstance(expression, exp.Select):
            found = self._translated(expression, params)
        else:
            place = (self._text, self._conn.database, self._conn.schema)
            if place not in _translations:
                if len(_translations) >= TRANSLATIONS:
                    _translations.clear()
                _translations[place] = self._translated(expression, params)
            found = _translations[place]
        if not isinstance(expression, exp.Create | exp.Drop):
            self._check_names(found)
        return found

    def _translated(self, expression: exp.Expression, params: Any) -> exp.Expression:
        for change in (_trim, _collation, _format, _automatic, _digest, _type):
            expression = expression.transform(change)
        found: exp.Expression = super()._transform(expression, params)
        return found

    def _execute(self, transformed: exp.Expression, params: Any = None) -> None:
        try:
            super()._execute(transformed, params)
        except ProgrammingError as error:
            column = _UNKNOWN_COLUMN.search(str(error.raw_msg))
            if column is None:
                raise
            text = f"SQL compilation error: error line 1 at position 7\ninvalid identifier '\"{column[1] or column[2]}\"'"
            raise ProgrammingError(msg=text, errno=904, sqlstate="42000") from None

    def _check_names(self, expression: exp.Expression) -> None:
        """Refuse a table that is not there under exactly this name; DuckDB itself does not mind upper and lower case."""
        inside = {one.alias for one in expression.find_all(exp.CTE)}
        found = set()
        for table in expression.find_all(exp.Table):
            if isinstance(table.this, exp.Identifier) and (table.db or table.name not in inside):
                name = (table.catalog or self._conn.database, table.db or self._conn.schema, table.name)
                if not name[1].startswith("_fs_"):
                    found.add(name)
        for name in found:
            if not self._duck_conn.execute(_FIND, [*name, *name]).fetchone():
                raise missing(name)
        if self.allowed is not None:
            self.allowed(found)


def missing(name: tuple[str, str, str]) -> ProgrammingError:
    """What the service says of a table that is not there, and of one that the role may not see."""
    text = f"SQL compilation error:\nObject '{'.'.join(name)}' does not exist or not authorized."
    return ProgrammingError(msg=text, errno=2003, sqlstate="42S02")


def row_type(described: list[Any]) -> list[dict[str, Any]]:
    """The columns of a result as the service describes them.

    :param described: what DuckDB's DESCRIBE gives.
    """
    plain = [(name, "TIMESTAMP" if kind in NAIVE.values() else kind, *rest) for name, kind, *rest in described]
    found: list[dict[str, Any]] = describe_as_rowtype(plain)
    for info, column in zip(found, described, strict=True):
        if column[1] in DIGITS:
            info["scale"] = DIGITS[column[1]]
    return found


def duck_type(kind: str) -> str:
    """DuckDB's type for a type of Snowflake."""
    cast = sqlglot.parse_one(f"CAST(x AS {kind})", read="snowflake").transform(_type)
    for change in (transforms.semi_structured_types, transforms.float_to_double, transforms.integer_precision):
        cast = cast.transform(change)
    return str(cast.args["to"].sql(dialect="duckdb"))


def _trim(node: exp.Expression) -> exp.Expression:
    """RTRIM with its characters, which fakesnow forgets."""
    if not isinstance(node, exp.Trim) or node.text("position") != "TRAILING":
        return node
    return exp.Anonymous(this="RTRIM", expressions=[_trim(node.this), node.expression])


def _digest(node: exp.Expression) -> exp.Expression:
    """MD5_NUMBER_LOWER64, for which sqlglot has no word of DuckDB's."""
    return exp.Anonymous(this="MD5_NUMBER_LOWER", expressions=[node.this]) if isinstance(node, exp.MD5NumberLower64) else node


def _collation(node: exp.Expression) -> exp.Expression:
    return node.this if isinstance(node, exp.Collate) else node


def _format(node: exp.Expression) -> exp.Expression:
    if not isinstance(node, exp.ToChar) or not node.args.get("format"):
        return node
    if node.text("format") == "HEX":
        return exp.Anonymous(this="HEX", expressions=[node.this])
    form, value = _FORMATS[node.text("format")], node.this
    if form == _CLOCK:  # DuckDB formats no TIME
        value = exp.Add(this=exp.cast(exp.Literal.string("1970-01-01"), "DATE"), expression=value)
    return exp.Anonymous(this="STRFTIME", expressions=[value, exp.Literal.string(form)])


def _automatic(node: exp.Expression) -> exp.Expression:
    """TO_TIMESTAMP_xTZ with the format AUTO, bare or inside of a cast to fewer digits."""
    parsed = node.this if isinstance(node, exp.Cast) else node
    if not isinstance(parsed, exp.StrToTime) or parsed.text("format") != "AUTO":
        return node
    kind, value = node.args["to"] if isinstance(node, exp.Cast) else parsed.args["target_type"], parsed.this
    if kind.this != exp.DataType.Type.TIMESTAMPNTZ:  # DuckDB takes +00:00 only right behind the time
        value = exp.Anonymous(this="REPLACE", expressions=[value, exp.Literal.string(" +"), exp.Literal.string("+")])
    return exp.Cast(this=value, to=kind.copy())


def _type(node: exp.Expression) -> exp.Expression:
    if not isinstance(node, exp.DataType) or node.this != exp.DataType.Type.TIMESTAMPNTZ:
        return node
    digits = int(node.expressions[0].name) if node.expressions else 9
    return exp.DataType.build(NAIVE[next(known for known in NAIVE if known >= digits)], dialect="duckdb")
