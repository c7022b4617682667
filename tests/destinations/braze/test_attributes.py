"""The encoder for user attributes: against a plain reference, and its switch for users that Braze does not know."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.records import reference
from tests.records.encoding import ROLES, attributes_encoder, batch_of, encode, object_of, texts

ALIAS = {"alias_name": "n", "alias_label": "l"}
KINDS: list[dict[str, str]] = [{"external_id": "u"}, ALIAS, {"braze_id": "b"}, {"email": "a@x.io"}, {"phone": "+82"}]


def switch(row: dict[str, str], **switches: bool) -> Any:
    return object_of(row, **switches).get("_update_existing_only", "absent")


@pytest.mark.parametrize("row", KINDS)
def test_f11_users_that_are_unknown_are_created_unless_told_otherwise(row: dict[str, str]) -> None:
    # Braze's own default is to create, but for an alias, where it is not.
    assert switch(row) == (False if row is ALIAS else "absent")


@pytest.mark.parametrize("row", KINDS)
def test_f11_only_users_that_are_known_are_updated_if_told_so(row: dict[str, str]) -> None:
    assert switch(row, update_existing_only=True) is True


@pytest.mark.parametrize("row", KINDS)
@pytest.mark.parametrize("told", [True, False])
@pytest.mark.parametrize("own", [True, False, None])
def test_a_payloads_own_switch_goes_first_and_stands_there_once(row: dict[str, str], told: bool, own: bool | None) -> None:
    payload = json.dumps({"a": 1, "_update_existing_only": own})
    (text,) = texts(encode({**row, "payload": payload}, update_existing_only=told))
    assert text.count("_update_existing_only") == 1
    assert json.loads(text)["_update_existing_only"] is own


def test_an_empty_payload_leaves_no_comma_behind() -> None:
    rows = [{**row, "payload": payload} for row in KINDS for payload in ("{}", " { \n} ")]
    sent = [json.loads(text) for text in texts(encode(*rows, update_existing_only=True))]
    assert [one.pop("_update_existing_only") for one in sent] == [True] * len(rows)
    assert all(len(one) == 1 for one in sent)


def test_rows_without_a_cursor_value_are_told_apart_from_rows_at_zero() -> None:
    encoded = encode({"external_id": "u", "cursor": None}, {"external_id": "u", "cursor": 0})
    assert [(one.row, one.code, one.message) for one in encoded.rejected] == [
        (0, "null_updated_at", "The row has no cursor value; without one no run can select it.")
    ]
    assert encoded.rows.tolist() == [1]


@pytest.mark.parametrize("rows", [[], [{}], [{"external_id": "u"}], [{}, {}, {"external_id": "u"}]])
def test_batches_of_nothing_of_bad_rows_and_of_one(rows: list[dict[str, str]]) -> None:
    encoded = encode(*rows)
    good = [index for index, row in enumerate(rows) if row]
    assert encoded.rows.tolist() == good
    assert len(encoded.keys) == len(good)
    assert len(encoded.offsets) == len(good) + 1
    assert texts(encoded) == ['{"external_id":"u"}'] * len(good)


def test_a_batch_of_many_vectors_keeps_its_order() -> None:
    bad = range(7, 20_000, 1_000)
    good = [number for number in range(20_000) if number not in bad]
    payloads = {number: f'{{"n":{number}}}' for number in good}
    encoded = encode(*({"external_id": f"u{number}", "payload": payloads.get(number)} for number in range(20_000)))
    assert encoded.rows.tolist() == good
    assert [one.row for one in encoded.rejected] == list(bad)
    assert texts(encoded) == [f'{{"external_id":"u{number}","n":{number}}}' for number in good]


def test_a_sliced_batch_is_encoded_from_its_own_beginning() -> None:
    rows = [{"external_id": f"u{number}"} for number in range(10)]
    encoder = attributes_encoder(ROLES)
    part = encoder.encode(batch_of(rows).slice(3, 4))
    assert texts(part) == [f'{{"external_id":"u{number}"}}' for number in range(3, 7)]
    assert part.rows.tolist() == [0, 1, 2, 3]
    encoder.close()


def test_a_table_may_have_a_part_of_the_columns_under_names_of_its_own() -> None:
    encoder = attributes_encoder({"email": "Mail", "payload": "doc"})
    batch = batch_of([{"email": "a@x.io", "payload": '{"a":1}'}]).select(["cursor", "EMAIL", "PAYLOAD"])
    assert texts(encoder.encode(batch.rename_columns(["cursor", "Mail", "doc"]))) == ['{"email":"a@x.io","a":1}']
    encoder.close()


names = st.one_of(st.none(), st.sampled_from(["", "a", "b", "한", 'q"\\', "x" * 987, "x" * 988]), st.text(max_size=5))
taken = ["email", "phone", "external_id", "braze_id", "user_alias", "_update_existing_only"]
traps = [",}", ",\n]", ":NaN", "[-inf", '"', "\\", '\\"']
keys = st.one_of(st.sampled_from(["a", "b", *taken, *traps]), st.text(max_size=4))
leaves = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=6), st.sampled_from(traps))
values = st.recursive(
    leaves, lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(keys, inner, max_size=3)), max_leaves=6
)
layouts = st.sampled_from([{}, {"separators": (",", ":")}, {"indent": 1}, {"ensure_ascii": False}])
documents = st.one_of(st.dictionaries(keys, values, max_size=4), values)
written = st.builds(lambda value, layout: json.dumps(value, **layout), documents, layouts)
splinters = st.sampled_from([",", "]", "}", '"', "\\", " ", "NaN", "0", "\ufeff", "\x01", ""])


@st.composite
def mangled(draw: st.DrawFn) -> str:
    """JSON with a few characters put in or taken out: nearly right."""
    text = draw(written)
    for _ in range(draw(st.integers(0, 2))):
        at = draw(st.integers(0, len(text)))
        text = text[:at] + draw(splinters) + text[at + draw(st.integers(0, 1)) :]
    return text


row = st.fixed_dictionaries(
    {
        "cursor": st.sampled_from([1, 1, 1, 1, 1, None]),
        "payload": st.one_of(st.none(), st.just("{}"), written, mangled()),
    },
    optional=dict.fromkeys(("external_id", "alias_name", "alias_label", "braze_id", "email", "phone"), names),
)
plain_row = st.builds(
    lambda user, payload: {"cursor": 1, **user, "payload": payload},
    st.sampled_from([*KINDS, {"email": "a@x.io", "phone": "+82"}, {"external_id": "한"}, {"external_id": "x" * 987}]),
    st.one_of(written, mangled()),
)


@settings(max_examples=120, deadline=None)
@given(st.lists(st.one_of(row, plain_row), max_size=12), st.booleans())
def test_the_encoder_does_what_the_contract_says(rows: list[dict[str, Any]], told: bool) -> None:
    encoded = encode(*rows, update_existing_only=told)
    expected = [reference.object_of(one, update_existing_only=told) for one in rows]
    good = [index for index, one in enumerate(expected) if not isinstance(one, str)]
    assert encoded.rows.tolist() == good
    broken = [(index, one) for index, one in enumerate(expected) if isinstance(one, str)]
    assert [(one.row, one.code) for one in encoded.rejected] == broken
    assert [reference.pairs_of(text)["pairs"] for text in texts(encoded)] == [expected[index] for index in good]
    users = [json.dumps(expected[index][0]) for index in good]
    assert len(set(users)) == len(set(encoded.keys.tolist())) == len(set(zip(users, encoded.keys.tolist(), strict=True)))


def test_f14_rows_of_which_braze_would_drop_a_part_are_rejected_and_the_others_keep_their_places() -> None:
    payloads = ['{"a":1}', '{"a":{"b":null}}', "[]", '{"a":null}', '{"a":{"$time":"soon"}}', '{"b":{"c":2}}']
    encoder = attributes_encoder(ROLES, lint=True)
    encoded = encoder.encode(batch_of([{"external_id": f"u{at}", "payload": text} for at, text in enumerate(payloads)]))
    encoder.close()
    assert [(one.row, one.code) for one in encoded.rejected] == [
        (1, "nested_null"),
        (2, "payload_not_object"),
        (4, "nested_time_invalid"),
    ]
    assert encoded.rows.tolist() == [0, 3, 5]
    assert [json.loads(text)["external_id"] for text in texts(encoded)] == ["u0", "u3", "u5"]
    assert len(encoded.keys) == 3
