"""What the server takes: sizes, keys, hash keys, and the words in which it refuses (contracts: kinesis_profiles 2.1)."""

from __future__ import annotations

import hashlib
import time
from typing import Any

import pytest

from sandbox.kinesis import KinesisSandbox
from tests.sandbox.kinesis.conftest import Place

MIB = 1024 * 1024
TOP = 2**128


def test_records_land_in_the_shard_of_their_key_in_the_order_of_the_request(place: Place) -> None:
    answer = place.put(*((f"key-{number}", b"%d" % number) for number in range(200)))
    assert answer["FailedRecordCount"] == 0
    assert answer["EncryptionType"] == "NONE"
    ranges = {
        shard["ShardId"]: (int(shard["HashKeyRange"]["StartingHashKey"]), int(shard["HashKeyRange"]["EndingHashKey"]))
        for shard in place.client.list_shards(StreamName=place.name)["Shards"]
    }
    assert sorted(ranges.values()) == [(0, TOP // 2 - 1), (TOP // 2, TOP - 1)]
    for number, one in enumerate(answer["Records"]):
        low, high = ranges[one["ShardId"]]
        assert low <= int.from_bytes(hashlib.md5(f"key-{number}".encode(), usedforsecurity=False).digest(), "big") <= high
    held = {one.data: (one.shard, one.sequence) for one in place.server.records(place.name)}
    assert held == {b"%d" % number: (one["ShardId"], one["SequenceNumber"]) for number, one in enumerate(answer["Records"])}
    numbers = [int(one["SequenceNumber"]) for one in answer["Records"]]
    assert numbers == sorted(set(numbers))


def test_an_explicit_hash_key_goes_before_the_partition_key(place: Place) -> None:
    for hash_key, shard in ((0, 0), (TOP // 2 - 1, 0), (TOP // 2, 1), (TOP - 1, 1)):
        answer = place.client.put_record(StreamARN=place.arn, Data=b"1", PartitionKey="k", ExplicitHashKey=str(hash_key))
        assert answer["ShardId"] == f"shardId-{shard:012d}"


def test_a_hash_key_out_of_range_refuses_the_whole_request(place: Place) -> None:
    records = [{"PartitionKey": "a", "Data": b"1"}, {"PartitionKey": "a", "Data": b"2", "ExplicitHashKey": str(TOP)}]
    code, text = place.refused("put_records", StreamName=place.name, Records=records)
    assert (code, text) == (
        "InvalidArgumentException",
        f"Invalid ExplicitHashKey. ExplicitHashKey must be in the range: [0, 2^128-1]. Specified value was {TOP}",
    )
    assert place.held() == []


def test_k_b1_501_records_are_one_too_many(place: Place) -> None:
    place.put(*[("k", b"")] * 500)
    code, text = place.refused("put_records", StreamName=place.name, Records=[{"PartitionKey": "k", "Data": b""}] * 501)
    assert code == "ValidationException"
    assert text == (
        "1 validation error detected: Value at 'records' failed to satisfy constraint: Member must have length less than or "
        "equal to 500"
    )
    assert len(place.held()) == 500
    assert [one["records"] for one in place.server.writes(place.name)] == [500]


@pytest.mark.parametrize(("key", "taken"), [("k" * 256, True), ("가" * 256, True), ("k" * 257, False)])
def test_k_b4_a_key_has_at_most_256_characters(place: Place, key: str, taken: bool) -> None:
    records = [{"PartitionKey": key, "Data": b"1"}]
    if taken:
        place.client.put_records(StreamName=place.name, Records=records)
        assert [one.key for one in place.server.records(place.name)] == [key]
        return
    code, text = place.refused("put_records", StreamName=place.name, Records=records)
    assert code == "ValidationException"
    assert "Member must have length less than or equal to 256" in text


@pytest.mark.parametrize("extra", [0, 1])
def test_k_b3_a_record_may_be_as_large_as_the_stream_says_with_its_key(place: Place, extra: int) -> None:
    for kib in (1024, 2048):
        place.client.update_max_record_size(StreamARN=place.arn, MaxRecordSizeInKiB=kib)
        assert place.client.describe_stream_summary(StreamARN=place.arn)["StreamDescriptionSummary"]["MaxRecordSizeInKiB"] == kib
        record = {"PartitionKey": "가나", "Data": b"x" * (kib * 1024 - 6 + extra)}
        if extra:
            code, text = place.refused("put_records", StreamName=place.name, Records=[record])
            assert (code, "exceeds the maximum record size" in text) == ("InvalidArgumentException", True)
            assert place.held() == []
            continue
        place.server.change(limits=False)
        place.client.put_records(StreamName=place.name, Records=[record])


@pytest.mark.parametrize("mib", [5, 10])
def test_k_b2_a_request_may_be_as_large_as_the_server_is_set_to(mib: int) -> None:
    with KinesisSandbox(1, limits=False, request_bytes=mib * MIB) as server:
        place = Place(server, 1)
        full = [("kk", b"x" * (MIB - 2))] * mib
        place.put(*full)
        records = [{"PartitionKey": key, "Data": data} for key, data in [*full, ("k", b"")]]
        assert place.refused("put_records", StreamName=place.name, Records=records) == (
            "InvalidArgumentException", f"Records size exceeds {mib} MB limit",
        )  # fmt: skip
        assert [one["bytes"] for one in server.writes(place.name)] == [mib * MIB]


def test_a_shard_takes_1000_records_a_second_and_names_itself_when_it_refuses(server: KinesisSandbox) -> None:
    place = Place(server, 1)
    began = time.monotonic()
    answers = [place.put(*[("k", b"x")] * 500) for _ in range(4)]
    while not answers[-1]["FailedRecordCount"]:
        answers.append(place.put(*[("k", b"x")] * 500))
    took = time.monotonic() - began
    failed = sum(one["FailedRecordCount"] for one in answers)
    assert 1000 <= 500 * len(answers) - failed <= 1000 + 1000 * took
    last = answers[-1]["Records"][-1]
    assert last == {
        "ErrorCode": "ProvisionedThroughputExceededException",
        "ErrorMessage": f"Rate exceeded for shard shardId-000000000000 in stream {place.name} under account 123456789012.",
    }
    assert len(place.held()) == 500 * len(answers) - failed
    assert server.summary()["counts"]["throttled"] >= failed


def test_a_shard_takes_a_mebibyte_a_second_and_the_other_shard_its_own(place: Place) -> None:
    keys = {"shardId-000000000000": "", "shardId-000000000001": ""}
    for number in range(20):
        keys[place.put((f"k{number}", b""))["Records"][0]["ShardId"]] = f"k{number}"
    first, second = keys.values()
    assert place.put((first, b"x" * 900_000), (first, b"x" * 900_000))["FailedRecordCount"] == 1
    assert place.put((second, b"x" * 900_000))["FailedRecordCount"] == 0


def test_without_limits_everything_is_taken(place: Place) -> None:
    place.server.change(limits=False)
    assert [place.put(*[("k", b"x" * 1000)] * 500)["FailedRecordCount"] for _ in range(8)] == [0] * 8
    place.server.change(limits={"write_records": 10})
    assert place.put(*[("k", b"x")] * 20)["FailedRecordCount"] == 10


@pytest.mark.parametrize(
    ("given", "code", "text"),
    [
        ({"StreamName": "nowhere"}, "ResourceNotFoundException", "Stream nowhere under account 123456789012 not found."),
        ({"StreamARN": "arn:aws:kinesis:eu-west-1:123456789012:stream/s"}, "ResourceNotFoundException", "not found."),
        (
            {"StreamName": "s", "StreamARN": "arn:aws:kinesis:ap-northeast-2:123456789012:stream/t"},
            "InvalidArgumentException",
            "",
        ),
        ({}, "InvalidArgumentException", "Either StreamName or StreamARN should be provided."),
        ({"StreamName": "a b"}, "ValidationException", "Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+"),
    ],
)
def test_a_stream_that_is_not_meant_is_refused(place: Place, given: Any, code: str, text: str) -> None:
    found = place.refused("put_records", Records=[{"PartitionKey": "k", "Data": b""}], **given)
    assert found[0] == code
    assert found[1].endswith(text)


def test_a_dry_run_is_judged_and_keeps_nothing(place: Place) -> None:
    record = {"PartitionKey": "k", "Data": b"1"}
    assert place.refused("put_records", StreamName=place.name, Records=[record], DryRun=True)[0] == "DryRunOperationException"
    assert place.refused("put_record", StreamName=place.name, **record, DryRun=True)[0] == "DryRunOperationException"
    bad = {**record, "ExplicitHashKey": str(TOP)}
    assert place.refused("put_records", StreamName=place.name, Records=[bad], DryRun=True)[0] == "InvalidArgumentException"
    assert place.held() == []


def test_a_stream_that_is_being_made_takes_nothing(place: Place) -> None:
    place.server.change(status={place.name: "CREATING"})
    assert place.refused("put_record", StreamName=place.name, PartitionKey="k", Data=b"")[0] == "ResourceNotFoundException"
    place.server.change(status={place.name: "UPDATING"})
    place.client.put_record(StreamName=place.name, PartitionKey="k", Data=b"")


def test_an_on_demand_stream_spreads_records_by_itself_where_it_is_told_to(server: KinesisSandbox) -> None:
    client = server.client()
    client.create_stream(StreamName="spread", StreamModeDetails={"StreamMode": "ON_DEMAND"})
    summary = client.describe_stream_summary(StreamName="spread")["StreamDescriptionSummary"]
    assert (summary["OpenShardCount"], summary["RecordDistributionStrategy"]) == (4, "USER_PARTITION_KEY")
    records = [{"PartitionKey": "same", "Data": b""}] * 8
    assert len({one["ShardId"] for one in client.put_records(StreamName="spread", Records=records)["Records"]}) == 1
    client.update_stream_record_distribution_strategy(StreamARN=server.arn("spread"), RecordDistributionStrategy="AUTO")
    assert len({one["ShardId"] for one in client.put_records(StreamName="spread", Records=records)["Records"]}) == 4
