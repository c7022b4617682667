"""Row S9: which nested values are dropped without a word, and that the read-back tells."""

from typing import Any

import pytest

from sandbox.braze import contract
from sandbox.braze.nested import defect

from .conftest import Api


@pytest.mark.parametrize(
    "value",
    [
        {"a": 1, "b": {"c": ["x", 1.5, True]}},
        [],
        ["a", 1, True],
        ["x" * 300],
        [{"a": 1}, {"b": {"$time": "2026-01-02"}}],
        {"$time": "2026-01-02T03:04:05Z"},
        {"at": {"$time": "0000-02-29"}},
        {"at": {"$time": "3000-12-31"}},
        {"k" * 255: "v" * 255},
        {"inc": -3},
        {"add": ["a"], "remove": ["b"]},
        {"add": "not an operator, so a plain value"},
        {"$add": [{"id": 1}]},
        {"$remove": [{"$identifier_key": "id", "$identifier_value": 1}]},
        {"$update": [{"$identifier_key": "id", "$identifier_value": 1, "$new_object": {"a": {"$time": "2026-01-02"}}}]},
    ],
)
def test_s09_sound_values(value: Any) -> None:
    assert defect(value) is None


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ({"a": None}, contract.DROPPED_NULL),
        ({"a": [{"b": [1, None]}]}, contract.DROPPED_NULL),
        ([1, None], contract.DROPPED_NULL),
        ([{"a": None}], contract.DROPPED_NULL),
        ({"add": ["a", None]}, contract.DROPPED_NULL),
        ({"$add": [{"id": None}]}, contract.DROPPED_NULL),
        ({"$update": [{"$identifier_key": "i", "$identifier_value": 1, "$new_object": {"a": None}}]}, contract.DROPPED_NULL),
        ({"at": {"$time": None}}, contract.DROPPED_TIME),
        ({"at": {"$time": "tomorrow"}}, contract.DROPPED_TIME),
        ({"at": {"$time": 1_767_322_445}}, contract.DROPPED_TIME),
        ({"at": {"$time": "3001-01-01"}}, contract.DROPPED_TIME),
        ({"at": {"$time": "-001-01-01"}}, contract.DROPPED_TIME),
        ({"at": {"$time": "2026-02-30"}}, contract.DROPPED_TIME),
        ({"$time": "never"}, contract.DROPPED_TIME),
        ({"two words": 1}, contract.DROPPED_KEY),
        ({"a": {"b.c": 1}}, contract.DROPPED_KEY),
        ([{"price$": 1}], contract.DROPPED_KEY),
        ({"a": {"$add": [1]}}, contract.DROPPED_KEY),
        ({"$add": [], "other": 1}, contract.DROPPED_KEY),
        ({"$time": "2026-01-02", "other": 1}, contract.DROPPED_KEY),
        ({"k" * 256: 1}, contract.DROPPED_LENGTH),
        ({"a": "v" * 256}, contract.DROPPED_LENGTH),
        ({"inc": "1"}, contract.DROPPED_OPERATOR),
        ({"inc": True}, contract.DROPPED_OPERATOR),
        ({"add": [{"a": 1}]}, contract.DROPPED_OPERATOR),
        ({"$add": {"id": 1}}, contract.DROPPED_OPERATOR),
        ({"$add": ["scalar"]}, contract.DROPPED_OPERATOR),
        ({"$remove": [{"id": 1}]}, contract.DROPPED_OPERATOR),
        ({"$update": [{"$identifier_key": "id", "$identifier_value": 1}]}, contract.DROPPED_OPERATOR),
        ({"$update": [{"$identifier_key": "id", "$identifier_value": 1, "$new_object": 2}]}, contract.DROPPED_OPERATOR),
    ],
)
def test_s09_values_that_are_dropped(value: Any, reason: str) -> None:
    assert defect(value) == reason


def test_s09_deep_values_need_no_deep_stack() -> None:
    value: Any = "end"
    for _ in range(50_000):
        value = [value]
    assert defect(value) is None


def test_s09_invalid_nested_value_is_dropped_though_the_answer_is_success(api: Api) -> None:
    api.track(attributes=[{"external_id": "u", "home": {"city": "Seoul"}, "plan": "free"}])
    answer = api.track(attributes=[{"external_id": "u", "home": {"city": None}, "plan": "paid"}])
    assert (answer.status_code, answer.json()) == (201, {"attributes_processed": 1, "message": "success"})
    assert api.attributes() == {"home": {"city": "Seoul"}, "plan": "paid"}
    assert api.server.dropped() == [
        {"request": 2, "external_id": "u", "attribute": "home", "reason": "null inside a nested value"}
    ]


def test_s09_one_invalid_value_takes_the_other_updates_of_its_attribute_in_the_request_with_it(api: Api) -> None:
    rows = [{"pets": {"$add": [{"id": 1}]}}, {"pets": {"$add": [{"id": None}]}}, {"home": {"a": 1}}, {"pets": "none"}]
    api.track(attributes=[{"external_id": "u", **row} for row in rows])
    assert api.attributes() == {"home": {"a": 1}, "pets": "none"}
    reasons = [(drop["attribute"], drop["reason"]) for drop in api.server.dropped()]
    assert reasons == [("pets", contract.DROPPED_WITH_ANOTHER), ("pets", contract.DROPPED_NULL)]


def test_s09_other_users_and_later_requests_are_not_touched(api: Api) -> None:
    pets = {"$add": [{"id": 1}]}
    api.track(attributes=[{"external_id": "u", "pets": {"$add": [{"id": None}]}}, {"external_id": "v", "pets": pets}])
    api.track(attributes=[{"external_id": "u", "pets": pets}])
    assert [api.attributes(user) for user in "uv"] == [{"pets": [{"id": 1}]}] * 2
    assert len(api.server.dropped()) == 1


def test_s09_addresses_in_the_same_request_do_not_break_its_unity(api: Api) -> None:
    rows = [{"email": "a@b.io", "o": {"x": 1}}, {"email": "a@b.io", "o": {"x": None}}, {"external_id": "u", "email": "c@d.io"}]
    api.track(attributes=[*rows, {"external_id": "u", "o": {"y": 1}}, {"external_id": "u", "email": None, "o": {"y": None}}])
    assert [user["attributes"] for user in api.server.users()] == [{}, {"email": "a@b.io"}]
    assert api.export(email_address="c@d.io")["users"] == []


def test_s09_drops_are_told_in_the_order_of_the_requests_and_survive_a_delete(api: Api) -> None:
    alias = {"alias_name": "n", "alias_label": "l"}
    api.track(attributes=[{"external_id": "late", "a": {"x": None}}])
    api.track(attributes=[{"user_alias": alias, "_update_existing_only": False, "b": {"x": None}}])
    api.track(attributes=[{"email": "a@b.io", "c": {"x": None}}])
    api.delete(external_ids=["late"])
    seen = [{name: drop[name] for name in drop if name != "reason"} for drop in api.server.dropped()]
    assert seen == [
        {"request": 1, "external_id": "late", "attribute": "a"},
        {"request": 2, "user_alias": alias, "attribute": "b"},
        {"request": 3, "email": "a@b.io", "attribute": "c"},
    ]


def test_s09_standard_attributes_are_not_nested_values(api: Api) -> None:
    groups = [{"subscription_group_id": "g", "subscription_state": "subscribed"}]
    api.track(attributes=[{"external_id": "u", "subscription_groups": groups, "current_location": {"longitude": 1, "x": None}}])
    assert api.attributes() == {"subscription_groups": groups, "current_location": {"longitude": 1, "x": None}}
    assert api.server.dropped() == []
