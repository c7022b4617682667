"""Catalog items: a row writes an item, or removes it where DELETED is true (contracts: braze 1.1, 2.3, 2.5)."""

from __future__ import annotations

from activation.destinations.braze.encoder import NO_CURSOR, Form
from activation.records import payload
from activation.records.layout import Shape
from activation.records.rules import FALSE, TRUE, Rule, text_of

SHAPE = Shape(("id",), needed=("payload",), optional=("deleted",))

WRITE, REMOVE = 0, 1
"""The calls that the rows go to."""

MOST_TEXT = 5_000
"""Characters of a value (2.3)."""

_gone = f"coalesce(regexp_full_match(deleted, '{TRUE}'), false)"
_about_users = ("too_many_keys", "identifier_in_payload")
_longest = "list_max(list_transform(json_extract_string(payload, '$.*'), lambda x: len(x)))"
_long = f"strlen(payload) > {MOST_TEXT} AND {_longest} > {MOST_TEXT}"

RULES = (
    NO_CURSOR,
    Rule("item_id_missing", "id IS NULL", "The row has no ID."),
    Rule(
        "item_id_invalid",
        "NOT regexp_full_match(id, '[-_A-Za-z0-9]{1,250}')",
        "ID takes 1 to 250 letters, digits, hyphens and underscores.",
    ),
    Rule(
        "deleted_not_boolean",
        f"NOT regexp_full_match(deleted, '{TRUE}') AND NOT regexp_full_match(deleted, '{FALSE}')",
        "DELETED must be a boolean.",
    ),
    *(Rule(rule.code, f"NOT gone AND ({rule.when})", rule.message) for rule in payload.RULES if rule.code not in _about_users),
    Rule(
        "identifier_in_payload", "NOT gone AND list_contains(keys, 'id')", "PAYLOAD carries an id; the column ID names the item."
    ),
    Rule("value_too_long", f"NOT gone AND {_long}", f"A value of the payload has more than {MOST_TEXT:,} characters."),
)


def form() -> Form:
    """How a row becomes an item."""
    return Form(
        columns=("id", "deleted", "payload"),
        rules=RULES,
        key=f"""'"id":' || {text_of("id")}""",
        item=f"CASE WHEN gone THEN '{{' || owner || '}}' ELSE '{{' || owner || {payload.MEMBERS} END",
        group=f"CASE WHEN gone THEN {REMOVE} ELSE {WRITE} END",
        parsed=f"{payload.KEYS}, {_gone} AS gone",
    )
