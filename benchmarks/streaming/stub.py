"""A stub that answers like Kinesis after a fixed time, as fast as a raw asyncio protocol can, and counts records.

Any number of requests wait at once, and no shard has limits: the stream is one that AWS scales. ``POST /control`` with
``{"latency": seconds, "faults": error code or null, "spool": path or null}`` sets it up and gives the counts since the last such
call. With faults about every twentieth record of a call fails, unless it has failed before.
"""

from __future__ import annotations

import asyncio
import json
import sys
import threading
from dataclasses import dataclass, field
from functools import cache, partial
from pathlib import Path
from typing import Any, BinaryIO, cast

from benchmarks.server import HEAD_END, new_event_loop, response

STREAM, REGION, ACCOUNT = "benchmark", "eu-central-1", "123456789012"
ARN = f"arn:aws:kinesis:{REGION}:{ACCOUNT}:stream/{STREAM}"
MOST = 500
"""Records of a PutRecords call; one with more is refused, as Kinesis does."""

EVERY = 20
"""With faults, one record of so many fails: 5 %."""

_KEY = b'"PartitionKey"'
_SHARD = "shardId-000000000000"
_GOOD = b'{"SequenceNumber":"49543463076548007577105092703039560359975228518395012686","ShardId":"%b"}' % _SHARD.encode()
_RANGE = {"StartingHashKey": "0", "EndingHashKey": str(2**128 - 1)}
_SHARDS = [{"ShardId": _SHARD, "HashKeyRange": _RANGE, "SequenceNumberRange": {"StartingSequenceNumber": "1"}}]
_STREAM = {
    "StreamName": STREAM,
    "StreamARN": ARN,
    "StreamStatus": "ACTIVE",
    "StreamModeDetails": {"StreamMode": "ON_DEMAND"},
    "RetentionPeriodHours": 24,
    "StreamCreationTimestamp": 1_700_000_000.0,
    "EnhancedMonitoring": [{"ShardLevelMetrics": []}],
    "EncryptionType": "NONE",
}
_TOLD = {
    b"describestreamsummary": {"StreamDescriptionSummary": {**_STREAM, "OpenShardCount": 1, "ConsumerCount": 0}},
    b"describestream": {"StreamDescription": {**_STREAM, "Shards": _SHARDS, "HasMoreShards": False}},
    b"listshards": {"Shards": _SHARDS},
}
"""Action in lower case -> its answer."""


@dataclass
class Counts:
    """What arrived.

    :ivar records: that are in; those that failed do not count.
    :ivar failed: answers of failure to records.
    :ivar bytes: of the bodies.
    """

    requests: int = 0
    records: int = 0
    failed: int = 0
    bytes: int = 0


@dataclass
class State:
    """The stub's settings and counts; all connections share it.

    :ivar faults: the code that records fail with; empty: none does.
    :ivar refused: partition keys of the records that have failed once.
    """

    latency: float = 0.0
    faults: str = ""
    spool: BinaryIO | None = None
    counts: Counts = field(default_factory=Counts)
    refused: set[bytes] = field(default_factory=set)

    def control(self, settings: dict[str, Any]) -> Counts:
        """Take new settings; gives the counts so far and begins new ones."""
        if self.spool is not None:
            self.spool.close()
        self.latency, self.faults = float(settings["latency"]), settings["faults"] or ""
        self.spool = Path(settings["spool"]).open("wb") if settings["spool"] else None  # noqa: SIM115 - closed by the next call
        counts, self.counts, self.refused = self.counts, Counts(), set()
        return counts

    def put(self, body: bytes, *, single: bool) -> bytes:
        """Take the records of a call; gives the answer.

        :param single: whether it is PutRecord, which never fails here.
        """
        count, bad = self._judge(body) if self.faults and not single else (body.count(_KEY), [])
        self.counts.requests += 1
        self.counts.bytes += len(body)
        if count > MOST:
            return _error(
                "ValidationException", f"Value at 'records' failed: Member must have length less than or equal to {MOST}"
            )
        self.counts.records += count - len(bad)
        self.counts.failed += len(bad)
        if self.spool is not None:
            self.spool.write(b"%d %b\n" % (len(body), json.dumps(bad, separators=(",", ":")).encode()))
            self.spool.write(body)
        if single:
            return response(200, "OK", _GOOD)
        return _mixed(count, bad, self.faults) if bad else _all_good(count)

    def _judge(self, body: bytes) -> tuple[int, list[int]]:
        """Count the records of a call and choose those that fail: about one of twenty, spread evenly, and none for the second
        time. The body is searched once, as it is where no record fails, so that faults cost the stub nothing.
        """
        start = body.find(_KEY)
        step = EVERY * max(1, body.find(_KEY, start + 1) - start)
        index, found = -1, []
        for goal in range(start, len(body), step):
            place = body.find(_KEY, max(goal, start))
            if place < 0:
                break
            index += body.count(_KEY, start, place) + 1
            start = place + len(_KEY)
            key = body[start : start + 300].split(b'"', 2)[1]
            if key not in self.refused:
                self.refused.add(key)
                found.append(index)
        return index + 1 + body.count(_KEY, start), found


@cache
def _all_good(count: int) -> bytes:
    return response(200, "OK", b'{"FailedRecordCount":0,"Records":[%b]}' % b",".join([_GOOD] * count))


def _mixed(count: int, bad: list[int], code: str) -> bytes:
    answers = [_GOOD] * count
    failed = b'{"ErrorCode":"%b","ErrorMessage":"Internal service failure."}' % code.encode()
    for index in bad:
        answers[index] = failed
    return response(200, "OK", b'{"FailedRecordCount":%d,"Records":[%b]}' % (len(bad), b",".join(answers)))


def _error(code: str, message: str) -> bytes:
    return response(400, "Bad Request", json.dumps({"__type": code, "message": message}).encode())


class Connection(asyncio.Protocol):
    """One keep-alive connection."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._buffer = bytearray()
        self._needed = 0  # bytes of the request that is arriving, once its head says so

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport to answer on."""
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        """Take every request that is whole."""
        self._buffer += data
        while len(self._buffer) > self._needed and self._one():
            pass

    def _one(self) -> bool:
        buffer = self._buffer
        head_end = buffer.find(HEAD_END)
        if head_end < 0:
            return False
        head, start = bytes(buffer[:head_end]).lower(), head_end + len(HEAD_END)
        length = int(head.partition(b"content-length:")[2].partition(b"\r\n")[0] or 0)
        if len(buffer) < start + length:
            self._needed = start + length - 1
            return False
        body = bytes(memoryview(buffer)[start : start + length])
        del buffer[: start + length]
        self._needed = 0
        self._handle(head, body)
        return True

    def _handle(self, head: bytes, body: bytes) -> None:
        state = self._state
        if head.startswith(b"post /control "):
            self._transport.write(response(200, "OK", json.dumps(vars(state.control(json.loads(body)))).encode()))
            return
        answer = self._answer(head, body)
        if state.latency:
            asyncio.get_running_loop().call_later(state.latency, self._transport.write, answer)
        else:
            self._transport.write(answer)

    def _answer(self, head: bytes, body: bytes) -> bytes:
        if b"\r\nauthorization: aws4-hmac-sha256 " not in head:
            return _error("MissingAuthenticationTokenException", "Missing Authentication Token")
        action = head.partition(b"x-amz-target: kinesis_20131202.")[2].partition(b"\r\n")[0]
        if action in (b"putrecords", b"putrecord"):
            return self._state.put(body, single=action == b"putrecord")
        if action in _TOLD:
            return response(200, "OK", json.dumps(_TOLD[action]).encode())
        return _error("UnknownOperationException", f"The stub does not know {action.decode()!r}.")


async def serve() -> None:
    """Serve on a free port, which is written to the standard output, until the standard input ends."""
    loop, over = asyncio.get_running_loop(), asyncio.Event()
    server = await loop.create_server(partial(Connection, State()), "127.0.0.1", 0)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()

    def wait() -> None:
        sys.stdin.read()
        loop.call_soon_threadsafe(over.set)

    threading.Thread(target=wait, daemon=True).start()
    await over.wait()
    server.close()


if __name__ == "__main__":
    new_event_loop().run_until_complete(serve())
