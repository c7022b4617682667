"""The attributes of a profile as members of its message: made of mapped columns, or taken out of PAYLOAD (kinesis 1.4, 1.5)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches

from activation.errors import ConfigurationError
from activation.records.conversions import BLANKS
from activation.records.mapping import Plan
from activation.records.payload import not_strict
from activation.records.rules import Rule
from activation.spec.fields import MappedField
from activation.warehouses.base import Column

RESERVED = ("segmentMembership", "identityMap")
"""Keys of a message that are no attributes."""


@dataclass(frozen=True, slots=True)
class Attributes:
    """Where the attributes of a message come from, as SQL.

    :ivar columns: column of the batch -> its name in the expressions.
    :ivar source: what stands behind FROM: the columns of ``batch``, and those that the expressions use beside them.
    :ivar rules: why rows are rejected.
    :ivar members: the members, each with a comma before it, or the empty text; for rows that break no rule.
    :ivar value: path of an attribute -> its value as a text, NULL if it is absent; for rows that break no rule.
    """

    columns: Mapping[str, str]
    source: str
    rules: tuple[Rule, ...]
    members: str
    value: Callable[[str], str]


def mapped_attributes(fields: Mapping[str, MappedField], columns: Mapping[str, Column], started: str) -> Attributes:
    """The attributes that ``columns.fields`` make; what has no value is left out unless its field says otherwise.

    :param fields: path -> field, at least one.
    :param columns: the columns of the fields, by the names that the pipeline gives them.
    :param started: when the run began, ISO 8601.
    :raises ConfigurationError: if a field takes the place of the memberships or the identities; from ``value``, if a path is not
        mapped.
    """
    for name in fields:
        if name.partition(".")[0] in RESERVED:
            raise ConfigurationError(
                f"columns.fields maps {name}, but memberships and identities are written anyway.", "Remove the field."
            )
    plan = Plan(fields, columns, started, nulls="skip")

    def value(path: str) -> str:
        if path not in plan.values:
            near = get_close_matches(path, plan.values, n=1)
            hint = f" Did you mean {near[0]}?" if near else ""
            raise ConfigurationError(
                f"records.partition_key is {path}, which is no mapped attribute.{hint}",
                f"Choose profile_id, primary_identity, random or one of {', '.join(plan.values)}.",
            )
        return f"json_extract_string({plan.values[path]}, '$')"

    return Attributes(plan.texts, plan.steps(), tuple(plan.rules), plan.members(), value)


def payload_attributes(column: str) -> Attributes:
    """The members of a column with JSON objects. A null in an object, at any level, is left out; NULL is an object without any.

    :param column: its name in the batches.
    """
    bare = f"trim(CASE WHEN contains(payload, 'null') THEN json_merge_patch('{{}}', payload) ELSE payload END, {BLANKS})"
    members = f"substr(left({bare}, -1), 2)"
    return Attributes(
        columns={column: "payload"},
        source="(SELECT *, CASE WHEN payload IS NOT NULL THEN TRY(json_keys(payload)) END AS keys FROM batch)",
        rules=_PAYLOAD_RULES,
        members=f"CASE WHEN payload IS NULL OR trim({members}, {BLANKS}) = '' THEN '' ELSE ',' || {members} END",
        value=lambda path: f"json_extract_string(payload, {_literal(_pointer(path))})",
    )


def _pointer(path: str) -> str:
    """The JSON pointer of a path with dots (RFC 6901)."""
    return "".join("/" + part.replace("~", "~0").replace("/", "~1") for part in path.split("."))


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


_PAYLOAD_RULES = (
    Rule("payload_not_json", "payload IS NOT NULL AND keys IS NULL", "PAYLOAD is not valid JSON."),
    Rule(
        "payload_not_json",
        not_strict("payload"),
        "PAYLOAD is not strict JSON: NaN, Infinity and trailing commas are not allowed.",
    ),
    Rule(
        "payload_not_object",
        "len(keys) = 0 AND json_type(payload) <> 'OBJECT'",
        'PAYLOAD is JSON but not an object such as {"personalEmail": {"address": "a@example.com"}}.',
    ),
    Rule(
        "reserved_in_payload",
        " OR ".join(f"list_contains(keys, '{key}')" for key in RESERVED),
        f"PAYLOAD carries {' or '.join(RESERVED)}, which are made of their own tables; take them out of it.",
    ),
)
"""In this order: each one may rely on those before it. DuckDB's reader lets through what the second one catches."""
