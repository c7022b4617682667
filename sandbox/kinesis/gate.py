"""A request to Kinesis from the first header to the answer: who asks, what goes wrong on purpose, what is carried out."""

from __future__ import annotations

import asyncio
import socket
import struct
import time
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import msgspec
from aiohttp import web

from sandbox.kinesis import asked, contract, managing, reading, signature, sts, writing
from sandbox.kinesis.errors import Refused
from sandbox.kinesis.faults import Fault
from sandbox.kinesis.world import World

_RESET_ON_CLOSE = struct.pack("ii", 1, 0)
_LONGEST_WAIT = 120.0
_STEP = 0.02
"""Seconds that an answer stays away at most, and between looks whether the client has gone."""

_WRITES: dict[str, Callable[[World, bytes, Fault | None], dict[str, Any]]] = {
    "PutRecords": writing.put_records,
    "PutRecord": writing.put_record,
}
_OTHERS: dict[str, Callable[[World, dict[str, Any]], dict[str, Any]]] = {
    "CreateStream": managing.create_stream,
    "DeleteStream": managing.delete_stream,
    "DescribeStream": managing.describe_stream,
    "DescribeStreamSummary": managing.describe_stream_summary,
    "GetRecords": reading.get_records,
    "GetShardIterator": reading.get_shard_iterator,
    "ListShards": managing.list_shards,
    "ListStreams": managing.list_streams,
    "MergeShards": managing.merge_shards,
    "SplitShard": managing.split_shard,
    "StartStreamEncryption": managing.start_stream_encryption,
    "UpdateMaxRecordSize": managing.update_max_record_size,
    "UpdateShardCount": managing.update_shard_count,
    "UpdateStreamRecordDistributionStrategy": managing.update_distribution,
}


class _Where(msgspec.Struct):
    StreamName: str | None = None
    StreamARN: str | None = None


_WHERE = msgspec.json.Decoder(_Where)


async def answer(world: World, request: web.BaseRequest) -> web.StreamResponse:
    """Answer one request."""
    body = await request.content.read()
    if "X-Amz-Target" not in request.headers:
        return sts.answer(world, request, body)
    operation = request.headers["X-Amz-Target"].removeprefix(contract.TARGET)
    world.calls[operation] += 1
    fault = _fault(world, operation, body)
    if fault is not None and fault.do == "reset_before":
        return _cut(request)
    reply = _reply(world, request, operation, body, fault)
    delay = world.delay_ms + (float(fault.how["ms"]) if fault is not None and fault.do == "delay" else 0)
    if delay:
        await asyncio.sleep(delay / 1000)
    if fault is not None and fault.do == "timeout":
        return await _silent(request)
    if fault is not None and fault.do == "reset_after":
        return _cut(request)
    return reply


def _reply(world: World, request: web.BaseRequest, operation: str, body: bytes, fault: Fault | None) -> web.Response:
    try:
        settings = world.settings
        user = signature.check(request.headers, body, settings.keys, settings.region, time.time(), "kinesis")
        if fault is not None and fault.do == "error":
            raise _injected(world, operation, body, str(fault.how["code"]), user)
        return _json(200, _carried_out(world, operation, body, fault))
    except Refused as refused:
        world.counts[refused.code] += 1
        return _json(refused.status, {"__type": refused.code, "message": refused.message})


def _carried_out(world: World, operation: str, body: bytes, fault: Fault | None) -> dict[str, Any]:
    if operation in _WRITES:
        return _WRITES[operation](world, body, fault)
    if operation not in _OTHERS:
        raise Refused("UnknownOperationException", f"This server knows no {operation}.")
    try:
        given = msgspec.json.decode(body)
    except msgspec.DecodeError as error:
        raise Refused("SerializationException", str(error)) from None
    if not isinstance(given, dict):
        raise Refused("SerializationException", "The body is no JSON object.")
    return _OTHERS[operation](world, given)


def _fault(world: World, operation: str, body: bytes) -> Fault | None:
    return world.faults.pick(operation, _stream(world, body)) if world.faults.any else None


def _stream(world: World, body: bytes) -> str:
    """The name of the stream that a request is about; empty if it names none."""
    try:
        where = _WHERE.decode(body)
        return asked.stream_name(world, {"StreamName": where.StreamName, "StreamARN": where.StreamARN})
    except (msgspec.DecodeError, Refused):
        return ""


def _injected(world: World, operation: str, body: bytes, code: str, user: str) -> Refused:
    settings, stream = world.settings, _stream(world, body)
    text = contract.MESSAGES.get(code, f"{code} on purpose.")
    who = f"arn:aws:iam::{settings.account}:user/{user}"
    return Refused(
        code, text.format(user=who, operation=operation, stream=stream, account=settings.account, arn=world.arn(stream))
    )


def _json(status: int, value: Any) -> web.Response:
    headers = {"x-amzn-RequestId": str(uuid4()), "Content-Type": contract.CONTENT_TYPE}
    return web.Response(status=status, body=msgspec.json.encode(value), headers=headers)


async def _silent(request: web.BaseRequest) -> web.StreamResponse:
    """Say nothing until the client gives up."""
    until = time.monotonic() + _LONGEST_WAIT
    while time.monotonic() < until and request.transport is not None and not request.transport.is_closing():  # noqa: ASYNC110
        await asyncio.sleep(_STEP)
    return _cut(request)


def _cut(request: web.BaseRequest) -> web.StreamResponse:
    """Reset the connection."""
    if request.transport is not None:
        # Lingering for zero seconds makes the kernel send a reset instead of an orderly end.
        request.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        request.transport.abort()
    return web.Response()
