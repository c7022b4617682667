"""Which columns of the profile tables play which part: fixed names, matched in any case (contracts: kinesis_profiles 4.2)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from activation.errors import ConfigurationError
from activation.records.layout import column_named
from activation.warehouses.base import Column, Extract, Relation, Warehouse, named
from activation.warehouses.profiles import Mode, ProfileRead, ProfileTable, ProfileTables

NEEDED: Mapping[str, tuple[str, ...]] = {
    "profiles": ("profile_id", "updated_at"),
    "memberships": ("profile_id", "audience_id", "status", "last_qualification_time", "updated_at"),
    "identities": ("profile_id", "namespace", "id", "updated_at"),
    "audiences": ("id", "name", "merge_policy", "created_at", "updated_at"),
    "writes": ("profile_id", "attribute", "updated_at"),
}
"""Table -> the columns that it must have."""

OPTIONAL: Mapping[str, tuple[str, ...]] = {
    "identities": ("removed", "is_primary", "authenticated_state"),
    "audiences": ("namespace",),
}
"""Table -> the columns that are used if they are there."""

INSTANTS = ("updated_at", "last_qualification_time", "created_at")

_NAME_IT = (
    "Name the column as the layout of the profile tables has it (activation setup-sql prints it), or read a view that does."
)
_CAST_IT = "Read from a view that casts it to a TIMESTAMP."
_MAP_IT = (
    "Give the table a column PAYLOAD with a JSON object of all attributes, or name the columns of the attributes: "
    "columns: {fields: {personalEmail.address: EMAIL}}."
)


@dataclass(frozen=True, slots=True)
class Related:
    """The tables of the layout beside the profiles themselves."""

    memberships: Relation
    identities: Relation
    audiences: Relation
    writes: Relation | None = None


@dataclass(frozen=True, slots=True)
class Wanted:
    """What of the profiles a pipeline streams.

    :ivar audiences: the ids of the mapped audiences, at least one.
    :ivar fields: mapped attribute, as a path -> the columns that it is made of; empty: all attributes, in the column PAYLOAD.
    :ivar mode: what counts as a change of attributes; ``writes`` needs that table.
    :ivar cursor: what UPDATED_AT is called in the tables that are followed; the audiences always have UPDATED_AT.
    """

    audiences: Sequence[str]
    fields: Mapping[str, Sequence[str]]
    mode: Mode
    cursor: str = "UPDATED_AT"


def bind_profiles(warehouse: Warehouse, profiles: Relation, related: Related, wanted: Wanted) -> ProfileRead:
    """Find the columns of the layout in the tables of a warehouse.

    No audience is newly mapped in what comes back: ``dataclasses.replace(read, fresh=…)`` says which are.

    :param profiles: the table, the view or the query with the profiles.
    :raises ConfigurationError: if a column is missing, stands there twice or has no instants; names the table, the column and
        what is there.
    """
    if wanted.mode == "writes" and related.writes is None:
        raise ConfigurationError(
            "Changes of attributes are to be taken from the table of writes, but the pipeline names none.",
            "Name it in the block source: related: {writes: schema.table}, or choose changes: {attributes: content}.",
        )
    known = warehouse.columns(profiles)
    columns = [column_named(named(profiles), known, name) for names in wanted.fields.values() for name in names]
    columns = columns or [column_named(named(profiles), known, "payload", exact=False, fix=_MAP_IT)]
    tables = ProfileTables(
        _bind(warehouse, "profiles", profiles, known, wanted.cursor),
        *(
            _bind(warehouse, part, relation, warehouse.columns(relation), wanted.cursor if part != "audiences" else "UPDATED_AT")
            for part in ("memberships", "identities", "audiences", "writes")
            if (relation := getattr(related, part)) is not None
        ),
    )
    return ProfileRead(
        tables,
        tuple(dict.fromkeys(columns)),
        tuple(dict.fromkeys(wanted.audiences)),
        paths=tuple(wanted.fields),
        mode=wanted.mode,
    )


def _bind(warehouse: Warehouse, part: str, relation: Relation, known: Sequence[Column], cursor: str) -> ProfileTable:
    """Find the columns of one table."""
    name = named(relation)
    found = {
        role: column_named(name, known, cursor)
        if role == "updated_at"
        else column_named(name, known, role, exact=False, fix=_NAME_IT)
        for role in NEEDED[part]
    }
    there = {column.name.casefold() for column in known}
    optional = (role for role in OPTIONAL.get(part, ()) if role in there)
    found |= {role: column_named(name, known, role, exact=False) for role in optional}
    for role in INSTANTS:
        if role in found:
            _check_instant(warehouse, relation, found[role])
    return ProfileTable(relation, found)


def _check_instant(warehouse: Warehouse, relation: Relation, column: Column) -> None:
    try:
        warehouse.tick_of(Extract(relation, column, (), ()))
    except ConfigurationError:
        problem = f"{named(relation)} has {column.name} as {column.type}, but it must hold instants."
        raise ConfigurationError(problem, _CAST_IT) from None
