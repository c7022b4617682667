"""Row S16: the schemas, and what the recorder says of a client that breaks them."""

import json
from typing import Any

import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]

from sandbox.braze import schemas

TIME = "2026-01-02T03:04:05Z"
USER = {"external_id": "u"}
EVENT = {**USER, "name": "e", "time": TIME}
PURCHASE = {**USER, "product_id": "p", "currency": "USD", "price": 1, "time": TIME}
ALIAS = {"alias_name": "n", "alias_label": "l"}


def places(call: str, body: Any) -> list[str]:
    validator = schemas.request(call)
    assert validator is not None
    return [place for place, _ in validator(body)]


@pytest.mark.parametrize("path", sorted(schemas.FOLDER.glob("*.json")), ids=lambda path: path.name)
def test_s16_schemas_are_schemas(path: Any) -> None:
    document = json.loads(path.read_text())
    assert document["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    Draft202012Validator.check_schema(document)


@pytest.mark.parametrize(
    ("call", "body"),
    [
        ("users_track", {"attributes": [USER] * 75, "events": [EVENT] * 75, "purchases": [PURCHASE] * 75, "partner": "p"}),
        ("users_track", {"attributes": [{**USER, "email": "no", "phone": None, "a": {"b": [None]}, "_merge_objects": True}]}),
        ("users_track", {"attributes": [{"user_alias": ALIAS, "_update_existing_only": False}, {"email": "a", "phone": "1"}]}),
        ("users_track", {"events": [{**EVENT, "time": "2026-01-02T03:04:05:678+0900", "properties": {"a": [1]}}]}),
        ("users_track", {"purchases": [{**PURCHASE, "quantity": 100, "price": -1.5}]}),
        ("users_track_bulk", {"events": [EVENT] * 1_000}),
        ("users_track_sync", {"events": [EVENT]}),
        ("users_delete", {"external_ids": ["u"] * 50}),
        ("users_delete", {"email_addresses": [{"email": "a", "prioritization": ["unidentified", "most_recently_updated"]}]}),
        ("users_export_ids", {"external_ids": ["u"], "fields_to_export": ["email"]}),
        ("catalogs_create", {"catalogs": [{"name": "c", "description": "", "fields": [{"name": "id", "type": "string"}]}]}),
        ("catalogs_replace_items", {"items": [{"id": "a", "x": {"y": [None, "z" * 5_000]}}, {"id": "b"}]}),
        ("catalogs_update_items", {"items": [{"id": "a", "tags": {"$add": ["x"], "$remove": ["y"]}}]}),
        ("catalogs_delete_items", {"items": [{"id": "a"}]}),
    ],
)
def test_s16_good_requests(call: str, body: Any) -> None:
    assert places(call, body) == []


@pytest.mark.parametrize(
    ("call", "body", "place"),
    [
        ("users_track", [], ""),
        ("users_track", {"attributes": {}}, "/attributes"),
        ("users_track", {"attributes": [USER] * 76}, "/attributes"),
        ("users_track", {"atributes": [USER]}, ""),
        ("users_track", {"attributes": ["u"]}, "/attributes/0"),
        ("users_track", {"attributes": [USER, {"plan": "free"}]}, "/attributes/1"),
        ("users_track", {"attributes": [{**USER, "braze_id": "b"}]}, "/attributes/0"),
        ("users_track", {"attributes": [{**USER, "user_alias": ALIAS}]}, "/attributes/0"),
        ("users_track", {"attributes": [{"user_alias": {"alias_name": "n"}}]}, "/attributes/0/user_alias"),
        ("users_track", {"attributes": [{"external_id": 7}]}, "/attributes/0/external_id"),
        ("users_track", {"attributes": [{"external_id": None, "email": "a"}]}, "/attributes/0/external_id"),
        ("users_track", {"attributes": [{"external_id": "ü" * 494}]}, "/attributes/0/external_id"),
        ("users_track", {"attributes": [{**USER, "_update_existing_only": "true"}]}, "/attributes/0/_update_existing_only"),
        ("users_track", {"events": [{**EVENT, "email": "a"}]}, "/events/0"),
        ("users_track", {"events": [{"external_id": "u", "name": "e"}]}, "/events/0"),
        ("users_track", {"events": [{**EVENT, "time": "yesterday"}]}, "/events/0/time"),
        ("users_track", {"events": [{**EVENT, "properties": {"a": "x" * 50_000}}]}, "/events/0/properties"),
        ("users_track", {"purchases": [{**PURCHASE, "price": "1"}]}, "/purchases/0/price"),
        ("users_track", {"purchases": [{**PURCHASE, "quantity": 101}]}, "/purchases/0/quantity"),
        ("users_track", {"purchases": [{**PURCHASE, "currency": "dollar"}]}, "/purchases/0/currency"),
        ("users_track_bulk", {"events": [EVENT] * 1_001}, "/events"),
        ("users_track_sync", {"events": [EVENT] * 2}, "/events"),
        ("users_delete", {}, ""),
        ("users_delete", {"external_ids": ["u"], "braze_ids": ["b"]}, ""),
        ("users_delete", {"external_ids": ["u"] * 51}, "/external_ids"),
        ("users_delete", {"email_addresses": [{"email": "a"}]}, "/email_addresses/0"),
        ("users_export_ids", {"external_ids": ["u"] * 51}, "/external_ids"),
        ("users_export_ids", {"fields_to_export": ["email"]}, ""),
        ("catalogs_add_items", {"items": [{"id": "a"}] * 51}, "/items"),
        ("catalogs_add_items", {"items": [{"id": "a"}, {"id": "a", "x": 1}]}, "/items"),
        ("catalogs_add_items", {"items": [{"x": 1}]}, "/items/0"),
        ("catalogs_add_items", {"items": [{"id": "a b"}]}, "/items/0/id"),
        ("catalogs_replace_items", {"items": [{"id": "a", "x": {"y": "z" * 5_001}}]}, "/items/0/x/y"),
        ("catalogs_replace_items", {"items": [{"id": "a", "tags": {"$add": ["x"]}}]}, "/items/0/tags"),
        ("catalogs_update_items", {"items": [{"id": "a", "tags": {"$add": ["x"], "y": 1}}]}, "/items/0/tags"),
        ("catalogs_delete_items", {"items": [{"id": "a", "x": 1}]}, "/items/0"),
    ],
)
def test_s16_requests_that_break_the_contract(call: str, body: Any, place: str) -> None:
    assert place in places(call, body)


def test_s16_sentence_names_the_rule_and_stays_short() -> None:
    validator = schemas.request("users_track")
    assert validator is not None
    ((_, sentence),) = validator({"attributes": [{"plan": "free"}]})
    assert sentence.startswith("exactly one of external_id, user_alias and braze_id identifies a user")
    ((_, sentence),) = validator({"attributes": [USER] * 76})
    assert len(sentence) < 300


FIELD = {"name": "id", "token": "-1", "type": "string"}
CATALOG = {
    **{"description": "d", "fields": [FIELD], "name": "restaurants", "source": "Braze", "num_items": 0, "storage_size": 12868},
    **{"selections_size": 0, "updated_at": "2024-10-14T13:00:15.946+00:00", "selections": []},
}


@pytest.mark.parametrize(
    ("call", "status", "body"),
    [
        ("users_track", 201, {"attributes_processed": 1, "message": "success"}),
        ("users_track", 401, {"message": "Invalid API key: k"}),
        ("users_delete", 201, {"deleted": 3, "message": "success"}),
        ("catalogs_get", 200, {"catalogs": [CATALOG], "message": "success"}),
        ("catalogs_create", 201, {"catalogs": [CATALOG], "message": "success"}),
        ("catalogs_add_items", 202, {"message": "success"}),
        ("catalogs_delete_items", 202, {"message": "success"}),
    ],
)
def test_s16_answers_in_the_form_of_real_recordings_fit(call: str, status: int, body: Any) -> None:
    assert list(schemas.response(call, status)(body)) == []


@pytest.mark.parametrize(
    ("call", "status", "body", "good"),
    [
        ("users_track", 201, {"message": "success", "attributes_processed": 1}, True),
        ("users_track", 201, {"message": "success"}, False),
        ("users_track", 201, {"message": "success", "events_processed": 1, "errors": [{"type": "x"}]}, False),
        ("users_track", 400, {"error": "text"}, True),
        ("users_track", 401, {"message": "Invalid API key: k"}, True),
        ("users_track", 202, {"message": "queued"}, True),
        ("users_track", 204, {}, False),
        ("users_delete", 201, {"deleted": 3, "message": "success"}, True),
        ("users_delete", 201, {"deleted": "3", "message": "success"}, False),
        ("catalogs_add_items", 404, {"message": "Not Found"}, False),
        ("", 404, {"message": "Not Found"}, True),
    ],
)
def test_s16_answers_have_schemas_too(call: str, status: int, body: Any, good: bool) -> None:
    assert (list(schemas.response(call, status)(body)) == []) is good
