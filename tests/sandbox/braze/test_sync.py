"""Row S4: POST /users/track/sync takes one object and answers with its result."""

from typing import Any

import pytest

from sandbox.braze import ApiKey, BrazeSandbox

from .conftest import Api

TIME = "2026-01-02T03:04:05Z"
SEEN = {"first": "2026-01-02T03:04:05.000Z", "last": "2026-01-02T03:04:05.000Z", "count": 1}
EVENT = {"email": "a@b.io", "name": "e", "time": TIME}
PURCHASE = {"external_id": "u", "product_id": "p", "currency": "USD", "price": 2, "quantity": 3, "time": TIME}


def sync(api: Api, **arrays: Any) -> Any:
    return api.post("/users/track/sync", arrays)


def test_s04_sync_shows_the_attributes_that_it_named(api: Api) -> None:
    api.track(attributes=[{"external_id": "u", "plan": "free", "visits": 1, "old": True}])
    answer = sync(api, attributes=[{"external_id": "u", "plan": None, "visits": {"inc": 2}, "first_name": "Ann", "tags": ["a"]}])
    assert answer.status_code == 201
    user = {"external_id": "u", "custom_attributes": {"visits": 3, "tags": ["a"]}}
    assert answer.json() == {"users": [user], "message": "success"}


def test_s04_sync_shows_the_event_or_purchase(api: Api) -> None:
    assert sync(api, events=[EVENT]).json()["users"] == [{"email": "a@b.io", "custom_events": [{"name": "e", **SEEN}]}]
    bought = {"product_id": "p", **SEEN, "count": 3}
    assert sync(api, purchases=[PURCHASE]).json()["users"] == [{"external_id": "u", "purchase_events": [bought]}]


def test_s04_sync_shows_nobody_who_may_not_be_created(api: Api) -> None:
    alias = {"user_alias": {"alias_name": "n", "alias_label": "l"}}
    assert sync(api, attributes=[{**alias, "plan": "free"}]).json() == {"users": [], "message": "success"}
    answer = sync(api, attributes=[{**alias, "_update_existing_only": False, "plan": "free"}])
    assert answer.json()["users"] == [{**alias, "custom_attributes": {"plan": "free"}}]


def test_s04_sync_is_carried_out_before_its_answer(api: Api) -> None:
    api.server.change(visibility={"delay_ms": 60_000})
    api.track(attributes=[{"external_id": "slow"}])
    sync(api, attributes=[{"external_id": "quick"}])
    assert [user["external_id"] for user in api.server.users()] == ["quick"]


@pytest.mark.parametrize(
    "arrays",
    [
        {"attributes": [{"external_id": "u"}, {"external_id": "v"}]},
        {"attributes": [{"external_id": "u"}], "events": [EVENT]},
    ],
)
def test_s04_sync_takes_one_object(api: Api, arrays: Any) -> None:
    answer = sync(api, **arrays)
    assert (answer.status_code, answer.json()) == (400, {"message": "Max Input Length Exceeded"})
    assert api.server.summary()["profiles"] == 0


@pytest.mark.parametrize("arrays", [{}, {"attributes": [{"plan": "nobody's"}]}])
def test_s04_sync_without_a_good_object_is_400(api: Api, arrays: Any) -> None:
    assert sync(api, **arrays).status_code == 400


def test_s04_sync_has_its_own_permission_and_limit() -> None:
    with BrazeSandbox(
        keys=(ApiKey("track", frozenset({"users.track"})), ApiKey("sync", frozenset({"users.track.sync"})))
    ) as server:
        api = Api(server)
        assert sync(api, events=[EVENT]).status_code == 403
        answer = api.post("/users/track/sync", {"events": [EVENT]}, headers={"Authorization": "Bearer sync"})
        assert (answer.status_code, answer.headers["X-Ratelimit-Limit"]) == (201, "500")
        assert api.track(events=[EVENT]).headers["X-Ratelimit-Limit"] == "3000"
        api.close()
