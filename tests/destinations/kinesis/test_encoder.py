"""The encoder: messages, partition keys, limits and fingerprints."""

from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from hashlib import md5, sha256
from itertools import pairwise
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from activation.destinations.kinesis.encoder import ProfileEncoder, RecordRules
from activation.errors import ConfigurationError, FatalError
from activation.records.encoded import Encoded
from activation.records.profiles.attributes import mapped_attributes, payload_attributes
from activation.records.profiles.rules import MessageRules
from activation.spec.columns import Columns
from activation.warehouses.base import Column
from tests.records.profiles import model
from tests.records.profiles.world import BEFORE, INSIDE, START, Audience, Identity, Member, Profile, World

FIELDS = {"person.name.firstName": "FIRST", "person.name.lastName": "LAST", "personalEmail.address": "EMAIL", "tier": "TIER"}
STARTED = "2026-07-19T09:07:23+00:00"
SPACE = b'"\\\x01\xe2\x80\xa8'.decode()
"""A quote, a backslash, a control character and U+2028."""


def world(profiles: Mapping[str, Profile], **more: Any) -> World:
    return World(profiles, **{"attributes": tuple(FIELDS.values()), **more})


def person(members: Sequence[Member] = (Member("aud-1"),), ids: Sequence[Identity] = (), **values: str | None) -> Profile:
    return Profile(tuple(members), tuple(ids), ((BEFORE, values),))


def encode(
    given: World,
    rules: RecordRules = RecordRules(),  # noqa: B008 - frozen
    fields: Mapping[str, Any] | None = None,
    cuts: Sequence[int] = (),
    types: Mapping[str, str] | None = None,
) -> Encoded:
    """Assemble and encode; with a column PAYLOAD it makes the attributes."""
    if given.attributes == ("PAYLOAD",):
        attributes = payload_attributes("PAYLOAD")
    else:
        chosen = Columns.model_validate({"identifiers": {"external_id": "ID"}, "fields": fields or FIELDS})
        columns = {name: Column(name, (types or {}).get(name, "VARCHAR")) for name in given.attributes}
        attributes = mapped_attributes(chosen.fields, columns, STARTED)
    with closing(ProfileEncoder(attributes, rules, by_content=given.mode == "content")) as encoder:
        (batch,) = given.assemble(cuts).combine_chunks().to_batches()
        return encoder.encode(batch)


def entries(encoded: Encoded) -> list[tuple[str, str]]:
    """Message and partition key of each good row."""
    ends = encoded.offsets.tolist()
    texts = [bytes(encoded.data[first:last]) for first, last in pairwise(ends)]
    parsed = [json.loads(text.removesuffix(b",")) for text in texts]
    return [(b64decode(one["Data"]).decode(), one["PartitionKey"]) for one in parsed]


def message(profile: Profile, **more: Any) -> str:
    """The message of one profile."""
    encoded = encode(world({"u1": profile}, **more))
    assert encoded.rejected == ()
    ((text, _),) = entries(encoded)
    return text


def codes(encoded: Encoded) -> list[tuple[int, str]]:
    return [(one.row, one.code) for one in encoded.rejected]


def test_kp3_missing_attribute_has_no_key() -> None:
    text = message(person(FIRST="Minsu"))
    assert json.loads(text) == {
        "person": {"name": {"firstName": "Minsu"}},
        "segmentMembership": {"ups": {"aud-1": {"lastQualificationTime": "2022-01-10T21:24:39Z", "status": "realized"}}},
        "identityMap": {},
    }
    assert "null" not in text


def test_kp3_no_attribute_at_all() -> None:
    expected = {"segmentMembership", "identityMap"}
    assert set(json.loads(message(person()))) == expected
    assert set(json.loads(message(Profile((Member("aud-1"),), rows=())))) == expected


def test_kp4_paths_nest() -> None:
    text = message(person(FIRST="Minsu", LAST="Kim", EMAIL="m@example.com", TIER="gold"))
    assert text.startswith(
        '{"person":{"name":{"firstName":"Minsu","lastName":"Kim"}},"personalEmail":{"address":"m@example.com"},"tier":"gold",'
        '"segmentMembership":{"ups":{"aud-1":{'
    )
    assert text.endswith('"status":"realized"}}},"identityMap":{}}')


def test_kp7_texts_stay_as_they_are() -> None:
    ids = [Identity("email", f"{SPACE}{number:05d}@한.kr") for number in range(20_000)]
    text = message(person(ids=ids, FIRST=f"김{SPACE}\U0001f600"))
    parsed = json.loads(text)
    assert parsed["person"]["name"]["firstName"] == f"김{SPACE}\U0001f600"
    assert [one["id"] for one in parsed["identityMap"]["email"]] == [one.id for one in ids]
    assert '"firstName":"김\\"\\\\\\u0001\u2028\U0001f600"' in text
    assert text.count("\\u") == 20_001


PAYLOADS = [
    (
        '{"a":{"x":null,"y":"한\\n"},"b":null,"c":[null,1],"n":12345678901234567890123}',
        '{"a":{"y":"한\\n"},"c":[null,1],"n":12345678901234567890123}',
    ),
    (' { "a" : 1.50 } ', '{"a": 1.50}'),
    ("{}", "{}"),
    ("{ }", "{}"),
    ('{"a":null}', "{}"),
    (None, "{}"),
]


@pytest.mark.parametrize(("payload", "attributes"), PAYLOADS)
def test_payload(payload: str | None, attributes: str) -> None:
    text = message(person(PAYLOAD=payload), attributes=("PAYLOAD",))
    parsed = json.loads(text)
    assert [*parsed][-2:] == ["segmentMembership", "identityMap"]
    assert {key: parsed[key] for key in [*parsed][:-2]} == json.loads(attributes)


@pytest.mark.parametrize(
    ("payload", "code"),
    [
        ("{", "payload_not_json"),
        ('{"a":NaN}', "payload_not_json"),
        ('{"a":1,}', "payload_not_json"),
        ("[1]", "payload_not_object"),
        ("[]", "payload_not_object"),
        ("null", "payload_not_object"),
        ('"text"', "payload_not_object"),
        ('{"identityMap":{}}', "reserved_in_payload"),
        ('{"a":1,"segmentMembership":null}', "reserved_in_payload"),
    ],
)
def test_payload_rejected(payload: str, code: str) -> None:
    profiles = {"u0": person(PAYLOAD='{"a":1}'), "u1": person(PAYLOAD=payload), "u2": person(PAYLOAD="{}")}
    encoded = encode(world(profiles, attributes=("PAYLOAD",)))
    assert codes(encoded) == [(1, code)]
    assert encoded.rows.tolist() == [0, 2]
    assert [key for _, key in entries(encoded)] == ["u0", "u2"]


def test_rules_of_the_mapping_and_of_the_rows() -> None:
    broken = person((Member("aud-1", "active"),), TIER="1")
    profiles = {"u0": person(TIER="x"), "u1": person(TIER="7"), "u2": broken, "u3": person(TIER=None)}
    encoded = encode(world(profiles), fields={"tier": {"column": "TIER", "as": "number", "nulls": "reject"}})
    assert codes(encoded) == [(0, "value_not_number"), (2, "status_unknown"), (3, "value_missing")]
    assert "TIER" in encoded.rejected[0].message
    ((text, _),) = entries(encoded)
    assert json.loads(text)["tier"] == 7


def test_marks_are_those_of_the_good_rows() -> None:
    first = replace(person((Member("aud-1", "active"),)), rows=((INSIDE, {}),))
    others = [replace(person(), rows=((INSIDE + number, {}),)) for number in (1, 2)]
    encoded = encode(world({"u0": first, "u1": others[0], "u2": person(), "u3": others[1]}, mode="row"))
    assert (codes(encoded), encoded.rows.tolist()) == ([(0, "status_unknown")], [1, 2, 3])
    assert encoded.marks is not None
    assert encoded.marks.stamps.tolist() == [INSIDE + 1, -1, INSIDE + 2]
    assert encoded.marks.always.tolist() == [True, False, True]
    assert len({*encoded.marks.subjects.tolist()}) == 3
    same = encode(world({"u3": others[1]})).marks
    assert same is not None
    assert same.subjects.tolist() == encoded.marks.subjects.tolist()[2:]


def test_no_good_row() -> None:
    encoded = encode(world({"u0": person((Member("aud-1", "active"),))}))
    assert (len(encoded.data), encoded.offsets.tolist(), len(encoded.rows)) == (0, [0], 0)
    assert encoded.marks is not None
    assert encoded.marks.sizes.shape == encoded.marks.always.shape == encoded.marks.stamps.shape == (0,)


def test_kb3_limit() -> None:
    """A record of exactly the limit is sent; one more byte rejects its row and leaves the others alone."""
    profiles = {f"u{number}": person(FIRST=text) for number, text in enumerate(["한", "한ab", "한abc", "a"])}
    free = encode(world(profiles))
    assert free.marks is not None
    sizes = [len(text.encode()) + len(key.encode()) for text, key in entries(free)]
    assert free.marks.sizes.tolist() == sizes
    encoded = encode(world(profiles), RecordRules(max_bytes=sizes[1]))
    assert codes(encoded) == [(2, "record_too_large")]
    assert encoded.rows.tolist() == [0, 1, 3]
    assert encoded.marks is not None
    assert encoded.marks.sizes.tolist() == [sizes[0], sizes[1], sizes[3]]


def test_kb3_oversize_fails_the_run() -> None:
    given = world({"u0": person(FIRST="한" * 300)})
    with pytest.raises(FatalError, match=r"more than 500 bytes.*UpdateMaxRecordSize.*oversize: reject") as caught:
        encode(given, RecordRules(max_bytes=500, oversize="fail"))
    assert "한" not in str(caught.value)
    broken = world({"u0": person((Member("aud-1", "active"),))})
    assert codes(encode(broken, RecordRules(max_bytes=500, oversize="fail"))) == [(0, "status_unknown")]


@pytest.mark.parametrize(
    ("text", "sent_as_it_is"),
    [
        ("k" * 256, True),
        ("k" * 257, False),
        ("한" * 256, True),
        ("한" * 257, False),
        ("\U0001f600" * 128, True),
        ("\U0001f600" * 129, False),
        ("k" * 100_000, False),
    ],
)
def test_kb4_long_keys_are_hashed(text: str, sent_as_it_is: bool) -> None:
    encoded = encode(world({"u1": person(EMAIL=text)}), RecordRules("personalEmail.address"))
    ((found, key),) = entries(encoded)
    assert key == (text if sent_as_it_is else sha256(text.encode()).hexdigest())
    assert encoded.keys.tolist() == [int.from_bytes(md5(key.encode(), usedforsecurity=False).digest()[:8], "big")]
    assert encoded.marks is not None
    assert encoded.marks.sizes.tolist() == [len(found.encode()) + len(key.encode())]


@pytest.mark.parametrize("choice", ["personalEmail.address", "primary_identity", "profile_id"])
def test_kb4_empty_keys_are_rejected(choice: str) -> None:
    name = "" if choice == "profile_id" else "u0"
    ids = (Identity("ecid", "1"),)
    profiles = {name: person(EMAIL=None if name else "e"), "u1": person(EMAIL="e", ids=ids)}
    encoded = encode(world(profiles), RecordRules(choice))
    assert codes(encoded) == [(0, "partition_key_missing")]
    assert [key for _, key in entries(encoded)] == [{"profile_id": "u1", "primary_identity": "1"}.get(choice, "e")]


def test_kb4_empty_text_is_no_key() -> None:
    assert codes(encode(world({"u1": person(EMAIL="")}), RecordRules("personalEmail.address"))) == [(0, "partition_key_missing")]


@pytest.mark.parametrize("path", ["personalEmail.adress", "person.name", "EMAIL", ""])
def test_kb4_path_that_is_not_mapped(path: str) -> None:
    with pytest.raises(ConfigurationError, match="no mapped attribute") as caught:
        encode(world({"u1": person()}), RecordRules(path))
    assert ("Did you mean personalEmail.address?" in str(caught.value)) == (path == "personalEmail.adress")


def test_partition_keys() -> None:
    ids = (Identity("email", "b"), Identity("ecid", "z"), Identity("phone", "한", primary=True))
    given = world({"u1": person(ids=ids, TIER="7"), "u2": person(ids=ids[:2], TIER="7.50")})
    fields = {"tier": {"column": "TIER", "as": "number"}, "kind": {"constant": "user"}}
    choices = ("profile_id", "primary_identity", "tier", "kind")
    found = {choice: [key for _, key in entries(encode(given, RecordRules(choice), fields))] for choice in choices}
    assert found == {"profile_id": ["u1", "u2"], "primary_identity": ["한", "z"], "tier": ["7", "7.5"], "kind": ["user"] * 2}


def test_partition_key_of_a_payload() -> None:
    given = world({"u1": person(PAYLOAD='{"a/b":{"c~d":"한"}}'), "u2": person(PAYLOAD='{"a/b":null}')}, attributes=("PAYLOAD",))
    encoded = encode(given, RecordRules("a/b.c~d"))
    assert ([key for _, key in entries(encoded)], codes(encoded)) == (["한"], [(1, "partition_key_missing")])


def test_random_keys() -> None:
    given = world({f"u{number}": person() for number in range(50)})
    encoded = encode(given, RecordRules("random"))
    keys = [key for _, key in entries(encoded)]
    assert len({UUID(key) for key in keys}) == 50
    assert encoded.marks is not None
    assert encoded.marks.sizes.tolist() == [len(text.encode()) + 36 for text, _ in entries(encoded)]
    assert encoded.keys.tolist() == [int.from_bytes(md5(key.encode(), usedforsecurity=False).digest()[:8], "big") for key in keys]


@pytest.mark.parametrize("name", ["segmentMembership.status", "identityMap", "identityMap.ecid"])
def test_reserved_paths(name: str) -> None:
    with pytest.raises(ConfigurationError, match=f"columns.fields maps {name}"):
        encode(world({"u1": person()}), fields={name: "FIRST"})


AUDIENCES = (Audience("aud-1", mapped=True), Audience("aud-2", mapped=True), Audience("aud-3"))
BASE = person((Member("aud-1"), Member("aud-2", "exited")), (Identity("ecid", "1"),), FIRST="A")
LEFT = replace(BASE, members=(Member("aud-1", "exited", at=INSIDE),))


def fingerprint(profile: Profile, name: str = "u1", **more: Any) -> tuple[int, int]:
    encoded = encode(world({name: profile}, audiences=AUDIENCES, **more))
    assert encoded.marks is not None
    ((upper,), (lower,)) = encoded.marks.upper.tolist(), encoded.marks.lower.tolist()
    return upper, lower


def with_members(*members: Member) -> Profile:
    return replace(BASE, members=members)


@pytest.mark.parametrize(
    ("before", "after", "mode", "news"),
    [
        (BASE, with_members(*BASE.members[:1], Member("aud-2")), "content", True),
        (BASE, with_members(*BASE.members, Member("aud-3")), "content", False),
        (BASE, with_members(Member("aud-1", qualified=START, at=INSIDE), BASE.members[1]), "content", False),
        (BASE, with_members(Member("aud-1", "existing"), BASE.members[1]), "content", False),
        (BASE, replace(BASE, identities=(*BASE.identities, Identity("email", "e"))), "content", True),
        (BASE, replace(BASE, identities=(Identity("ecid", "1", removed=True),)), "content", True),
        (BASE, replace(BASE, identities=(Identity("ecid", "1", primary=True, at=INSIDE),)), "content", False),
        (BASE, replace(BASE, rows=((BEFORE, {"FIRST": "B"}),)), "content", True),
        (BASE, replace(BASE, rows=((INSIDE, {"FIRST": "A", "unmapped": "x"}),)), "content", False),
        (BASE, replace(BASE, rows=((BEFORE, {"FIRST": "B"}),)), "row", False),
        (BASE, replace(BASE, rows=((BEFORE, {"FIRST": "B"}),), writes=(INSIDE,)), "writes", False),
        (LEFT, replace(LEFT, identities=()), "content", False),
        (LEFT, replace(LEFT, rows=((INSIDE, {"FIRST": "B"}),)), "content", False),
        (BASE, LEFT, "content", True),
    ],
)
def test_kt5_what_the_fingerprint_says(before: Profile, after: Profile, mode: str, news: bool) -> None:
    """What is no trigger leaves it as it is (K-T1 to K-T5); in the modes writes and row a write counts by ``always``."""
    assert (fingerprint(before, mode=mode) != fingerprint(after, mode=mode)) == news


def test_kt4_same_value_is_sent_by_its_write() -> None:
    for mode, always in (("writes", True), ("row", True), ("content", False)):
        profile = replace(BASE, rows=((INSIDE, {"FIRST": "A"}),), writes=(INSIDE,))
        marks = encode(world({"u1": profile}, mode=mode)).marks
        assert marks is not None
        assert (marks.always.tolist(), marks.stamps.tolist()) == ([always], [INSIDE])


def test_fingerprints_are_about_one_profile() -> None:
    assert fingerprint(LEFT, "u1") != fingerprint(LEFT, "u2")
    assert fingerprint(LEFT, "u1", rules=MessageRules(names=True, time_format="offset")) == fingerprint(LEFT, "u1")


def test_fingerprint_is_md5_of_the_state() -> None:
    state = b'"u1""aud-1"=realized;"aud-2"=exited;{"ecid":[{"id":"1"}]},"person":{"name":{"firstName":"A"}}'
    digest = md5(state, usedforsecurity=False).digest()
    assert fingerprint(BASE) == (int.from_bytes(digest[8:], "little"), int.from_bytes(digest[:8], "little"))


TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=6)
VALUES = st.fixed_dictionaries({column: st.one_of(st.none(), TEXTS, st.just("")) for column in FIELDS.values()})


@settings(max_examples=40, deadline=None)
@given(
    st.dictionaries(TEXTS, st.tuples(VALUES, st.lists(st.tuples(TEXTS, TEXTS), max_size=3)), min_size=1, max_size=5),
    st.integers(1, 9),
)
def test_messages_equal_plain_python(people: dict[str, tuple[dict[str, str | None], list[tuple[str, str]]]], cut: int) -> None:
    """Whole messages with the order of their keys; the bytes do not depend on how the union comes in batches."""
    profiles = {name: person(ids=[Identity(*one) for one in ids], **values) for name, (values, ids) in people.items()}
    given = world(profiles)
    encoded = encode(given)
    found = entries(encoded)
    assert [key for _, key in found] == sorted(profiles)
    for text, name in found:
        expected = model.message(given, profiles[name], FIELDS)
        assert json.loads(text, object_pairs_hook=list) == json.loads(json.dumps(expected), object_pairs_hook=list)
        assert "\\u" not in text.replace("\\\\", "") or any(ord(sign) < 32 for one in texts_of(expected) for sign in one)
    again = encode(given, cuts=(cut,))
    assert bytes(again.data) == bytes(encoded.data)
    assert again.marks is not None
    assert encoded.marks is not None
    assert (again.marks.upper.tolist(), again.marks.lower.tolist()) == (
        encoded.marks.upper.tolist(),
        encoded.marks.lower.tolist(),
    )


def texts_of(value: Any) -> list[str]:
    """All texts in a JSON value, keys included."""
    if isinstance(value, dict):
        return [one for key, inner in value.items() for one in (key, *texts_of(inner))]
    return [one for inner in value for one in texts_of(inner)] if isinstance(value, list) else [str(value)]
