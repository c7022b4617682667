"""PutRecord and PutRecords: what they ask for, which records a shard takes, and what they answer."""

from __future__ import annotations

import time
from typing import Any

import msgspec

from sandbox.kinesis import asked, contract
from sandbox.kinesis.errors import Refused, absent, invalid, not_found, unfit
from sandbox.kinesis.faults import Fault
from sandbox.kinesis.shard import Stored
from sandbox.kinesis.stream import Stream, hash_of
from sandbox.kinesis.world import World


class Entry(msgspec.Struct, gc=False):
    """A record of a request; ``None`` where a member is absent."""

    Data: bytes | None = None
    PartitionKey: str | None = None
    ExplicitHashKey: str | None = None


class Put(msgspec.Struct):
    """The body of PutRecords."""

    Records: list[Entry] | None = None
    StreamName: str | None = None
    StreamARN: str | None = None
    DryRun: bool = False


class PutOne(Entry):
    """The body of PutRecord."""

    StreamName: str | None = None
    StreamARN: str | None = None
    SequenceNumberForOrdering: str | None = None
    DryRun: bool = False


class Landed(msgspec.Struct, gc=False):
    """A record that was taken."""

    SequenceNumber: str
    ShardId: str


class Failed(msgspec.Struct, gc=False):
    """A record that was not."""

    ErrorCode: str
    ErrorMessage: str


Placed = tuple[Entry, int, int]
"""A record, its hash key and its bytes."""

_PUT, _PUT_ONE = msgspec.json.Decoder(Put), msgspec.json.Decoder(PutOne)


def put_records(world: World, body: bytes, fault: Fault | None) -> dict[str, Any]:
    """Carry out PutRecords.

    :param fault: what goes wrong with its records, if anything does.
    """
    put = _decoded(_PUT, body)
    entries = put.Records
    if entries is None:
        raise absent("records")
    if not entries:
        raise unfit("records", "Member must have length greater than or equal to 1", "[]")
    if len(entries) > contract.RECORDS:
        raise unfit("records", f"Member must have length less than or equal to {contract.RECORDS}")
    stream, placed = _examined(world, {"StreamName": put.StreamName, "StreamARN": put.StreamARN}, entries, put.DryRun)
    answers, failed = _kept(world, stream, placed, fault)
    size = sum(one[2] for one in placed)
    world.writes.append({"stream": stream.name, "records": len(entries), "bytes": size, "failed": failed, "at": time.time()})
    if fault is not None and fault.do == "short":
        answers = answers[: -int(fault.how.get("first", 1))]
    return {"FailedRecordCount": failed, "EncryptionType": "KMS" if stream.encryption else "NONE", "Records": answers}


def put_record(world: World, body: bytes, fault: Fault | None) -> dict[str, Any]:
    """Carry out PutRecord, whose failures are the request's."""
    put = _decoded(_PUT_ONE, body)
    stream, placed = _examined(world, {"StreamName": put.StreamName, "StreamARN": put.StreamARN}, [put], put.DryRun)
    ((answer,), _) = _kept(world, stream, placed, fault)
    if isinstance(answer, Failed):
        raise Refused(answer.ErrorCode, answer.ErrorMessage)
    return {
        "ShardId": answer.ShardId,
        "SequenceNumber": answer.SequenceNumber,
        "EncryptionType": "KMS" if stream.encryption else "NONE",
    }


def _decoded(decoder: msgspec.json.Decoder[Any], body: bytes) -> Any:
    try:
        return decoder.decode(body)
    except msgspec.DecodeError as error:  # also a member of another type, and data that is not base64
        raise Refused("SerializationException", str(error)) from None


def _examined(world: World, where: dict[str, Any], entries: list[Any], dry: bool) -> tuple[Stream, list[Placed]]:
    """What the service checks before it keeps anything.

    :raises Refused: if it would refuse the request; also if nothing is wrong with a dry run.
    """
    name = asked.stream_name(world, where)
    if not name:
        raise invalid("Either StreamName or StreamARN should be provided.")
    for place, entry in enumerate(entries, 1):
        _modelled(entry, f"records.{place}.member." if len(entries) > 1 or not isinstance(entry, PutOne) else "")
    stream = world.stream(name)
    if stream.status not in ("ACTIVE", "UPDATING"):
        raise not_found(name, world.settings.account)
    placed, total = [], 0
    for entry in entries:
        size = len(entry.Data) + len(entry.PartitionKey.encode())
        if size > stream.max_record:
            limit = stream.max_record // 1024
            raise invalid(f"Record size of {size} bytes exceeds the maximum record size of {limit} KiB of stream {name}.")
        total += size
        placed.append((entry, _hash(entry), size))
    if total > world.settings.request_bytes:
        raise invalid(f"Records size exceeds {world.settings.request_bytes // contract.MIB} MB limit")
    if dry:
        raise Refused("DryRunOperationException", "The request would have succeeded, but the DryRun parameter is set.")
    return stream, placed


def _modelled(entry: Entry, path: str) -> None:
    """What the service's model says of a record."""
    if entry.Data is None:
        raise absent(f"{path}data")
    if entry.PartitionKey is None:
        raise absent(f"{path}partitionKey")
    if not entry.PartitionKey:
        raise unfit(f"{path}partitionKey", "Member must have length greater than or equal to 1", "")
    if len(entry.PartitionKey) > contract.KEY_LENGTH:
        constraint = f"Member must have length less than or equal to {contract.KEY_LENGTH}"
        raise unfit(f"{path}partitionKey", constraint, entry.PartitionKey)
    if len(entry.Data) > contract.READ_MOST:
        raise unfit(f"{path}data", f"Member must have length less than or equal to {contract.READ_MOST}")


def _hash(entry: Entry) -> int:
    explicit = entry.ExplicitHashKey
    if explicit is None:
        return hash_of(entry.PartitionKey or "")
    if not explicit.isascii() or not explicit.isdigit() or (explicit[0] == "0" and explicit != "0"):
        raise unfit("explicitHashKey", r"Member must satisfy regular expression pattern: 0|([1-9]\d{0,38})", explicit)
    if int(explicit) >= contract.HASHES:
        raise invalid(
            f"Invalid ExplicitHashKey. ExplicitHashKey must be in the range: [0, 2^128-1]. Specified value was {explicit}"
        )
    return int(explicit)


def _kept(world: World, stream: Stream, placed: list[Placed], fault: Fault | None) -> tuple[list[Landed | Failed], int]:
    """Keep what is to be kept.

    :returns: an answer for each record, and how many of them are failures.
    """
    broken, code = _broken(placed, fault)
    now, arrival = world.clock(), time.time()
    answers: list[Landed | Failed] = []
    throttled = 0
    for place, (entry, hash_key, size) in enumerate(placed):
        shard = stream.shard_for(hash_key)
        if place in broken or not shard.admits(size, now):
            throttled += place not in broken
            internal = place in broken and code == "InternalFailure"
            answers.append(
                Failed(
                    "InternalFailure" if internal else "ProvisionedThroughputExceededException",
                    "Internal service failure."
                    if internal
                    else f"Rate exceeded for shard {shard.id} in stream {stream.name} under account {world.settings.account}.",
                )
            )
            continue
        sequence = stream.sequence()
        shard.records.append(Stored(sequence, entry.PartitionKey or "", entry.Data or b"", arrival))
        answers.append(Landed(sequence, shard.id))
    failed = throttled + len(broken)
    world.counts.update(taken=len(placed) - failed, throttled=throttled, failed=len(broken))
    return answers, failed


def _broken(placed: list[Placed], fault: Fault | None) -> tuple[set[int], str]:
    if fault is None or fault.do != "fail":
        return set(), ""
    return fault.failing([entry.PartitionKey or "" for entry, _, _ in placed]), str(fault.how["code"])
