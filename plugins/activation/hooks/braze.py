"""The hook for connections of type ``braze``: an instance or a URL, and an API key."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, urlsplit

from airflow.sdk import BaseHook

from activation.destinations.braze.contract import INSTANCES, TRACK_PERMISSION
from activation.errors import ActivationError, ConfigurationError, TransientError
from activation.hooks.connections import find_connection

if TYPE_CHECKING:
    from activation.delivery.answer import Answer
    from activation.destinations.braze.wire import Endpoint

LOOPBACK = ("localhost", "127.0.0.1", "::1")


class BrazeHook(BaseHook):
    """Reads a Braze connection.

    :param braze_conn_id: the Airflow connection: ``password`` is the API key; ``host`` the REST endpoint, or the extra field
        ``instance`` one of the instances of contracts: braze 2.1 (``US-01`` … ``KR-01``).
    """

    conn_name_attr = "braze_conn_id"
    default_conn_name = "braze_default"
    conn_type = "braze"
    hook_name = "Braze"

    def __init__(self, braze_conn_id: str = default_conn_name) -> None:
        super().__init__()
        self.braze_conn_id = braze_conn_id

    def get_conn(self) -> Endpoint:
        """Where Braze is and how to get in.

        :raises ConfigurationError: if the connection is missing or incomplete; says what to enter.
        """
        from activation.destinations.braze.wire import Endpoint

        connection = find_connection(self.braze_conn_id)
        extra = connection.extra_dejson
        name = f"The Braze connection {self.braze_conn_id!r}"
        if not connection.password:
            raise ConfigurationError(f"{name} has no API key.", f"Enter a key with the permission {TRACK_PERMISSION}.")
        if not all("!" <= character <= "~" for character in connection.password):
            raise ConfigurationError(f"{name} has white space or a letter beyond ASCII in its API key.", "Enter the key again.")
        instance = str(extra.get("instance") or "")
        if instance and instance not in INSTANCES:
            raise ConfigurationError(f"{name} names the instance {instance!r}.", f"Choose one of {', '.join(INSTANCES)}.")
        host = connection.host or INSTANCES.get(instance, "")
        if not host:
            raise ConfigurationError(f"{name} has neither an instance nor a REST endpoint.", "Choose your instance.")
        url = base_url(host, connection.port, name)
        if instance and url != INSTANCES[instance]:
            raise ConfigurationError(f"{name} has the instance {instance} but the host {url}.", "Leave one of them empty.")
        return Endpoint(url, connection.password, str(extra.get("ca_file") or ""))

    def test_connection(self) -> tuple[bool, str]:
        """Ask Braze whether address, key and permission are right, without changing anything: a request with nothing in it."""
        try:
            return True, self.ask()
        except ActivationError as error:
            return False, str(error)

    def ask(self) -> str:
        """Ask Braze the same; gives its answer in words.

        :raises ActivationError: if something is wrong, or Braze does not answer now.
        """
        return _probe(self.get_conn())


def base_url(host: str, port: int | None, name: str) -> str:
    """The REST endpoint of a connection: ``https``, host and port, without a path.

    :param name: names the connection in an error.
    :raises ConfigurationError: for a dashboard's address, a path, or a key that would travel unencrypted.
    """
    parts, own_port = _split(host.strip())
    fix = "Enter your instance's REST endpoint, such as https://rest.iad-01.braze.com."
    if not parts.hostname or parts.scheme not in ("http", "https"):
        raise ConfigurationError(f"{name} has no valid host.", fix)
    if parts.username or parts.password:
        raise ConfigurationError(f"{name} has credentials in its host.", "Enter the API key as the connection's password.")
    if parts.hostname.startswith("dashboard"):
        raise ConfigurationError(f"{name} has the dashboard's address {parts.hostname}, not the REST endpoint's.", fix)
    if parts.path.strip("/") or parts.query or parts.fragment:
        raise ConfigurationError(f"{name} has a path in its host.", fix)
    if parts.scheme == "http" and parts.hostname not in LOOPBACK:
        raise ConfigurationError(f"{name} would send the API key unencrypted to {parts.hostname}.", "Use https.")
    place = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return f"{parts.scheme}://{place}:{own_port or port}" if own_port or port else f"{parts.scheme}://{place}"


def _split(host: str) -> tuple[SplitResult, int | None]:
    """The parts of a host that may have a scheme, and its port; nothing if it has no form that a host can have."""
    try:
        parts = urlsplit(host if "://" in host else f"https://{host}")
        return parts, parts.port
    except ValueError:
        return urlsplit(""), None


def _probe(endpoint: Endpoint) -> str:
    """Send a request with nothing in it, in the very way in which the rows are sent."""
    from activation.delivery.answer import Verdict

    answer = asyncio.run(_ask(endpoint))
    if answer.error is not None:
        raise answer.error
    if answer.reason.code == "no_answer":
        raise TransientError(answer.reason.message)
    if answer.verdict in (Verdict.FAILED, Verdict.LIMITED):
        return f"{endpoint.url} answers, but is not well: {answer.reason.message or answer.reason.code}"
    return f"{endpoint.url} knows the key, and the key may write users."


async def _ask(endpoint: Endpoint) -> Answer:
    import numpy as np

    from activation.delivery.items import Items
    from activation.destinations.braze.calls import track_call
    from activation.destinations.braze.contract import DEFAULT_PROFILE
    from activation.destinations.braze.wire import BrazeSink
    from activation.records.encoded import Encoded

    nothing = Encoded(memoryview(b""), np.zeros(1, np.int64), np.empty(0, np.int64), np.empty(0, np.uint64), ())
    sink = BrazeSink(endpoint, (track_call("attributes", DEFAULT_PROFILE),), in_flight=1, timeout=10)
    await sink.open()
    try:
        return await sink.send(Items(nothing, 0, 0))
    finally:
        await sink.close()
