"""Rows S4, S7 and S10 over HTTP."""

from typing import Any

import pytest

from .conftest import Api

TIME = "2026-01-02T03:04:05Z"


def attributes(number: int) -> list[dict[str, Any]]:
    return [{"external_id": f"u{index}"} for index in range(number)]


def events(number: int, user: str = "u0") -> list[dict[str, Any]]:
    return [{"external_id": user, "name": f"e{index}", "time": TIME} for index in range(number)]


def purchase(**changes: Any) -> dict[str, Any]:
    return {"external_id": "u0", "product_id": "sku", "currency": "USD", "price": 2.5, "time": TIME, **changes}


@pytest.mark.parametrize(
    ("profile", "fits", "too_many"),
    [
        ("combined_75", (75, 0), (76, 0)),
        ("combined_75", (40, 35), (40, 36)),
        ("combined_50", (25, 25), (26, 25)),
        ("combined_5", (5, 0), (0, 6)),
        ("per_array_75", (75, 75), (75, 76)),
        ("combined_200", (200, 0), (100, 101)),
    ],
)
def test_s04_limit_profiles(api: Api, profile: str, fits: tuple[int, int], too_many: tuple[int, int]) -> None:
    api.server.change(limits={"track": profile})
    refused = api.track(attributes=attributes(too_many[0]), events=events(too_many[1]))
    assert (refused.status_code, refused.json()) == (400, {"message": "Max Input Length Exceeded"})
    assert api.server.summary()["profiles"] == 0
    assert api.track(attributes=attributes(fits[0]), events=events(fits[1])).status_code == 201


def test_s04_bulk_takes_1000_objects(api: Api) -> None:
    assert api.bulk(attributes=attributes(1_000)).status_code == 201
    refused = api.bulk(attributes=attributes(1_000), events=events(1))
    assert (refused.status_code, refused.json()) == (400, {"message": "Max Input Length Exceeded"})
    api.server.change(limits={"bulk": "bulk_10"})
    assert api.bulk(attributes=attributes(11)).status_code == 400


def test_s04_bulk_takes_100_objects_of_one_user(api: Api) -> None:
    assert api.bulk(events=events(100, "a") + events(100, "b")).status_code == 201
    assert api.bulk(attributes=[{"external_id": "a"}], events=events(100, "a")).status_code == 400
    assert api.server.summary()["events"] == 200


def test_s04_bulk_counts_a_profile_however_it_is_named(api: Api) -> None:
    api.track(attributes=[{"external_id": "a", "email": "a@b.io"}])
    by_address = [{"email": "a@b.io", "name": "e", "time": TIME}] * 51
    assert api.bulk(events=events(50, "a") + by_address).status_code == 400
    assert api.bulk(events=events(49, "a") + by_address).status_code == 201


def test_s04_track_has_no_limit_for_one_user(api: Api) -> None:
    api.server.change(limits={"track": "combined_200"})
    assert api.track(events=events(150)).status_code == 201


def test_s07_counts_accepted_objects_of_each_array(api: Api) -> None:
    answer = api.track(attributes=[*attributes(2), {"plan": "nobody's"}], events=events(3), purchases=[purchase(quantity=5)])
    assert answer.status_code == 201
    body = answer.json()
    counts = {name: body[name] for name in body if name.endswith("_processed")}
    assert counts == {"attributes_processed": 2, "events_processed": 3, "purchases_processed": 1}
    assert body["message"] == "success"


def test_s07_no_count_for_an_array_that_is_absent_or_empty(api: Api) -> None:
    answer = api.track(attributes=attributes(1), events=[], purchases=None)
    assert answer.json() == {"attributes_processed": 1, "message": "success"}


def test_s07_unknown_user_is_counted_though_it_is_not_created(api: Api) -> None:
    answer = api.track(attributes=[{"external_id": "u", "_update_existing_only": True}])
    assert answer.json() == {"attributes_processed": 1, "message": "success"}
    summary = api.server.summary()
    assert (summary["profiles"], summary["unknown_users_skipped"]) == (0, 1)


@pytest.mark.parametrize("body", [{}, {"attributes": []}, {"attributes": {}}, {"events": "x"}, {"partner": "p"}])
def test_s07_request_without_any_object_is_400(api: Api, body: Any) -> None:
    answer = api.track(**body)
    text = "Valid data must be provided in the 'attributes', 'events', or 'purchases' fields."
    assert (answer.status_code, answer.json()) == (400, {"message": text})


def test_s10_events_and_purchases_are_appended_always(api: Api) -> None:
    for _ in range(3):
        api.track(events=events(1), purchases=[purchase()])
    assert [event["name"] for event in api.server.events()] == ["e0"] * 3
    assert len(api.server.purchases()) == 3
    summary = api.server.summary()
    assert summary["objects"]["events"]["resent"] == 2
    assert summary["resent_objects"] == 0
    (user,) = api.export(external_ids=["u0"])["users"]
    seen = {"first": "2026-01-02T03:04:05.000Z", "last": "2026-01-02T03:04:05.000Z", "count": 3}
    assert user["custom_events"] == [{"name": "e0", **seen}]
    assert user["purchases"] == [{"name": "sku", **seen}]


def test_s10_quantity_is_so_many_purchases(api: Api) -> None:
    assert api.track(purchases=[purchase(quantity=100)]).status_code == 201
    assert api.track(purchases=[purchase(quantity=101)]).status_code == 400
    assert [bought["quantity"] for bought in api.server.purchases()] == [1] * 100
    (user,) = api.export(external_ids=["u0"])["users"]
    assert user["total_revenue"] == 250.0
    assert api.server.summary()["purchases"] == 100


@pytest.mark.parametrize("array", ["events", "purchases"])
def test_s10_properties_hold_50_kb(api: Api, array: str) -> None:
    base = events(1)[0] if array == "events" else purchase()
    fits = {"a": ["ü" * 24_900], "b": "x" * 183}  # 50,000 bytes in compact UTF-8, twice as many as they are sent here
    assert api.track(**{array: [{**base, "properties": fits}]}).status_code == 201
    answer = api.track(**{array: [base, {**base, "properties": {**fits, "c": 1}}]})
    assert answer.json()["errors"] == [{"type": "'properties' must be at most 50 KB", "input_array": array, "index": 1}]


@pytest.mark.parametrize("properties", [None, {}, {"a": [{"b": None}]}])
def test_s10_properties_are_kept_as_sent(api: Api, properties: Any) -> None:
    api.track(events=[{**events(1)[0], "properties": properties}])
    assert api.server.events()[0]["properties"] == properties


def test_s10_event_creates_its_user(api: Api) -> None:
    api.track(events=[{"email": "New@Example.com", "name": "joined", "time": TIME}])
    (user,) = api.server.users()
    assert user["attributes"] == {"email": "New@Example.com"}
    assert api.server.events()[0]["braze_id"] == user["braze_id"]


def test_resent_objects_are_counted_by_identifier_and_content(api: Api) -> None:
    row = {"external_id": "u", "plan": "free"}
    api.track(attributes=[row, {**row, "plan": "paid"}])
    assert api.server.summary()["resent_objects"] == 0
    api.track(attributes=[row, {**row, "external_id": "v"}])
    assert api.server.summary()["resent_objects"] == 1
    api.track(attributes=[row, row])
    assert api.server.summary()["resent_objects"] == 3
