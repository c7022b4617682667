"""Rows S5 and S6 over HTTP."""

from typing import Any

import pytest

from .conftest import Api

TIME = "2026-01-02T03:04:05Z"
ALIAS = {"alias_name": "n", "alias_label": "l"}
NO_IDENTIFIER = "'external_id', 'braze_id', 'user_alias', 'email' or 'phone' is required"
CLASH = "You must specify only one of 'external_id', 'user_alias' or 'braze_id'"
NO_VALID_DATA = "Valid data must be provided in the 'attributes', 'events', or 'purchases' fields."
BAD_EMAIL = "The value provided for the 'email' field is not a valid email."
GOOD_EVENT = {"external_id": "u", "name": "e", "time": TIME}
GOOD_PURCHASE = {"external_id": "u", "product_id": "p", "currency": "USD", "price": 1, "time": TIME}


def refusal(api: Api, array: str, item: Any) -> str | None:
    """The sentence with which an object is refused; None if it is accepted."""
    body = api.track(**{array: [item]}).json()
    return body["errors"][0]["type"] if "errors" in body else None


@pytest.mark.parametrize(
    "item",
    [
        {"external_id": "u"},
        {"external_id": 7},
        {"user_alias": ALIAS},
        {"braze_id": "b"},
        {"email": "a@b.io"},
        {"phone": "+1"},
        {"external_id": "u", "email": "a@b.io", "phone": "+1"},
        {"external_id": None, "email": "a@b.io"},
    ],
)
def test_s05_one_usable_identifier_is_accepted(api: Api, item: Any) -> None:
    assert refusal(api, "attributes", item) is None


@pytest.mark.parametrize(
    ("item", "sentence"),
    [
        ({}, NO_IDENTIFIER),
        ({"external_id": ""}, NO_IDENTIFIER),
        ({"external_id": None}, NO_IDENTIFIER),
        ({"external_id": True}, NO_IDENTIFIER),
        ({"external_id": ["u"]}, NO_IDENTIFIER),
        ({"email": ""}, NO_IDENTIFIER),
        ({"external_id": "u", "user_alias": ALIAS}, CLASH),
        ({"external_id": "u", "braze_id": "b"}, CLASH),
        ({"user_alias": ALIAS, "braze_id": "b"}, CLASH),
        ({"user_alias": {"alias_name": "n"}}, "'user_alias' must have an 'alias_name' and an 'alias_label'"),
        ({"user_alias": "n"}, "'user_alias' must have an 'alias_name' and an 'alias_label'"),
    ],
)
@pytest.mark.parametrize("array", ["attributes", "events", "purchases"])
def test_s05_no_or_no_single_identifier_is_refused(api: Api, array: str, item: Any, sentence: str) -> None:
    rest = {"name": "e", "product_id": "p", "currency": "USD", "price": 1, "time": TIME}
    whole = item if array == "attributes" else {**rest, **item}
    assert refusal(api, array, whole) == sentence


def test_s05_email_beats_phone(api: Api) -> None:
    api.track(attributes=[{"email": "a@b.io", "phone": "+1"}, {"phone": "+2"}])
    api.track(attributes=[{"email": "A@B.io", "phone": "+2", "plan": "paid"}])
    first, second = api.server.users()
    assert first["attributes"] == {"email": "A@B.io", "phone": "+2", "plan": "paid"}
    assert second["attributes"] == {"phone": "+2"}


def test_s05_alias_updates_only_unless_told_otherwise(api: Api) -> None:
    api.track(attributes=[{"user_alias": ALIAS, "plan": "free"}])
    assert api.server.users() == []
    api.track(attributes=[{"user_alias": ALIAS, "_update_existing_only": False, "plan": "free"}])
    api.track(attributes=[{"user_alias": ALIAS, "plan": "paid"}])
    (user,) = api.server.users()
    assert user["user_aliases"] == [ALIAS]
    assert user["attributes"] == {"plan": "paid"}


def test_s05_braze_id_never_creates(api: Api) -> None:
    api.track(attributes=[{"braze_id": "0" * 23 + "1", "_update_existing_only": False, "plan": "free"}])
    assert api.server.users() == []
    api.track(attributes=[{"external_id": "u"}])
    (user,) = api.server.users()
    api.track(attributes=[{"braze_id": user["braze_id"], "plan": "paid"}])
    assert api.server.users()[0]["attributes"] == {"plan": "paid"}


def test_s05_shared_address_goes_to_the_known_then_the_latest_user(api: Api) -> None:
    api.track(attributes=[{"email": "a@b.io"}])
    for user in ("old", "new"):
        api.track(attributes=[{"external_id": user, "email": "a@b.io"}])
    api.track(attributes=[{"email": "a@b.io", "won": True}])
    assert [user.get("external_id") for user in api.server.users() if "won" in user["attributes"]] == ["new"]
    api.track(attributes=[{"external_id": "new", "email": "moved@b.io"}])
    api.track(attributes=[{"email": "a@b.io", "second": True}])
    assert [user.get("external_id") for user in api.server.users() if "second" in user["attributes"]] == ["old"]


def test_s05_update_existing_only_leaves_unknown_users_alone(api: Api) -> None:
    api.track(attributes=[{"external_id": "u", "plan": "free"}])
    only = {"_update_existing_only": True}
    api.track(attributes=[{"external_id": "u", "plan": "paid", **only}, {"external_id": "v", **only}])
    api.track(events=[{**GOOD_EVENT, "external_id": "w", **only}])
    (user,) = api.server.users()
    assert user["attributes"] == {"plan": "paid"}
    assert api.server.events() == []


@pytest.mark.parametrize(
    ("array", "item", "sentence"),
    [
        ("attributes", 7, "The property '#/' was not of type object"),
        ("attributes", ["u"], "The property '#/' was not of type object"),
        ("events", None, "The property '#/' was not of type object"),
        ("attributes", {"external_id": "x" * 988}, "'external_id' must be fewer than 988 bytes"),
        ("attributes", {"external_id": "ü" * 494}, "'external_id' must be fewer than 988 bytes"),
        ("attributes", {"external_id": "u", "email": "no"}, BAD_EMAIL),
        ("attributes", {"external_id": "u", "email": 7}, BAD_EMAIL),
        ("attributes", {"email": "a b@c.io"}, BAD_EMAIL),
        (
            "attributes",
            {"external_id": "u", "email_subscribe": "yes"},
            "'email_subscribe' must be 'subscribed', 'unsubscribed', or 'opted_in'",
        ),
        (
            "attributes",
            {"external_id": "u", "push_subscribe": 1},
            "'push_subscribe' must be 'subscribed', 'unsubscribed', or 'opted_in'",
        ),
        ("events", {**GOOD_EVENT, "name": ""}, "'name' is required"),
        ("events", {**GOOD_EVENT, "name": 1}, "'name' is required"),
        ("events", {**GOOD_EVENT, "time": None}, "Time must be string in ISO8601 Format"),
        ("events", {**GOOD_EVENT, "properties": []}, "'properties' is not valid"),
        ("events", {"email": "no", "name": "e", "time": TIME}, BAD_EMAIL),
        ("purchases", {**GOOD_PURCHASE, "product_id": None}, "'product_id' is not valid"),
        ("purchases", {**GOOD_PURCHASE, "product_id": "p" * 256}, "'product_id' is not valid"),
        ("purchases", {**GOOD_PURCHASE, "currency": "dollar"}, "'currency' is not valid"),
        ("purchases", {**GOOD_PURCHASE, "price": "1.0"}, "'price' is not valid"),
        ("purchases", {**GOOD_PURCHASE, "price": True}, "'price' is not valid"),
        ("purchases", {**GOOD_PURCHASE, "time": "yesterday"}, "Time must be string in ISO8601 Format"),
        ("purchases", {**GOOD_PURCHASE, "quantity": 0}, "'quantity' is not valid"),
        ("purchases", {**GOOD_PURCHASE, "quantity": 1.5}, "'quantity' is not valid"),
        ("purchases", {**GOOD_PURCHASE, "properties": "x"}, "'properties' is not valid"),
    ],
)
def test_s06_bad_object_is_refused(api: Api, array: str, item: Any, sentence: str) -> None:
    assert refusal(api, array, item) == sentence


@pytest.mark.parametrize(
    ("array", "item"),
    [
        ("attributes", {"external_id": "x" * 987}),
        ("attributes", {"external_id": "u", "email": None}),
        ("attributes", {"external_id": "u", "email_subscribe": "opted_in"}),
        ("events", {**GOOD_EVENT, "properties": {"a": [1, None]}}),
        ("purchases", {**GOOD_PURCHASE, "product_id": 1, "price": -1.5}),
    ],
)
def test_s06_good_object_is_accepted(api: Api, array: str, item: Any) -> None:
    assert refusal(api, array, item) is None


def test_s06_bad_objects_do_not_touch_the_good_ones(api: Api) -> None:
    attributes = [{"external_id": "a"}, {"external_id": "b", "email": "no"}, {"external_id": "c"}]
    answer = api.track(attributes=attributes, events=[{}, GOOD_EVENT])
    assert answer.status_code == 201
    assert answer.json()["errors"] == [
        {"type": BAD_EMAIL, "input_array": "attributes", "index": 1},
        {"type": NO_IDENTIFIER, "input_array": "events", "index": 0},
    ]
    assert [user["external_id"] for user in api.server.users()] == ["a", "c", "u"]


def test_s06_enum_texts(api: Api) -> None:
    api.server.change(answers={"error_style": "enum"})
    items = [{"external_id": "x" * 988}, {"external_id": "u", "email": "no"}, {"external_id": "u"}, {}]
    types = [error["type"] for error in api.track(attributes=items).json()["errors"]]
    assert types == ["EXTERNAL_USER_ID_TOO_LARGE", "EMAIL_BAD_FORMAT", NO_IDENTIFIER]


def test_s06_unindexed_errors(api: Api) -> None:
    api.server.change(answers={"error_style": "unindexed"})
    errors = api.track(attributes=[{"external_id": "u"}, {}]).json()["errors"]
    assert errors == [{"type": NO_IDENTIFIER, "input_array": "attributes"}]


def test_s06_all_bad_is_400_with_the_errors(api: Api) -> None:
    answer = api.track(attributes=[{}], events=[{}])
    errors = [{"type": NO_IDENTIFIER, "input_array": array, "index": 0} for array in ("attributes", "events")]
    assert (answer.status_code, answer.json()) == (400, {"message": NO_VALID_DATA, "errors": errors})
    objects = api.server.summary()["objects"]
    assert objects["attributes"] == {"received": 1, "accepted": 0, "rejected": 1, "resent": 0}
