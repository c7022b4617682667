"""Row S14: the catalogs themselves, and what the item calls do."""

from typing import Any

import pytest

from sandbox.braze import ApiKey, BrazeSandbox, ControlError

from .conftest import Api

FIELDS = {"Name": "string", "Rating": "number", "Open": "boolean", "At": "time", "Place": "object", "Dishes": "array"}
FULL = {
    **{"id": "s1", "Name": "Kim", "Rating": 4.5, "Open": True, "At": "2021-09-03T09:03:19.967+00:00"},
    **{"Place": {"Latitude": 33.6, "More": {"a": [1]}}, "Dishes": ["Soup", "Rice"]},
}


@pytest.fixture(autouse=True)
def shops(server: BrazeSandbox) -> None:
    server.create_catalog("shops", **FIELDS)


def held(api: Api) -> list[dict[str, Any]]:
    return api.server.catalog_items("shops")


@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_s14_items_are_created(api: Api, method: str) -> None:
    answer = api.items(method, FULL, {"id": "s2"})
    assert (answer.status_code, answer.json()) == (202, {"message": "success"})
    assert held(api) == [FULL, {"id": "s2"}]
    assert api.server.summary()["catalog_items"] == 2


def test_s14_post_leaves_an_item_that_exists_as_it_is(api: Api) -> None:
    api.items("POST", FULL)
    assert api.items("POST", {"id": "s1", "Name": "Lee"}, {"id": "s2"}).status_code == 202
    assert held(api) == [FULL, {"id": "s2"}]
    assert api.server.ignored_items() == [{"catalog": "shops", "method": "POST", "id": "s1"}]


def test_s14_patch_leaves_an_unknown_item_uncreated(api: Api) -> None:
    assert api.items("PATCH", {"id": "s9", "Name": "Lee"}).status_code == 202
    assert held(api) == []
    assert api.server.ignored_items() == [{"catalog": "shops", "method": "PATCH", "id": "s9"}]


def test_s14_put_replaces_and_patch_merges(api: Api) -> None:
    api.items("PUT", FULL)
    api.items("PATCH", {"id": "s1", "Name": "Lee", "Place": {"x": 1}})
    assert held(api) == [{**FULL, "Name": "Lee", "Place": {"x": 1}}]
    api.items("PUT", {"id": "s1", "Name": "Park"})
    assert held(api) == [{"id": "s1", "Name": "Park"}]


def test_s14_patch_edits_arrays(api: Api) -> None:
    api.items("POST", FULL, {"id": "s2"})
    edit = {"$add": ["Soup", "Tea"], "$remove": ["Rice", "Fish"]}
    api.items("PATCH", {"id": "s1", "Dishes": edit}, {"id": "s2", "Dishes": edit})
    assert [item["Dishes"] for item in held(api)] == [["Soup", "Tea"], ["Soup", "Tea"]]


def test_s14_delete_removes_and_ignores_the_unknown(api: Api) -> None:
    api.items("POST", FULL, {"id": "s2"})
    assert api.items("DELETE", {"id": "s1"}, {"id": "s9"}).status_code == 202
    assert held(api) == [{"id": "s2"}]
    assert [ignored["id"] for ignored in api.server.ignored_items()] == ["s9"]


def test_s14_items_become_visible_when_their_time_has_come(api: Api) -> None:
    api.server.change(visibility={"delay_ms": 60_000})
    api.items("POST", FULL)
    assert held(api) == []
    api.server.settle()
    assert held(api) == [FULL]


def test_s14_fifty_items_and_no_more(api: Api) -> None:
    items = [{"id": f"i{number}"} for number in range(51)]
    assert api.items("PUT", *items[:50]).status_code == 202
    refused = api.items("PUT", *items)
    assert (refused.status_code, refused.json()["errors"][0]["id"]) == (400, "request-includes-too-many-items")


def test_s14_list_and_create(api: Api) -> None:
    fields = [{"name": "id", "type": "string"}, {"name": "Price", "type": "number"}]
    goods = {"name": "goods", "description": "What we sell", "fields": fields}
    answer = api.post("/catalogs", {"catalogs": [goods]})
    assert answer.status_code == 201
    (created,) = answer.json()["catalogs"]
    assert created == {**goods, "num_items": 0, "updated_at": created["updated_at"]}
    api.items("PUT", {"id": "g1", "Price": 2}, catalog="goods")
    listed = api.send("GET", "/catalogs")
    assert listed.status_code == 200
    assert [(catalog["name"], catalog["num_items"]) for catalog in listed.json()["catalogs"]] == [("shops", 0), ("goods", 1)]


ID = {"name": "id", "type": "string"}


@pytest.mark.parametrize(
    ("catalogs", "error"),
    [
        ({}, "catalog-array-invalid"),
        ([], "catalog-array-invalid"),
        (["goods"], "catalog-array-invalid"),
        ([{"name": "a", "fields": [ID]}, {"name": "b", "fields": [ID]}], "too-many-catalog-atoms"),
        ([{"name": "shops", "fields": [ID]}], "catalog-name-already-exists"),
        ([{"name": "two words", "fields": [ID]}], "invalid-catalog-name"),
        ([{"name": "n" * 251, "fields": [ID]}], "catalog-name-too-large"),
        ([{"name": "a", "description": "d" * 251, "fields": [ID]}], "description-too-long"),
        ([{"name": "a"}], "invalid-fields"),
        ([{"name": "a", "fields": [ID, {"name": "x"}]}], "invalid-fields"),
        ([{"name": "a", "fields": [{"name": "x", "type": "string"}, ID]}], "id-not-first-column"),
        ([{"name": "a", "fields": [{"name": "id", "type": "number"}]}], "id-not-first-column"),
        ([{"name": "a", "fields": [ID, {"name": "x y", "type": "string"}]}], "invalid-field-names"),
        ([{"name": "a", "fields": [ID, {"name": "x" * 251, "type": "string"}]}], "field-names-too-large"),
        ([{"name": "a", "fields": [ID, {"name": "x", "type": "string"}] * 2}], "field-names-not-unique"),
        ([{"name": "a", "fields": [ID, {"name": "x", "type": "date"}]}], "invalid-field-types"),
        ([{"name": "a", "fields": [ID, *({"name": f"x{n}", "type": "time"} for n in range(500))]}], "too-many-fields"),
    ],
)
def test_s14_catalogs_that_cannot_be_created(api: Api, catalogs: Any, error: str) -> None:
    answer = api.post("/catalogs", {"catalogs": catalogs})
    assert (answer.status_code, answer.json()["message"]) == (400, "Invalid Request")
    assert [found["id"] for found in answer.json()["errors"]] == [error]


def test_s14_a_test_that_hands_in_a_bad_catalog_is_told(server: BrazeSandbox) -> None:
    with pytest.raises(ControlError, match="invalid-field-types"):
        server.create_catalog("goods", Price="money")


@pytest.mark.parametrize(
    ("method", "path", "permission"),
    [
        ("GET", "/catalogs", "catalogs.get"),
        ("POST", "/catalogs", "catalogs.create"),
        ("POST", "/catalogs/shops/items", "catalogs.add_items"),
        ("PUT", "/catalogs/shops/items", "catalogs.replace_items"),
        ("PATCH", "/catalogs/shops/items", "catalogs.update_items"),
        ("DELETE", "/catalogs/shops/items", "catalogs.delete_items"),
    ],
)
def test_s14_each_call_needs_its_permission(method: str, path: str, permission: str) -> None:
    others = ApiKey().permissions - {permission}
    with BrazeSandbox(keys=(ApiKey("others", others), ApiKey("one", frozenset({permission})))) as server:
        server.create_catalog("shops")
        api = Api(server)
        assert api.send(method, path, {}).status_code == 403
        assert api.send(method, path, {}, headers={"Authorization": "Bearer one"}).status_code in (200, 400)
        api.close()


def test_s14_items_share_one_limit_and_catalogs_another(api: Api) -> None:
    answer = api.items("PUT", {"id": "a"})
    assert (answer.headers["X-Ratelimit-Limit"], answer.headers["X-Ratelimit-Remaining"]) == ("16000", "15999")
    assert int(answer.headers["X-Ratelimit-Reset"]) % 60 == 0
    api.server.change(rate={"other": {"catalog_items": {"minute": 1}}})
    assert [api.items(method, {"id": "a"}).status_code for method in ("PATCH", "DELETE")].count(429) >= 1
    assert api.send("GET", "/catalogs").headers["X-Ratelimit-Limit"] == "50"
