"""Row S9: counters, arrays, nested objects and arrays of objects."""

from typing import Any

import pytest

from sandbox.braze import BrazeSandbox, Settings, contract
from sandbox.braze.attributes import applied
from sandbox.braze.limits import Attributes

from .conftest import Api

PETS = [{"id": 1, "type": "dog"}, {"id": 2, "type": "cat", "home": {"city": "Seoul", "floor": 3}}]


def match(key: str, value: Any, **more: Any) -> dict[str, Any]:
    return {"$identifier_key": key, "$identifier_value": value, **more}


def after(stored: Any, sent: Any, **flags: Any) -> Any:
    """What an attribute holds after an update; it must not have been dropped."""
    before = {} if stored is None else {"a": stored}
    result, drops = applied(before, [{"a": sent, **flags}])
    assert drops == []
    return result["a"]


def reason(stored: Any, sent: Any) -> str:
    """Why an update leaves an attribute as it was."""
    result, ((name, why),) = applied({"a": stored}, [{"a": sent}])
    assert (result, name) == ({"a": stored}, "a")
    return why


@pytest.mark.parametrize(
    ("stored", "sent", "expected"),
    [
        (5, {"inc": 2}, 7),
        (5, {"inc": -7}, -2),
        (1.5, {"inc": 1}, 2.5),
        (None, {"inc": 2}, 2),
        (["a"], {"add": ["b", "a"]}, ["a", "b"]),
        (None, {"add": ["b"]}, ["b"]),
        (["a", "b"], {"remove": ["a", "z"]}, ["b"]),
        (["a"], {"add": ["b"], "remove": ["a"]}, ["b"]),
        ([1], {"add": [True, "1", 1.0]}, [1, True, "1", 1.0]),
        (["a"], ["b", "c", "b"], ["b", "c"]),
        ("text", ["b"], ["b"]),
    ],
)
def test_s09_counters_and_arrays_of_scalars(stored: Any, sent: Any, expected: Any) -> None:
    result = after(stored, sent)
    assert repr(result) == repr(expected)  # 1, 1.0 and true are equal in Python


def test_s09_nested_object_is_replaced_or_merged() -> None:
    stored = {"x": 1, "deep": {"a": 1, "b": [1]}}
    sent = {"y": 2, "deep": {"b": [2]}}
    assert after(stored, sent) == sent
    assert after(stored, sent, _merge_objects=False) == sent
    assert after(stored, sent, _merge_objects=True) == {"x": 1, "y": 2, "deep": {"a": 1, "b": [2]}}
    assert after("text", sent, _merge_objects=True) == sent
    assert after({"at": {"$time": "2026-01-01"}}, {"at": {"day": 1}}, _merge_objects=True) == {"at": {"day": 1}}
    assert stored == {"x": 1, "deep": {"a": 1, "b": [1]}}


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        ({"$add": [{"id": 3}]}, [*PETS, {"id": 3}]),
        ({"$remove": [match("id", 1)]}, PETS[1:]),
        ({"$remove": [match("type", "dog"), match("id", 2)]}, []),
        ({"$remove": [match("id", "1"), match("id", True), match("name", 1)]}, PETS),
        ({"$update": [match("id", 9, **{"$new_object": {"x": 1}})]}, PETS),
    ],
)
def test_s09_arrays_of_objects(sent: Any, expected: Any) -> None:
    assert after(PETS, sent) == expected


def test_s09_update_merges_deeply_with_the_flag_and_overwrites_without() -> None:
    update = {"$update": [match("id", 2, **{"$new_object": {"home": {"floor": 4}}})]}
    assert after(PETS, update, _merge_objects=True)[1] == {"id": 2, "type": "cat", "home": {"city": "Seoul", "floor": 4}}
    assert after(PETS, update)[1] == {"home": {"floor": 4}}


def test_s09_add_comes_before_remove_and_remove_before_update() -> None:
    sent = {
        "$update": [match("id", 3, **{"$new_object": {"seen": True}}), match("id", 1, **{"$new_object": {"seen": True}})],
        "$remove": [match("id", 1), match("id", 4)],
        "$add": [{"id": 3}, {"id": 4}, {"id": 1}],
    }
    assert after(PETS[:1], sent, _merge_objects=True) == [{"id": 3, "seen": True}]


@pytest.mark.parametrize(
    ("stored", "sent"),
    [("text", {"inc": 1}), (True, {"inc": 1}), ("text", {"add": ["a"]}), ({"x": 1}, {"$add": [{"id": 1}]})],
)
def test_s09_operator_on_another_kind_of_value_is_dropped(stored: Any, sent: Any) -> None:
    assert reason(stored, sent) == contract.DROPPED_TARGET


def test_s09_exactly_100_kb_is_kept() -> None:
    value = {f"k{index:03}": "x" * 240 for index in range(400)}
    value["k000"] = "x" * 239  # 400 times 250 bytes, a brace more, a character less
    assert after("old", value) == value
    assert reason("old", {**value, "k000": "x" * 240}) == contract.DROPPED_SIZE
    assert reason("old", [value, {"x": 1}]) == contract.DROPPED_SIZE


def test_s09_update_that_would_exceed_100_kb_leaves_the_array_as_it_was(api: Api) -> None:
    pets = [{"id": index, "text": "x" * 240} for index in range(300)]
    api.track(attributes=[{"external_id": "u", "pets": pets}])
    answer = api.track(attributes=[{"external_id": "u", "pets": {"$add": pets[:100]}}])
    assert answer.json() == {"attributes_processed": 1, "message": "success"}
    assert api.attributes() == {"pets": pets}
    assert [drop["reason"] for drop in api.server.dropped()] == [contract.DROPPED_SIZE]


def test_s09_arrays_of_scalars_are_cut_and_the_read_back_tells() -> None:
    many = [str(number) for number in range(30)]
    result, drops = applied({}, [{"a": many}])
    assert (result, drops) == ({"a": many[:25]}, [("a", contract.TRUNCATED)])
    with BrazeSandbox(Settings(attributes=Attributes(array_elements=3))) as server:
        api = Api(server)
        api.track(attributes=[{"external_id": "u", "a": ["1", "2"]}])
        api.track(attributes=[{"external_id": "u", "a": {"add": ["3", "4"]}}])
        server.change(attributes={"array_elements": 100})
        assert api.attributes() == {"a": ["1", "2", "3"]}
        assert [drop["reason"] for drop in server.dropped()] == [contract.TRUNCATED]
        api.track(attributes=[{"external_id": "u", "a": many}])
        assert api.attributes() == {"a": many}
        api.close()


def test_s09_counters_are_not_idempotent(api: Api) -> None:
    for _ in range(3):
        api.track(attributes=[{"external_id": "u", "visits": {"inc": 2}}, {"external_id": "u", "visits": {"inc": 1}}])
    assert api.attributes() == {"visits": 9}
