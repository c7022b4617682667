"""Every data type, from a table through the operator into the contract server."""

from __future__ import annotations

import json
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowFailException

from activation.errors import TransientError
from sandbox.braze import Fault

from .world import World

USERS = "EXTERNAL_ID VARCHAR, ALIAS_NAME VARCHAR, ALIAS_LABEL VARCHAR, BRAZE_ID VARCHAR, PAYLOAD VARCHAR"


def stamp(second: int) -> str:
    return f"2026-07-19 09:00:{second:02d}"


def user(second: int, name: str, payload: Any) -> list[Any]:
    return [stamp(second), name, None, None, None, json.dumps(payload, ensure_ascii=False)]


def many(world: World, count: int) -> None:
    """Add so many users."""
    row = "TIMESTAMP '2026-01-01' + to_seconds(i), 'u' || i, NULL, NULL, NULL, '{}'"
    world.sql(f"INSERT INTO crm.source SELECT {row} FROM range(?) r(i)", [count])


def events(world: World) -> list[Any]:
    return [(one["external_id"], one["name"], one["time"]) for one in world.braze.events()]


def test_f01_events_are_logged_once_each_and_bad_ones_are_kept(world: World) -> None:
    world.destination = {"data": "events"}
    world.table(
        USERS,
        user(1, "u1", {"name": "signup"}),
        user(2, "u1", {"name": "구매", "time": "2026-07-01T00:00:00Z"}),
        user(3, "u2", {"name": ""}),
        user(4, "u2", {"name": "late", "time": "tomorrow"}),
    )
    report = world.run()
    assert report["rows"] == {"read": 4, "sent": 2, "rejected": 2, "skipped": 0}
    assert report["reasons"] == {"event_name_missing": 1, "time_not_iso8601": 1}
    assert events(world) == [("u1", "signup", "2026-07-19T09:00:01.000Z"), ("u1", "구매", "2026-07-01T00:00:00Z")]
    assert world.run()["rows"]["read"] == 0


def test_f01_purchases_are_logged_once_each(world: World) -> None:
    world.destination = {"data": "purchases"}
    good = {"product_id": "shoe", "currency": "KRW", "price": 99000, "quantity": 3}
    world.table(USERS, user(1, "u1", good), user(2, "u2", {**good, "quantity": 101}), user(3, "u3", {**good, "price": "1"}))
    report = world.run()
    assert (report["rows"]["sent"], report["reasons"]) == (1, {"quantity_out_of_range": 1, "price_not_number": 1})
    bought = world.braze.purchases()
    assert {(one["external_id"], one["product_id"]) for one in bought} == {("u1", "shoe")}


def test_f20_an_answer_that_was_lost_may_log_an_event_twice_or_reject_it(world: World) -> None:
    world.destination = {"data": "events"}
    world.table(USERS, *(user(second, f"u{second}", {"name": "e"}) for second in range(10)))
    world.braze.add_faults(Fault("reset", times=1, applied=True))
    assert world.run()["rows"]["sent"] == 10
    assert len(world.braze.events()) == 20, "resend: at least once"

    world.destination = {"data": "events", "on_unknown": "reject"}
    world.braze.add_faults(Fault("reset", times=1, applied=True))
    report = world.run({"mode": "full"})
    assert (report["rows"]["sent"], report["reasons"]) == (0, {"outcome_unknown": 10})
    assert len(world.braze.events()) == 30, "reject: at most once"


def test_f20_a_request_that_surely_failed_is_repeated_whatever_the_policy(world: World) -> None:
    world.destination = {"data": "events", "on_unknown": "reject"}
    world.table(USERS, user(1, "u", {"name": "e"}))
    world.braze.add_faults(Fault("503", times=2), Fault("500", times=1))
    assert world.run()["rows"]["sent"] == 1
    assert len(world.braze.events()) == 1


def test_f02_deletes_remove_users_one_kind_a_request(world: World) -> None:
    world.table(USERS, *(user(second, f"u{second}", {"a": 1}) for second in range(8)))
    world.run()
    assert len(world.braze.users()) == 8
    world.destination = {"data": "deletes"}
    world.sql("CREATE OR REPLACE TABLE crm.source AS SELECT UPDATED_AT, EXTERNAL_ID, ALIAS_NAME, ALIAS_LABEL FROM crm.source")
    world.sql("UPDATE crm.source SET EXTERNAL_ID = NULL, ALIAS_NAME = 'n', ALIAS_LABEL = 'l' WHERE EXTERNAL_ID IN ('u3', 'u5')")
    world.sql("DELETE FROM crm.source WHERE EXTERNAL_ID = 'u7'")
    report = world.run(pipeline_id="other")
    assert report["rows"] == {"read": 7, "sent": 7, "rejected": 0, "skipped": 0}
    assert {one["external_id"] for one in world.braze.users()} == {"u3", "u5", "u7"}
    assert report["requests"]["sent"] == 2


def test_f02_a_table_with_a_payload_deletes_nobody(world: World) -> None:
    world.table(USERS, user(1, "u", {"a": 1}))
    world.run()
    world.destination = {"data": "deletes"}
    with pytest.raises(AirflowFailException, match="meant to update users, not to delete them"):
        world.run(pipeline_id="other")
    assert len(world.braze.users()) == 1


ITEMS = "ID VARCHAR, PAYLOAD VARCHAR, DELETED BOOLEAN"


def items(world: World) -> dict[str, Any]:
    return {one["id"]: {key: value for key, value in one.items() if key != "id"} for one in world.braze.catalog_items("shops")}


def test_f03_catalog_items_are_written_and_removed_in_the_order_of_their_changes(world: World) -> None:
    world.braze.create_catalog("shops", name="string", open="boolean")
    world.destination = {"data": "catalog_items", "catalog": {"name": "shops"}}
    name = '{"name": "%s"}'
    world.table(
        ITEMS,
        [stamp(1), "a", name % "가", None],
        [stamp(2), "b", name % "b", False],
        [stamp(3), "a", None, True],
        [stamp(4), "a", name % "again", None],
        [stamp(5), "b", None, True],
        [stamp(6), "bad id", name % "x", None],
    )
    report = world.run()
    assert (report["rows"]["sent"], report["reasons"]) == (5, {"item_id_invalid": 1})
    assert items(world) == {"a": {"name": "again"}}


def test_f03_put_replaces_and_patch_merges(world: World) -> None:
    world.braze.create_catalog("shops", name="string", open="boolean")
    world.destination = {"data": "catalog_items", "catalog": {"name": "shops"}}
    world.table(ITEMS, [stamp(1), "a", '{"name": "n", "open": true}', None])
    world.run()
    world.sql("UPDATE crm.source SET PAYLOAD = '{\"open\": false}', UPDATED_AT = UPDATED_AT + INTERVAL 1 SECOND")
    world.destination["catalog"] = {"name": "shops", "write": "patch"}
    world.run()
    assert items(world) == {"a": {"name": "n", "open": False}}
    world.destination["catalog"] = {"name": "shops", "write": "put"}
    world.run({"mode": "full"})
    assert items(world)["a"].get("name") is None


@pytest.mark.allows("schema", "type")
def test_f03_one_bad_item_does_not_take_its_request_with_it(world: World) -> None:
    world.braze.create_catalog("shops", name="string")
    world.destination = {"data": "catalog_items", "catalog": {"name": "shops"}}
    good = [[stamp(n), f"i{n}", f'{{"name": "{n}"}}', None] for n in range(40)]
    world.table(ITEMS, *good, [stamp(50), "bad", '{"no_such_field": 1}', None])
    report = world.run()
    assert len(items(world)) == 40
    assert (report["rows"]["sent"], report["rows"]["rejected"]) == (40, 1)
    assert next(iter(report["reasons"])) == "invalid_fields"


def test_f03_a_catalog_that_is_not_there_is_a_configuration_error(world: World) -> None:
    world.destination = {"data": "catalog_items", "catalog": {"name": "shops"}}
    world.table(ITEMS, [stamp(1), "a", '{"name": "n"}', None])
    with pytest.raises(AirflowFailException, match="Create the catalog in Braze"):
        world.run()
    assert world.watermark() is None


def test_f26_the_data_type_of_a_pipeline_cannot_change_once_it_has_a_watermark(world: World) -> None:
    world.table(USERS, user(1, "u", {"name": "e"}))
    world.run()
    world.destination = {"data": "events"}
    with pytest.raises(AirflowFailException, match="data was 'attributes' and is now 'events'"):
        world.run()
    assert world.braze.events() == []
    world.run({"mode": "reset"})
    assert world.run()["rows"]["sent"] == 1
    assert len(world.braze.events()) == 1


@pytest.mark.parametrize(("profile", "most"), [("combined_5", 5), ("combined_50", 50), ("per_array_75", 75), ("combined_75", 75)])
def test_f15_a_profile_bounds_the_requests(world: World, profile: str, most: int) -> None:
    world.destination = {"data": "attributes", "profile": profile}
    world.braze.change(limits={"track": profile})
    world.table(USERS)
    many(world, 200)
    report = world.run()
    assert report["rows"]["sent"] == 200
    assert report["requests"]["sent"] == -(-200 // most)


def test_f15_the_bulk_endpoint_takes_a_thousand_and_a_hundred_of_a_user(world: World) -> None:
    world.destination = {"data": "events", "profile": "bulk_1000"}
    world.table(USERS)
    world.sql(
        "INSERT INTO crm.source SELECT TIMESTAMP '2026-01-01' + to_seconds(i), CASE WHEN i < 250 THEN 'one' ELSE 'u' || i END, "
        'NULL, NULL, NULL, \'{"name": "e"}\' FROM range(1500) r(i)'
    )
    report = world.run()
    assert report["rows"]["sent"] == 1500
    assert report["requests"]["sent"] == 4, "three for the first thousand, because one user has 250 of them"
    assert len(world.braze.events()) == 1500


@pytest.mark.allows("count")
def test_f15_a_smaller_limit_than_the_profiles_is_learned(world: World) -> None:
    world.braze.change(limits={"track": "combined_50"})
    world.table(USERS)
    many(world, 3000)
    report = world.run(delivery={"in_flight": 1})
    assert (report["rows"]["sent"], report["rows"]["rejected"]) == (3000, 0)
    assert report["requests"]["sent"] <= 40 * 2 + 1, "one request was refused, the others were cut before they were sent"


def test_f19_changes_of_one_user_go_out_together_where_braze_applies_requests_in_any_order(world: World) -> None:
    world.braze.change(visibility={"unordered": True, "spread_ms": 300})
    world.table(USERS)
    world.sql(
        "INSERT INTO crm.source SELECT TIMESTAMP '2026-01-01' + to_seconds(i), 'u' || (i % 50), NULL, NULL, NULL, "
        "'{\"n\": ' || i || '}' FROM range(1000) r(i)"
    )
    assert world.run(delivery={"batch_rows": 40})["rows"]["sent"] == 1000
    world.braze.settle()
    assert {one["attributes"]["n"] for one in world.braze.users()} == set(range(950, 1000))


def test_a_destination_that_stays_down_leaves_the_watermark(world: World) -> None:
    world.table(USERS, user(1, "u", {"a": 1}))
    world.braze.add_faults(Fault("503"))
    with pytest.raises(TransientError):
        world.run(delivery={"attempts": 2, "max_delay": "1ms"})
    assert world.watermark() is None
