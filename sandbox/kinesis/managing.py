"""The operations on streams and shards."""

from __future__ import annotations

from typing import Any

import msgspec

from sandbox.kinesis import asked, contract
from sandbox.kinesis.errors import Refused, absent, invalid, unfit
from sandbox.kinesis.shard import Shard
from sandbox.kinesis.stream import Stream
from sandbox.kinesis.world import World

_ON_DEMAND = 4
"""Shards of a new on-demand stream (contracts: kinesis_profiles 2.1: 4 MB/s)."""


_SPREADS = ("USER_PARTITION_KEY", "AUTO")


def create_stream(world: World, given: dict[str, Any]) -> dict[str, Any]:
    """Carry out CreateStream; the stream is active at once."""
    name = asked.stream_name(world, {"StreamName": given.get("StreamName")})
    if not name:
        raise absent("streamName")
    on_demand = (given.get("StreamModeDetails") or {}).get("StreamMode") == "ON_DEMAND"
    if on_demand and "ShardCount" in given:
        raise unfit("shardCount", "ShardCount must not be given with the mode ON_DEMAND", given["ShardCount"])
    count = _ON_DEMAND if on_demand else asked.number(given, "ShardCount", 1, 10_000, world.settings.shards)
    kib = _kib(given) if "MaxRecordSizeInKiB" in given else contract.RECORD_KIB[0]
    world.create(name, count, on_demand=on_demand).max_record = kib * 1024
    return {}


def delete_stream(world: World, given: dict[str, Any]) -> dict[str, Any]:
    """Carry out DeleteStream, at once."""
    del world.streams[asked.stream_of(world, given).name]
    return {}


def describe_stream_summary(world: World, given: dict[str, Any]) -> dict[str, Any]:
    """Carry out DescribeStreamSummary."""
    stream = asked.stream_of(world, given)
    told = _described(world, stream)
    told |= {"OpenShardCount": len(stream.open), "ConsumerCount": 0, "MaxRecordSizeInKiB": stream.max_record // 1024}
    if stream.on_demand:
        told["RecordDistributionStrategy"] = _SPREADS[stream.spreads]
    return {"StreamDescriptionSummary": told}


def describe_stream(world: World, given: dict[str, Any]) -> dict[str, Any]:
    """Carry out DescribeStream, page by page."""
    stream = asked.stream_of(world, given)
    limit = asked.number(given, "Limit", 1, 10_000, 100)
    start = given.get("ExclusiveStartShardId", "")
    shards = [shard for shard in stream.shards.values() if shard.id > start]
    told = _described(world, stream) | {
        "Shards": [one.described() for one in shards[:limit]],
        "HasMoreShards": len(shards) > limit,
    }
    return {"StreamDescription": told}


def list_streams(world: World, given: dict[str, Any]) -> dict[str, Any]:
    """Carry out ListStreams, page by page."""
    limit = asked.number(given, "Limit", 1, 10_000, 100)
    start = given.get("NextToken") or given.get("ExclusiveStartStreamName") or ""
    names = [name for name in sorted(world.streams) if name > start]
    page = names[:limit]
    summaries = [
        {
            "StreamName": name,
            "StreamARN": world.arn(name),
            "StreamStatus": world.streams[name].status,
            "StreamModeDetails": _mode(world.streams[name]),
        }
        for name in page
    ]
    more = {"NextToken": page[-1]} if len(names) > limit else {}
    return {"StreamNames": page, "HasMoreStreams": bool(more), "StreamSummaries": summaries, **more}


def list_shards(world: World, given: dict[str, Any]) -> dict[str, Any]:
    """Carry out ListShards, page by page; a token holds what it goes on with."""
    if token := given.get("NextToken"):
        if given.get("StreamName") or given.get("StreamARN"):
            raise invalid("NextToken and StreamName cannot be provided together.")
        try:
            name, after, filters = msgspec.json.decode(str(token), type=tuple[str, str, dict[str, str]])
        except msgspec.DecodeError:
            raise invalid("NextToken is invalid.") from None
        stream = world.stream(name)
    else:
        stream, after = asked.stream_of(world, given), str(given.get("ExclusiveStartShardId") or "")
        filters = {key: str(value) for key, value in (given.get("ShardFilter") or {}).items()}
    limit = min(asked.number(given, "MaxResults", 1, 10_000, contract.SHARD_PAGE), world.settings.shard_page)
    shards = [shard for shard in _filtered(stream, filters) if shard.id > after]
    page = shards[:limit]
    answer: dict[str, Any] = {"Shards": [one.described() for one in page]}
    if len(shards) > limit:
        answer["NextToken"] = msgspec.json.encode([stream.name, page[-1].id, filters]).decode()
    return answer


def split_shard(world: World, given: dict[str, Any]) -> dict[str, Any]:
    """Carry out SplitShard, at once."""
    stream = asked.stream_of(world, given)
    at = given.get("NewStartingHashKey")
    if not isinstance(at, str) or not at.isdigit():
        raise absent("newStartingHashKey")
    stream.split(stream.find(str(given.get("ShardToSplit")), world.settings.account), int(at))
    return {}


def merge_shards(world: World, given: dict[str, Any]) -> dict[str, Any]:
    """Carry out MergeShards, at once."""
    stream = asked.stream_of(world, given)
    first, second = (
        stream.find(str(given.get(name)), world.settings.account) for name in ("ShardToMerge", "AdjacentShardToMerge")
    )
    stream.merge(first, second)
    return {}


def update_shard_count(world: World, given: dict[str, Any]) -> dict[str, Any]:
    """Carry out UpdateShardCount, at once."""
    stream = asked.stream_of(world, given)
    if stream.on_demand:
        raise invalid("UpdateShardCount is not supported for streams with the mode ON_DEMAND.")
    before = len(stream.open)
    count = asked.number(given, "TargetShardCount", 1, 10_000)
    stream.resize(count)
    name = stream.name
    return {"StreamName": name, "StreamARN": world.arn(name), "CurrentShardCount": before, "TargetShardCount": count}


def update_max_record_size(world: World, given: dict[str, Any]) -> dict[str, Any]:
    """Carry out UpdateMaxRecordSize, at once."""
    asked.stream_of(world, given).max_record = _kib(given) * 1024
    return {}


def update_distribution(world: World, given: dict[str, Any]) -> dict[str, Any]:
    """Carry out UpdateStreamRecordDistributionStrategy, at once."""
    stream, strategy = asked.stream_of(world, given), given.get("RecordDistributionStrategy")
    if not stream.on_demand or strategy not in _SPREADS:
        raise invalid(f"The distribution strategy {strategy} cannot be set on the stream {stream.name}.")
    stream.spreads = strategy == _SPREADS[1]
    return {}


def start_stream_encryption(world: World, given: dict[str, Any]) -> dict[str, Any]:
    """Carry out StartStreamEncryption, at once; the key is only remembered."""
    stream = asked.stream_of(world, given)
    if given.get("EncryptionType") != "KMS" or not given.get("KeyId"):
        raise invalid("EncryptionType must be KMS, with a KeyId.")
    stream.encryption = str(given["KeyId"])
    return {}


def _kib(given: dict[str, Any]) -> int:
    return asked.number(given, "MaxRecordSizeInKiB", *contract.RECORD_KIB)


def _described(world: World, stream: Stream) -> dict[str, Any]:
    encryption = {"EncryptionType": "NONE"}
    if stream.encryption:
        encryption = {"EncryptionType": "KMS", "KeyId": stream.encryption}
    return {
        "StreamName": stream.name,
        "StreamARN": world.arn(stream.name),
        "StreamStatus": stream.status,
        "StreamModeDetails": _mode(stream),
        "RetentionPeriodHours": 24,
        "StreamCreationTimestamp": stream.created,
        "EnhancedMonitoring": [{"ShardLevelMetrics": []}],
        **encryption,
    }


def _mode(stream: Stream) -> dict[str, str]:
    return {"StreamMode": "ON_DEMAND" if stream.on_demand else "PROVISIONED"}


def _filtered(stream: Stream, filters: dict[str, str]) -> list[Shard]:
    kind = filters.get("Type", "FROM_TRIM_HORIZON")
    everything = list(stream.shards.values())
    if kind == "AT_LATEST":
        return [shard for shard in everything if shard.end is None]
    if kind == "AT_TRIM_HORIZON":
        return [shard for shard in everything if not shard.parents]
    if kind == "AFTER_SHARD_ID":
        return [shard for shard in everything if shard.id > filters.get("ShardId", "")]
    if kind != "FROM_TRIM_HORIZON":
        raise Refused("InvalidArgumentException", f"This server knows no shard filter {kind}.")
    return everything
