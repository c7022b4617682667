"""Row S8 over HTTP: when and how /users/export/ids shows what was written."""

from typing import Any

import pytest

from .conftest import Api

MINUTE_MS = 60_000


def test_s08_write_is_visible_at_once_without_a_delay(api: Api) -> None:
    api.track(attributes=[{"external_id": "u", "first_name": "Ann", "plan": "free"}])
    answer = api.export(external_ids=["u"])
    (user,) = answer["users"]
    assert answer["message"] == "success"
    assert user["first_name"] == "Ann"
    assert user["custom_attributes"] == {"plan": "free"}
    assert user["total_revenue"] == 0
    assert len(user["braze_id"]) == 24


def test_s08_write_is_invisible_until_its_delay_is_over(api: Api) -> None:
    api.server.change(visibility={"delay_ms": MINUTE_MS})
    api.track(attributes=[{"external_id": "u"}])
    assert api.export(external_ids=["u"]) == {"users": [], "invalid_user_ids": ["u"], "message": "success"}
    summary = api.server.summary()
    assert (summary["profiles"], summary["requests_waiting"]) == (0, 1)
    assert summary["objects"]["attributes"]["accepted"] == 1
    api.server.settle()
    assert len(api.export(external_ids=["u"])["users"]) == 1


def test_s08_requests_are_applied_in_order_by_default(api: Api) -> None:
    api.server.change(visibility={"delay_ms": MINUTE_MS})
    for number in range(20):
        api.track(attributes=[{"external_id": "u", "last": number}])
    api.server.settle()
    assert api.server.users()[0]["attributes"] == {"last": 19}


def test_s08_requests_are_applied_in_another_order_when_switched_on(api: Api) -> None:
    api.server.change(visibility={"unordered": True, "spread_ms": 100 * MINUTE_MS, "seed": 1})
    for number in range(20):
        api.track(attributes=[{"external_id": "u", "last": number, f"seen_{number}": True}])
    api.server.settle()
    attributes = api.server.users()[0]["attributes"]
    assert attributes["last"] != 19
    assert sum(name.startswith("seen_") for name in attributes) == 20


def test_s08_every_identifier_finds_the_profile(api: Api) -> None:
    alias = {"alias_name": "n", "alias_label": "l"}
    api.track(attributes=[{"external_id": "u", "email": "a@b.io", "phone": "+82"}])
    api.track(attributes=[{"user_alias": alias, "_update_existing_only": False}])
    (user,) = api.export(external_ids=["u"])["users"]
    for asked in ({"email_address": "a@b.io"}, {"phone": "+82"}, {"braze_id": user["braze_id"]}):
        assert api.export(**asked)["users"] == [user]
    assert api.export(user_aliases=[alias])["users"][0]["user_aliases"] == [alias]
    assert api.export(device_id="d")["users"] == []
    assert len(api.export(external_ids=["u", "u"], email_address="a@b.io")["users"]) == 1


def test_s08_fields_to_export(api: Api) -> None:
    api.track(attributes=[{"external_id": "u", "email": "a@b.io", "plan": "free"}])
    answer = api.export(external_ids=["u"], fields_to_export=["external_id", "email", "custom_attributes"])
    assert answer["users"] == [{"external_id": "u", "email": "a@b.io", "custom_attributes": {"plan": "free"}}]


@pytest.mark.parametrize(("asked", "status"), [(50, 201), (51, 400)])
def test_s08_at_most_50_ids_and_aliases(api: Api, asked: int, status: int) -> None:
    aliases = [{"alias_name": "n", "alias_label": "l"}]
    body = {"external_ids": [str(number) for number in range(asked - 1)], "user_aliases": aliases}
    answer = api.post("/users/export/ids", body)
    assert answer.status_code == status
    if status == 400:
        assert answer.json()["message"] == "The max number of external_ids and aliases per request was exceeded"


@pytest.mark.parametrize("body", [{}, {"external_ids": []}, {"external_ids": "u"}, {"fields_to_export": ["email"]}])
def test_s08_export_without_ids_is_400(api: Api, body: Any) -> None:
    assert api.post("/users/export/ids", body).status_code == 400
