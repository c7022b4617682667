"""The control routes under ``/_sandbox/``: faults, switches and read-back. Nobody signs them, and they are not counted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
from aiohttp import web

from sandbox.kinesis.errors import Refused
from sandbox.kinesis.settings import NO_LIMITS, Limits
from sandbox.kinesis.world import World

PREFIX = "/_sandbox/"


async def answer(world: World, request: web.BaseRequest) -> web.Response:
    """Answer one control request. Mistakes of the caller are a 400 or 404 with ``{"error": text}``."""
    body = await request.content.read()
    route = _ROUTES.get((request.method, request.path.removeprefix(PREFIX)))
    if route is None:
        known = ", ".join(f"{method} {PREFIX}{path}" for method, path in _ROUTES)
        return _reply({"error": f"no control route {request.method} {request.path}; there are: {known}"}, 404)
    try:
        given = {**request.query, **({"given": msgspec.json.decode(body)} if body else {})}
        return route(world, given)
    except (KeyError, TypeError, ValueError, Refused) as error:
        return _reply({"error": str(error)}, 400)


def _add_faults(world: World, given: dict[str, Any]) -> web.Response:
    rules = given["given"]
    world.faults.add(rules if isinstance(rules, list) else [rules])
    return _reply({})


def _clear_faults(world: World, given: dict[str, Any]) -> web.Response:
    world.faults.clear()
    return _reply({})


def _change(world: World, given: dict[str, Any]) -> web.Response:
    """``{"limits": {…} | false | true, "delay_ms": number, "status": {stream: status}}``."""
    wanted = dict(given["given"])
    if "limits" in wanted:
        limits = wanted.pop("limits")
        if isinstance(limits, bool):
            world.limit(world.settings.limits if limits else NO_LIMITS)
        else:
            world.limit(Limits(**limits))
    world.delay_ms = float(wanted.pop("delay_ms", world.delay_ms))
    for name, status in dict(wanted.pop("status", {})).items():
        world.stream(name).status = str(status)
    if wanted:
        raise ValueError(f"there is no switch {', '.join(sorted(wanted))}; there are limits, delay_ms, status")
    return _reply({})


def _summary(world: World, given: dict[str, Any]) -> web.Response:
    streams = {name: {one.id: len(one.records) for one in stream.shards.values()} for name, stream in world.streams.items()}
    return _reply({"calls": world.calls, "counts": world.counts, "streams": streams})


def _writes(world: World, given: dict[str, Any]) -> web.Response:
    return _reply([one for one in world.writes if one["stream"] == given.get("stream", one["stream"])])


def _records(world: World, given: dict[str, Any]) -> web.Response:
    """All records of a stream, shard by shard, as MessagePack."""
    shards = world.stream(given["stream"]).shards.values()
    found = [(shard.id, one.sequence, one.key, one.data, one.arrival) for shard in shards for one in shard.records]
    return web.Response(body=msgspec.msgpack.encode(found), content_type="application/msgpack")


def _forget(world: World, given: dict[str, Any]) -> web.Response:
    """Forget counts and faults; streams and records stay."""
    world.calls.clear()
    world.counts.clear()
    world.writes.clear()
    world.faults.clear()
    return _reply({})


def _reply(value: Any, status: int = 200) -> web.Response:
    return web.Response(body=msgspec.json.encode(value), status=status, content_type="application/json")


_ROUTES: dict[tuple[str, str], Callable[[World, dict[str, Any]], web.Response]] = {
    ("POST", "faults"): _add_faults,
    ("DELETE", "faults"): _clear_faults,
    ("PATCH", "settings"): _change,
    ("GET", "summary"): _summary,
    ("GET", "writes"): _writes,
    ("GET", "records"): _records,
    ("POST", "forget"): _forget,
}
