"""Which column of a table plays which part: the fixed names of contracts: braze 1.1, matched in any case."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from activation.errors import ConfigurationError
from activation.records.identifiers import COLUMNS as IDENTIFIERS
from activation.warehouses.base import Column, Extract


@dataclass(frozen=True, slots=True)
class Layout:
    """The columns of a source table that a run uses.

    :ivar extract: what to read.
    :ivar roles: role (``external_id``, ``payload``, …) -> the table's own name for the column.
    """

    extract: Extract
    roles: dict[str, str]


def bind(table: tuple[str, ...], columns: Sequence[Column], *, cursor: str, key: Sequence[str] = ()) -> Layout:
    """Find the columns of the fixed layout in a table.

    :param columns: the columns that the table has.
    :param cursor: the name of the cursor column.
    :param key: the columns that order rows with the same cursor value; empty: the identifier columns of the table.
    :raises ConfigurationError: if a column is missing or stands there twice; names the table, the column and what is there.
    """
    name = ".".join(table)
    at = _find(name, columns, cursor)
    roles = {role: found.name for role in IDENTIFIERS if (found := _find(name, columns, role, optional=True))}
    if not roles:
        raise ConfigurationError(
            f"{name} has no identifier column (it has {_names(columns)}).",
            f"Add at least one of {', '.join(role.upper() for role in IDENTIFIERS)}.",
        )
    for one, other in (("alias_name", "alias_label"), ("alias_label", "alias_name")):
        if one in roles and other not in roles:
            raise ConfigurationError(f"{name} has {one.upper()} but not {other.upper()}.", "An alias needs both columns.")
    roles["payload"] = _found(name, columns, "payload").name
    keys = [_found(name, columns, part) for part in key] or [_found(name, columns, role) for role in roles if role != "payload"]
    by_name = {column.name: column for column in columns}
    values = dict.fromkeys([*roles.values(), *(column.name for column in keys)])
    assert at is not None  # noqa: S101 - only an optional column can be absent
    return Layout(Extract(table, at, tuple(keys), tuple(by_name[value] for value in values)), roles)


def _found(table: str, columns: Sequence[Column], wanted: str) -> Column:
    column = _find(table, columns, wanted)
    assert column is not None  # noqa: S101
    return column


def _find(table: str, columns: Sequence[Column], wanted: str, *, optional: bool = False) -> Column | None:
    exact = [column for column in columns if column.name == wanted]
    same = exact or [column for column in columns if column.name.casefold() == wanted.casefold()]
    if len(same) == 1 or (not same and optional):
        return same[0] if same else None
    if same:
        raise ConfigurationError(
            f"{table} has more than one column that can be {wanted.upper()}: {_names(same)}.", "Read from a view that has one."
        )
    near = get_close_matches(wanted.casefold(), [column.name.casefold() for column in columns], n=1)
    hint = f" Did you mean {next(c.name for c in columns if c.name.casefold() == near[0])}?" if near else ""
    raise ConfigurationError(
        f"{table} has no column {wanted} (it has {_names(columns)}).{hint}",
        "Name the column as the pipeline expects it, or read from a view that does.",
    )


def _names(columns: Sequence[Column]) -> str:
    return ", ".join(column.name for column in columns[:30]) + (", …" if len(columns) > 30 else "")
