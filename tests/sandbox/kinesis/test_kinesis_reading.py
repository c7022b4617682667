"""Reading with real shard iterators, across splits and merges, within the limits of a shard."""

from __future__ import annotations

import threading
import time
from typing import Any

from sandbox.kinesis import KinesisSandbox
from tests.sandbox.kinesis.conftest import Place

MIDDLE = str(2**126)
FIRST = "shardId-000000000000"


def iterator(place: Place, kind: str, shard: str = FIRST, **given: Any) -> str:
    answer = place.client.get_shard_iterator(StreamName=place.name, ShardId=shard, ShardIteratorType=kind, **given)
    return str(answer["ShardIterator"])


def read(place: Place, at: str, **given: Any) -> list[bytes]:
    place.server.change(limits=False)
    return [one["Data"] for one in place.client.get_records(ShardIterator=at, **given)["Records"]]


def test_each_kind_of_iterator_begins_where_it_says(server: KinesisSandbox) -> None:
    place = Place(server, 1)
    numbers = [one["SequenceNumber"] for one in place.put(*[("k", b"%d" % number) for number in range(5)])["Records"]]
    time.sleep(0.01)
    middle = time.time()
    time.sleep(0.01)
    latest = iterator(place, "LATEST")
    place.put(("k", b"late"))
    everything = [b"0", b"1", b"2", b"3", b"4", b"late"]
    assert read(place, iterator(place, "TRIM_HORIZON")) == everything
    assert read(place, latest) == [b"late"]
    assert read(place, iterator(place, "AT_SEQUENCE_NUMBER", StartingSequenceNumber=numbers[2])) == everything[2:]
    assert read(place, iterator(place, "AFTER_SEQUENCE_NUMBER", StartingSequenceNumber=numbers[2])) == everything[3:]
    assert read(place, iterator(place, "AT_TIMESTAMP", Timestamp=middle)) == [b"late"]
    assert read(place, iterator(place, "TRIM_HORIZON"), Limit=2) == everything[:2]
    assert place.refused("get_records", ShardIterator="bm90aGluZw==") == ("InvalidArgumentException", "Invalid ShardIterator.")


def test_a_closed_shard_keeps_its_records_and_ends_with_its_children(place: Place) -> None:
    for key in ("a", "b", "c", "d"):
        place.put((key, key.encode()))
    before = [one.data for one in place.server.records(place.name) if one.shard == FIRST]
    place.client.split_shard(StreamName=place.name, ShardToSplit=FIRST, NewStartingHashKey=MIDDLE)
    answer = place.client.get_records(ShardIterator=iterator(place, "TRIM_HORIZON"))
    assert [one["Data"] for one in answer["Records"]] == before
    assert answer.get("NextShardIterator") is None
    assert [one["ShardId"] for one in answer["ChildShards"]] == ["shardId-000000000002", "shardId-000000000003"]
    shards = {one["ShardId"]: one for one in place.client.list_shards(StreamName=place.name)["Shards"]}
    assert "EndingSequenceNumber" in shards[FIRST]["SequenceNumberRange"]
    assert shards["shardId-000000000003"]["ParentShardId"] == FIRST
    assert shards["shardId-000000000003"]["HashKeyRange"] == {"StartingHashKey": MIDDLE, "EndingHashKey": str(2**127 - 1)}
    opened = place.client.list_shards(StreamName=place.name, ShardFilter={"Type": "AT_LATEST"})["Shards"]
    assert FIRST not in {one["ShardId"] for one in opened}
    code, text = place.refused("split_shard", StreamName=place.name, ShardToSplit=FIRST, NewStartingHashKey=MIDDLE)
    assert (code, text.endswith("is closed.")) == ("InvalidArgumentException", True)


def test_a_split_and_a_merge_in_the_middle_of_reading_lose_nothing_and_keep_the_order_of_each_key(place: Place) -> None:
    place.server.change(limits={"write_records": None, "write_bytes": None})
    keys = [f"key-{number}" for number in range(40)]

    def write() -> None:
        for turn in range(30):
            place.put(*[(key, b"%d" % turn) for key in keys])
            if turn == 10:
                place.client.split_shard(StreamName=place.name, ShardToSplit=FIRST, NewStartingHashKey=MIDDLE)
            if turn == 20:
                pair = {"ShardToMerge": "shardId-000000000003", "AdjacentShardToMerge": "shardId-000000000001"}
                place.client.merge_shards(StreamName=place.name, **pair)
            time.sleep(0.02)

    writer = threading.Thread(target=write)
    writer.start()
    turns: dict[str, list[int]] = {key: [] for key in keys}
    for one in place.server.reader(place.name, idle=2, stop=lambda: not writer.is_alive()):
        turns[one.key].append(int(one.data))
    writer.join()
    assert turns == {key: list(range(30)) for key in keys}


def test_the_number_of_shards_is_changed_by_splits_and_merges(place: Place) -> None:
    for count, parents in ((3, True), (6, True), (4, True), (2, True)):
        answer = place.client.update_shard_count(StreamName=place.name, TargetShardCount=count, ScalingType="UNIFORM_SCALING")
        assert answer["TargetShardCount"] == count
        opened = place.client.list_shards(StreamName=place.name, ShardFilter={"Type": "AT_LATEST"})["Shards"]
        lows = sorted(int(one["HashKeyRange"]["StartingHashKey"]) for one in opened)
        highs = sorted(int(one["HashKeyRange"]["EndingHashKey"]) for one in opened)
        assert lows == [2**128 // count * number for number in range(count)]
        assert highs == [*(low - 1 for low in lows[1:]), 2**128 - 1]
        assert parents == any("ParentShardId" in one for one in opened)
    code, _ = place.refused("update_shard_count", StreamName=place.name, TargetShardCount=5, ScalingType="UNIFORM_SCALING")
    assert code == "InvalidArgumentException"


def test_shards_and_streams_are_listed_page_by_page() -> None:
    with KinesisSandbox(shard_page=3) as server:
        place = Place(server, 8)
        client, found, pages = place.client, [], 0
        answer = client.list_shards(StreamARN=place.arn)
        while True:
            found += [one["ShardId"] for one in answer["Shards"]]
            pages += 1
            if "NextToken" not in answer:
                break
            answer = client.list_shards(NextToken=answer["NextToken"])
        assert (pages, found) == (3, [f"shardId-{number:012d}" for number in range(8)])
        described = client.get_paginator("describe_stream").paginate(StreamName=place.name, PaginationConfig={"PageSize": 5})
        assert [len(page["StreamDescription"]["Shards"]) for page in described] == [5, 3]
        for number in range(4):
            server.create(f"other-{number}")
        listed = [name for page in client.get_paginator("list_streams").paginate(Limit=2) for name in page["StreamNames"]]
        assert listed == sorted(["other-0", "other-1", "other-2", "other-3", place.name])
        client.delete_stream(StreamName=place.name)
        assert place.refused("list_shards", StreamName=place.name)[0] == "ResourceNotFoundException"


def test_a_shard_is_read_five_times_a_second(server: KinesisSandbox) -> None:
    place = Place(server, 1)
    at = iterator(place, "TRIM_HORIZON")
    for _ in range(5):
        place.client.get_records(ShardIterator=at)
    code, text = place.refused("get_records", ShardIterator=at)
    assert code == "ProvisionedThroughputExceededException"
    assert text.startswith("Rate exceeded for shard shardId-000000000000 in stream ")


def test_a_shard_gives_two_mebibytes_a_second_and_what_it_gave_at_once_is_owed(server: KinesisSandbox) -> None:
    place = Place(server, 1)
    server.change(limits={"write_records": None, "write_bytes": None})
    place.put(*[("k", b"x" * 900_000)] * 5)
    at = iterator(place, "TRIM_HORIZON")
    assert len(place.client.get_records(ShardIterator=at)["Records"]) == 5
    assert place.refused("get_records", ShardIterator=at)[0] == "ProvisionedThroughputExceededException"
    server.change(limits=True)
