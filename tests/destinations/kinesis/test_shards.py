"""Which shard a record lands in."""

from __future__ import annotations

import asyncio
from typing import Any

import numpy as np
import pytest

from activation.destinations.kinesis.shards import HASHES, ShardMap, map_of, read_map
from activation.destinations.kinesis.wire import Wire
from sandbox.kinesis import KinesisSandbox

from .producing import hash_of, new_stream


def shard(number: int, first: int, last: int, *, closed: bool = False) -> dict[str, Any]:
    numbers = {"StartingSequenceNumber": "1", **({"EndingSequenceNumber": "2"} if closed else {})}
    keys = {"StartingHashKey": str(first), "EndingHashKey": str(last)}
    return {"ShardId": f"shardId-{number:012d}", "HashKeyRange": keys, "SequenceNumberRange": numbers}


HALF = HASHES // 2


def test_closed_shards_do_not_count() -> None:
    shards = [shard(0, 0, HASHES - 1, closed=True), shard(2, HALF, HASHES - 1), shard(1, 0, HALF - 1)]
    assert map_of(shards) == ShardMap(("shardId-000000000001", "shardId-000000000002"), (0, HALF))


@pytest.mark.parametrize(
    "shards",
    [
        [],
        [shard(1, 0, HALF - 1)],
        [shard(1, 1, HASHES - 1)],
        [shard(1, 0, HALF), shard(2, HALF, HASHES - 1)],
        [shard(1, 0, HALF - 2), shard(2, HALF, HASHES - 1)],
        [{"ShardId": "x"}],
    ],
)
def test_shards_that_do_not_cover_each_hash_once_are_no_map(shards: list[dict[str, Any]]) -> None:
    assert map_of(shards) is None


def test_places_at_the_edges() -> None:
    found = ShardMap(("a", "b", "c"), (0, HALF, HALF + (1 << 64)))
    keys = np.asarray([0, (HALF >> 64) - 1, HALF >> 64, (HALF >> 64) + 1, 2**64 - 1], np.uint64)
    assert found.places(keys).tolist() == [0, 0, 1, 2, 2]


def test_all_pages_are_read_and_records_land_where_they_are_expected() -> None:
    with KinesisSandbox(shard_page=3, limits=False) as server:
        stream = new_stream(server, 8)

        async def story() -> ShardMap | None:
            wire = Wire(stream, connections=1, timeout=10)
            await wire.open()
            try:
                return await read_map(wire, stream)
            finally:
                await wire.close()

        shards = asyncio.run(story())
        assert shards is not None
        assert len(shards.ids) == 8
        assert server.calls()["ListShards"] == 3
        keys = [f"key-{number}" for number in range(200)]
        server.client().put_records(StreamARN=stream.arn, Records=[{"Data": b"x", "PartitionKey": key} for key in keys])
        places = shards.places(np.asarray([hash_of(key) >> 64 for key in keys], np.uint64))
        expected = {key: shards.ids[place] for key, place in zip(keys, places, strict=True)}
        assert {one.key: one.shard for one in server.records(stream.name)} == expected
