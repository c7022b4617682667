"""The way of a request: path, key, permission, rate limit, size and type, fault, endpoint, latency.

Braze does not publish this order; it is inferred from which answers carry which headers.
"""

import asyncio
import socket
import struct
from collections.abc import Callable
from typing import NamedTuple

from aiohttp import web

from sandbox.braze import contract
from sandbox.braze.export import export_ids
from sandbox.braze.replies import Refused, Reply, message, server_error
from sandbox.braze.settings import Limits, Rate, Settings, Windows
from sandbox.braze.stats import Exchange
from sandbox.braze.track import track, track_bulk
from sandbox.braze.world import World

_EMPTY_RATE_HEADERS = dict.fromkeys((contract.LIMIT_HEADER, contract.REMAINING_HEADER, contract.RESET_HEADER), "")
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)


class Endpoint(NamedTuple):
    """One route: who may call it, what limits it, what carries it out."""

    permissions: Callable[[Settings], frozenset[str]]
    body_limit: Callable[[Limits], tuple[int, int]]
    windows: Callable[[Rate], Windows]
    carry_out: Callable[[World, bytes, Exchange], Reply]


def _bulk_permissions(settings: Settings) -> frozenset[str]:
    own = frozenset({contract.BULK_PERMISSION})
    return own if settings.answers.bulk_needs_own_permission else own | {contract.TRACK_PERMISSION}


ENDPOINTS: dict[tuple[str, str], Endpoint] = {
    ("POST", contract.TRACK_PATH): Endpoint(
        lambda settings: frozenset({contract.TRACK_PERMISSION}),
        lambda limits: (limits.body_bytes, limits.over_body_status),
        lambda rate: rate.track,
        track,
    ),
    ("POST", contract.BULK_PATH): Endpoint(
        _bulk_permissions,
        lambda limits: (limits.bulk_body_bytes, contract.BULK_OVER_BODY_STATUS),
        lambda rate: rate.bulk,
        track_bulk,
    ),
    ("POST", contract.EXPORT_PATH): Endpoint(
        lambda settings: frozenset({contract.EXPORT_PERMISSION}),
        lambda limits: (limits.body_bytes, limits.over_body_status),
        lambda rate: rate.export,
        export_ids,
    ),
}


async def answer(world: World, request: web.BaseRequest) -> web.StreamResponse:
    """Handle one API request from its headers to its answer, and count it."""
    exchange = Exchange(request.method, request.path, world.clock())
    world.concurrency.enter()
    try:
        try:
            endpoint = _admitted(world, request, exchange)
            body = await _body(endpoint.body_limit(world.settings.limits), request, exchange)
            reply = await _carried_out(world, endpoint, body, exchange)
        except Refused as refused:
            reply = refused.reply
        if world.settings.answers.latency_ms:
            await asyncio.sleep(world.settings.answers.latency_ms / 1000)
    finally:
        world.concurrency.leave(exchange.users)
    exchange.status = "reset" if reply.cut else str(reply.status)
    world.stats.finish(exchange, world.clock())
    if reply.cut:
        _cut(request)
    headers = {**exchange.rate_headers, **reply.headers}
    return web.Response(status=reply.status, body=reply.body, headers=headers, content_type=reply.content_type)


def _admitted(world: World, request: web.BaseRequest, exchange: Exchange) -> Endpoint:
    settings = world.settings
    endpoint = ENDPOINTS.get((request.method, request.path))
    if endpoint is None:
        if request.path.endswith("/") and (request.method, request.path.rstrip("/")) in ENDPOINTS:
            status = settings.answers.trailing_slash_status
            raise Refused(message(status, contract.ACCESS_DENIED if status == 403 else contract.NOT_FOUND))
        raise Refused(message(404, contract.NOT_FOUND))
    given = request.headers.get("Authorization", "")
    scheme, _, key = given.partition(" ")
    if scheme != "Bearer" or key not in world.permissions:
        echoed = key if scheme == "Bearer" else given
        raise Refused(message(401, contract.INVALID_KEY + echoed, _EMPTY_RATE_HEADERS))
    if world.permissions[key].isdisjoint(endpoint.permissions(settings)):
        raise Refused(message(403, contract.ACCESS_DENIED))
    if settings.rate.enabled:
        verdict = world.limiter.take(exchange.path, endpoint.windows(settings.rate))
        if verdict is not None:
            exchange.rate_headers = world.limiter.headers(verdict, settings.rate)
            if not verdict.allowed:
                raise Refused(message(429, contract.RATE_LIMITED))
    if request.content_type != "application/json":
        raise Refused(message(415, contract.UNSUPPORTED_TYPE))
    return endpoint


async def _body(limit: tuple[int, int], request: web.BaseRequest, exchange: Exchange) -> bytes:
    size, status = limit
    chunks: list[bytes] = []
    # Read to the end even when it is too much: a client that is still sending would not see the answer otherwise.
    try:
        async for chunk in request.content.iter_any():
            exchange.size += len(chunk)
            if exchange.size <= size:
                chunks.append(chunk)
    except ConnectionError:
        raise Refused(Reply(contract.CLIENT_CLOSED)) from None
    if exchange.size > size:
        raise Refused(message(status, contract.TOO_LARGE))
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
