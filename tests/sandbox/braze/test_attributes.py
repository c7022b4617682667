"""What an attribute object does to a profile."""

from typing import Any

import pytest

from sandbox.braze.attributes import applied

from .conftest import Api


@pytest.mark.parametrize(
    ("stored", "sent", "expected"),
    [
        ({}, {"a": 1}, {"a": 1}),
        ({"a": 1}, {"b": 2}, {"a": 1, "b": 2}),
        ({"a": 1}, {"a": "text"}, {"a": "text"}),
        ({"a": 1, "b": 2}, {"a": None}, {"b": 2}),
        ({}, {"a": None}, {}),
        ({"a": {"x": 1, "y": 2}}, {"a": {"x": 3}}, {"a": {"x": 3}}),
        ({"a": [1, 2]}, {"a": []}, {"a": []}),
        ({"a": 1}, {"external_id": "u", "_update_existing_only": True}, {"a": 1}),
        ({"a": 1}, {"a": False}, {"a": False}),
    ],
)
def test_s09_plain_values_replace_and_null_removes(stored: Any, sent: Any, expected: Any) -> None:
    before = dict(stored)
    assert applied(stored, [sent]) == (expected, [])
    assert stored == before


def test_s09_objects_of_one_request_are_applied_in_turn(api: Api) -> None:
    api.track(attributes=[{"external_id": "u", "a": 1, "b": 1}, {"external_id": "u", "a": None}, {"external_id": "u", "c": 3}])
    assert api.server.users()[0]["attributes"] == {"b": 1, "c": 3}


def test_s09_values_survive_exactly(api: Api) -> None:
    values = {"text": 'Ünïcode "\\ \u2028 😀', "big": 2**53 + 1, "float": 0.1, "flag": False, "nested": {"a": [1, {"b": "c"}]}}
    api.track(attributes=[{"external_id": "ключ", **values}])
    (user,) = api.server.users()
    assert user["external_id"] == "ключ"
    assert user["attributes"] == values
