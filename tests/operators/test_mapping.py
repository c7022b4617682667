"""Tables without a PAYLOAD column, from ordinary columns through the operator into the contract server."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowFailException

from activation.dags.build import build_dag
from activation.delivery.kept import Kept
from activation.errors import ConfigurationError
from activation.operators.braze_import import WarehouseIncrementalImportOperator
from activation.spec import Pipeline

from .test_data_types import items, stamp
from .world import World

CUSTOMERS = (
    "user_id BIGINT, name VARCHAR, age INTEGER, balance DECIMAL(30, 4), vip BOOLEAN, tags VARCHAR[], "
    "since TIMESTAMP WITH TIME ZONE, mail VARCHAR, tier VARCHAR, points VARCHAR"
)
ID = {"external_id": "EXTERNAL_ID"}

FIELDS = {
    "name": "NAME",
    "age": {"column": "AGE", "nulls": "skip"},
    "balance": "BALANCE",
    "vip": "VIP",
    "tags": "TAGS",
    "since": "SINCE",
    "mail_hash": {"column": "MAIL", "mask": "sha256_email"},
    "loyalty.tier": "TIER",
    "loyalty.points": {"column": "POINTS", "as": "integer"},
    "source": {"constant": "warehouse"},
    "synced_at": {"moment": "run_start"},
    "greeting": {"template": "안녕 {NAME} ({TIER})"},
}


def customers(world: World) -> None:
    world.blocks = {"columns": {"identifiers": {"external_id": "user_id"}, "fields": FIELDS}}
    good = [stamp(1), 1, '홍 "길동" 😀\n', 41, "12345678901234567890.1200", True, ["a", "한"], "2026-01-02 03:04:05+09"]
    world.table(
        CUSTOMERS,
        [*good, " A@Example.com", "gold", "0042"],
        [stamp(2), 2, None, None, None, None, None, None, None, None, None],
        [stamp(3), 3, "x", 1, 1, False, [], None, "no address", "gold", "1"],
        [stamp(4), 4, "x", 1, 1, False, [], None, None, "gold", "a lot"],
        [stamp(5), None, "x", 1, 1, False, [], None, None, "gold", "also bad"],
    )


def users(world: World) -> dict[str, Any]:
    return {one["external_id"]: one["attributes"] for one in world.braze.users()}


def kept(world: World, report: Any) -> list[dict[str, Any]]:
    return list(Kept(Path(report["rejects"]).parent).records())


def test_f31_ordinary_columns_become_attributes(world: World) -> None:
    customers(world)
    report = world.run()
    assert (report["rows"]["sent"], report["rows"]["rejected"]) == (2, 3)
    found = users(world)
    moment = found["1"].pop("synced_at")
    assert found["2"].pop("synced_at") == moment
    assert moment.endswith("Z")
    assert found["1"] == {
        "name": '홍 "길동" 😀\n',
        "age": 41,
        "balance": pytest.approx(12345678901234567890.12),
        "vip": True,
        "tags": ["a", "한"],
        "since": "2026-01-01T18:04:05.000Z",
        "mail_hash": hashlib.sha256(b"a@example.com").hexdigest(),
        "loyalty": {"tier": "gold", "points": 42},
        "source": "warehouse",
        "greeting": '안녕 홍 "길동" 😀\n (gold)',
    }
    assert found["2"] == {"source": "warehouse"}, "a null removes what is not there; age and loyalty are left out"


def test_f31_a_row_that_cannot_be_mapped_is_kept_as_it_stands_in_the_table(world: World) -> None:
    customers(world)
    report = world.run()
    assert report["reasons"] == {"value_not_email": 1, "value_not_integer": 1, "no_identifier": 1}
    found = {one["code"]: one for one in kept(world, report)}
    assert found["value_not_integer"]["message"] == (
        "The field loyalty.points cannot be made: the column points is not a whole number."
    )
    assert found["value_not_email"]["row"] == {
        "user_id": "3", "name": "x", "age": "1", "balance": "1.0000", "vip": "false", "tags": "[]", "since": None,
        "mail": "no address", "tier": "gold", "points": "1",
    }  # fmt: skip


def test_a_replay_makes_the_same_of_the_kept_columns(world: World) -> None:
    customers(world)
    world.run()
    fields = {**FIELDS, "loyalty.points": "POINTS", "mail_hash": {"column": "MAIL", "mask": "redact"}}
    columns = {"identifiers": {"external_id": "user_id"}, "fields": fields}
    report = world.run({"mode": "replay"}, columns=columns)
    assert (report["rows"]["sent"], report["reasons"]) == (2, {"no_identifier": 1})
    found = users(world)
    assert (found["3"]["age"], found["3"]["vip"], found["3"]["tags"], found["3"]["mail_hash"]) == (1, False, [], "***")
    assert found["4"]["loyalty"] == {"tier": "gold", "points": "a lot"}


def test_the_cursor_column_can_be_a_field_too(world: World) -> None:
    world.blocks = {
        "columns": {"identifiers": ID, "fields": {"changed": "UPDATED_AT", "age": {"column": "AGE", "as": "integer"}}}
    }
    world.table("EXTERNAL_ID VARCHAR, AGE VARCHAR", [stamp(1), "u", "7"], [stamp(2), "v", "old"])
    assert world.run(cursor={"column": "updated_at"})["reasons"] == {"value_not_integer": 1}
    assert users(world) == {"u": {"changed": "2026-07-19T09:00:01.000Z", "age": 7}}
    columns = {"identifiers": ID, "fields": {"changed": "UPDATED_AT", "age": "AGE"}}
    assert world.run({"mode": "replay"}, cursor={"column": "updated_at"}, columns=columns)["rows"]["sent"] == 1
    assert users(world)["v"] == {"changed": "2026-07-19T09:00:02.000Z", "age": "old"}


def test_only_the_columns_that_are_used_are_read(world: World) -> None:
    world.blocks = {"columns": {"identifiers": ID, "fields": {"a": "A", "b": {"template": "{B}!"}}}}
    table = "EXTERNAL_ID VARCHAR, A VARCHAR, B VARCHAR, EMAIL VARCHAR, SECRET VARCHAR"
    world.table(table, [stamp(1), None, "x", "y", "a@b.c", "hush"])
    assert set(kept(world, world.run())[0]["row"]) == {"EXTERNAL_ID", "A", "B"}


def test_f31_events_and_purchases_are_mapped_and_keep_their_rules(world: World) -> None:
    world.destination = {"data": "events"}
    fields = {
        "name": "WHAT",
        "time": {"column": "HAPPENED", "nulls": "skip"},
        "properties.colour": "COLOUR",
        "properties.size": "SIZE",
    }
    world.blocks = {"columns": {"identifiers": ID, "fields": fields}}
    world.table(
        "EXTERNAL_ID VARCHAR, WHAT VARCHAR, HAPPENED TIMESTAMP, COLOUR VARCHAR, SIZE INTEGER",
        [stamp(1), "u1", "click", "2026-07-01 10:00:00.5", "blue", 7],
        [stamp(2), "u2", "seen", None, None, None],
        [stamp(3), "u3", None, None, None, None],
    )
    report = world.run()
    assert (report["rows"]["sent"], report["reasons"]) == (2, {"event_name_missing": 1})
    one, other = sorted(world.braze.events(), key=lambda event: event["external_id"])
    assert (one["name"], one["time"], one["properties"]) == ("click", "2026-07-01T10:00:00.500Z", {"colour": "blue", "size": 7})
    assert (other["name"], other["time"], other.get("properties")) == ("seen", "2026-07-19T09:00:02.000Z", None)

    world.destination = {"data": "purchases"}
    price = {"product_id": "SKU", "currency": {"constant": "KRW"}, "price": "PRICE", "quantity": "N"}
    world.table("EXTERNAL_ID VARCHAR, SKU VARCHAR, PRICE DECIMAL(12, 2), N INTEGER", [stamp(1), "u", "shoe", "99.50", 2])
    world.sql("INSERT INTO crm.source VALUES (TIMESTAMP '2026-07-20', 'v', 'shoe', 1, 101)")
    report = world.run(pipeline_id="other", columns={"identifiers": ID, "fields": price})
    assert report["reasons"] == {"quantity_out_of_range": 1}
    assert {(bought["product_id"], bought["currency"], bought["price"]) for bought in world.braze.purchases()} == {
        ("shoe", "KRW", 99.5)
    }


def test_f31_catalog_items_are_mapped_and_removed(world: World) -> None:
    world.braze.create_catalog("shops", name="string", open="boolean", seats="number")
    world.destination = {"data": "catalog_items", "catalog": {"name": "shops"}}
    identifiers = {"id": "sku", "deleted": "gone"}
    world.blocks = {"columns": {"identifiers": identifiers, "fields": {"name": "TITLE", "open": "OPEN", "seats": "SEATS"}}}
    table = "SKU VARCHAR, TITLE VARCHAR, OPEN BOOLEAN, SEATS VARCHAR, GONE BOOLEAN"
    world.blocks["columns"]["fields"]["seats"] = {"column": "SEATS", "as": "integer"}
    world.table(
        table,
        [stamp(1), "a", "가", True, "12", None],
        [stamp(2), "b", "b", None, "1", False],
        [stamp(3), "c", "c", True, "many", False],
        [stamp(4), "b", None, None, "unknown", True],
    )
    report = world.run()
    assert (report["rows"]["sent"], report["reasons"]) == (3, {"value_not_integer": 1})
    assert items(world) == {"a": {"name": "가", "open": True, "seats": 12}}


def test_deletes_take_renamed_identifiers(world: World) -> None:
    world.table("EXTERNAL_ID VARCHAR, PAYLOAD VARCHAR", [stamp(1), "u1", "{}"], [stamp(1), "u2", "{}"])
    world.run()
    world.destination = {"data": "deletes"}
    world.table("PERSON VARCHAR, EXTERNAL_ID VARCHAR", [stamp(2), "u1", "u2"])
    world.run(pipeline_id="other", columns={"identifiers": {"external_id": "person"}})
    assert set(users(world)) == {"u2"}


def test_a_preview_shows_what_would_be_made(world: World) -> None:
    customers(world)
    shown = world.run({"mode": "preview"})
    assert (shown["rows"]["sampled"], shown["rows"]["rejected_of_sample"]) == (5, 3)
    assert shown["items"][0]["loyalty"] == {"tier": "g***", "points": "***"}
    assert users(world) == {}


@pytest.mark.parametrize("rule", ["count", "dedup"])
def test_a_retry_and_every_rule_of_the_cursor_work_without_a_payload(world: World, rule: str) -> None:
    customers(world)
    assert world.run(cursor={"rule": rule})["rows"]["sent"] == 2
    world.sql("UPDATE crm.source SET tier = 'silver' WHERE user_id = 1")
    again = world.run({"mode": "full"}, cursor={"rule": rule})
    assert again["rows"]["sent"] == 2
    assert users(world)["1"]["loyalty"]["tier"] == "silver"


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"name": "NAMES"}, "crm.source has no column NAMES .* Did you mean NAME?"),
        ({"x": {"template": "{NAEM}"}}, "crm.source has no column NAEM .* Did you mean NAME?"),
        ({"name": "NAME"}, "crm.source has a column PAYLOAD, and columns.fields make a payload too."),
    ],
)
def test_a_mapping_that_does_not_fit_the_table_sends_nothing(world: World, fields: dict[str, Any], message: str) -> None:
    world.table("EXTERNAL_ID VARCHAR, NAME VARCHAR, PAYLOAD VARCHAR", [stamp(1), "u", "n", "{}"])
    with pytest.raises(AirflowFailException, match=message):
        world.run(columns={"identifiers": ID, "fields": fields})
    assert users(world) == {}


def test_a_payload_column_may_be_one_of_the_fields(world: World) -> None:
    world.table("EXTERNAL_ID VARCHAR, PAYLOAD VARCHAR", [stamp(1), "u", json.dumps({"a": [1]})])
    world.run(columns={"identifiers": ID, "fields": {"raw": {"column": "payload", "as": "json"}}})
    assert users(world) == {"u": {"raw": {"a": [1]}}}


def test_a_wrong_block_is_told_when_the_dag_is_parsed(world: World) -> None:
    with pytest.raises(ConfigurationError, match=r"'colum' is not a key of columns\.fields\.city\.\s+Did you mean column"):
        world.run(columns={"identifiers": ID, "fields": {"city": {"colum": "CITY"}}})


def test_a_pipeline_file_hands_its_columns_to_the_operator() -> None:
    blocks = {
        "id": "p",
        "source": {"type": "duckdb", "connection": "w", "table": "crm.source"},
        "destination": {"type": "braze", "connection": "b", "data": "attributes"},
        "columns": {"identifiers": ID, "fields": FIELDS},
    }
    pipeline = Pipeline.model_validate(blocks)
    task = build_dag(pipeline).get_task("import")
    assert isinstance(task, WarehouseIncrementalImportOperator)
    assert task.pipeline().columns == pipeline.columns


def test_a_row_of_which_the_same_is_made_is_skipped(world: World) -> None:
    world.blocks = {"columns": {"identifiers": ID, "fields": {"name": "NAME"}}, "cursor": {"skip_unchanged": True}}
    world.table("EXTERNAL_ID VARCHAR, NAME VARCHAR, OTHER VARCHAR", [stamp(1), "u", "a", "x"], [stamp(1), "v", "b", "x"])
    assert world.run()["rows"]["sent"] == 2
    world.sql("UPDATE crm.source SET UPDATED_AT = UPDATED_AT + INTERVAL 1 SECOND, OTHER = 'y'")
    world.sql("UPDATE crm.source SET NAME = 'c' WHERE EXTERNAL_ID = 'v'")
    assert world.run()["rows"] == {"read": 2, "sent": 1, "rejected": 0, "skipped": 1}
    assert users(world)["v"] == {"name": "c"}
