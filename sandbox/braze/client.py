"""The control routes of a running server as Python calls."""

import ssl
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import asdict
from http import HTTPStatus
from http.client import HTTPConnection, HTTPResponse, HTTPSConnection
from typing import Any

import msgspec

from sandbox.braze.control import PREFIX
from sandbox.braze.limits import Attributes, Limits
from sandbox.braze.rates import Rate
from sandbox.braze.settings import Answers, Fault, Faults, Validation, Visibility

Group = Limits | Rate | Answers | Visibility | Faults | Attributes | Validation | Mapping[str, Any]


class ControlError(RuntimeError):
    """The server refused a control request; the text says why."""


class ControlClient:
    """Reads and switches a server over HTTP; ``url`` is its base address, without a trailing slash."""

    def __init__(self, url: str) -> None:
        self.url = url

    def summary(self) -> dict[str, Any]:
        """All counts (see ``World.summary``)."""
        found: dict[str, Any] = self._call("GET", "summary")
        return found

    def users(self) -> list[dict[str, Any]]:
        """Every visible profile, sorted by identifier: identifiers and ``attributes``."""
        return list(self.lines("users.ndjson"))

    def events(self) -> list[dict[str, Any]]:
        """Every applied event in the order of application, as sent, with the ``braze_id`` of its profile."""
        return list(self.lines("events.ndjson"))

    def purchases(self) -> list[dict[str, Any]]:
        """Every applied purchase, a quantity of n as n purchases."""
        return list(self.lines("purchases.ndjson"))

    def dropped(self) -> list[dict[str, Any]]:
        """Updates that were dropped although the answer said success: request, user, ``attribute``, ``reason``."""
        return list(self.lines("dropped.ndjson"))

    def catalog_items(self, catalog: str) -> list[dict[str, Any]]:
        """Every visible item of a catalog, in the order of creation."""
        return [line["item"] for line in self.lines("catalog_items.ndjson") if line["catalog"] == catalog]

    def ignored_items(self) -> list[dict[str, Any]]:
        """Items of accepted catalog requests that changed nothing: ``catalog``, ``method``, ``id``."""
        return list(self.lines("ignored.ndjson"))

    def violations(self) -> list[dict[str, Any]]:
        """Where an exchange since the last reset broke the contract: ``request``, ``rule``, ``place``, ``message``..."""
        found: list[dict[str, Any]] = self._call("GET", "violations")
        return found

    def requests(self) -> list[dict[str, Any]]:
        """The last 200 API requests, oldest first."""
        found: list[dict[str, Any]] = self._call("GET", "requests")
        return found

    def settings(self) -> dict[str, Any]:
        """The switches as they stand."""
        found: dict[str, Any] = self._call("GET", "settings")
        return found

    def change(self, **groups: Group) -> dict[str, Any]:
        """Change switches: a mapping changes the named ones of a group, a settings object the whole group.

        Raises:
            ControlError: unknown name or a value that is not allowed.
        """
        patch = {name: dict(group) if isinstance(group, Mapping) else asdict(group) for name, group in groups.items()}
        changed: dict[str, Any] = self._call("PATCH", "settings", patch)
        return changed

    def create_catalog(self, name: str, /, **fields: str) -> None:
        """Create a catalog with fields of these types beside ``id``, without the API.

        Raises:
            ControlError: the description breaks a rule.
        """
        described = [{"name": field, "type": kind} for field, kind in {"id": "string", **fields}.items()]
        self._call("POST", "catalogs", [{"name": name, "fields": described}])

    def give_integrations(self, *integrations: Mapping[str, Any]) -> None:
        """Hand in integrations with their ``runs``, oldest first; one whose id is known replaces it.

        Raises:
            ControlError: an unknown field or a value that is not allowed.
        """
        self._call("POST", "integrations", [dict(integration) for integration in integrations])

    def integrations(self) -> list[dict[str, Any]]:
        """The integrations with their runs, triggered ones included."""
        found: list[dict[str, Any]] = self._call("GET", "integrations")
        return found

    def add_faults(self, *faults: Fault) -> None:
        """Add fault rules behind those in force."""
        self._call("POST", "faults", [asdict(fault) for fault in faults])

    def clear_faults(self) -> None:
        """Remove all fault rules."""
        self._call("DELETE", "faults")

    def reset(self) -> None:
        """Forget data, counts, violations, rate-limit windows and fault rules; keep the other switches."""
        self._call("POST", "reset")

    def settle(self) -> None:
        """Make everything that was accepted visible now."""
        self._call("POST", "settle")

    def lines(self, name: str) -> Iterator[dict[str, Any]]:
        """One of the ``*.ndjson`` routes, line by line, without holding it whole."""
        with self._answer("GET", name) as answer:
            for line in answer:
                yield msgspec.json.decode(line)

    def _call(self, method: str, name: str, value: Any = None) -> Any:
        with self._answer(method, name, value) as answer:
            return msgspec.json.decode(answer.read())

    @contextmanager
    def _answer(self, method: str, name: str, value: Any = None) -> Iterator[HTTPResponse]:
        with closing(self._connection()) as connection:
            body = None if value is None else msgspec.json.encode(value)
            connection.request(method, PREFIX + name, body, {"Content-Type": "application/json"})
            answer = connection.getresponse()
            if answer.status >= HTTPStatus.BAD_REQUEST:
                raise ControlError(msgspec.json.decode(answer.read())["error"])
            yield answer

    def _connection(self) -> HTTPConnection:
        scheme, _, address = self.url.partition("://")
        if scheme == "http":
            return HTTPConnection(address)
        # The certificate is made for the occasion, and what is read here is no secret.
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        return HTTPSConnection(address, context=context)
