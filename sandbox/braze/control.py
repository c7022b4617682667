"""The control routes under ``/_sandbox/``: switches and read-back. Not part of Braze's contract.

No key is asked, nothing is rate limited, no fault hits, and the requests are not counted.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import replace
from typing import Any

import msgspec
from aiohttp import web

from sandbox.braze.patching import SettingsError, as_json, fault_from, patched
from sandbox.braze.profiles import Profile
from sandbox.braze.settings import Faults
from sandbox.braze.wire import encode
from sandbox.braze.world import World

PREFIX = "/_sandbox/"
_BLOCK = 1 << 18
_Route = Callable[[World, web.BaseRequest], Awaitable[web.StreamResponse]]


async def answer(world: World, request: web.BaseRequest) -> web.StreamResponse:
    """Handle one control request. Mistakes of the caller are a 400 or 404 with ``{"error": text}``."""
    name = request.path.removeprefix(PREFIX)
    route = _ROUTES.get((request.method, name))
    if route is None:
        known = ", ".join(f"{method} {PREFIX}{path}" for method, path in _ROUTES)
        return _json({"error": f"no control route {request.method} {request.path}; there are: {known}"}, 404)
    try:
        return await route(world, request)
    except SettingsError as error:
        return _json({"error": str(error)}, 400)
    except msgspec.DecodeError as error:
        return _json({"error": f"the body is not JSON: {error}"}, 400)


async def _show_settings(world: World, request: web.BaseRequest) -> web.StreamResponse:
    return _json(as_json(world.settings))


async def _change_settings(world: World, request: web.BaseRequest) -> web.StreamResponse:
    world.change(patched(world.settings, await _given(request)))
    return _json(as_json(world.settings))


async def _show_faults(world: World, request: web.BaseRequest) -> web.StreamResponse:
    return _json(world.faults.summary())


async def _add_faults(world: World, request: web.BaseRequest) -> web.StreamResponse:
    given = await _given(request)
    added = tuple(fault_from(rule) for rule in (given if isinstance(given, list) else [given]))
    world.change(replace(world.settings, faults=Faults(world.settings.faults.rules + added)))
    return _json(world.faults.summary())


async def _clear_faults(world: World, request: web.BaseRequest) -> web.StreamResponse:
    world.change(replace(world.settings, faults=Faults()))
    return _json([])


async def _reset(world: World, request: web.BaseRequest) -> web.StreamResponse:
    world.reset()
    return _json(world.summary())


async def _settle(world: World, request: web.BaseRequest) -> web.StreamResponse:
    world.ledger.settle_all()
    return _json(world.summary())


async def _summary(world: World, request: web.BaseRequest) -> web.StreamResponse:
    return _json(world.summary())


async def _requests(world: World, request: web.BaseRequest) -> web.StreamResponse:
    return _json(world.stats.requests())


async def _users(world: World, request: web.BaseRequest) -> web.StreamResponse:
    profiles = sorted(world.settled().profiles, key=Profile.sort_key)
    return await _stream(request, map(_line, profiles))


async def _events(world: World, request: web.BaseRequest) -> web.StreamResponse:
    return await _stream(request, world.settled().events.lines(expand=False))


async def _purchases(world: World, request: web.BaseRequest) -> web.StreamResponse:
    return await _stream(request, world.settled().purchases.lines(expand=True))


def _line(profile: Profile) -> bytes:
    return encode({**profile.identifiers(), "attributes": msgspec.Raw(profile.document())}) + b"\n"


async def _given(request: web.BaseRequest) -> Any:
    return msgspec.json.decode(await request.content.read())


def _json(value: Any, status: int = 200) -> web.Response:
    return web.Response(status=status, body=encode(value), content_type="application/json")


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


_ROUTES: dict[tuple[str, str], _Route] = {
    ("GET", "settings"): _show_settings,
    ("PATCH", "settings"): _change_settings,
    ("GET", "faults"): _show_faults,
    ("POST", "faults"): _add_faults,
    ("DELETE", "faults"): _clear_faults,
    ("POST", "reset"): _reset,
    ("POST", "settle"): _settle,
    ("GET", "summary"): _summary,
    ("GET", "requests"): _requests,
    ("GET", "users.ndjson"): _users,
    ("GET", "events.ndjson"): _events,
    ("GET", "purchases.ndjson"): _purchases,
}
