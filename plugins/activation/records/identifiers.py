"""Which column names the user (contracts: braze 1.2): exactly one kind of identifier a row, e-mail before phone."""

from __future__ import annotations

from activation.records.rules import Rule, text_of

MOST_BYTES = 987
"""Bytes of an external_id (contracts: braze 2.3)."""

COLUMNS = ("external_id", "alias_name", "alias_label", "braze_id", "email", "phone")
"""The fixed column names of contracts: braze 1.1; tables match them in any case."""

_has_alias = "(alias_name IS NOT NULL AND alias_label IS NOT NULL)"
_has_address = "(email IS NOT NULL OR phone IS NOT NULL)"
_kinds = f"((external_id IS NOT NULL)::INT + {_has_alias}::INT + (braze_id IS NOT NULL)::INT + {_has_address}::INT)"

RULES = (
    Rule(
        "half_alias",
        "(alias_name IS NULL) <> (alias_label IS NULL)",
        "ALIAS_NAME and ALIAS_LABEL make an alias together; one of them is empty.",
    ),
    Rule("no_identifier", f"{_kinds} = 0", "The row names no user: all its identifier columns are empty."),
    Rule("multiple_identifiers", f"{_kinds} > 1", "The row carries more than one kind of identifier; leave exactly one in it."),
    Rule("identifier_too_long", f"strlen(external_id) > {MOST_BYTES}", f"EXTERNAL_ID has more than {MOST_BYTES} bytes."),
)
"""Over columns in which an empty text was made NULL."""

USER = f"""CASE
    WHEN external_id IS NOT NULL THEN '"external_id":' || {text_of("external_id")}
    WHEN alias_name IS NOT NULL THEN '"user_alias":{{"alias_name":' || {text_of("alias_name")}
        || ',"alias_label":' || {text_of("alias_label")} || '}}'
    WHEN braze_id IS NOT NULL THEN '"braze_id":' || {text_of("braze_id")}
    WHEN email IS NOT NULL THEN '"email":' || {text_of("email")}
    ELSE '"phone":' || {text_of("phone")} END"""
"""SQL expression for the member of the row's JSON object that names the user; equal users give equal texts."""


def switch(*, update_existing_only: bool) -> str:
    """SQL expression for the member that says what happens to unknown users, with a comma before it, or ``''``.

    :param update_existing_only: whether users that Braze does not know are left alone. Braze's own default is true for an
        alias and false for every other identifier, so the switch is written wherever it differs (contracts: braze 1.2);
        a payload's own switch goes first.
    """
    key = ',"_update_existing_only":'
    alias, other = (f"'{key}true'", f"'{key}true'") if update_existing_only else (f"'{key}false'", "''")
    own = "list_contains(keys, '_update_existing_only')"
    return f"CASE WHEN {own} THEN '' WHEN alias_name IS NOT NULL THEN {alias} ELSE {other} END"
