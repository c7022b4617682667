"""What goes wrong on purpose (contracts: kinesis_profiles 2.2, tests K-F)."""

from __future__ import annotations

import time
from typing import Any

import pytest
from botocore.exceptions import ConnectionClosedError, ReadTimeoutError

from sandbox.kinesis import KinesisSandbox
from tests.sandbox.kinesis.conftest import Place

TEN = [(f"key-{number}", b"%d" % number) for number in range(10)]


def failed(answer: dict[str, Any]) -> list[int]:
    """The places of the records that are not in."""
    return [place for place, one in enumerate(answer["Records"]) if "ErrorCode" in one]


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ({"key": "key-[37]$"}, [[3, 7], []]),
        ({"every": 4, "requests": 2}, [[3, 7], [1, 5, 9]]),
        ({"first": 3, "code": "InternalFailure"}, [[0, 1, 2], []]),
        ({"requests": 2, "first": 1, "after": 1}, [[], [0]]),
        ({"requests": None}, [list(range(10)), list(range(10))]),
    ],
)
def test_k_f1_k_f2_some_records_of_a_request_fail(place: Place, rule: dict[str, Any], expected: list[list[int]]) -> None:
    place.server.faults([{"do": "fail", **rule}])
    answers = [place.put(*TEN), place.put(*TEN)]
    assert [failed(one) for one in answers] == expected
    assert [one["FailedRecordCount"] for one in answers] == [len(one) for one in expected]
    kept = [data for one in expected for number, (_, data) in enumerate(TEN) if number not in one]
    assert place.held() == sorted(kept)
    code = rule.get("code", "ProvisionedThroughputExceededException")
    assert {one["ErrorCode"] for answer in answers for one in answer["Records"] if "ErrorCode" in one} == {code}
    assert place.server.summary()["counts"]["failed"] == sum(len(one) for one in expected)


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("AccessDeniedException", 400),
        ("ResourceNotFoundException", 400),
        ("KMSDisabledException", 400),
        ("ExpiredTokenException", 400),
        ("ProvisionedThroughputExceededException", 400),
        ("ServiceUnavailable", 503),
        ("InternalFailure", 500),
    ],
)
def test_k_f5_a_whole_request_fails_with_a_code(place: Place, code: str, status: int) -> None:
    place.server.faults([{"do": "error", "code": code, "requests": 2}])
    with pytest.raises(Exception, match=code) as raised:
        place.put(*TEN)
    response: Any = raised.value.response  # type: ignore[attr-defined]
    assert (response["Error"]["Code"], response["ResponseMetadata"]["HTTPStatusCode"]) == (code, status)
    assert place.refused("put_records", StreamARN=place.arn, Records=[{"PartitionKey": "k", "Data": b""}])[0] == code
    assert place.put(*TEN)["FailedRecordCount"] == 0
    assert len(place.held()) == 10


def test_a_fault_is_of_an_operation_and_of_a_stream(place: Place) -> None:
    other = Place(place.server)
    place.server.faults([
        {"do": "error", "code": "AccessDeniedException", "operation": "ListShards", "requests": None, "stream": place.name}
    ])  # fmt: skip
    assert place.put(*TEN)["FailedRecordCount"] == 0
    assert other.client.list_shards(StreamName=other.name)["Shards"]
    code, text = place.refused("list_shards", StreamName=place.name)
    assert code == "AccessDeniedException"
    assert f"is not authorized to perform: kinesis:ListShards on resource: {place.arn}" in text
    place.server.clear_faults()
    assert place.client.list_shards(StreamName=place.name)["Shards"]


def test_k_f4_an_answer_is_shorter_than_its_request_and_all_records_are_in(place: Place) -> None:
    place.server.faults([{"do": "short", "first": 2}])
    answer = place.put(*TEN)
    assert (len(answer["Records"]), answer["FailedRecordCount"]) == (8, 0)
    assert len(place.held()) == 10


def test_k_f6_a_request_lands_and_nobody_says_so(place: Place) -> None:
    place.server.faults([{"do": "timeout"}])
    impatient = place.server.client(timeout=1)
    began = time.monotonic()
    with pytest.raises(ReadTimeoutError):
        impatient.put_records(StreamName=place.name, Records=[{"PartitionKey": "k", "Data": b"kept"}])
    assert time.monotonic() - began < 5
    assert place.held() == [b"kept"]


@pytest.mark.parametrize(("do", "kept"), [("reset_before", []), ("reset_after", [b"1"])])
def test_k_f6_a_connection_is_reset_before_or_after_the_records_are_in(place: Place, do: str, kept: list[bytes]) -> None:
    place.server.faults([{"do": do}])
    with pytest.raises(ConnectionClosedError):
        place.put(("k", b"1"))
    assert place.held() == kept
    assert place.put(("k", b"2"))["FailedRecordCount"] == 0


def test_an_answer_is_late(place: Place) -> None:
    place.server.faults([{"do": "delay", "ms": 300}])
    place.server.change(delay_ms=50)
    times = []
    for _ in range(2):
        began = time.monotonic()
        place.put(("k", b"1"))
        times.append(time.monotonic() - began)
    assert times[0] >= 0.35
    assert 0.05 <= times[1] < 0.3


@pytest.mark.parametrize(
    ("rule", "text"),
    [
        ({"do": "sing"}, "there is no fault 'sing'; there are fail, error, short"),
        ({"do": "error"}, "a fault error needs code"),
        ({"do": "fail", "code": "AccessDeniedException"}, "a record fails with ProvisionedThroughputExceededException or"),
        ({"do": "timeout", "ms": 3}, "a fault timeout has no ms"),
    ],
)
def test_a_rule_that_is_none_is_refused_and_nothing_goes_wrong(server: KinesisSandbox, rule: dict[str, Any], text: str) -> None:
    with pytest.raises(RuntimeError, match=text):
        server.faults([{"do": "fail"}, rule])
    place = Place(server)
    assert place.put(*TEN)["FailedRecordCount"] == 0


def test_calls_are_counted_by_their_operation_until_they_are_forgotten(place: Place) -> None:
    place.put(*TEN)
    place.refused("put_records", StreamName="nowhere", Records=[{"PartitionKey": "k", "Data": b""}])
    place.client.list_shards(StreamName=place.name)
    assert place.server.calls() == {"PutRecords": 2, "ListShards": 1}
    assert place.server.summary()["counts"]["ResourceNotFoundException"] == 1
    place.server.forget()
    assert place.server.calls() == {}
    assert len(place.held()) == 10
