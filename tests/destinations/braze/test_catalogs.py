"""Catalog items: what a row must have, and whether it writes or removes an item (contracts: braze 1.1, 2.3, 2.5)."""

from __future__ import annotations

from typing import Any

import pytest

from activation.destinations.braze.kinds import KINDS, Options

from .kinds import encode, sent, verdict

ITEM = {"id": "shop-1", "payload": '{"name": "가게", "open": true, "tags": ["a"]}'}


def test_f03_an_item_is_written_with_its_payload() -> None:
    assert sent("catalog_items", ITEM, {"id": "empty", "payload": " { } "}) == [
        {"id": "shop-1", "name": "가게", "open": True, "tags": ["a"]},
        {"id": "empty"},
    ]


@pytest.mark.parametrize("deleted", ["true", "TRUE", "t", "1"])
@pytest.mark.parametrize("payload", [None, "", "not json", '{"name": "x"}'])
def test_f03_a_deleted_row_removes_its_item_whatever_its_payload(deleted: str, payload: str | None) -> None:
    gone = {"id": "shop-1", "payload": payload, "deleted": deleted}
    encoded = encode("catalog_items", gone, {**ITEM, "deleted": "false"}, ITEM)
    assert encoded.groups is not None
    assert encoded.groups.tolist() == [1, 0, 0]
    assert sent("catalog_items", gone) == [{"id": "shop-1"}]


def test_f03_the_mode_picks_the_call() -> None:
    replace = KINDS["catalog_items"].calls(Options(catalog="my shops", replace=True))
    patch = KINDS["catalog_items"].calls(Options(catalog="my shops", replace=False))
    assert [(call.method, call.permission) for call in replace] == [
        ("PUT", "catalogs.replace_items"),
        ("DELETE", "catalogs.delete_items"),
    ]
    assert [call.method for call in patch] == ["PATCH", "DELETE"]
    assert {call.path for call in (*replace, *patch)} == {"/catalogs/my%20shops/items"}
    assert replace[0].body(b'{"id":"a"}') == b'{"items":[{"id":"a"}]}'


@pytest.mark.parametrize(
    ("row", "code"),
    [
        ({"id": None}, "item_id_missing"),
        ({"id": ""}, "item_id_missing"),
        ({"id": "a b"}, "item_id_invalid"),
        ({"id": "가게"}, "item_id_invalid"),
        ({"id": "x" * 250}, "good"),
        ({"id": "x" * 251}, "item_id_invalid"),
        ({"payload": None}, "payload_missing"),
        ({"payload": "[]"}, "payload_not_object"),
        ({"payload": '{"id": "other"}'}, "identifier_in_payload"),
        ({"payload": '{"external_id": "fine here"}'}, "good"),
        ({"deleted": "perhaps"}, "deleted_not_boolean"),
        ({"deleted": ""}, "good"),
        ({"payload": '{"a": "' + "가" * 5_000 + '"}'}, "good"),
        ({"payload": '{"a": "' + "가" * 5_001 + '"}'}, "value_too_long"),
        ({"cursor": None}, "null_updated_at"),
    ],
)
def test_f03_bad_rows(row: dict[str, Any], code: str) -> None:
    assert verdict("catalog_items", {**ITEM, **row}) == code
