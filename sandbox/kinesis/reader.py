"""A consumer: real shard iterators, parents before their children, within the limits of a shard."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

_PAUSE = 0.21
"""Seconds between two looks at a shard: five reads a second are allowed (contracts: kinesis_profiles 2.1)."""


class Read(NamedTuple):
    """A record as a consumer sees it; ``arrival`` in seconds since the epoch."""

    shard: str
    sequence: str
    key: str
    data: bytes
    arrival: float


def read_stream(client: Any, stream: str, *, idle: float | None = 1.0, stop: Callable[[], bool] | None = None) -> Iterator[Read]:
    """Read a stream from its beginning, across splits and merges; the order within a shard, and from parent to child, is kept.

    :param client: a boto3 client of Kinesis.
    :param idle: end when no shard has given anything for so many seconds; ``None`` for never.
    :param stop: end, after one more look at each shard, once it says so.
    """
    iterators: dict[str, str | None] = {}
    last = time.monotonic()
    while True:
        ending = stop is not None and stop()
        got = False
        _begin(client, stream, iterators)
        for shard, iterator in list(iterators.items()):
            if iterator is None:
                continue
            answer = _asked(client, iterator)
            if answer is None:  # asked too often or too much; the next round tells
                got = True
                continue
            iterators[shard] = answer.get("NextShardIterator")
            for one in answer["Records"]:
                arrival = one["ApproximateArrivalTimestamp"].timestamp()
                yield Read(shard, one["SequenceNumber"], one["PartitionKey"], one["Data"], arrival)
            got = got or bool(answer["Records"]) or iterators[shard] is None
        if got:
            last = time.monotonic()
        elif ending or (idle is not None and time.monotonic() - last >= idle):
            return
        time.sleep(_PAUSE)


def _begin(client: Any, stream: str, iterators: dict[str, str | None]) -> None:
    """Begin shards whose parents are read to their end."""
    pages: dict[str, Any] = {"StreamName": stream}
    while pages:
        answer = client.list_shards(**pages)
        for shard in answer["Shards"]:
            parents = [shard.get(name) for name in ("ParentShardId", "AdjacentParentShardId")]
            open_parents = [one for one in parents if one and iterators.get(one, "unread") is not None]
            if shard["ShardId"] not in iterators and not open_parents:
                made = client.get_shard_iterator(StreamName=stream, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON")
                iterators[shard["ShardId"]] = made["ShardIterator"]
        pages = {"NextToken": answer["NextToken"]} if answer.get("NextToken") else {}


def _asked(client: Any, iterator: str) -> dict[str, Any] | None:
    try:
        answer: dict[str, Any] = client.get_records(ShardIterator=iterator)
    except client.exceptions.ProvisionedThroughputExceededException:
        return None
    return answer
