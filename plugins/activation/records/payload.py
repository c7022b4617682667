"""The rules of the PAYLOAD column (contracts: braze 1.4)."""

from __future__ import annotations

from activation.records.rules import Rule

MOST_BYTES = 1_048_576
"""Bytes of one row's payload: "1 MB" of contracts: braze 1.4, read as 1,024 × 1,024 because less could reject what is allowed."""

MOST_KEYS = 250
"""Top-level keys of one payload; an array or object counts as one (contracts: braze 1.4)."""

IDENTIFIER_KEYS = ("external_id", "user_alias", "alias_name", "alias_label", "braze_id")
"""Keys that a payload must not carry, because the row's own columns name the user (contracts: braze 1.2)."""

KEYS = "TRY(json_keys(payload)) AS keys"
"""Select item for the column ``keys``: the top-level keys of an object, none of another value, NULL where there is no JSON.

Each use of ``json_keys`` parses the payload once more, so the rules share this column.
"""

# An empty object leaves only its closing brace, and no comma may stand before that.
MEMBERS = r"""CASE WHEN len(keys) = 0 THEN '}' ELSE ',' || substr(ltrim(payload, E' \t\r\n'), 2) END"""
"""SQL expression for what follows the first members of an object that takes over those of the payload."""

_number = "-?[nNiI][aAnN][nNfF]"
# One pattern a place: each begins with a fixed character, which the search finds much faster than an alternative of them.
_places = (rf",\s*([}}\]]|{_number})", rf":\s*{_number}", rf"\[\s*{_number}", rf"^\s*{_number}")


def not_strict(text: str) -> str:
    """SQL condition over what DuckDB takes for JSON: whether RFC 8259 does not, for NaN, infinity or a trailing comma.

    :param text: SQL expression. The first test is quick, the second one does not look into strings; DuckDB would make both of
        an AND.
    """
    without_texts = rf"""regexp_replace({text}, '"(\\.|[^"\\])*"', '""', 'g')"""
    quick, exact = (" OR ".join(f"regexp_matches({one}, '{place}')" for place in _places) for one in (text, without_texts))
    return f"CASE WHEN {quick} THEN {exact} ELSE false END"


_by_address = "external_id IS NULL AND alias_name IS NULL AND braze_id IS NULL"

RULES = (
    Rule("payload_missing", "payload IS NULL", "PAYLOAD is NULL; it must be a JSON object, {} if there is nothing to set."),
    Rule("payload_too_large", f"strlen(payload) > {MOST_BYTES}", "Payload was greater than 1MB."),
    Rule("payload_not_json", "keys IS NULL", "PAYLOAD is not valid JSON."),
    # DuckDB's reader lets these through.
    Rule(
        "payload_not_json",
        not_strict("payload"),
        "PAYLOAD is not strict JSON: NaN, Infinity and trailing commas are not allowed.",
    ),
    Rule(
        "payload_not_object",
        "len(keys) = 0 AND json_type(payload) <> 'OBJECT'",
        'PAYLOAD is JSON but not an object such as {"city": "Seoul"}.',
    ),
    Rule("too_many_keys", f"len(keys) > {MOST_KEYS}", f"PAYLOAD has more than {MOST_KEYS} top-level keys."),
    Rule(
        "identifier_in_payload",
        " OR ".join(f"list_contains(keys, '{key}')" for key in IDENTIFIER_KEYS),
        f"PAYLOAD carries an identifier; the row's columns name the user, so take {', '.join(IDENTIFIER_KEYS)} out of it.",
    ),
    Rule(
        "identifier_in_payload",
        f"{_by_address} AND list_has_any(keys, CASE WHEN email IS NULL THEN ['email', 'phone'] ELSE ['email'] END)",
        "PAYLOAD could name another user than the row does: where EMAIL names the user take email out of it, "
        "where PHONE does, email and phone.",
    ),
)
"""In this order: each one may rely on those before it. Over the column :data:`KEYS` too."""
