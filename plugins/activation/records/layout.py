"""Which column of a table plays which part: the fixed names of contracts: braze 1.1, matched in any case."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches

from activation.errors import ConfigurationError
from activation.records.identifiers import COLUMNS as IDENTIFIERS
from activation.warehouses.base import CURSOR, Column, Extract, Relation, named


@dataclass(frozen=True, slots=True)
class Shape:
    """The columns of a data type, by their fixed names in lower case.

    :ivar identifiers: at least one of them must be there; they order rows with the same cursor value.
    :ivar needed: all of them must be there.
    :ivar optional: used if they are there.
    :ivar refused: column -> why a table that has it is refused.
    """

    identifiers: tuple[str, ...] = IDENTIFIERS
    needed: tuple[str, ...] = ("payload",)
    optional: tuple[str, ...] = ()
    refused: Mapping[str, str] = field(default_factory=dict)


USER_DATA = Shape()
"""User attributes, custom events and purchases."""


@dataclass(frozen=True, slots=True)
class Layout:
    """The columns of a source table that a run uses.

    :ivar extract: what to read.
    :ivar roles: role (``external_id``, ``payload``, …) -> the table's own name for the column.
    """

    extract: Extract
    roles: dict[str, str]


def bind(table: Relation, columns: Sequence[Column], *, cursor: str, key: Sequence[str] = (), shape: Shape = USER_DATA) -> Layout:
    """Find the columns of the fixed layout in a table.

    :param columns: the columns that the table has.
    :param cursor: the name of the cursor column.
    :param key: the columns that order rows with the same cursor value; empty: the identifier columns of the table.
    :param shape: the columns of the data type.
    :raises ConfigurationError: if a column is missing, refused or stands there twice; names the table, the column and what is
        there.
    """
    name = named(table)
    at = _column(name, columns, cursor)
    for role, why in shape.refused.items():
        if (found := _find(name, columns, role)) is not None:
            raise ConfigurationError(f"{name} has a column {found.name}. {why}", "Read from a view without it.")
    roles = {role: found.name for role in shape.identifiers if (found := _find(name, columns, role))}
    if not roles:
        raise ConfigurationError(
            f"{name} has no identifier column (it has {_names(columns)}).",
            f"Add at least one of {', '.join(role.upper() for role in shape.identifiers)}.",
        )
    for one, other in (("alias_name", "alias_label"), ("alias_label", "alias_name")):
        if one in roles and other not in roles:
            raise ConfigurationError(f"{name} has {one.upper()} but not {other.upper()}.", "An alias needs both columns.")
    keys = [_column(name, columns, part) for part in key or roles.values()]
    roles |= {role: _column(name, columns, role, exact=False).name for role in shape.needed}
    roles |= {role: found.name for role in shape.optional if (found := _find(name, columns, role))}
    if CURSOR in (column.name for column in keys):
        raise ConfigurationError(
            f"{name} has a key column {CURSOR}, a name that is taken.", "Read from a view that gives it another name."
        )
    by_name = {column.name: column for column in columns}
    values = dict.fromkeys([*roles.values(), *(column.name for column in keys)])
    return Layout(Extract(table, at, tuple(keys), tuple(by_name[value] for value in values)), roles)


def _find(table: str, columns: Sequence[Column], wanted: str, *, exact: bool = False) -> Column | None:
    """The column of a name in any case.

    :param exact: whether a person has spelled the name, so that a column spelled like it goes first.
    """
    same = [column for column in columns if column.name.casefold() == wanted.casefold()]
    if exact:
        same = [column for column in same if column.name == wanted] or same
    if len(same) > 1:
        raise ConfigurationError(
            f"{table} has more than one column that can be {wanted.upper()}: {_names(same)}.", "Read from a view that has one."
        )
    return same[0] if same else None


def _column(table: str, columns: Sequence[Column], wanted: str, *, exact: bool = True) -> Column:
    """The column of a name, which must be there; see :func:`_find`."""
    if (column := _find(table, columns, wanted, exact=exact)) is not None:
        return column
    near = get_close_matches(wanted.casefold(), [column.name.casefold() for column in columns], n=1)
    hint = f" Did you mean {next(column.name for column in columns if column.name.casefold() == near[0])}?" if near else ""
    raise ConfigurationError(
        f"{table} has no column {wanted} (it has {_names(columns)}).{hint}",
        "Name the column as the pipeline expects it, or read from a view that does.",
    )


def _names(columns: Sequence[Column]) -> str:
    return ", ".join(column.name for column in columns[:30]) + (", …" if len(columns) > 30 else "")
