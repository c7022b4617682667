"""The hook for connections of type ``kakao_moment``: a business token, or what a person needs to get one."""

from __future__ import annotations

import asyncio
import json
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import SplitResult, urlsplit

from airflow.sdk import BaseHook

from activation.destinations.kakao_moment.settings import Account, Api
from activation.destinations.kakao_moment.table import Table
from activation.errors import ActivationError, ConfigurationError
from activation.hooks.connections import find_connection

if TYPE_CHECKING:
    from airflow.sdk import Connection

    from activation.destinations.kakao_moment.client import Client
    from activation.destinations.kakao_moment.consent import Consent

LOOPBACK = ("localhost", "127.0.0.1", "::1")


class KakaoMomentHook(BaseHook):
    """Reads a Kakao Moment connection.

    :param kakao_conn_id: the Airflow connection: ``password`` is a business token; ``login`` the app's REST API key, with the
        extra fields ``client_secret`` and ``redirect_uri``, by which ``activation kakao-login`` gets one. Further extra fields:
        ``ad_account_id``, ``ca_file``, ``table`` (see :mod:`activation.destinations.kakao_moment.table`) and ``auth_host``.
    :param ad_account_id: the ad account; ``None`` takes the connection's.
    :param api: which generation of Kakao's API is used.
    """

    conn_name_attr = "kakao_conn_id"
    default_conn_name = "kakao_default"
    conn_type = "kakao_moment"
    hook_name = "Kakao Moment"

    def __init__(self, kakao_conn_id: str = default_conn_name, ad_account_id: int | str | None = None, api: Api = "auto") -> None:
        super().__init__()
        self.kakao_conn_id = kakao_conn_id
        self._ad_account_id, self._api = ad_account_id, api
        self._name = f"The Kakao Moment connection {kakao_conn_id!r}"

    def get_conn(self) -> Client:
        """The client of the ad account, which is an asynchronous context manager.

        :raises ConfigurationError: if the connection is missing or incomplete; says what to enter.
        """
        client = self._client(find_connection(self.kakao_conn_id))
        if not client.account.ad_account_id:
            raise ConfigurationError(f"{self._name} names no ad account.", "Enter ad_account_id, or write it in the pipeline.")
        return client

    def table(self) -> Table:
        """What is known of Kakao Moment, with what the connection overrides.

        :raises ConfigurationError: if the connection is missing, or overrides something that there is not.
        """
        return self._table(find_connection(self.kakao_conn_id))

    def consent(self) -> Consent:
        """What a person needs to consent.

        :raises ConfigurationError: if the connection is missing or incomplete; says what to enter.
        """
        from activation.destinations.kakao_moment.consent import Consent

        connection = find_connection(self.kakao_conn_id)
        extra, facts = connection.extra_dejson, self._table(connection).consent
        if not connection.login:
            raise ConfigurationError(f"{self._name} has no REST API key.", "Enter the key of your app as its login.")
        redirect = str(extra.get("redirect_uri") or "")
        if not redirect:
            raise ConfigurationError(
                f"{self._name} has no redirect_uri.",
                "Enter the one that is registered with the app's REST API key, such as http://localhost:8085/callback.",
            )
        url = base_url(str(extra.get("auth_host") or facts.host), None, f"{self._name}, field auth_host,")
        secret, trusted = str(extra.get("client_secret") or ""), str(extra.get("ca_file") or "")
        return Consent(url, connection.login, secret, redirect, self._number(extra), facts, trusted)

    def test_connection(self) -> tuple[bool, str]:
        """Ask Kakao whether address, token and ad account are right, without changing anything."""
        try:
            return True, asyncio.run(_ask(self._client(find_connection(self.kakao_conn_id))))
        except ActivationError as error:
            return False, str(error)

    def _client(self, connection: Connection) -> Client:
        from activation.destinations.kakao_moment.client import Client

        extra, table, token = connection.extra_dejson, self._table(connection), connection.password or ""
        if not token:
            fix = f"Get one with activation kakao-login {self.kakao_conn_id} and enter it as the password."
            raise ConfigurationError(f"{self._name} has no business token.", fix)
        if not all("!" <= character <= "~" for character in token):
            raise ConfigurationError(
                f"{self._name} has white space or a letter beyond ASCII in its token.", "Enter the token again."
            )
        url = base_url(connection.host or table.api.host, connection.port, self._name)
        account = Account(url, token, self._number(extra), str(extra.get("ca_file") or ""), self.kakao_conn_id)
        return Client(account, table, self._api)

    def _table(self, connection: Connection) -> Table:
        given = connection.extra_dejson.get("table")
        return Table.overridden(_json(given) if isinstance(given, str) else given, self._name)

    def _number(self, extra: dict[str, Any]) -> str:
        number = str(self._ad_account_id or extra.get("ad_account_id") or "").strip()
        if number and not re.fullmatch(r"[0-9]{1,19}", number):
            raise ConfigurationError(f"{self._name} has the ad account {number!r}.", "Enter its number, such as 12345.")
        return number


def base_url(host: str, port: int | None, name: str) -> str:
    """An address with scheme, host and port, without a path.

    :param name: names the connection in an error.
    :raises ConfigurationError: for a path, credentials, or a token that would travel unencrypted.
    """
    parts, own_port = _split(host.strip())
    fix = "Leave the host empty for Kakao's own, or enter one such as https://apis.moment.kakao.com."
    if not parts.hostname or parts.scheme not in ("http", "https"):
        raise ConfigurationError(f"{name} has no valid host.", fix)
    if parts.username or parts.password:
        raise ConfigurationError(f"{name} has credentials in its host.", "Enter the token as the password.")
    if parts.path.strip("/") or parts.query or parts.fragment:
        raise ConfigurationError(f"{name} has a path in its host.", fix)
    if parts.scheme == "http" and parts.hostname not in LOOPBACK:
        raise ConfigurationError(f"{name} would send secrets unencrypted to {parts.hostname}.", "Use https.")
    place = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return f"{parts.scheme}://{place}:{own_port or port}" if own_port or port else f"{parts.scheme}://{place}"


def _split(host: str) -> tuple[SplitResult, int | None]:
    try:
        parts = urlsplit(host if "://" in host else f"https://{host}")
        return parts, parts.port
    except ValueError:
        return urlsplit(""), None


def _json(text: str) -> Any:
    try:
        return json.loads(text) if text.strip() else None
    except ValueError:
        return text


async def _ask(client: Client) -> str:
    async with client:
        url = client.account.url
        if not client.account.ad_account_id:
            return f"{url} knows the token, which sees {await client.accounts()} ad accounts; pipelines name theirs."
        files = await client.files()
        room = client.table.limits.files_per_account
        return f"{url} knows the token; the ad account {client.account.ad_account_id} has {len(files)} of {room} customer files."
