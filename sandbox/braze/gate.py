"""The way of a request: path, key, permission, rate limit, size and type, fault, endpoint, latency.

Braze does not publish this order; it is inferred from which answers carry which headers.
"""

import asyncio
import socket
import struct

from aiohttp import web

from sandbox.braze import contract, routes
from sandbox.braze.recorder import Recorded
from sandbox.braze.replies import Refused, Reply, message, server_error
from sandbox.braze.routes import Endpoint
from sandbox.braze.stats import Exchange
from sandbox.braze.world import World

_EMPTY_RATE_HEADERS = dict.fromkeys((contract.LIMIT_HEADER, contract.REMAINING_HEADER, contract.RESET_HEADER), "")
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)


async def answer(world: World, request: web.BaseRequest) -> web.StreamResponse:
    """Handle one API request from its headers to its answer, and count it."""
    exchange = Exchange(request.method, request.path, world.clock())
    world.concurrency.enter()
    record = Recorded(request.method, request.path, request.content_type, world.settings.limits)
    try:
        try:
            reply = await _answered(world, request, exchange, record)
        except Refused as refused:
            reply = refused.reply
        if world.settings.answers.latency_ms:
            await asyncio.sleep(world.settings.answers.latency_ms / 1000)
    finally:
        world.concurrency.leave(exchange.users)
    exchange.status = "reset" if reply.cut else str(reply.status)
    world.stats.finish(exchange, world.clock())
    world.recorder.add(record, reply)
    if reply.cut:
        _cut(request)
    headers = {**exchange.rate_headers, **reply.headers}
    return web.Response(status=reply.status, body=reply.body, headers=headers, content_type=reply.content_type)


async def _answered(world: World, request: web.BaseRequest, exchange: Exchange, record: Recorded) -> Reply:
    endpoint = _endpoint(world, request, exchange)
    record.endpoint = endpoint.name
    limit, over_status = endpoint.body_limit(world.settings.limits)
    try:
        _admit(world, request, endpoint, exchange)
    except Refused:
        if world.recorder.enabled:  # a request that is refused must keep to the contract too
            record.body = await _body(limit, request, exchange)
            record.size = exchange.size
        raise
    record.body = body = await _body(limit, request, exchange)
    record.size = exchange.size
    if exchange.size > limit:
        raise Refused(message(over_status, contract.TOO_LARGE))
    return await _carried_out(world, endpoint, body, exchange)


def _endpoint(world: World, request: web.BaseRequest, exchange: Exchange) -> Endpoint:
    match = routes.find(request.method, request.path)
    if match is None:
        if request.path.endswith("/") and routes.find(request.method, request.path.rstrip("/")):
            status = world.settings.answers.trailing_slash_status
            raise Refused(message(status, contract.ACCESS_DENIED if status == 403 else contract.NOT_FOUND))
        raise Refused(message(404, contract.NOT_FOUND))
    exchange.parameters = match.parameters
    exchange.query = request.query
    return match.endpoint


def _admit(world: World, request: web.BaseRequest, endpoint: Endpoint, exchange: Exchange) -> None:
    settings = world.settings
    given = request.headers.get("Authorization", "")
    scheme, _, key = given.partition(" ")
    if scheme != "Bearer" or key not in world.permissions:
        echoed = key if scheme == "Bearer" else given
        raise Refused(message(401, contract.INVALID_KEY + echoed, _EMPTY_RATE_HEADERS))
    if world.permissions[key].isdisjoint(endpoint.permissions(settings)):
        raise Refused(message(403, contract.ACCESS_DENIED))
    if settings.rate.enabled:
        verdict = world.limiter.take(endpoint.scope, endpoint.windows(settings.rate))
        if verdict is not None:
            exchange.rate_headers = world.limiter.headers(verdict, settings.rate)
            if not verdict.allowed:
                raise Refused(message(429, contract.RATE_LIMITED))
    if endpoint.takes_body and request.content_type != "application/json":
        raise Refused(message(415, contract.UNSUPPORTED_TYPE))


async def _body(limit: int, request: web.BaseRequest, exchange: Exchange) -> bytes:
    chunks: list[bytes] = []
    # Read to the end even when it is too much: a client that is still sending would not see the answer otherwise.
    try:
        async for chunk in request.content.iter_any():
            exchange.size += len(chunk)
            if exchange.size <= limit:
                chunks.append(chunk)
    except ConnectionError:
        raise Refused(Reply(contract.CLIENT_CLOSED)) from None
    return chunks[0] if len(chunks) == 1 else b"".join(chunks)


async def _carried_out(world: World, endpoint: Endpoint, body: bytes, exchange: Exchange) -> Reply:
    fault = world.faults.pick(exchange.path, body)
    if fault is None:
        return endpoint.carry_out(world, body, exchange)
    exchange.fault = fault.kind
    reply = Reply(500)
    if fault.applied or fault.kind in ("slow", "queued"):
        reply = _applied(world, endpoint, body, exchange)
    if fault.delay_ms:
        await asyncio.sleep(fault.delay_ms / 1000)
    if fault.kind == "slow":
        return reply
    if fault.kind == "queued":
        return message(202, contract.QUEUED) if reply.status < 300 else reply
    return Reply(0, cut=True) if fault.kind == "reset" else server_error(int(fault.kind))


def _applied(world: World, endpoint: Endpoint, body: bytes, exchange: Exchange) -> Reply:
    try:
        return endpoint.carry_out(world, body, exchange)
    except Refused as refused:
        return refused.reply


def _cut(request: web.BaseRequest) -> None:
    transport = request.transport
    if transport is not None:
        # Lingering for zero seconds makes the kernel send a reset instead of an orderly end.
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        transport.abort()
