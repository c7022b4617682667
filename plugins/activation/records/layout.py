"""Which column of a table plays which part: the fixed names of contracts: braze 1.1, matched in any case."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches

from activation.errors import ConfigurationError
from activation.records.identifiers import COLUMNS as IDENTIFIERS
from activation.spec.columns import Columns
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


MAPPED_PAYLOAD = "\x1fpayload"
"""The column in which a payload stands that was made of other columns; no table has a column of this name."""

_NO_CHOICE = Columns()
_NAME_IT = "Name the column as the pipeline expects it, or read from a view that does."
_MAKE_IT = "Give the table the column, or make the payload of other columns: columns: {fields: {city: CITY}}."


@dataclass(frozen=True, slots=True)
class Layout:
    """The columns of a source table that a run uses.

    :ivar extract: what to read.
    :ivar roles: role (``external_id``, ``payload``, …) -> the table's own name for the column.
    :ivar columns: the columns that the payload is made of, by the names that the pipeline gives them.
    :ivar subject: the columns that say what a row is about: the first one that has a value counts.
    """

    extract: Extract
    roles: dict[str, str]
    columns: dict[str, Column] = field(default_factory=dict)
    subject: tuple[Column, ...] = ()


def bind(
    table: Relation,
    columns: Sequence[Column],
    *,
    cursor: str,
    key: Sequence[str] = (),
    shape: Shape = USER_DATA,
    chosen: Columns = _NO_CHOICE,
) -> Layout:
    """Find the columns of the fixed layout in a table, or those that a pipeline chooses instead.

    :param columns: the columns that the table has.
    :param cursor: the name of the cursor column.
    :param key: the columns that order rows with the same cursor value; empty: the identifier columns of the table.
    :param shape: the columns of the data type.
    :param chosen: the block ``columns`` of the pipeline, which fits the data type.
    :raises ConfigurationError: if a column is missing, refused or stands there twice; names the table, the column and what is
        there.
    """
    name = named(table)
    at = column_named(name, columns, cursor)
    for role, why in shape.refused.items():
        if (found := _find(name, columns, role)) is not None:
            raise ConfigurationError(f"{name} has a column {found.name}. {why}", "Read from a view without it.")
    roles = _identifiers(name, columns, shape, chosen.identifiers.given)
    keys = [column_named(name, columns, part) for part in key or (roles[role] for role in roles if role in shape.identifiers)]
    made = {part: column_named(name, columns, part) for one in chosen.fields.values() for part in one.columns}
    if chosen.fields:
        _check_payload(name, columns, made)
    else:
        roles |= {role: column_named(name, columns, role, exact=False, fix=_MAKE_IT).name for role in shape.needed}
    used = [*(column_named(name, columns, role) for role in roles.values()), *keys, *made.values()]
    if CURSOR in (column.name for column in used):
        raise ConfigurationError(
            f"{name} has a column {CURSOR} that is to be read, but the name is taken.",
            "Read from a view that gives it another name.",
        )
    extract = Extract(table, at, tuple(keys), tuple({column.name: column for column in used}.values()))
    subject = tuple(column_named(name, columns, roles[role]) for role in shape.identifiers if role in roles)
    return Layout(extract, roles | ({"payload": MAPPED_PAYLOAD} if chosen.fields else {}), made, subject)


def _identifiers(name: str, columns: Sequence[Column], shape: Shape, given: Mapping[str, str]) -> dict[str, str]:
    """The columns that identify a row, and those that a table of the data type may have: by their fixed names, or as chosen."""
    if given:
        return {role: column_named(name, columns, column).name for role, column in given.items()}
    roles = {role: found.name for role in shape.identifiers if (found := _find(name, columns, role))}
    if not roles:
        raise ConfigurationError(
            f"{name} has no identifier column (it has {_names(columns)}).",
            f"Add at least one of {', '.join(role.upper() for role in shape.identifiers)}, or name the column in the pipeline: "
            f"columns: {{identifiers: {{{shape.identifiers[0]}: COLUMN}}}}.",
        )
    for one, other in (("alias_name", "alias_label"), ("alias_label", "alias_name")):
        if one in roles and other not in roles:
            raise ConfigurationError(f"{name} has {one.upper()} but not {other.upper()}.", "An alias needs both columns.")
    return roles | {role: found.name for role in shape.optional if (found := _find(name, columns, role))}


def _check_payload(name: str, columns: Sequence[Column], made: Mapping[str, Column]) -> None:
    """A payload has one origin."""
    found = _find(name, columns, "payload")
    if found is not None and found not in made.values():
        raise ConfigurationError(
            f"{name} has a column {found.name}, and columns.fields make a payload too.",
            "Remove columns.fields to send the column, or read from a view without it.",
        )


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


def column_named(table: str, columns: Sequence[Column], wanted: str, *, exact: bool = True, fix: str = _NAME_IT) -> Column:
    """The column of a name in any case, which must be there.

    :param exact: whether a person has spelled the name, so that a column spelled like it goes first.
    :raises ConfigurationError: if there is none, or several.
    """
    if (column := _find(table, columns, wanted, exact=exact)) is not None:
        return column
    near = get_close_matches(wanted.casefold(), [column.name.casefold() for column in columns], n=1)
    hint = f" Did you mean {next(column.name for column in columns if column.name.casefold() == near[0])}?" if near else ""
    raise ConfigurationError(f"{table} has no column {wanted} (it has {_names(columns)}).{hint}", fix)


def _names(columns: Sequence[Column]) -> str:
    return ", ".join(column.name for column in columns[:30]) + (", …" if len(columns) > 30 else "")
