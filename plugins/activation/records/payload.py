"""The rules of the PAYLOAD column (contracts: braze 1.4) and the test for strict JSON."""

from __future__ import annotations

import json

from activation.records.rules import Rule

MOST_BYTES = 1_048_576
"""Bytes of one row's payload: "1 MB" of contracts: braze 1.4, read as 1,024 × 1,024 because less could reject what is allowed."""

MOST_KEYS = 250
"""Top-level keys of one payload; an array or object counts as one (contracts: braze 1.4)."""

IDENTIFIER_KEYS = ("external_id", "user_alias", "alias_name", "alias_label", "braze_id")
"""Keys that a payload must not carry, because the row's own columns name the user (contracts: braze 1.2)."""

KEYS = "json_keys(payload)"
"""SQL expression for the top-level keys of a payload that is known to be an object."""

DOUBTFUL = r"regexp_matches(payload, '(,\s*[}\]])|([:\[,]\s*-?[nNiI][aAnN][nNfF])')"
"""SQL condition for payloads that DuckDB's lenient reader may have let through: trailing commas, NaN, Infinity.

It also meets some good ones (a comma before a brace inside a string); :func:`is_strict_json` decides about each.
"""

_carried = ", ".join(f"'{key}'" for key in IDENTIFIER_KEYS)

RULES = (
    Rule("payload_missing", "payload IS NULL", "PAYLOAD is NULL; it must be a JSON object, {} if there is nothing to set."),
    Rule("payload_too_large", f"strlen(payload) > {MOST_BYTES}", "Payload was greater than 1MB."),
    Rule("payload_not_json", "NOT json_valid(payload)", "PAYLOAD is not valid JSON."),
    Rule("payload_not_object", "json_type(payload) <> 'OBJECT'", 'PAYLOAD is JSON but not an object such as {"city": "Seoul"}.'),
    Rule("too_many_keys", f"len({KEYS}) > {MOST_KEYS}", f"PAYLOAD has more than {MOST_KEYS} top-level keys."),
    Rule(
        "identifier_in_payload",
        f"list_has_any({KEYS}, [{_carried}])",
        f"PAYLOAD carries an identifier; the row's columns name the user, so take {', '.join(IDENTIFIER_KEYS)} out of it.",
    ),
)
"""In this order: each one may rely on those before it."""

NOT_STRICT = "PAYLOAD is not strict JSON: NaN, Infinity and trailing commas are not allowed."


def is_strict_json(text: str) -> bool:
    """Whether a text is JSON by the letter (RFC 8259): no NaN, no Infinity, no trailing comma."""

    def refuse(constant: str) -> None:
        raise ValueError(constant)

    try:
        json.loads(text, parse_constant=refuse)
    except (ValueError, RecursionError):
        return False
    return True
