"""The control routes under ``/_sandbox/``: clock, faults, switches, tokens and read-back. Nobody needs a token for them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import msgspec
from aiohttp import web

from sandbox.kakao import contract
from sandbox.kakao.customer_file import CustomerFile
from sandbox.kakao.errors import Refused
from sandbox.kakao.settings import changed
from sandbox.kakao.tokens import Token
from sandbox.kakao.world import World

PREFIX: Final = "/_sandbox/"


async def answer(world: World, request: web.BaseRequest) -> web.Response:
    """Answer one control request. Mistakes of the caller are a 400 or 404 with ``{"error": text}``."""
    body = await request.content.read()
    route = _ROUTES.get((request.method, request.path.removeprefix(PREFIX)))
    if route is None:
        known = ", ".join(f"{method} {PREFIX}{path}" for method, path in _ROUTES)
        return _reply({"error": f"no control route {request.method} {request.path}; there are: {known}"}, 404)
    try:
        return _reply(route(world, msgspec.json.decode(body) if body else dict(request.query)))
    except (KeyError, TypeError, ValueError, Refused) as error:
        return _reply({"error": str(error)}, 400)


def _advance(world: World, given: Any) -> Any:
    world.clock.advance(float(given))
    return world.clock.now()


def _add_faults(world: World, given: Any) -> Any:
    world.faults.add(given)
    return {}


def _clear_faults(world: World, given: Any) -> Any:
    world.faults.clear()
    return {}


def _change(world: World, given: Any) -> Any:
    """Any switches of :class:`sandbox.kakao.settings.Settings`; ``consent_error`` is what the authorize page shows to anybody."""
    wanted = dict(given)
    koe = wanted.pop("consent_error", world.consent_error)
    if koe and koe not in contract.KOE:
        raise ValueError(f"there is no error {koe}; there are {', '.join(contract.KOE)}")
    world.change(changed(world.settings, wanted))
    world.consent_error = koe
    return {}


def _give_token(world: World, given: Any) -> Any:
    return world.tokens.give(msgspec.convert(given, Token))


def _revoke(world: World, given: Any) -> Any:
    world.tokens.revoke(str(given))
    return {}


def _use(world: World, given: Any) -> Any:
    """An ad group begins to target a file, or none does."""
    file = _found(world, int(given["id"]))
    group = given.get("ad_group")
    if group is None:
        file.uses.clear()
    else:
        file.uses.append({"adGroupId": group, "inclusionType": given.get("inclusion", "INCLUDE")})
    return {}


def _status(world: World, given: Any) -> Any:
    """End a file's extraction now (COMPLETE, ERROR), or let it never end (WAITING, MODIFYING)."""
    file, status = _found(world, int(given["id"])), given["status"]
    if status in ("COMPLETE", "ERROR"):
        file.failing, file.due = status == "ERROR", world.clock.now()
    elif status in ("WAITING", "MODIFYING"):
        file.status, file.due = status, None
    else:
        raise ValueError(f"a file is not set to {status!r}")
    return {}


def _files(world: World, given: Any) -> Any:
    """Files as ``customerFiles`` or ``customerData`` would show them, and what was received."""
    shown = contract.DATA if world.settings.generation in ("customer_data", "retired") else contract.FILES
    now = world.clock.now()
    return [
        {
            **one.shown(shown, world.settings, now),
            "parts": one.upload.parts,
            "lines": one.upload.lines,
            "valid": one.upload.valid,
            "unique": one.upload.unique,
        }
        for one in world.files(given.get("account"))
    ]


def _calls(world: World, given: Any) -> Any:
    return {"calls": world.calls, "requests": list(world.requests)}


def _forget(world: World, given: Any) -> Any:
    world.forget()
    return {}


def _reset(world: World, given: Any) -> Any:
    world.reset()
    return {}


def _found(world: World, number: int) -> CustomerFile:
    return {one.id: one for one in world.files()}[number]


def _reply(value: Any, status: int = 200) -> web.Response:
    return web.Response(body=msgspec.json.encode(value), status=status, content_type="application/json")


_ROUTES: Final[dict[tuple[str, str], Callable[[World, Any], Any]]] = {
    ("POST", "advance"): _advance,
    ("POST", "faults"): _add_faults,
    ("DELETE", "faults"): _clear_faults,
    ("PATCH", "settings"): _change,
    ("POST", "tokens"): _give_token,
    ("POST", "revoke"): _revoke,
    ("POST", "uses"): _use,
    ("POST", "status"): _status,
    ("GET", "files"): _files,
    ("GET", "calls"): _calls,
    ("POST", "forget"): _forget,
    ("POST", "reset"): _reset,
}
