"""GET /cdi/integrations, POST .../sync and GET .../job_sync_status (row S15)."""

import base64
import binascii
from typing import Any

import msgspec

from sandbox.braze import contract
from sandbox.braze.cdi import Integration, is_id
from sandbox.braze.replies import Refused, Reply, json_reply, message
from sandbox.braze.stats import Exchange
from sandbox.braze.world import World

_CURSOR = "skip:"  # D: what the cursors of the examples decode to; a client must not look into them


def list_integrations(world: World, body: bytes, exchange: Exchange) -> Reply:
    """Answer the list of integrations."""
    return _page([integration.described() for integration in world.integrations.all()], exchange)


def start_sync(world: World, body: bytes, exchange: Exchange) -> Reply:
    """Answer the trigger: the run that it starts is running until another record is handed in."""
    if not world.integrations.start(_integration(world, exchange), world.clock()):
        raise Refused(message(429, contract.SYNC_IN_PROGRESS))
    return message(202, contract.SUCCESS)


def list_runs(world: World, body: bytes, exchange: Exchange) -> Reply:
    """Answer the list of an integration's runs, the latest first (I)."""
    runs = _integration(world, exchange).runs
    return _page([msgspec.to_builtins(run) for run in reversed(runs)], exchange)


def _integration(world: World, exchange: Exchange) -> Integration:
    integration_id = exchange.parameters["integration_id"]
    if not is_id(integration_id):
        raise Refused(message(400, contract.INVALID_INTEGRATION))
    found = world.integrations.find(integration_id)
    if found is None:
        raise Refused(message(404, contract.UNKNOWN_INTEGRATION))
    return found


def _page(results: list[dict[str, Any]], exchange: Exchange) -> Reply:
    cursor = exchange.query.get("cursor")
    start = 0 if cursor is None else _skipped(cursor)
    end = start + contract.CDI_PAGE
    links = []
    if cursor is not None and start > 0:
        links.append(_link(exchange.path, max(start - contract.CDI_PAGE, 0), "prev"))
    if end < len(results):
        links.append(_link(exchange.path, end, "next"))
    headers = {"Link": ",".join(links)} if links else {}
    return json_reply(200, {"results": results[start:end], "message": contract.SUCCESS}, headers)


def _link(path: str, skip: int, relation: str) -> str:
    cursor = base64.urlsafe_b64encode(f"{_CURSOR}{skip}".encode()).decode().rstrip("=")
    return f'<{path}?cursor={cursor}>; rel="{relation}"'


def _skipped(cursor: str) -> int:
    try:
        text = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True).decode()
    except (binascii.Error, ValueError):
        raise Refused(message(400, contract.INVALID_CURSOR)) from None
    number = text.removeprefix(_CURSOR)
    if text == number or not (number.isascii() and number.isdecimal()):
        raise Refused(message(400, contract.INVALID_CURSOR))
    return int(number)
