"""Contracts: braze 2.5, its table of answers, against every data type: no loss, no double where the outcome is known."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowFailException

from activation.errors import TransientError
from sandbox.braze import Fault

from .world import World

ROWS = 30
USERS = "EXTERNAL_ID VARCHAR, PAYLOAD VARCHAR"
TABLES: dict[str, tuple[str, str, dict[str, Any]]] = {
    "attributes": (USERS, """'u' || i, '{"n": ' || i || '}'""", {}),
    "events": (USERS, """'u' || i, '{"name": "e' || i || '"}'""", {}),
    "purchases": (USERS, """'u' || i, '{"product_id": "p' || i || '", "currency": "KRW", "price": ' || i || '}'""", {}),
    "deletes": ("EXTERNAL_ID VARCHAR", "'u' || i", {}),
    "catalog_items": ("ID VARCHAR, PAYLOAD VARCHAR", """'u' || i, '{"n": ' || i || '}'""", {"catalog": {"name": "shops"}}),
}
"""Data type -> the columns behind UPDATED_AT, their values for the number ``i``, and what the destination needs beside it."""

SURE = [
    *(Fault(kind, times=3) for kind in ("500", "503")),
    Fault("queued", times=2),
    Fault("slow", times=3, delay_ms=30),
]
"""After these it is known whether the request was carried out."""

UNSURE = [
    *(Fault(kind, times=2, applied=applied) for kind in ("502", "504", "reset") for applied in (False, True)),
    Fault("slow", times=2, delay_ms=900),
]
"""After these it is not: the line was cut, a gateway gave up, or no answer came in time."""


def fill(world: World, data: str) -> None:
    columns, values, more = TABLES[data]
    if data == "deletes":
        fill(world, "attributes")
        world.destination = {"data": "attributes"}
        world.run(pipeline_id="before")
    world.table(columns)
    world.sql(f"INSERT INTO crm.source SELECT TIMESTAMP '2026-01-01' + to_seconds(i), {values} FROM range({ROWS}) r(i)")
    world.destination = {"data": data, **more}
    if data == "catalog_items":
        world.braze.create_catalog("shops", n="number")


def held(world: World, data: str) -> Counter[str]:
    """How often the server holds what each row says; for deletes, which users are gone."""
    if data == "events":
        return Counter(one["external_id"] for one in world.braze.events())
    if data == "purchases":
        return Counter(one["external_id"] for one in world.braze.purchases())
    if data == "catalog_items":
        return Counter(one["id"] for one in world.braze.catalog_items("shops"))
    users = {one["external_id"] for one in world.braze.users()}
    return Counter({f"u{n}" for n in range(ROWS)} - users) if data == "deletes" else Counter(users)


ONCE = Counter({f"u{n}": 1 for n in range(ROWS)})
QUICK = {"batch_rows": 7, "max_delay": "2ms", "timeout": "400ms"}


def name_of(fault: Fault) -> str:
    return f"{fault.kind}{'-applied' if fault.applied else ''}{f'-{fault.delay_ms}' if fault.delay_ms else ''}"


@pytest.mark.parametrize("data", TABLES)
@pytest.mark.parametrize("fault", SURE, ids=name_of)
def test_f17_where_the_outcome_is_known_every_row_is_there_once(world: World, data: str, fault: Fault) -> None:
    fill(world, data)
    world.braze.add_faults(fault)
    report = world.run(delivery=QUICK)
    assert report["rows"] == {"read": ROWS, "sent": ROWS, "rejected": 0, "skipped": 0}
    assert held(world, data) == ONCE


@pytest.mark.parametrize("data", TABLES)
@pytest.mark.parametrize("fault", UNSURE, ids=name_of)
def test_f20_where_it_is_not_no_row_is_lost(world: World, data: str, fault: Fault) -> None:
    fill(world, data)
    world.braze.add_faults(fault)
    report = world.run(delivery=QUICK)
    assert report["rows"]["sent"] == ROWS
    assert held(world, data).keys() == ONCE.keys()
    if data in ("attributes", "deletes", "catalog_items"):
        assert held(world, data) == ONCE


@pytest.mark.parametrize("data", ["events", "purchases"])
@pytest.mark.parametrize("fault", UNSURE, ids=name_of)
def test_f20_or_none_is_logged_twice_and_those_in_doubt_are_kept(world: World, data: str, fault: Fault) -> None:
    fill(world, data)
    world.destination["on_unknown"] = "reject"
    world.braze.add_faults(fault)
    report = world.run(delivery=QUICK)
    logged = held(world, data)
    assert max(logged.values()) == 1
    assert report["reasons"].keys() == {"outcome_unknown"}
    assert report["rows"]["sent"] + report["rows"]["rejected"] == ROWS
    assert len(logged) >= report["rows"]["sent"]


@pytest.mark.parametrize("data", TABLES)
def test_f17_a_rate_limit_is_waited_for(world: World, data: str) -> None:
    fill(world, data)
    two_a_second = {"burst": 2, "burst_seconds": 1, "minute": None}
    other = {"users": two_a_second, "catalog_items": two_a_second}
    world.braze.change(rate={"enabled": True, "track": two_a_second, "other": other})
    assert world.run(delivery=QUICK)["rows"]["sent"] == ROWS
    assert held(world, data) == ONCE


@pytest.mark.parametrize("data", TABLES)
def test_f29_a_wrong_key_sends_nothing_and_says_so(world: World, data: str, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(world, data)
    before = held(world, data)
    wrong = json.dumps({"conn_type": "braze", "host": world.braze.url, "password": "not-the-key"})
    monkeypatch.setenv("AIRFLOW_CONN_WORLD_BRAZE", wrong)
    with pytest.raises(AirflowFailException, match="refused the API key") as raised:
        world.run(delivery=QUICK)
    assert "not-the-key" not in str(raised.value)
    assert held(world, data) == before


@pytest.mark.parametrize("data", TABLES)
def test_f17_a_server_that_stays_down_ends_the_try_and_a_later_one_sends_all(world: World, data: str) -> None:
    fill(world, data)
    world.braze.add_faults(Fault("503"))
    with pytest.raises(TransientError):
        world.run(delivery={**QUICK, "attempts": 2})
    world.braze.clear_faults()
    assert world.run(delivery=QUICK)["rows"]["sent"] == ROWS
    assert held(world, data) == ONCE
