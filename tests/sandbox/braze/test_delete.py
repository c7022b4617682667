"""Row S13: POST /users/delete."""

from typing import Any

import pytest

from sandbox.braze import ApiKey, BrazeSandbox

from .conftest import Api

ALIAS = {"alias_name": "n", "alias_label": "l"}
TIME = "2026-01-02T03:04:05Z"


def users(api: Api) -> list[str | None]:
    return [user.get("external_id") for user in api.server.users()]


def test_s13_deleted_users_are_gone(api: Api) -> None:
    api.track(attributes=[{"external_id": "a", "email": "a@b.io"}, {"external_id": "b"}, {"external_id": "c"}])
    answer = api.delete(external_ids=["a", "c"])
    assert (answer.status_code, answer.json()) == (201, {"deleted": 2, "message": "success"})
    assert users(api) == ["b"]
    assert api.export(external_ids=["a"])["users"] == []
    assert api.export(email_address="a@b.io")["users"] == []
    summary = api.server.summary()
    assert (summary["profiles"], summary["profiles_deleted"]) == (1, 2)


def test_s13_unknown_ids_are_counted_as_queued(api: Api) -> None:
    assert api.delete(external_ids=["x", "y", 7]).json()["deleted"] == 3
    assert api.server.summary()["profiles_deleted"] == 0


def test_s13_user_who_comes_back_is_another_profile(api: Api) -> None:
    api.track(attributes=[{"external_id": "a", "plan": "free"}], events=[{"external_id": "a", "name": "e", "time": TIME}])
    (old,) = api.export(external_ids=["a"])["users"]
    api.delete(external_ids=["a"])
    api.track(attributes=[{"external_id": "a", "city": "Seoul"}])
    (new,) = api.export(external_ids=["a"])["users"]
    assert new["custom_attributes"] == {"city": "Seoul"}
    assert new["custom_events"] == []
    assert new["braze_id"] != old["braze_id"]
    assert api.export(braze_id=old["braze_id"])["users"] == []
    assert len(api.server.events()) == 1


def test_s13_aliases_and_braze_ids(api: Api) -> None:
    api.track(attributes=[{"user_alias": ALIAS, "_update_existing_only": False}, {"external_id": "a"}, {"external_id": "b"}])
    (user,) = api.export(external_ids=["a"])["users"]
    assert api.delete(user_aliases=[ALIAS]).json()["deleted"] == 1
    assert api.delete(braze_ids=[user["braze_id"]]).json()["deleted"] == 1
    assert users(api) == ["b"]


@pytest.mark.parametrize(
    ("priorities", "left"),
    [
        ([], ["new", "old", None]),
        (["identified"], ["new", "old", None]),
        (["unidentified"], ["new", "old"]),
        (["most_recently_updated"], ["old", None]),
        (["unidentified", "most_recently_updated"], ["new", "old"]),
        (["identified", "most_recently_updated"], ["old", None]),
    ],
)
@pytest.mark.parametrize("kind", [("email", "email_addresses", "a@b.io"), ("phone", "phone_numbers", "+821")])
def test_s13_of_users_who_share_an_address_one_is_deleted_or_none(
    api: Api, kind: tuple[str, str, str], priorities: list[str], left: list[str | None]
) -> None:
    name, ids, address = kind
    api.track(attributes=[{name: address}])
    for user in ("old", "new"):
        api.track(attributes=[{"external_id": user, name: address}])
    assert api.delete(**{ids: [{name: address, "prioritization": priorities}]}).json()["deleted"] == 1
    assert users(api) == left


def test_s13_sole_holder_of_an_address_needs_no_preference(api: Api) -> None:
    api.track(attributes=[{"external_id": "u", "email": "a@b.io"}])
    api.delete(email_addresses=[{"email": "A@B.io", "prioritization": ["unidentified"]}])
    assert users(api) == []


@pytest.mark.parametrize(("number", "status"), [(50, 201), (51, 400)])
def test_s13_at_most_50(api: Api, number: int, status: int) -> None:
    api.track(attributes=[{"external_id": str(index)} for index in range(51)])
    assert api.delete(external_ids=[str(index) for index in range(number)]).status_code == status
    assert len(users(api)) == (1 if status == 201 else 51)


@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"external_ids": []},
        {"ids": ["a"]},
        {"external_ids": ["a"], "braze_ids": ["b"]},
        {"external_ids": "a"},
        {"external_ids": [None]},
        {"external_ids": ["a", ""]},
        {"user_aliases": ["n"]},
        {"user_aliases": [{"alias_name": "n"}]},
        {"braze_ids": [7]},
        {"email_addresses": ["a@b.io"]},
        {"email_addresses": [{"email": "a@b.io"}]},
        {"email_addresses": [{"email": "a@b.io", "prioritization": "identified"}]},
        {"email_addresses": [{"email": "a@b.io", "prioritization": ["oldest"]}]},
        {"email_addresses": [{"email": "a@b.io", "prioritization": ["identified", "unidentified"]}]},
        {"phone_numbers": [{"email": "a@b.io", "prioritization": ["identified"]}]},
    ],
)
def test_s13_other_requests_are_400_and_delete_nobody(api: Api, asked: Any) -> None:
    api.track(attributes=[{"external_id": "a", "email": "a@b.io"}])
    assert api.delete(**asked).status_code == 400
    assert users(api) == ["a"]


def test_s13_unparsable_body_is_400_with_error_text(api: Api) -> None:
    answer = api.post("/users/delete", data=b"[", headers={"Content-Type": "application/json"})
    assert (answer.status_code, list(answer.json())) == (400, ["error"])


def test_s13_delete_takes_its_time_and_may_come_in_another_order(api: Api) -> None:
    api.track(attributes=[{"external_id": "a"}])
    api.server.change(visibility={"delay_ms": 60_000})
    api.delete(external_ids=["a"])
    assert users(api) == ["a"]
    api.server.settle()
    assert users(api) == []


def test_s13_permission_and_limit_are_its_own() -> None:
    with BrazeSandbox(keys=(ApiKey("writer", frozenset({"users.track"})), ApiKey("all"))) as server:
        api = Api(server)
        assert api.delete(external_ids=["a"]).status_code == 403
        server.change(rate={"other": {"users": {"minute": 0}}})
        everything = {"Authorization": "Bearer all"}
        assert api.post("/users/delete", {"external_ids": ["a"]}, headers=everything).status_code == 429
        assert api.track(attributes=[{"external_id": "a"}]).status_code == 201
        api.close()
