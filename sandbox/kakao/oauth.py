"""The consent side: authorize page, token, token info (4, C11). Kakao has it on hosts of its own; here it is on the same one."""

from __future__ import annotations

import json
from collections.abc import Mapping
from html import escape
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode

from aiohttp import web

from sandbox.kakao import contract
from sandbox.kakao.errors import Refused
from sandbox.kakao.settings import OAuth
from sandbox.kakao.tokens import Code, Token
from sandbox.kakao.world import World

PATHS: Final = (contract.AUTHORIZE, contract.TOKEN, contract.TOKEN_INFO)
_PARAMETERS: Final = ("client_id", "response_type", "redirect_uri", "scope", "state", "resource_ids")
_ALWAYS_SHOWN: Final = ("KOE008", "KOE101", "KOE028")
_LARGEST_FORM: Final = 1 << 16


async def answer(world: World, request: web.BaseRequest) -> web.Response:
    """Answer one request of the consent side."""
    world.calls[request.path.rpartition("/")[2]] += 1
    if request.path == contract.TOKEN_INFO:
        return _info(world, request)
    form = dict(parse_qsl((await request.content.read(_LARGEST_FORM)).decode(errors="replace"), keep_blank_values=True))
    if request.path == contract.TOKEN:
        return _token(world, form) if request.method == "POST" else web.Response(status=405)
    return _authorize(world, request.query, form.get("choice") if request.method == "POST" else None)


def _authorize(world: World, query: Mapping[str, str], choice: str | None) -> web.Response:
    """The page that asks for consent, or what follows its buttons.

    :param choice: ``agree`` or ``deny`` once a button was pressed.
    """
    settings = world.settings.oauth
    mistake = _mistake(settings, query)
    koe = mistake if mistake in _ALWAYS_SHOWN else world.consent_error or mistake
    if koe:
        word, text = contract.KOE[koe]
        if settings.errors == "redirect" and koe not in _ALWAYS_SHOWN:
            return _redirect(query, {"error": word, "error_description": f"{text} ({koe})"})
        return _page(f"<h1>{koe}</h1><p>{escape(text)}</p>", 400)
    choice = choice or (settings.consent if settings.consent != "ask" else None)
    if choice is None:  # it asks every time, whatever was agreed to before
        items = "".join(f"<li>{escape(one)}</li>" for one in query["scope"].split(","))
        buttons = "".join(f'<button name="choice" value="{one}">{one}</button>' for one in ("agree", "deny"))
        return _page(f'<p>The app asks for:</p><ul>{items}</ul><form method="post">{buttons}</form>')
    if choice != "agree":
        return _redirect(query, {"error": "access_denied", "error_description": "User denied access"})
    code = Code(
        Token(scopes=tuple(query["scope"].split(",")), accounts=_accounts(query.get("resource_ids", ""))),
        query["client_id"],
        query["redirect_uri"],
        world.clock.now(),
    )
    return _redirect(query, {"code": world.tokens.keep(code)})


def _mistake(settings: OAuth, query: Mapping[str, str]) -> str:
    """What is wrong with an authorize request; empty if nothing is (4.3)."""
    scopes = query.get("scope", "").split(",")
    resources = [one for one in query.get("resource_ids", "").split(",") if one]
    checks = (
        ("KOE008", query.get("client_id") == settings.native_key),
        ("KOE101", query.get("client_id") != settings.rest_key),
        ("KOE028", query.get("redirect_uri") not in settings.redirect_uris),
        ("KOE201", query.get("response_type") != "code"),
        ("KOE233", not set(query) <= set(_PARAMETERS)),
        ("KOE232", not set(scopes) <= set(settings.consents)),
        ("KOE233", contract.CREATE in scopes and "moment:*" not in resources),
        ("KOE233", any(not one.startswith("moment:") for one in resources)),
    )
    return next((koe for koe, wrong in checks if wrong), "")


def _accounts(resource_ids: str) -> tuple[str, ...] | None:
    """The ad accounts of ``moment:12345,moment:54321``; ``None`` for all."""
    named = tuple(one.removeprefix("moment:") for one in resource_ids.split(",") if one)
    return None if not named or "*" in named else named


def _token(world: World, form: Mapping[str, str]) -> web.Response:
    """Exchange a code. The answer has neither ``refresh_token`` nor ``expires_in``."""
    settings, code = world.settings.oauth, world.tokens.codes.get(form.get("code", ""))
    if form.get("grant_type") != "authorization_code":
        return _koe("KOE201", 400)
    if form.get("client_id") != settings.rest_key:
        return _koe("KOE101", 401)
    if settings.secret_needed and form.get("client_secret") != settings.business_secret:
        return _koe("KOE010", 401)
    if code is None or code.used or world.clock.now() - code.born > contract.CODE_SECONDS:
        return _koe("KOE320", 400)
    if form.get("redirect_uri") != code.redirect_uri:
        return _koe("KOE303", 400)
    code.used = True
    text = world.tokens.give(code.token)
    return _json(200, {"token_type": "bearer", "access_token": text, "scope": " ".join(code.token.scopes)})


def _info(world: World, request: web.BaseRequest) -> web.Response:
    """Who a business token is of; nobody saw the answer's shape (I)."""
    try:
        token = world.tokens.bearer(request.headers.get("Authorization"))
    except Refused as error:
        return _json(error.status, error.body)
    return _json(200, {"user_id": token.user, "scopes": list(token.scopes)})


def _redirect(query: Mapping[str, str], values: Mapping[str, str]) -> web.Response:
    state = {"state": query["state"]} if "state" in query else {}
    joint = "&" if "?" in query["redirect_uri"] else "?"
    return web.Response(status=302, headers={"Location": f"{query['redirect_uri']}{joint}{urlencode({**values, **state})}"})


def _koe(koe: str, status: int) -> web.Response:
    word, text = contract.KOE[koe]
    return _json(status, {"error": word, "error_description": text, "error_code": koe})


def _json(status: int, value: Any) -> web.Response:
    return web.Response(
        status=status, body=json.dumps(value).encode(), headers={"Content-Type": "application/json;charset=UTF-8"}
    )


def _page(content: str, status: int = 200) -> web.Response:
    page = f'<!doctype html><html><head><meta charset="utf-8"><title>Consent</title></head><body>{content}</body></html>'
    return web.Response(status=status, text=page, content_type="text/html", charset="utf-8")
