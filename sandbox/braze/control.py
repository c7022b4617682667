"""The control routes under ``/_sandbox/``: switches, read-back, and what a test hands in. Not part of Braze's contract.

No key is asked, nothing is rate limited, no fault hits, and the requests are not counted.
"""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import msgspec
from aiohttp import web

from sandbox.braze import readback
from sandbox.braze.catalog_management import examined
from sandbox.braze.cdi import Integration
from sandbox.braze.patching import SettingsError, as_json, fault_from, patched
from sandbox.braze.readback import json_response
from sandbox.braze.replies import Refused
from sandbox.braze.settings import Faults
from sandbox.braze.world import World

PREFIX = "/_sandbox/"
_Route = Callable[[World, web.BaseRequest], Awaitable[web.StreamResponse]]


async def answer(world: World, request: web.BaseRequest) -> web.StreamResponse:
    """Handle one control request. Mistakes of the caller are a 400 or 404 with ``{"error": text}``."""
    name = request.path.removeprefix(PREFIX)
    route = _ROUTES.get((request.method, name))
    if route is None:
        known = ", ".join(f"{method} {PREFIX}{path}" for method, path in _ROUTES)
        return json_response({"error": f"no control route {request.method} {request.path}; there are: {known}"}, 404)
    try:
        return await route(world, request)
    except SettingsError as error:
        return json_response({"error": str(error)}, 400)
    except Refused as refused:
        return json_response({"error": refused.reply.body.decode()}, 400)
    except msgspec.ValidationError as error:
        return json_response({"error": str(error)}, 400)
    except msgspec.DecodeError as error:
        return json_response({"error": f"the body is not JSON: {error}"}, 400)


async def _show_settings(world: World, request: web.BaseRequest) -> web.StreamResponse:
    return json_response(as_json(world.settings))


async def _change_settings(world: World, request: web.BaseRequest) -> web.StreamResponse:
    world.change(patched(world.settings, await _given(request)))
    return json_response(as_json(world.settings))


async def _show_faults(world: World, request: web.BaseRequest) -> web.StreamResponse:
    return json_response(world.faults.summary())


async def _add_faults(world: World, request: web.BaseRequest) -> web.StreamResponse:
    given = await _given(request)
    added = tuple(fault_from(rule) for rule in (given if isinstance(given, list) else [given]))
    world.change(replace(world.settings, faults=Faults(world.settings.faults.rules + added)))
    return json_response(world.faults.summary())


async def _clear_faults(world: World, request: web.BaseRequest) -> web.StreamResponse:
    world.change(replace(world.settings, faults=Faults()))
    return json_response([])


async def _reset(world: World, request: web.BaseRequest) -> web.StreamResponse:
    world.reset()
    return json_response(world.summary())


async def _settle(world: World, request: web.BaseRequest) -> web.StreamResponse:
    world.schedule.settle_all()
    return json_response(world.summary())


async def _create_catalogs(world: World, request: web.BaseRequest) -> web.StreamResponse:
    for description in await _given(request):
        world.catalogs.create(examined(world.catalogs, [description], world.clock()))
    return json_response([catalog.described() for catalog in world.catalogs])


async def _take_integrations(world: World, request: web.BaseRequest) -> web.StreamResponse:
    try:
        world.integrations.take(msgspec.convert(await _given(request), list[Integration]))
    except msgspec.ValidationError:
        raise
    except ValueError as error:
        raise SettingsError(str(error)) from None
    return await readback.integrations(world, request)


async def _given(request: web.BaseRequest) -> Any:
    return msgspec.json.decode(await request.content.read())


_ROUTES: dict[tuple[str, str], _Route] = {
    ("GET", "settings"): _show_settings,
    ("PATCH", "settings"): _change_settings,
    ("GET", "faults"): _show_faults,
    ("POST", "faults"): _add_faults,
    ("DELETE", "faults"): _clear_faults,
    ("POST", "reset"): _reset,
    ("POST", "settle"): _settle,
    ("POST", "catalogs"): _create_catalogs,
    ("POST", "integrations"): _take_integrations,
    **{("GET", name): route for name, route in readback.ROUTES.items()},
}
