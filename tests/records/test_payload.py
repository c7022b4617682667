"""The payload rules of contracts: braze 1.4, and strict JSON to the letter."""

from __future__ import annotations

import json

import pytest

from .encoding import encode, message, object_of, text_of, texts, verdict

USER = {"external_id": "u"}
MEGABYTE = 1_048_576


def of(payload: str | None) -> dict[str, str | None]:
    return {**USER, "payload": payload}


GOOD = [
    "{}",
    " \r\n\t{ \n } \t",
    '{"a":1}',
    '  {"a" : [ 1 , 2 ] }  ',
    '{"이름":"김철수","tags":["서울","😀"]}',
    '{"a":{"b":[{"c":""},true,false]}}',
    '{"a":null}',
    '{"":1}',
    '{"a":"\\u0000\\ud83d\\ude00\\/\\b"}',
    '{"a":"\x7f\u2028"}',
    '{"a":-0,"b":1e5,"c":1E+400,"d":0.10}',
    '{"n":123456789012345678901234567890,"m":-9223372036854775809}',
    '{"a":1,"a":2}',
    '{"email":"b@example.com","phone":"+82"}',
    '{"address":{"external_id":"x","user_alias":1}}',
    '{"External_ID":"x","braze_ids":[]}',
    '{"_merge_objects":true,"$add":[1]}',
]


@pytest.mark.parametrize("payload", GOOD)
def test_a_good_payload_is_sent_as_it_stands(payload: str) -> None:
    sent = text_of(of(payload))
    inside = payload.lstrip(" \r\n\t")[1:]
    assert sent == ('{"external_id":"u"' + ("," + inside if json.loads(payload) else "}"))
    json.loads(sent)


def test_numbers_of_any_length_and_objects_of_any_depth_are_sent() -> None:
    # The comma before the brace makes them look like trailing commas at first sight.
    long = '{"text":",}","n":' + "9" * 5_000 + "}"
    deep = '{"text":",}","n":' + "[" * 2_000 + "]" * 2_000 + "}"
    assert texts(encode(of(long), of(deep))) == [f'{{"external_id":"u",{payload[1:]}' for payload in (long, deep)]


@pytest.mark.parametrize(
    ("payload", "code"),
    [
        (None, "payload_missing"),
        ("", "payload_not_json"),
        ("   ", "payload_not_json"),
        ("[]", "payload_not_object"),
        ('[{"a":1}]', "payload_not_object"),
        ("1", "payload_not_object"),
        ("-1.5", "payload_not_object"),
        ('"text"', "payload_not_object"),
        ("null", "payload_not_object"),
        ("true", "payload_not_object"),
        ("{", "payload_not_json"),
        ('{"a":1', "payload_not_json"),
        ('{"a" 1}', "payload_not_json"),
        ('{"a":}', "payload_not_json"),
        ("{a:1}", "payload_not_json"),
        ("{'a':1}", "payload_not_json"),
        ('{"a":1}}', "payload_not_json"),
        ('{"a":1}{"b":2}', "payload_not_json"),
        ('{"a":1} // why', "payload_not_json"),
        ('{/* why */"a":1}', "payload_not_json"),
        ('{"a":01}', "payload_not_json"),
        ('{"a":+1}', "payload_not_json"),
        ('{"a":.5}', "payload_not_json"),
        ('{"a":5.}', "payload_not_json"),
        ('{"a":0x10}', "payload_not_json"),
        ('{"a":1_000}', "payload_not_json"),
        ('{"a":True}', "payload_not_json"),
        ('{"a":None}', "payload_not_json"),
        ('{"a":undefined}', "payload_not_json"),
        ('{"a":"\n"}', "payload_not_json"),
        ('{"a":"\x00"}', "payload_not_json"),
        ('{"a":"\\x41"}', "payload_not_json"),
        ('{"a":"\\u12"}', "payload_not_json"),
        ('{"a":"\\ud800"}', "payload_not_json"),
        ('{"a":"\\udc00 x"}', "payload_not_json"),
        ('\ufeff{"a":1}', "payload_not_json"),
        ('\u00a0{"a":1}', "payload_not_json"),
        ('\x0c{"a":1}', "payload_not_json"),
        ('{"external_id":"x"}', "identifier_in_payload"),
        ('{"a":1,"user_alias":{"alias_name":"n","alias_label":"l"}}', "identifier_in_payload"),
        ('{"alias_name":"n"}', "identifier_in_payload"),
        ('{"alias_label":null}', "identifier_in_payload"),
        ('{"braze_id":"x"}', "identifier_in_payload"),
        ('{"\\u0065xternal_id":"x"}', "identifier_in_payload"),
    ],
)
def test_what_is_no_json_object_or_names_a_user_is_rejected(payload: str | None, code: str) -> None:
    assert verdict(of(payload)) == code


PLACES = [
    '{"a":%s}',
    '{"a": %s }',
    '{"a":\n%s,"b":1}',
    '{"a":[%s]}',
    '{"a":[ %s,1]}',
    '{"a":[1,\t%s]}',
    '{"a":[[{"b":%s}]]}',
    "[%s]",
    "%s",
    " %s",
]
NUMBERS = ["NaN", "nan", "-NaN", "Infinity", "-Infinity", "infinity", "inf", "-inf", "INF", "-nAn"]
COMMAS = [
    '{"a":1,}',
    '{"a":1 ,\r\n }',
    "{,}",
    '{"a":[1,]}',
    '{"a":[1 , ]}',
    '{"a":[,]}',
    '{"a":{"b":1,},"c":2}',
    '{"a":[{},],"b":1}',
]
COMMAS += ['{"a":"x",}', '{"a":"\\",\\"",}', '{"a":"}",}', "[1,]"]
LENIENT = [place % number for place in PLACES for number in NUMBERS] + COMMAS


@pytest.mark.parametrize("payload", LENIENT)
def test_what_lenient_readers_take_is_rejected(payload: str) -> None:
    assert verdict(of(payload)) == "payload_not_json"


@pytest.mark.parametrize("payload", LENIENT)
def test_the_same_characters_inside_of_a_string_are_fine(payload: str) -> None:
    value = {"text": payload, f'"{payload}"': [payload, {"deeper": payload * 2}], "end": "\\"}
    assert object_of(of(json.dumps(value))) == {"external_id": "u", **value}


def test_two_hundred_and_fifty_keys_are_allowed_and_each_counts_once() -> None:
    keys = {f"k{number}": number for number in range(249)}
    nested = {**keys, "nested": {f"n{number}": [1, 2] for number in range(300)}}
    assert object_of(of(json.dumps(nested))) == {"external_id": "u", **nested}
    assert verdict(of(json.dumps({**nested, "one_more": 1}))) == "too_many_keys"
    doubled = json.dumps(nested)[:-1] + ',"k0":2}'
    assert verdict(of(doubled)) == "too_many_keys"


@pytest.mark.parametrize("filler", ["x", "한", "😀"])
def test_a_megabyte_is_allowed_and_one_byte_more_is_not(filler: str) -> None:
    size, frame = len(filler.encode()), len('{"a":""}')
    content = filler * ((MEGABYTE - frame) // size) + "x" * ((MEGABYTE - frame) % size)
    largest = '{"a":"' + content + '"}'
    assert len(largest.encode()) == MEGABYTE
    assert text_of(of(largest)) == '{"external_id":"u",' + largest[1:]
    assert verdict(of(largest + " ")) == "payload_too_large"


@pytest.mark.parametrize(
    ("named_by", "payload", "code"),
    [
        ({"email": "a@x.io"}, '{"email":"b@x.io"}', "identifier_in_payload"),
        ({"email": "a@x.io", "phone": "+82"}, '{"email":null}', "identifier_in_payload"),
        ({"email": "a@x.io"}, '{"phone":"+82"}', "good"),
        ({"phone": "+82"}, '{"phone":"+83"}', "identifier_in_payload"),
        ({"phone": "+82"}, '{"email":"a@x.io"}', "identifier_in_payload"),
        ({"phone": "+82"}, '{"nested":{"email":"a@x.io","phone":"+83"}}', "good"),
        ({"external_id": "u"}, '{"email":"a@x.io","phone":"+83"}', "good"),
        ({"alias_name": "n", "alias_label": "l"}, '{"email":"a@x.io","phone":"+83"}', "good"),
        ({"braze_id": "b"}, '{"email":"a@x.io","phone":"+83"}', "good"),
    ],
)
def test_an_address_in_the_payload_must_not_name_another_user(named_by: dict[str, str], payload: str, code: str) -> None:
    assert verdict({**named_by, "payload": payload}) == code


@pytest.mark.parametrize(
    ("payload", "text"),
    [
        (None, "PAYLOAD is NULL; it must be a JSON object, {} if there is nothing to set."),
        ('{"a":"' + "x" * MEGABYTE + '"}', "Payload was greater than 1MB."),
        ("{", "PAYLOAD is not valid JSON."),
        ("[NaN]", "PAYLOAD is not strict JSON: NaN, Infinity and trailing commas are not allowed."),
        ("[]", 'PAYLOAD is JSON but not an object such as {"city": "Seoul"}.'),
        (json.dumps(dict.fromkeys(map(str, range(251)))), "PAYLOAD has more than 250 top-level keys."),
        (
            '{"braze_id":1}',
            "PAYLOAD carries an identifier; the row's columns name the user, so take external_id, user_alias, alias_name, "
            "alias_label, braze_id out of it.",
        ),
    ],
)
def test_the_messages_say_what_would_be_right(payload: str | None, text: str) -> None:
    assert message(of(payload)) == text


def test_the_message_about_addresses_says_which_one_goes() -> None:
    assert message({"phone": "+82", "payload": '{"email":"a@x.io"}'}) == (
        "PAYLOAD could name another user than the row does: where EMAIL names the user take email out of it, "
        "where PHONE does, email and phone."
    )
