"""The ``columns`` block: which columns name the user, and which make the payload where the table has none (braze F31)."""

import re
from typing import Annotated

from pydantic import Field, field_validator, model_validator
from typing_extensions import Self

from activation.spec.block import Block
from activation.spec.entries import Entries, Short
from activation.spec.expressions import environment_names, has_jinja
from activation.spec.fields import MappedField
from activation.spec.invalid import invalid, invalid_at
from activation.spec.names import ColumnName

USERS = ("external_id", "alias_name", "alias_label", "braze_id", "email", "phone")

ROLES = {
    "attributes": USERS,
    "events": USERS,
    "purchases": USERS,
    "deletes": USERS[:4],
    "catalog_items": ("id", "deleted"),
}
"""``destination.data`` -> the roles that columns can play (contracts: braze 1.1)."""

NEEDED = {"events": ("name",), "purchases": ("product_id", "currency", "price")}
"""``destination.data`` -> the fields without which every row would be rejected (contracts: braze 1.4)."""

TAKEN = ("external_id", "user_alias", "alias_name", "alias_label", "braze_id")
"""Fields that a payload about users must not have (contracts: braze 1.2)."""

_MOST_NAME = 255
_INSIDE = re.compile(r"\$?[^ $]+")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


def _role(meaning: str, example: str) -> object:
    return Field(title=meaning, description=f"The column with the {meaning.lower()}.", examples=[example])


class Identifiers(Block):
    """Role -> the column that plays it. A column that is not named plays none, whatever its name."""

    external_id: Annotated[ColumnName | None, _role("External id", "USER_ID")] = None
    alias_name: Annotated[ColumnName | None, _role("Name of an alias", "CRM_NUMBER")] = None
    alias_label: Annotated[ColumnName | None, _role("Label of an alias", "CRM_NAME")] = None
    braze_id: Annotated[ColumnName | None, _role("Braze id", "BRAZE")] = None
    email: Annotated[ColumnName | None, _role("E-mail address", "MAIL")] = None
    phone: Annotated[ColumnName | None, _role("Phone number", "MOBILE")] = None
    id: Annotated[ColumnName | None, _role("Id of a catalog item", "SKU")] = None
    deleted: Annotated[ColumnName | None, _role("Mark of a deleted item", "IS_GONE")] = None

    @property
    def given(self) -> dict[str, str]:
        """The roles that a column plays."""
        return {role: column for role, column in self.model_dump().items() if column is not None}

    @model_validator(mode="after")
    def _whole_alias(self) -> Self:
        if (self.alias_name is None) != (self.alias_label is None):
            raise invalid("names half an alias", "Write alias_name and alias_label, or none of the two.")
        return self


class Columns(Block):
    """What a table's columns mean, for tables that are not laid out as Braze's data ingestion wants them."""

    identifiers: Annotated[
        Identifiers,
        Field(
            title="Identifiers",
            description="The columns that say whom a row is about; needed with `fields`. Absent: the columns EXTERNAL_ID, "
            "ALIAS_NAME and ALIAS_LABEL, BRAZE_ID, EMAIL and PHONE, for catalog items ID and DELETED.",
            examples=[{"external_id": "USER_ID"}],
        ),
    ] = Identifiers()
    fields: Annotated[
        Entries[Annotated[MappedField, Short("column")]],
        Field(
            title="Fields",
            description="The fields of the payload, each with a column's name or a block. Dots nest: `loyalty.tier` is `tier` in "
            "the object `loyalty`. Absent: the column PAYLOAD.",
            examples=[{"first_name": "FIRST_NAME", "age": {"column": "AGE", "nulls": "skip"}}],
        ),
    ] = Entries()

    @field_validator("fields")
    @classmethod
    def _names(cls, fields: Entries[MappedField]) -> Entries[MappedField]:
        for name in fields:
            parts = name.split(".")
            if has_jinja(name) or environment_names(name):
                raise invalid_at(name, "does not take Jinja or ${env:NAME}", "Write the field's name itself.")
            if not parts[0].strip() or _CONTROL.search(name) or any(len(part) > _MOST_NAME for part in parts):
                raise invalid_at(
                    name, f"is not a field's name of 1 to {_MOST_NAME} characters", "Write it like city or loyalty.tier."
                )
            objects = [".".join(parts[:depth]) for depth in range(1, len(parts))]
            if taken := [one for one in objects if one in fields]:
                raise invalid_at(
                    name, f"puts a field into {taken[0]}, which is a field with a value of its own", "Keep one of the two."
                )
        return fields

    def check(self, data: str) -> None:
        """Compare with what a row is, and the names with what Braze drops inside of objects (contracts: braze 1.4).

        :param data: ``destination.data``.
        :raises pydantic_core.PydanticCustomError: or a ``ValidationError``, if a role or field is not for it, or one is missing.
        """
        given, fields = self.identifiers.given, self.fields
        for name in fields:
            if not all(_INSIDE.fullmatch(part) for part in name.split(".")[1:]):
                fix = "A dot always nests. Names inside an object have no blank, and a dollar sign only in front, like $time."
                raise invalid_at(("fields", name), "has a name inside an object that Braze does not take", fix)
        for role in given:
            if role not in ROLES[data]:
                raise invalid_at(("identifiers", role), f"is no identifier of {data}", f"Allowed: {', '.join(ROLES[data])}.")
        if given and set(given) == {"deleted"}:
            raise invalid_at("identifiers", "says which items are deleted, but not which they are", "Write id: COLUMN too.")
        if fields and data == "deletes":
            raise invalid_at("fields", "makes a payload, which deletes do not have", "Remove fields; identifiers are enough.")
        if fields and not given:
            fix = f"Write beside it identifiers: {{{ROLES[data][0]}: COLUMN}}."
            raise invalid_at("fields", "does not say which column identifies a row", fix)
        self._check_fields(data, set(given))

    def check_repeatable(self, cause: str) -> None:
        """Refuse what makes a row differ from run to run though its columns have not changed.

        :param cause: the setting for which it must not.
        """
        for name, field in self.fields.items():
            if field.moment:
                fix = f"Remove the field, or {cause}."
                raise invalid_at(("fields", name, "moment"), "changes with every run, so no row would be unchanged", fix)

    def _check_fields(self, data: str, roles: set[str]) -> None:
        names = {name: name.partition(".")[0] for name in self.fields}
        taken = {"id"} if data == "catalog_items" else {*TAKEN, *_addresses(roles)}
        for name, first in names.items():
            if first in taken:
                fix = f"Write it below columns.identifiers, where a row may carry it: {', '.join(ROLES[data])}."
                raise invalid_at(("fields", name), "is an identifier, which a payload must not carry", fix)
        missing = [name for name in NEEDED.get(data, ()) if name not in names.values()]
        if names and missing:
            raise invalid_at(
                "fields", f"has no field {missing[0]}, which {data} need", f"Write {missing[0]}: COLUMN, or a block."
            )


def _addresses(roles: set[str]) -> set[str]:
    """The fields that could name another user than the row does, where an address is all that names it (braze 1.2)."""
    if not roles or not roles <= {"email", "phone"}:
        return set()
    return {"email"} if "email" in roles else {"email", "phone"}
