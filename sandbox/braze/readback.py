"""The control routes that only show: what the server holds, counted, dropped, ignored and found wrong."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import suppress
from typing import Any

import msgspec
from aiohttp import web

from sandbox.braze.identity import IdentityKey
from sandbox.braze.profile import Profile
from sandbox.braze.wire import encode
from sandbox.braze.world import World

_BLOCK = 1 << 18


def json_response(value: Any, status: int = 200) -> web.Response:
    """An answer with a JSON body."""
    return web.Response(status=status, body=encode(value), content_type="application/json")


async def integrations(world: World, request: web.BaseRequest) -> web.StreamResponse:
    """The integrations with their runs."""
    return json_response(msgspec.to_builtins(world.integrations.all()))


async def _summary(world: World, request: web.BaseRequest) -> web.StreamResponse:
    return json_response(world.summary())


async def _requests(world: World, request: web.BaseRequest) -> web.StreamResponse:
    return json_response(world.stats.requests())


async def _users(world: World, request: web.BaseRequest) -> web.StreamResponse:
    profiles = sorted(world.settled().profiles, key=Profile.sort_key)
    return await _stream(request, map(_line, profiles))


async def _events(world: World, request: web.BaseRequest) -> web.StreamResponse:
    return await _stream(request, world.settled().events.lines(expand=False))


async def _purchases(world: World, request: web.BaseRequest) -> web.StreamResponse:
    return await _stream(request, world.settled().purchases.lines(expand=True))


async def _dropped(world: World, request: web.BaseRequest) -> web.StreamResponse:
    drops = world.settled().profiles.dropped()
    return await _stream(
        request,
        (
            encode({"request": drop.request, **_named(drop.user), "attribute": drop.attribute, "reason": drop.reason}) + b"\n"
            for drop in drops
        ),
    )


async def _catalog_items(world: World, request: web.BaseRequest) -> web.StreamResponse:
    world.settled()
    catalogs = [(catalog.name, list(catalog.items.values())) for catalog in world.catalogs]
    return await _stream(request, (encode({"catalog": name, "item": item}) + b"\n" for name, items in catalogs for item in items))


async def _ignored(world: World, request: web.BaseRequest) -> web.StreamResponse:
    world.settled()
    return await _stream(request, (encode(ignored._asdict()) + b"\n" for ignored in list(world.catalogs.ignored)))


async def _violations(world: World, request: web.BaseRequest) -> web.StreamResponse:
    for _ in world.recorder.compared():
        await asyncio.sleep(0)  # a long comparison must not hold up the requests of a running test
    return json_response(world.recorder.violations())


def _line(profile: Profile) -> bytes:
    return encode({**profile.identifiers(), "attributes": msgspec.Raw(profile.document())}) + b"\n"


def _named(key: IdentityKey) -> dict[str, Any]:
    if isinstance(key, str):
        return {"external_id": key}
    return {"user_alias": {"alias_name": key[-1], "alias_label": key[1]}} if key[0] == "alias" else {key[0]: key[1]}


async def _stream(request: web.BaseRequest, lines: Iterable[bytes]) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "application/x-ndjson; charset=utf-8"})
    await response.prepare(request)
    with suppress(ConnectionError):  # the reader may stop in the middle
        for block in _blocks(lines):
            await response.write(block)
            await asyncio.sleep(0)  # a long read-back must not hold up the requests of a running test
        await response.write_eof()
    return response


def _blocks(lines: Iterable[bytes]) -> Iterator[bytes]:
    block = bytearray()
    for line in lines:
        block += line
        if len(block) >= _BLOCK:
            yield bytes(block)
            block.clear()
    if block:
        yield bytes(block)


ROUTES: dict[str, Callable[[World, web.BaseRequest], Awaitable[web.StreamResponse]]] = {
    "summary": _summary,
    "requests": _requests,
    "users.ndjson": _users,
    "events.ndjson": _events,
    "purchases.ndjson": _purchases,
    "dropped.ndjson": _dropped,
    "catalog_items.ndjson": _catalog_items,
    "ignored.ndjson": _ignored,
    "integrations": integrations,
    "violations": _violations,
}
