"""A request from its first header to the answer: who asks for what, what goes wrong on purpose, what is carried out."""

from __future__ import annotations

import asyncio
import json
import socket
import struct
import time
from contextlib import suppress
from typing import Any, Final

from aiohttp import ClientError, web

from sandbox.kakao import contract
from sandbox.kakao.errors import Cut, Refused, business, business_body, envelope, not_found, refused
from sandbox.kakao.faults import Fault
from sandbox.kakao.operations import OPERATIONS, Asked
from sandbox.kakao.routes import Route, answering, route
from sandbox.kakao.tokens import Token, demand
from sandbox.kakao.world import World

_RESET_ON_CLOSE: Final = struct.pack("ii", 1, 0)
_LONGEST_SILENCE: Final = 120.0
_STEP: Final = 0.02
"""Seconds that an answer stays away at most, and between looks whether the client has gone."""
_PIECES: Final = 10
"""In which a slow answer comes."""


async def answer(world: World, request: web.BaseRequest) -> web.StreamResponse:
    """Answer one request to the API."""
    if request.headers.get("Expect", "").lower() == "100-continue" and request.transport is not None:
        request.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
    log: dict[str, Any] = {"method": request.method, "path": request.path, "operation": "", "status": 0, "at": world.clock.now()}
    world.requests.append(log)
    fault: Fault | None = None
    try:
        asked = _admitted(world, request, log)
        fault = asked.fault
        reply = await _carried_out(asked)
    except Refused as error:
        reply = _json(error.status, error.body, error.headers)
        log["code"] = error.code
    except Cut:
        return _cut(request)
    await _drain(request)
    log["status"] = reply.status
    return await _sent(request, reply, fault)


def _admitted(world: World, request: web.BaseRequest, log: dict[str, Any]) -> Asked:
    """Everything that is checked before a body is read.

    :raises Refused: if it is not let through (C1, C2, C3, C9, C13).
    """
    settings = world.settings
    where = route(settings, request.method, request.path)
    log["operation"], log["generation"] = where.operation, where.generation
    world.calls[where.operation] += 1
    token = world.tokens.bearer(request.headers.get("Authorization"))
    if (silent := answering(settings, where.generation)) is not None:
        raise silent
    account = _account(world, request, where, token)
    log["account"] = account
    demand(token, where.scopes, settings.answers.required_scopes)
    world.pace(token, account, write=where.write)
    fault = world.faults.pick(where.operation, account)
    log["fault"] = fault.do if fault is not None else None
    return Asked(world, request, where, token, account, fault)


def _account(world: World, request: web.BaseRequest, where: Route, token: Token) -> str:
    """The ad account of the header ``adAccountId``; empty where none is asked for (C2)."""
    if where.operation == "ad_accounts":
        return ""
    account = request.headers.get("adAccountId", "")
    if not (account.isascii() and account.isdigit()):
        raise refused(-2)
    found = world.settings.accounts.get(account)
    if found is None:
        raise not_found(f"ad account {account}")
    if not found.role or (token.accounts is not None and account not in token.accounts):
        raise business(contract.NO_ROLE, "You have no permission for this ad account.", world.settings.answers.no_role_status)
    return account


async def _carried_out(asked: Asked) -> web.Response:
    """Do it, unless a fault is there to refuse it (C10)."""
    fault = asked.fault
    how = {} if fault is None else fault.how
    if fault is not None and fault.do == "reset_before":
        raise Cut
    if fault is not None and fault.do == "http":
        return web.Response(status=int(how["status"]), text="<html><body>Something went wrong.</body></html>")
    if fault is not None and fault.do in ("error", "envelope_200"):
        return _injected(fault)
    return _json(200, await OPERATIONS[asked.route.operation](asked))


def _injected(fault: Fault) -> web.Response:
    how, text = fault.how, "This fails on purpose."
    if fault.do == "envelope_200" and how["variant"] == "extras":
        return _json(200, {"extras": {"status": 400, "message": text}})
    error = refused(how["code"], status=how.get("status"))
    detailed = how["code"] == contract.BUSINESS and how["detail"] is not None
    body = business_body(how["detail"], text) if detailed else envelope(how["code"], error.body["msg"])
    return _json(200 if fault.do == "envelope_200" else error.status, body)


async def _sent(request: web.BaseRequest, reply: web.Response, fault: Fault | None) -> web.StreamResponse:
    """Send an answer, late, slowly or not at all if a fault says so."""
    if fault is None:
        return reply
    if fault.do == "delay":
        await asyncio.sleep(fault.how["ms"] / 1000)
    if fault.do == "slow_answer":
        return await _slowly(request, reply, fault.how["ms"] / 1000)
    if fault.do == "lost":
        if fault.how["how"] == "silent":
            await _silence(request)
        return _cut(request)
    return reply


async def _slowly(request: web.BaseRequest, reply: web.Response, seconds: float) -> web.StreamResponse:
    body = bytes(reply.body) if isinstance(reply.body, (bytes, bytearray)) else b""
    slow = web.StreamResponse(status=reply.status, headers={"Content-Type": reply.headers["Content-Type"]})
    slow.content_length = len(body)
    with suppress(ConnectionError, ClientError):
        await slow.prepare(request)
        for number in range(_PIECES):
            await asyncio.sleep(seconds / _PIECES)
            await slow.write(body[number * len(body) // _PIECES : (number + 1) * len(body) // _PIECES])
        await slow.write_eof()
    return slow


async def _silence(request: web.BaseRequest) -> None:
    """Say nothing until the client gives up."""
    until = time.monotonic() + _LONGEST_SILENCE
    while time.monotonic() < until and request.transport is not None and not request.transport.is_closing():  # noqa: ASYNC110
        await asyncio.sleep(_STEP)


async def _drain(request: web.BaseRequest) -> None:
    """Read what is left of the body, so that the client gets the answer and not a broken pipe."""
    while await request.content.readany():
        pass


def _json(status: int, value: Any, headers: dict[str, str] | None = None) -> web.Response:
    """A response; without a body if there is no value."""
    kind = {"Content-Type": "application/json;charset=UTF-8"}
    body = b"" if value is None else json.dumps(value, ensure_ascii=False).encode()
    return web.Response(status=status, body=body, headers={**kind, **(headers or {})})


def _cut(request: web.BaseRequest) -> web.StreamResponse:
    """Reset the connection."""
    if request.transport is not None:
        # Lingering for zero seconds makes the kernel send a reset instead of an orderly end.
        request.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        request.transport.abort()
    return web.Response()
