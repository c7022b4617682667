"""The assembler: which profiles are news, and what their memberships and identities look like."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import product
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from activation.cursor.window import Window
from activation.errors import ConfigurationError, FatalError
from activation.records.profiles.assembler import MADE, Assembler
from activation.records.profiles.rules import BROKEN, MessageRules, Reading
from activation.warehouses.base import Column
from activation.warehouses.profiles import ProfileRead, ProfileTable, ProfileTables

from . import model
from .world import BEFORE, INSIDE, START, UPPER, Audience, Identity, Member, Profile, World, assembled, cutting, only

FOUR = (
    Audience("mapped", mapped=True, policy="p1"),
    Audience("same", policy="p1"),
    Audience("same too", policy="p1"),
    Audience("other", policy="p2"),
)
STAMPS = {"createdAt", "updatedAt", "mappingCreatedAt", "mappingUpdatedAt"}


def memberships(row: dict[str, Any]) -> dict[str, Any]:
    """The memberships of the namespace ``ups``."""
    found: dict[str, Any] = json.loads(row["segment_membership"])
    assert set(found) <= {"ups"}
    return found.get("ups", {})


def test_kp1_scope_same_merge_policy() -> None:
    row = only(Profile(tuple(Member(one.id) for one in FOUR)), audiences=FOUR)
    assert set(memberships(row)) == {"mapped", "same", "same too"}


@pytest.mark.parametrize(("scope", "left"), list(product(("same_merge_policy", "mapped_only", "all"), (False, True))))
def test_kp1_scopes(scope: str, left: bool) -> None:
    """A left audience stays visible if it is mapped; ``all`` shows each membership."""
    word = "exited" if left else "realized"
    members = (Member("mapped", word, at=INSIDE), Member("same", word), Member("other"), Member("unheard of"))
    expected = {
        "same_merge_policy": {"mapped"} if left else {"mapped", "same"},
        "mapped_only": {"mapped"},
        "all": {"mapped", "same", "other", "unheard of"},
    }
    row = only(Profile(members), audiences=FOUR, rules=MessageRules(scope=scope))
    assert set(memberships(row)) == expected[scope]
    assert memberships(row)["mapped"]["status"] == word


def test_kp1_no_merge_policy_is_shared_with_none() -> None:
    audiences = (Audience("mapped", mapped=True, policy=None), Audience("other", policy=None))
    assert set(memberships(only(Profile((Member("mapped"), Member("other"))), audiences=audiences))) == {"mapped"}


@pytest.mark.parametrize(
    ("names", "timestamps", "scope"),
    list(product((False, True), (False, True), ("same_merge_policy", "mapped_only", "all"))),
)
def test_kp2_truth_table(names: bool, timestamps: bool, scope: str) -> None:
    rules = MessageRules(names=names, timestamps=timestamps, scope=scope)
    found = memberships(only(Profile((Member("mapped"), Member("same"))), audiences=FOUR, rules=rules))
    plain = {"lastQualificationTime", "status"}
    assert set(found["mapped"]) == plain | (STAMPS if timestamps else set()) | ({"name"} if names else set())
    if scope != "mapped_only":
        assert set(found["same"]) == plain
    if names:
        assert found["mapped"]["name"] == "The mapped"


def test_kp5_exited_keeps_its_time() -> None:
    row = only(Profile((Member("aud-1", "exiting", qualified=START, at=INSIDE),)))
    assert memberships(row) == {"aud-1": {"lastQualificationTime": "2022-01-11T21:24:39Z", "status": "exited"}}
    assert not row["realized"]


def test_kp6_timestamps_are_whole_milliseconds() -> None:
    found = memberships(only(Profile((Member("aud-1"),)), rules=MessageRules(timestamps=True)))["aud-1"]
    assert {key: len(str(found[key])) for key in STAMPS} == dict.fromkeys(STAMPS, 13)
    assert all(type(found[key]) is int for key in STAMPS)
    assert [found[key] - found["createdAt"] for key in sorted(STAMPS)] == [0, 2, 3, 1]


@pytest.mark.parametrize(
    ("us", "form", "text"),
    [
        (START + 999_999, "z", "2022-01-11T21:24:39Z"),
        (START, "offset", "2022-01-11T21:24:39+0000"),
        (-1, "z", "1969-12-31T23:59:59Z"),
        (-62_135_596_800_000_000, "z", "0001-01-01T00:00:00Z"),
        (253_402_300_799_999_999, "offset", "9999-12-31T23:59:59+0000"),
    ],
)
def test_time_formats(us: int, form: str, text: str) -> None:
    found = memberships(only(Profile((Member("aud-1", qualified=us),)), rules=MessageRules(time_format=form)))
    assert found["aud-1"]["lastQualificationTime"] == text


@pytest.mark.parametrize(
    ("audience", "status", "qualified", "lower", "word"),
    [
        ("aud-1", "realized", START, START, "existing"),
        ("aud-1", "realized", START + 1, START, "realized"),
        ("aud-1", "realized", BEFORE, None, "realized"),
        ("aud-2", "realized", BEFORE, START, "realized"),
        ("aud-2", "exited", BEFORE, START, "exited"),
    ],
)
def test_legacy_status(audience: str, status: str, qualified: int, lower: int | None, word: str) -> None:
    """Of a mapped audience that was entered before the window; what was sent last does not depend on it."""
    members = (
        (Member("aud-1"), Member(audience, status, qualified)) if audience != "aud-1" else (Member(audience, status, qualified),)
    )
    audiences = (Audience("aud-1", mapped=True), Audience("aud-2"))
    old, new = (
        only(Profile(members), audiences=audiences, rules=MessageRules(scope="all", legacy_existing=legacy), lower=lower)
        for legacy in (True, False)
    )
    assert memberships(old)[audience]["status"] == word
    assert memberships(new)[audience]["status"] == status
    assert old["audience_state"] == new["audience_state"] == '"aud-1"=realized;'


@pytest.mark.parametrize("word", ["realized", "existing", "Existing", " REALIZED "])
def test_words_of_a_status(word: str) -> None:
    assert memberships(only(Profile((Member("aud-1", word),))))["aud-1"]["status"] == "realized"


def test_namespaces_are_nested_in_order() -> None:
    audiences = (
        Audience("z", mapped=True, namespace="ups"),
        Audience("a", mapped=True, namespace=None),
        Audience("b", mapped=True, namespace="AAM"),
        Audience("한", mapped=True, namespace='"한\u2028'),
    )
    row = only(Profile(tuple(Member(one.id) for one in audiences)), audiences=audiences)
    found = json.loads(row["segment_membership"])
    assert [(namespace, list(inner)) for namespace, inner in found.items()] == [
        ('"한\u2028', ["한"]),
        ("AAM", ["b"]),
        ("ups", ["a", "z"]),
    ]
    assert "한" in row["segment_membership"]


IDENTITIES = (
    Identity("email", "b@example.com", primary=True, state="authenticated"),
    Identity("email", "a@example.com", primary=False),
    Identity("ecid", "1", removed=False),
    Identity("ecid", "2", removed=True, state="ambiguous"),
    Identity("ecid", "1"),
)


def test_identity_map() -> None:
    row = only(Profile((Member("aud-1"),), IDENTITIES))
    assert row["identity_map"] == '{"ecid":[{"id":"1"}],"email":[{"id":"a@example.com"},{"id":"b@example.com"}]}'
    assert row["primary_identity"] == "b@example.com"


def test_identities_are_ordered_by_namespace_first() -> None:
    row = only(Profile((Member("aud-1"),), (Identity("b", "1"), Identity("a", "2"), Identity("b", "0"))))
    assert row["identity_map"] == '{"a":[{"id":"2"}],"b":[{"id":"0"},{"id":"1"}]}'
    assert row["primary_identity"] == "2"


def test_identity_map_full() -> None:
    row = only(Profile((Member("aud-1"),), IDENTITIES), rules=MessageRules(identity_fields="full"))
    assert json.loads(row["identity_map"]) == {
        "ecid": [{"id": "1"}],
        "email": [
            {"id": "a@example.com", "primary": False},
            {"id": "b@example.com", "authenticatedState": "authenticated", "primary": True},
        ],
    }


def test_no_identity() -> None:
    row = only(Profile((Member("aud-1"),), (Identity("ecid", "1", removed=True),)))
    assert (row["identity_map"], row["primary_identity"]) == ("{}", None)


@pytest.mark.parametrize(
    ("member", "world", "told"),
    [
        (Member("aud-1", "realized"), {}, True),
        (Member("aud-1", "exited"), {}, False),
        (Member("aud-1", "exited", at=INSIDE), {}, True),
        (Member("aud-1", "exited", at=START), {}, False),
        (Member("aud-1", "exited", at=START + 1), {}, True),
        (Member("aud-1", "exited", at=UPPER), {}, True),
        (Member("aud-1", "exited", at=UPPER + 1), {}, False),
        (Member("aud-1", "exited", at=None), {}, False),
        (Member("aud-1", "exited", at=INSIDE), {"lower": None}, False),
        (Member("aud-1", "exited", at=INSIDE), {"fresh": ("aud-1",)}, False),
        (Member("aud-1", "realized"), {"fresh": ("aud-1",)}, True),
        (Member("aud-1", "realized"), {"lower": None}, True),
        (Member("aud-2", "realized", at=INSIDE), {}, False),
        (Member("aud-2", "exited", at=INSIDE), {}, False),
    ],
)
def test_which_profiles_are_news(member: Member, world: dict[str, Any], told: bool) -> None:
    audiences = (Audience("aud-1", mapped=True), Audience("aud-2"))
    profile = Profile((member,), (Identity("ecid", "1", at=INSIDE),), ((INSIDE, {"FIRST": "A"}),))
    assert len(World({"u1": profile}, audiences=audiences, **world).rows()) == int(told)


@pytest.mark.parametrize(
    ("mode", "row", "writes", "status", "lower", "written", "changed"),
    [
        ("content", INSIDE, (), "realized", START, False, INSIDE),
        ("row", INSIDE, (), "realized", START, True, INSIDE),
        ("row", BEFORE, (), "realized", START, False, -1),
        ("row", INSIDE, (), "exited", START, False, INSIDE),
        ("writes", INSIDE, (), "realized", START, False, -1),
        ("writes", BEFORE, (INSIDE + 1, INSIDE), "realized", START, True, INSIDE),
        ("writes", BEFORE, (INSIDE,), "realized", None, True, -1),
    ],
)
def test_writes(
    mode: str, row: int, writes: tuple[int, ...], status: str, lower: int | None, written: bool, changed: int
) -> None:
    at = BEFORE if status == "realized" else UPPER
    found = only(Profile((Member("aud-1", status, at=at),), rows=((row, {}),), writes=writes), mode=mode, lower=lower)
    assert (found["written"], found["changed_at"]) == (written, changed)


def test_changed_at_is_the_first_change() -> None:
    members = (Member("aud-1", at=INSIDE + 2), Member("aud-2", at=INSIDE))
    audiences = (Audience("aud-1", mapped=True), Audience("aud-2"))
    row = only(Profile(members, (Identity("e", "1", at=INSIDE + 1),)), audiences=audiences)
    assert row["changed_at"] == INSIDE + 1


GOOD = Profile((Member("aud-1"),), (Identity("ecid", "1"),))


@pytest.mark.parametrize(
    ("profile", "scope", "code"),
    [
        (replace(GOOD, members=(Member("aud-1", "active"),)), "mapped_only", "status_unknown"),
        (replace(GOOD, members=(Member("aud-1", None),)), "mapped_only", "status_unknown"),
        (replace(GOOD, members=(*GOOD.members, Member("aud-2", "active"))), "all", "status_unknown"),
        (replace(GOOD, members=(*GOOD.members, Member("aud-2", "active"))), "same_merge_policy", None),
        (replace(GOOD, members=(Member("aud-1", qualified=None),)), "mapped_only", "qualification_time_missing"),
        (replace(GOOD, members=(Member("aud-1", qualified=10**18),)), "mapped_only", "qualification_time_missing"),
        (
            replace(GOOD, members=(*GOOD.members, Member("aud-2", qualified=None))),
            "same_merge_policy",
            "qualification_time_missing",
        ),
        (replace(GOOD, members=(*GOOD.members, Member("aud-2", qualified=None))), "mapped_only", None),
        (replace(GOOD, members=(*GOOD.members, Member(None))), "all", "audience_missing"),
        (replace(GOOD, members=(*GOOD.members, Member(None))), "same_merge_policy", None),
        (replace(GOOD, members=(*GOOD.members, Member("aud-1", "exited"))), "mapped_only", "membership_twice"),
        (replace(GOOD, identities=(Identity("ecid", None),)), "mapped_only", "identity_incomplete"),
        (replace(GOOD, identities=(Identity("", "1"),)), "mapped_only", "identity_incomplete"),
        (replace(GOOD, identities=(Identity(None, "1", removed=True),)), "mapped_only", None),
        (replace(GOOD, rows=((BEFORE, {}), (BEFORE, {}))), "mapped_only", "profile_twice"),
        (replace(GOOD, rows=()), "mapped_only", None),
    ],
)
def test_broken(profile: Profile, scope: str, code: str | None) -> None:
    audiences = (Audience("aud-1", mapped=True), Audience("aud-2"))
    rows = World({"u0": GOOD, "u1": profile, "u2": GOOD}, audiences=audiences, rules=MessageRules(scope=scope)).rows()
    found = {name: None if row["broken"] is None else BROKEN[row["broken"]].code for name, row in rows.items()}
    assert found == {"u0": None, "u1": code, "u2": None}


def test_attributes_and_their_order() -> None:
    world = World({"u1": Profile((Member("aud-1"),), rows=((BEFORE, {"EMAIL": "한", "FIRST": None}),))})
    (row,) = world.rows().values()
    assert (row["FIRST"], row["EMAIL"], row["cursor"]) == (None, "한", 0)
    assert world.assemble().schema.names == ["cursor", "profile_id", "FIRST", "EMAIL", *MADE]


def test_the_id_itself_can_be_mapped() -> None:
    profile = Profile((Member("aud-1"),), rows=((BEFORE, {"profile_id": "u1", "EMAIL": "e"}),))
    world = World({"u1": profile}, attributes=("profile_id", "EMAIL"))
    assert world.assemble().schema.names[:3] == ["cursor", "profile_id", "EMAIL"]
    assert [(row["profile_id"], row["EMAIL"]) for row in world.rows().values()] == [("u1", "e")]


def test_taken_name() -> None:
    with pytest.raises(ConfigurationError, match=r"mapped column written, but the name is taken.*Read from a view"):
        World({}, attributes=("FIRST", "written")).assemble()


def test_audience_twice() -> None:
    with pytest.raises(ConfigurationError, match="more than one row with the ID aud-1"):
        World({}, audiences=(Audience("aud-1"), Audience("aud-1", mapped=True))).assemble()


def test_audience_without_what_a_toggle_adds() -> None:
    world = World({}, rules=MessageRules(timestamps=True))
    table = world.audience_table()
    without = table.set_column(table.schema.get_field_index("updated"), "updated", pa.array([None], pa.int64()))
    with pytest.raises(ConfigurationError, match=r"aud-1 has no UPDATED, .*as updatedAt.*segment_timestamps: false"):
        Assembler(world.reading, without, world.rules)


def test_order_of_the_ids_is_checked() -> None:
    world = World({"a": GOOD, "b": GOOD})
    table = world.union()
    swapped = pa.concat_tables([table.slice(3), table.slice(0, 3)])
    with pytest.raises(FatalError, match="another order"):
        assembled(world, cutting(swapped, ()))


def test_reading_of_a_window() -> None:
    """A tick of nanoseconds is rounded up, so the window begins lower and ends higher."""
    table = ProfileTable(("t",), {"updated_at": Column("UPDATED_AT", "TIMESTAMP")})
    read = ProfileRead(ProfileTables(table, table, table, table), (Column("A", "TEXT"),), ("aud-1",), ("aud-1",), (), "row")
    window = Window(lower=5_999, closed=False, upper=9_001, nulls=False)
    assert Reading.of(read, window) == Reading((Column("A", "TEXT"),), "row", ("aud-1",), 5, 10)
    assert Reading.of(read, replace(window, lower=6_000, closed=True)).lower == 5
    assert Reading.of(read, replace(window, lower=None)).lower is None


NAMES = st.sampled_from(["aud-1", "aud-2", "b", "한", "B"])
INSTANTS = st.sampled_from([BEFORE, START, START + 1, INSIDE, UPPER, UPPER + 1])
TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=5)
MEMBERS = st.lists(
    st.builds(Member, NAMES, st.sampled_from(["realized", "exited", "existing"]), INSTANTS, INSTANTS),
    max_size=5,
    unique_by=lambda one: one.audience,
).map(tuple)
SPACES = st.one_of(st.sampled_from(["ecid", "email"]), TEXTS)
FLAGS = st.sampled_from([None, True, False])
PERSONS = st.builds(Identity, SPACES, TEXTS, FLAGS, FLAGS, st.sampled_from([None, "authenticated", "ambiguous"]), INSTANTS)
PROFILES = st.builds(
    Profile,
    MEMBERS,
    st.lists(PERSONS, max_size=4).map(tuple),
    st.lists(st.tuples(INSTANTS, st.fixed_dictionaries({"FIRST": st.one_of(st.none(), TEXTS)})), max_size=1).map(tuple),
    st.lists(st.just(INSIDE), max_size=2).map(tuple),
)
AUDIENCES = st.lists(
    st.builds(Audience, NAMES, st.booleans(), st.sampled_from(["p1", "p2", None]), st.sampled_from(["ups", "AAM", None])),
    max_size=5,
    unique_by=lambda one: one.id,
).map(tuple)
RULES = st.builds(
    MessageRules,
    st.booleans(),
    st.booleans(),
    st.sampled_from(["same_merge_policy", "mapped_only", "all"]),
    st.booleans(),
    st.sampled_from(["z", "offset"]),
    st.sampled_from(["id", "full"]),
)
WORLDS = st.builds(
    World,
    st.dictionaries(TEXTS, PROFILES, max_size=5),
    AUDIENCES,
    st.just(("FIRST",)),
    RULES,
    st.sampled_from(["writes", "row", "content"]),
    st.sampled_from([(), ("aud-1",)]),
    st.sampled_from([None, START]),
)


@settings(max_examples=60, deadline=None)
@given(WORLDS, st.lists(st.integers(1, 6), max_size=3))
def test_equals_plain_python(world: World, cuts: list[int]) -> None:
    """Whatever the tables hold; and the bytes do not depend on how the union comes in batches."""
    table = world.assemble()
    rows = {row["profile_id"]: row for row in table.to_pylist()}
    news = {name: profile for name, profile in world.profiles.items() if model.is_news(world, profile)}
    assert list(rows) == sorted(news)
    for name, profile in news.items():
        row = rows[name]
        members = {
            "FIRST": profile.rows[0][1]["FIRST"] if profile.rows else None,
            "realized": model.is_realized(world, profile),
            "written": model.is_written(world, profile),
            "primary_identity": model.primary_identity(profile),
            "changed_at": model.changed_at(world, profile),
            "broken": None,
        }
        assert {key: row[key] for key in members} == members
        for column, made in (("segment_membership", model.segment_membership), ("identity_map", model.identity_map)):
            parsed, expected = json.loads(row[column]), made(world, profile)
            assert parsed == expected
            assert json.dumps(parsed) == json.dumps(expected)  # in the same order, too
    assert world.assemble(cuts).equals(table)
