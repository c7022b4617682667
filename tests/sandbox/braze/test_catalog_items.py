"""Row S14: a request with one bad item changes nothing, and says what is wrong in the documented form."""

from typing import Any

import pytest

from sandbox.braze import BrazeSandbox
from sandbox.braze.catalog_values import ValueRefused, coerced

from .conftest import Api

FIELDS = {"Name": "string", "Rating": "number", "Place": "object", "Dishes": "array"}
GOOD = {"id": "good", "Name": "Kim"}


@pytest.fixture(autouse=True)
def shops(server: BrazeSandbox) -> None:
    server.create_catalog("shops", **FIELDS)


def deep(levels: int) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = {"k": value}
    return value


@pytest.mark.parametrize(
    ("item", "error", "values"),
    [
        ({"id": 7}, "ids-not-strings", [7]),
        ({"id": "i" * 251}, "ids-too-large", ["i" * 251]),
        ({"id": "a b"}, "invalid-ids", ["a b"]),
        ({"id": "ü"}, "invalid-ids", ["ü"]),
        ({"id": "good"}, "ids-not-unique", ["good"]),
        ({"id": "x", "Nmae": "Lee"}, "invalid-fields", ["x"]),
        ({"id": "x", "Name": "n" * 5_001}, "items-too-large", ["x"]),
        ({"id": "x", "Place": {"a": ["n" * 5_001]}}, "items-too-large", ["x"]),
        ({"id": "x", "Place": {"a": {"b.c": 1}}}, "invalid-keys-in-value-object", ["x"]),
        ({"id": "x", "Dishes": [{"$b": 1}]}, "invalid-keys-in-value-object", ["x"]),
        ({"id": "x", "Place": deep(51)}, "too-deep-nesting-in-value-object", ["x"]),
        ({"id": "x", "Rating": "high"}, "unable-to-coerce-value", ["x"]),
    ],
)
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH"])
def test_s14_one_bad_item_refuses_the_whole_request(api: Api, method: str, item: Any, error: str, values: Any) -> None:
    api.items("PUT", GOOD)
    answer = api.items(method, {**GOOD, "Name": "changed"}, item)
    assert answer.status_code == 400
    body = answer.json()
    (found,) = body["errors"]
    assert (body["message"], found["id"], found["parameters"]) == ("Invalid Request", error, ["id"])
    assert found["parameter_values"] == values
    assert api.server.catalog_items("shops") == [GOOD]


def test_s14_items_without_ids_are_counted(api: Api) -> None:
    answer = api.items("DELETE", {"Name": "Kim"}, GOOD, {"id": None})
    assert answer.status_code == 400
    assert answer.json() == {
        "errors": [
            {
                **{"id": "items-missing-ids", "message": "There are 2 item(s) that do not have ids"},
                **{"parameters": [], "parameter_values": []},
            }
        ],
        "message": "Invalid Request",
    }


@pytest.mark.parametrize("items", [None, {}, [], ["s1"], "s1"])
def test_s14_items_must_be_an_array_of_objects(api: Api, items: Any) -> None:
    answer = api.send("PUT", "/catalogs/shops/items", {"items": items})
    assert (answer.status_code, [found["id"] for found in answer.json()["errors"]]) == (400, ["item-array-invalid"])


def test_s14_every_reason_names_every_item(api: Api) -> None:
    answer = api.items("PUT", {"id": "a", "x": 1}, {"id": "b", "y": 1}, {"id": "c", "Rating": []}, {"id": "d d"})
    found = {error["id"]: error["parameter_values"] for error in answer.json()["errors"]}
    assert found == {"invalid-ids": ["d d"], "invalid-fields": ["a", "b"], "unable-to-coerce-value": ["c"]}


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_s14_unknown_catalog_is_404(api: Api, method: str) -> None:
    answer = api.items(method, GOOD, catalog="nowhere")
    assert answer.status_code == 404
    (error,) = answer.json()["errors"]
    assert (error["id"], error["parameters"], error["parameter_values"]) == ("catalog-not-found", ["catalog_name"], ["nowhere"])


@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_s14_only_patch_edits_arrays(api: Api, method: str) -> None:
    answer = api.items(method, {"id": "x", "Dishes": {"$add": ["Tea"]}})
    assert [error["id"] for error in answer.json()["errors"]] == ["unable-to-coerce-value"]


def test_s14_limits_themselves_are_allowed(api: Api) -> None:
    item = {"id": "I-_9" * 62 + "ab", "Name": "n" * 5_000, "Place": deep(50)}
    assert len(item["id"]) == 250
    assert api.items("PUT", item).status_code == 202
    assert api.server.catalog_items("shops") == [item]


def test_s14_unparsable_body_and_wrong_type(api: Api) -> None:
    path = "/catalogs/shops/items"
    assert api.send("PUT", path, data=b"{", headers={"Content-Type": "application/json"}).status_code == 400
    assert api.send("PUT", path, data=b"{}", headers={"Content-Type": "text/plain"}).status_code == 415


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        ("string", 7, "7"),
        ("string", True, "true"),
        ("number", "7", 7),
        ("number", "7.5", 7.5),
        ("boolean", "true", True),
        ("boolean", "false", False),
        ("time", "2026-01-02", "2026-01-02"),
        ("object", {}, {}),
        ("array", [1, "a"], [1, "a"]),
        ("number", None, None),
    ],
)
def test_s14_values_take_the_type_of_their_field(kind: str, value: Any, expected: Any) -> None:
    assert repr(coerced(kind, value, edits=False)) == repr(expected)


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("string", []),
        ("number", True),
        ("number", "nan"),
        ("number", ""),
        ("boolean", 1),
        ("boolean", "yes"),
        ("time", 1_767_322_445),
        ("time", "soon"),
        ("object", []),
        ("array", "a"),
        ("array", {"$add": "Tea"}),
        ("array", {"$put": []}),
        ("array", {}),
    ],
)
def test_s14_values_of_another_type_are_refused(kind: str, value: Any) -> None:
    with pytest.raises(ValueRefused, match="unable-to-coerce-value"):
        coerced(kind, value, edits=True)
