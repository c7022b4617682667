"""GetShardIterator and GetRecords. An iterator is a position in a shard, with the time of its making."""

from __future__ import annotations

import base64
import time
from bisect import bisect_left, bisect_right
from typing import Any

import msgspec

from sandbox.kinesis import asked, contract
from sandbox.kinesis.errors import Refused, absent, invalid
from sandbox.kinesis.shard import Shard, Stored
from sandbox.kinesis.world import World

_TYPES = ("AT_SEQUENCE_NUMBER", "AFTER_SEQUENCE_NUMBER", "TRIM_HORIZON", "LATEST", "AT_TIMESTAMP")


def get_shard_iterator(world: World, given: dict[str, Any]) -> dict[str, Any]:
    """Carry out GetShardIterator."""
    stream = asked.stream_of(world, given)
    shard = stream.find(str(given.get("ShardId")), world.settings.account)
    kind = given.get("ShardIteratorType")
    if kind not in _TYPES:
        raise invalid(f"{kind} is no type of a shard iterator; there are {', '.join(_TYPES)}.")
    return {"ShardIterator": _iterator(stream.name, shard, _position(shard, str(kind), given))}


def get_records(world: World, given: dict[str, Any]) -> dict[str, Any]:
    """Carry out GetRecords; the iterator after the last record of a closed shard is null, and its children are named."""
    name, shard_id, position, made = _read(given.get("ShardIterator"))
    limit = asked.number(given, "Limit", 1, contract.READ_RECORDS, contract.READ_RECORDS)
    if time.time() - made > contract.ITERATOR_SECONDS:
        raise Refused("ExpiredIteratorException", "Iterator expired. The iterator is older than 300 seconds.")
    shard = world.stream(name).find(shard_id, world.settings.account)
    if not shard.may_be_read(world.clock()):
        raise Refused(
            "ProvisionedThroughputExceededException",
            f"Rate exceeded for shard {shard.id} in stream {name} under account {world.settings.account}.",
        )
    got, size = _slice(shard.records, position, limit)
    shard.was_read(size)
    end = position + len(got)
    answer: dict[str, Any] = {
        "Records": [
            {
                "SequenceNumber": one.sequence,
                "ApproximateArrivalTimestamp": one.arrival,
                "Data": one.data,
                "PartitionKey": one.key,
            }
            for one in got
        ],
        "NextShardIterator": _iterator(name, shard, end),
        "MillisBehindLatest": int((time.time() - shard.records[end].arrival) * 1000) if end < len(shard.records) else 0,
    }
    if shard.end is not None and end >= len(shard.records):
        answer["NextShardIterator"] = None
        answer["ChildShards"] = [
            {
                "ShardId": child.id,
                "ParentShards": [parent.id for parent in child.parents],
                "HashKeyRange": {"StartingHashKey": str(child.low), "EndingHashKey": str(child.high)},
            }
            for child in shard.children
        ]
    return answer


def _position(shard: Shard, kind: str, given: dict[str, Any]) -> int:
    if kind == "TRIM_HORIZON":
        return 0
    if kind == "LATEST":
        return len(shard.records)
    if kind == "AT_TIMESTAMP":
        if "Timestamp" not in given:
            raise invalid("Must specify timestamp parameter for iterator of type AT_TIMESTAMP.")
        return bisect_left(shard.records, float(given["Timestamp"]), key=lambda one: one.arrival)
    wanted = given.get("StartingSequenceNumber")
    if not wanted:
        raise invalid(f"Must either specify (1) StartingSequenceNumber for iterator of type {kind}.")
    if not str(wanted).isdigit():
        raise invalid(f"StartingSequenceNumber {wanted} used in GetShardIterator on shard {shard.id} is invalid.")
    search = bisect_left if kind == "AT_SEQUENCE_NUMBER" else bisect_right
    return search(shard.records, int(wanted), key=lambda one: int(one.sequence))


def _slice(records: list[Stored], position: int, limit: int) -> tuple[list[Stored], int]:
    """The records from there on that one answer holds (at least one, if there is one), and their bytes."""
    got: list[Stored] = []
    size = 0
    for one in records[position : position + limit]:
        more = len(one.data) + len(one.key.encode())
        if got and size + more > contract.READ_MOST:
            break
        got.append(one)
        size += more
    return got, size


def _iterator(stream: str, shard: Shard, position: int) -> str:
    return base64.b64encode(msgspec.json.encode([stream, shard.id, position, time.time()])).decode()


def _read(token: object) -> tuple[str, str, int, float]:
    if token is None:
        raise absent("shardIterator")
    try:
        return msgspec.json.decode(base64.b64decode(str(token), validate=True), type=tuple[str, str, int, float])
    except ValueError:
        raise invalid("Invalid ShardIterator.") from None
