"""What becomes of a row by contracts: braze 1.2 and 1.4, written once more in plain Python, row by row."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

Pairs = list[tuple[str, Any]]


class Invalid(ValueError):
    """Not JSON by RFC 8259, or not a text that can be sent."""


def pairs_of(text: str) -> Any:
    """Parse strict JSON: objects become lists of pairs in ``{"pairs": …}``, so that double keys stay, and numbers their texts."""

    def refuse(constant: str) -> None:
        raise Invalid(constant)

    def number(written: str) -> Any:
        return ("number", written)

    try:
        parsed = json.loads(
            text, parse_constant=refuse, parse_int=number, parse_float=number, object_pairs_hook=lambda pairs: {"pairs": pairs}
        )
        json.dumps(parsed, ensure_ascii=False).encode()  # half a surrogate pair is no text
    except (ValueError, UnicodeEncodeError) as error:
        raise Invalid(str(error)) from error
    return parsed


def user_of(row: Mapping[str, Any]) -> tuple[str, ...] | str:
    """Kind and value of the identifier, or the code of the rule that the row breaks."""
    given = {name: value for name, value in row.items() if value}
    alias = ("alias_name" in given, "alias_label" in given)
    if any(alias) and not all(alias):
        return "half_alias"
    found: list[tuple[str, ...]] = []
    if "external_id" in given:
        found.append(("external_id", given["external_id"]))
    if all(alias):
        found.append(("user_alias", given["alias_name"], given["alias_label"]))
    if "braze_id" in given:
        found.append(("braze_id", given["braze_id"]))
    if "email" in given:
        found.append(("email", given["email"]))
    elif "phone" in given:
        found.append(("phone", given["phone"]))
    if len(found) != 1:
        return "multiple_identifiers" if found else "no_identifier"
    if len(given.get("external_id", "").encode()) > 987:
        return "identifier_too_long"
    return found[0]


def payload_of(text: str | None, user: tuple[str, ...]) -> Pairs | str:
    """The members of the payload, or the code of the rule that it breaks."""
    if text is None:
        return "payload_missing"
    if len(text.encode()) > 1_048_576:
        return "payload_too_large"
    try:
        parsed = pairs_of(text)
    except Invalid:
        return "payload_not_json"
    if not (isinstance(parsed, dict) and isinstance(parsed["pairs"], list)):
        return "payload_not_object"
    pairs: Pairs = parsed["pairs"]
    keys = {key for key, _ in pairs}
    if len(pairs) > 250:
        return "too_many_keys"
    taken = {"external_id", "user_alias", "alias_name", "alias_label", "braze_id"}
    taken |= {"email": {"email"}, "phone": {"email", "phone"}}.get(user[0], set())
    return "identifier_in_payload" if keys & taken else pairs


def object_of(row: Mapping[str, Any], *, update_existing_only: bool) -> Pairs | str:
    """The members of the object that is sent, in their order, or the code with which the row is rejected."""
    if row["cursor"] is None:
        return "null_updated_at"
    user = user_of({name: value for name, value in row.items() if name not in ("cursor", "payload")})
    if isinstance(user, str):
        return user
    payload = payload_of(row["payload"], user)
    if isinstance(payload, str):
        return payload
    kind = user[0]
    named: Any = {"pairs": [("alias_name", user[1]), ("alias_label", user[2])]} if kind == "user_alias" else user[1]
    members: Pairs = [(kind, named)]
    if "_update_existing_only" not in dict(payload) and (update_existing_only or kind == "user_alias"):
        members.append(("_update_existing_only", update_existing_only))
    return members + payload
