"""The truth table of contracts: braze 1.2: exactly one kind of identifier a row, e-mail before phone."""

from __future__ import annotations

import itertools
import json

import pytest

from activation.records.identifiers import COLUMNS

from .encoding import Row, encode, message, object_of, text_of, verdict

VALUES = {
    "external_id": "u1",
    "alias_name": "tester",
    "alias_label": "crm",
    "braze_id": "5d4e6f",
    "email": "a@example.com",
    "phone": "+821012345678",
}


def row(*columns: str) -> Row:
    return {column: VALUES[column] for column in columns}


@pytest.mark.parametrize(
    ("columns", "named"),
    [
        (["external_id"], {"external_id": "u1"}),
        (["alias_name", "alias_label"], {"user_alias": {"alias_name": "tester", "alias_label": "crm"}}),
        (["braze_id"], {"braze_id": "5d4e6f"}),
        (["email"], {"email": "a@example.com"}),
        (["phone"], {"phone": "+821012345678"}),
        (["email", "phone"], {"email": "a@example.com"}),
    ],
)
def test_f11_the_identifier_of_the_row_names_the_user(columns: list[str], named: object) -> None:
    sent = object_of({**row(*columns), "payload": '{"plan":"pro"}'})
    assert sent.pop("plan") == "pro"
    sent.pop("_update_existing_only", None)
    assert sent == named


def kinds(columns: tuple[str, ...]) -> int:
    """How many kinds a row names: an alias is one, and so are e-mail and phone together."""
    alias = {"alias_name", "alias_label"} <= set(columns)
    return ("external_id" in columns) + alias + ("braze_id" in columns) + bool({"email", "phone"} & set(columns))


@pytest.mark.parametrize("columns", [part for size in range(7) for part in itertools.combinations(COLUMNS, size)])
def test_f11_every_combination_of_columns(columns: tuple[str, ...]) -> None:
    half = ("alias_name" in columns) != ("alias_label" in columns)
    expected = "half_alias" if half else ["no_identifier", "good", "multiple_identifiers"][min(kinds(columns), 2)]
    assert verdict(row(*columns)) == expected


@pytest.mark.parametrize("columns", [part for size in range(7) for part in itertools.combinations(COLUMNS, size)])
def test_an_empty_text_is_no_identifier(columns: tuple[str, ...]) -> None:
    filled = row(*columns)
    assert verdict({**dict.fromkeys(COLUMNS, ""), **filled}) == verdict(filled)


def test_the_messages_say_what_would_be_right() -> None:
    assert message(row("alias_name")) == "ALIAS_NAME and ALIAS_LABEL make an alias together; one of them is empty."
    assert message({}) == "The row names no user: all its identifier columns are empty."
    two = "The row carries more than one kind of identifier; leave exactly one in it."
    assert message(row("external_id", "email")) == two
    assert message({"external_id": "x" * 988}) == "EXTERNAL_ID has more than 987 bytes."


@pytest.mark.parametrize("filler", ["x", "한", "😀"])
def test_an_external_id_is_measured_in_bytes(filler: str) -> None:
    size = len(filler.encode())
    longest = filler * (987 // size) + "x" * (987 % size)
    assert len(longest.encode()) == 987
    assert object_of({"external_id": longest}) == {"external_id": longest}
    assert verdict({"external_id": longest + "x"}) == "identifier_too_long"
    assert verdict({"external_id": longest[:-1] + filler * 2}) == "identifier_too_long"


def test_only_an_external_id_has_a_length_limit() -> None:
    assert verdict({"alias_name": "x" * 988, "alias_label": "crm"}) == "good"
    assert verdict({"email": "x" * 988}) == "good"


STRANGE = [
    'quo"te',
    "back\\slash",
    "\\",
    '\\"',
    "line\nfeed\ttab\rreturn\b\f",
    "\x01\x1f\x7f",
    "nul\x00inside",
    "한글 이름",
    "😀👩‍👩‍👧",
    "</script>",
    "\u2028\u2029",
    '{"external_id":"x"}',
    "%s {0} ${x}",
    "'; DROP TABLE users; --",
    " ",
    "é e\u0301",
]


@pytest.mark.parametrize("value", STRANGE)
@pytest.mark.parametrize("column", ["external_id", "braze_id", "email", "phone"])
def test_identifiers_are_written_as_exact_json(column: str, value: str) -> None:
    assert object_of({column: value, "payload": '{"a":1}'}) == {column: value, "a": 1}


@pytest.mark.parametrize("value", STRANGE)
def test_both_halves_of_an_alias_are_written_as_exact_json(value: str) -> None:
    sent = object_of({"alias_name": value, "alias_label": value[::-1]})
    assert sent["user_alias"] == {"alias_name": value, "alias_label": value[::-1]}


def test_a_simple_row_is_written_without_any_waste() -> None:
    assert text_of({"external_id": "u1", "payload": '{"a":1}'}) == '{"external_id":"u1","a":1}'


def test_users_are_told_apart_by_what_is_sent() -> None:
    rows = [
        {"email": "a@example.com", "phone": "+821"},
        {"email": "a@example.com", "phone": "+822"},
        {"email": "a@example.com"},
        {"phone": "+821"},
        {"phone": "+822"},
        {"external_id": "a@example.com"},
        {"braze_id": "a@example.com"},
        {"alias_name": "a", "alias_label": "b"},
        {"alias_name": "b", "alias_label": "a"},
        {"alias_name": "a\x1f", "alias_label": "b"},
        {"alias_name": "a", "alias_label": "\x1fb"},
    ]
    keys = encode(*rows).keys.tolist()
    assert keys[0] == keys[1] == keys[2], "the address names the user; the phone number beside it is not sent"
    assert len(set(keys[2:])) == len(rows) - 2


def test_the_key_depends_on_the_user_alone() -> None:
    rows: list[Row] = [{"external_id": "u", "payload": json.dumps({"n": n})} for n in range(3)]
    keys = encode(*rows).keys.tolist()
    assert keys == [keys[0]] * 3
    assert encode(rows[0], update_existing_only=True).keys.tolist() == keys[:1]
