"""The one call of STS that a writer to Kinesis may need: GetCallerIdentity."""

from __future__ import annotations

import time
from urllib.parse import parse_qs

from aiohttp import web

from sandbox.kinesis import signature
from sandbox.kinesis.errors import Refused
from sandbox.kinesis.world import World


def answer(world: World, request: web.BaseRequest, body: bytes) -> web.Response:
    """Answer a form as STS does; any other call is refused."""
    settings = world.settings
    action = parse_qs(body.decode(errors="replace")).get("Action", ["nothing"])[0]
    world.calls[action] += 1
    try:
        user = signature.check(request.headers, body, settings.keys, settings.region, time.time(), "sts")
        if action != "GetCallerIdentity":
            raise Refused("InvalidAction", f"This server knows no {action}.")
    except Refused as refused:
        text = f"<ErrorResponse><Error><Code>{refused.code}</Code><Message>{refused.message}</Message></Error></ErrorResponse>"
        return web.Response(status=403, text=text, content_type="text/xml")
    who = f"<Arn>arn:aws:iam::{settings.account}:user/{user}</Arn><UserId>{user}</UserId><Account>{settings.account}</Account>"
    result = f"<GetCallerIdentityResult>{who}</GetCallerIdentityResult>"
    return web.Response(text=f"<GetCallerIdentityResponse>{result}</GetCallerIdentityResponse>", content_type="text/xml")
