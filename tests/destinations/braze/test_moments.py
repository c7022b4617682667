"""Events and purchases: what a row must have, and the time that it gets (contracts: braze 1.4)."""

from __future__ import annotations

import json
from typing import Any

import pytest

from activation.destinations.braze.kinds import Options

from .kinds import NOON, sent, verdict

PURCHASE = {"product_id": "shoe", "currency": "KRW", "price": 12.5}


def event(**payload: Any) -> dict[str, Any]:
    return {"external_id": "u", "payload": json.dumps({"name": "구매 🎉", **payload}, ensure_ascii=False)}


def purchase(**changed: Any) -> dict[str, Any]:
    payload = {key: value for key, value in {**PURCHASE, **changed}.items() if value is not ...}
    return {"external_id": "u", "payload": json.dumps(payload)}


def test_f01_an_event_without_a_time_gets_that_of_its_row() -> None:
    assert sent("events", event()) == [{"external_id": "u", "time": "2026-07-19T12:00:00.123Z", "name": "구매 🎉"}]
    nanoseconds = {**event(), "cursor": NOON * 1_000 + 999}
    assert sent("events", nanoseconds, options=Options(tick=1))[0]["time"] == "2026-07-19T12:00:00.123Z"
    before_1970 = {**event(), "cursor": -1}
    assert sent("events", before_1970)[0]["time"] == "1969-12-31T23:59:59.999Z"


def test_f01_an_own_time_stays_as_it_is() -> None:
    (one,) = sent("events", event(time="2026-07-01", properties={"colour": "파랑", "n": [1, None]}))
    assert (one["time"], one["properties"]) == ("2026-07-01", {"colour": "파랑", "n": [1, None]})


GOOD_TIMES = (
    "2026-07-19",
    "2026-07-19T09:07:23Z",
    "2026-07-19 09:07",
    "2026-07-19T09:07:23.5+09:00",
    "2026-07-19T09:07:23:123+0900",
)
BAD_TIMES = (
    *("19.07.2026", "yesterday", "", "2026-13-01", "2026-02-30T00:00:00Z", "1784462400"),
    *(1784462400, None, {"$time": "2026-07-19"}),
)


@pytest.mark.parametrize("time", GOOD_TIMES)
@pytest.mark.parametrize("data", ["events", "purchases"])
def test_f12_times_in_iso_8601_are_good(data: str, time: str) -> None:
    assert verdict(data, event(time=time) if data == "events" else purchase(time=time)) == "good"


@pytest.mark.parametrize("time", BAD_TIMES)
@pytest.mark.parametrize("data", ["events", "purchases"])
def test_f12_any_other_time_is_rejected(data: str, time: Any) -> None:
    assert verdict(data, event(time=time) if data == "events" else purchase(time=time)) == "time_not_iso8601"


@pytest.mark.parametrize("name", [None, "", 7, ["a"], {"a": "b"}])
def test_f12_an_event_needs_a_name(name: Any) -> None:
    assert verdict("events", event(name=name)) == "event_name_missing"


def test_f12_an_event_without_any_name() -> None:
    assert verdict("events", {"external_id": "u", "payload": "{}"}) == "event_name_missing"


@pytest.mark.parametrize("properties", [[], "x", 1])
def test_f12_properties_are_an_object(properties: Any) -> None:
    assert verdict("events", event(properties=properties)) == "properties_not_object"
    assert verdict("purchases", purchase(properties=properties)) == "properties_not_object"


@pytest.mark.parametrize("properties", [{}, None, {"a": {"b": []}}])
def test_f12_properties_may_be_empty(properties: Any) -> None:
    assert verdict("events", event(properties=properties)) == "good"


def test_f12_properties_have_a_greatest_size() -> None:
    room = 51_200 - len('{"a":""}')
    text = '{{"name":"n","properties":{{"a":"{}"}}}}'
    assert verdict("events", {"external_id": "u", "payload": text.format("x" * room)}) == "good"
    assert verdict("events", {"external_id": "u", "payload": text.format("x" * (room + 1))}) == "properties_too_large"


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"product_id": ...}, "product_id_missing"),
        ({"product_id": ""}, "product_id_missing"),
        ({"product_id": 5}, "product_id_missing"),
        ({"currency": ...}, "currency_missing"),
        ({"currency": "won"}, "good"),
        ({"currency": "₩"}, "currency_missing"),
        ({"price": ...}, "price_not_number"),
        ({"price": "12.5"}, "price_not_number"),
        ({"price": None}, "price_not_number"),
        ({"price": -3}, "good"),
        ({"price": 0}, "good"),
        ({"quantity": 1}, "good"),
        ({"quantity": 100}, "good"),
        ({"quantity": 0}, "quantity_out_of_range"),
        ({"quantity": 101}, "quantity_out_of_range"),
        ({"quantity": 1.5}, "quantity_out_of_range"),
        ({"quantity": "2"}, "quantity_out_of_range"),
    ],
)
def test_f12_a_purchase_needs_product_currency_and_price(changed: dict[str, Any], code: str) -> None:
    assert verdict("purchases", purchase(**changed)) == code


def test_f01_a_purchase_is_sent_as_it_is_with_its_user() -> None:
    row = {"alias_name": "n", "alias_label": "l", "payload": json.dumps({**PURCHASE, "quantity": 3, "time": "2026-07-01"})}
    assert sent("purchases", row) == [
        {
            "user_alias": {"alias_name": "n", "alias_label": "l"},
            "_update_existing_only": False,
            **PURCHASE,
            "quantity": 3,
            "time": "2026-07-01",
        }
    ]


@pytest.mark.parametrize("data", ["events", "purchases"])
def test_the_rules_for_every_payload_hold_too(data: str) -> None:
    assert verdict(data, {"external_id": "u", "payload": None}) == "payload_missing"
    assert verdict(data, {"external_id": "u", "payload": "[1]"}) == "payload_not_object"
    assert verdict(data, {"external_id": "u", "payload": "{"}) == "payload_not_json"
    assert verdict(data, {"payload": "{}"}) == "no_identifier"
