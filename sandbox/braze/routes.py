"""Which calls there are: path, permission, limits, and what carries each out (row S2)."""

import re
from collections.abc import Callable
from typing import NamedTuple

from sandbox.braze import contract
from sandbox.braze.catalog_items import change_items
from sandbox.braze.catalog_management import create_catalog, list_catalogs
from sandbox.braze.cdi_calls import list_integrations, list_runs, start_sync
from sandbox.braze.delete import delete_users
from sandbox.braze.export import export_ids
from sandbox.braze.limits import Limits
from sandbox.braze.rates import Rate, Windows
from sandbox.braze.replies import Reply
from sandbox.braze.settings import Settings
from sandbox.braze.stats import Exchange
from sandbox.braze.track import track, track_bulk, track_sync
from sandbox.braze.world import World

_CarryOut = Callable[[World, bytes, Exchange], Reply]


class Endpoint(NamedTuple):
    """One call: its name (also of its schemas), where it is, who may make it, what limits it, what carries it out.

    ``path`` is as documented, with ``{parameters}``. Calls of one ``scope`` share a rate limit.
    """

    name: str
    method: str
    path: str
    permission: str
    scope: str
    windows: Callable[[Rate], Windows]
    carry_out: _CarryOut
    takes_body: bool = True

    def permissions(self, settings: Settings) -> frozenset[str]:
        """The permissions of which a key needs one."""
        shared = self.path == contract.BULK_PATH and not settings.answers.bulk_needs_own_permission
        return frozenset({self.permission, contract.TRACK_PERMISSION} if shared else {self.permission})

    def body_limit(self, limits: Limits) -> tuple[int, int]:
        """Bytes of a body, and the status for more."""
        if self.path == contract.BULK_PATH:
            return limits.bulk_body_bytes, contract.BULK_OVER_BODY_STATUS
        return limits.body_bytes, limits.over_body_status


def _rate(name: str) -> Callable[[Rate], Windows]:
    def windows(rate: Rate) -> Windows:
        found: Windows = getattr(rate.other, name)
        return found

    return windows


def _catalogs(name: str, method: str, carry_out: _CarryOut) -> Endpoint:
    path, permission, windows = contract.CATALOGS_PATH, f"catalogs.{name}", _rate("catalogs")
    return Endpoint(f"catalogs_{name}", method, path, permission, "catalogs", windows, carry_out, takes_body=method != "GET")


def _items(verb: str, method: str) -> Endpoint:
    name, windows = f"{verb}_items", _rate("catalog_items")
    return Endpoint(f"catalogs_{name}", method, contract.ITEMS_PATH, f"catalogs.{name}", "items", windows, change_items)


def _users(name: str, path: str, scope: str, windows: Callable[[Rate], Windows], carry_out: _CarryOut) -> Endpoint:
    return Endpoint(f"users_{name}", "POST", path, f"users.{name.replace('_', '.')}", scope, windows, carry_out)


def _cdi(name: str, method: str, path: str, scope: str, carry_out: _CarryOut) -> Endpoint:
    return Endpoint(f"cdi_{name}", method, path, f"cdi.{name}", scope, _rate(scope), carry_out, takes_body=False)


_USERS = (
    _users("track", contract.TRACK_PATH, "track", lambda rate: rate.track, track),
    _users("track_bulk", contract.BULK_PATH, "bulk", lambda rate: rate.bulk, track_bulk),
    _users("track_sync", contract.SYNC_PATH, "sync", _rate("sync"), track_sync),
    _users("delete", contract.DELETE_PATH, "users", _rate("users"), delete_users),
    _users("export_ids", contract.EXPORT_PATH, "export", lambda rate: rate.export, export_ids),
)
_CATALOGS = (
    _catalogs("get", "GET", list_catalogs),
    _catalogs("create", "POST", create_catalog),
    _items("add", "POST"),
    _items("replace", "PUT"),
    _items("update", "PATCH"),
    _items("delete", "DELETE"),
)
_CDI = (
    _cdi("integration_list", "GET", contract.CDI_LIST_PATH, "cdi_list", list_integrations),
    _cdi("integration_sync", "POST", contract.CDI_SYNC_PATH, "cdi_sync", start_sync),
    _cdi("integration_job_status", "GET", contract.CDI_STATUS_PATH, "cdi_status", list_runs),
)
ENDPOINTS: tuple[Endpoint, ...] = _USERS + _CATALOGS + _CDI


class Match(NamedTuple):
    """A call and the parameters in its path."""

    endpoint: Endpoint
    parameters: dict[str, str]


_EXACT = {(endpoint.method, endpoint.path): Match(endpoint, {}) for endpoint in ENDPOINTS if "{" not in endpoint.path}
_PATTERNS = [
    (endpoint, re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", endpoint.path)))
    for endpoint in ENDPOINTS
    if "{" in endpoint.path
]


def find(method: str, path: str) -> Match | None:
    """The call that a request line names."""
    exact = _EXACT.get((method, path))
    if exact is not None:
        return exact
    for endpoint, pattern in _PATTERNS:
        found = pattern.fullmatch(path) if endpoint.method == method else None
        if found is not None:
            return Match(endpoint, found.groupdict())
    return None
