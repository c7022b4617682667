"""Calls Kakao Moment over HTTP: one call at a time, not faster than it takes them, files streamed from the disk."""

from __future__ import annotations

import asyncio
import os
import ssl
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp

from activation.destinations.kakao_moment.answers import Answer, Verdict, read_answer
from activation.destinations.kakao_moment.settings import Account
from activation.destinations.kakao_moment.table import Table
from activation.errors import ConfigurationError, TransientError

Sleep = Callable[[float], Awaitable[None]]

_CONNECT_SECONDS = 30


@dataclass(frozen=True, slots=True)
class Call:
    """What is asked.

    :ivar route: method and path, as the table has them, with the id filled in.
    :ivar what: the call, for people: ``register 'VIP'``.
    :ivar fields: text parts of a multipart body.
    :ivar paths: CSV parts of a multipart body; none: the call has no body.
    :ivar needs_account: whether the ad account is named in a header.
    """

    route: str
    what: str
    fields: Mapping[str, str] = field(default_factory=dict)
    paths: Sequence[Path] = ()
    needs_account: bool = True

    @property
    def writes(self) -> bool:
        """Whether it changes something."""
        return not self.route.startswith("GET ")


class Wire:
    """The connection to one account. Belongs to one event loop.

    :param sleep: waits that many seconds.
    """

    def __init__(self, account: Account, table: Table, sleep: Sleep = asyncio.sleep) -> None:
        self._account, self._table, self._sleep = account, table, sleep
        self._free = asyncio.Lock()
        self._after: dict[bool, float] = {}
        self._session: aiohttp.ClientSession | None = None

    async def open(self) -> None:
        """Prepare the connection.

        :raises ConfigurationError: if the file with certificate authorities cannot be read.
        """
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=1, ssl=await trust(self._account.ca_file, "Kakao Moment")),
            headers={"Authorization": f"Bearer {self._account.token}", "Accept": "application/json"},
        )
        # Else it sends a PUT or DELETE whose answer was lost once more, unseen; there is no public switch.
        self._session._retry_connection = False

    async def call(self, call: Call) -> Answer:
        """Make a call once, not before the pace allows it."""
        async with self._free:
            await self._sleep(max(0.0, self._after.get(call.writes, 0.0) - time.monotonic()))
            try:
                return await self._ask(call)
            except (aiohttp.ClientError, asyncio.TimeoutError, OSError) as error:
                return self._unanswered(error, call)
            finally:
                pace = self._table.pace
                self._after[call.writes] = time.monotonic() + (pace.write_seconds if call.writes else pace.read_seconds)

    async def _ask(self, call: Call) -> Answer:
        assert self._session is not None, "open() comes first"  # noqa: S101
        account, api = self._account, self._table.api
        method, _, path = call.route.partition(" ")
        headers = {api.account_header: account.ad_account_id} if call.needs_account else {}
        with ExitStack() as opened:
            form = await asyncio.to_thread(self._form, call, opened) if call.paths else None
            async with self._session.request(
                method, account.url + path, data=form, headers=headers, allow_redirects=False, timeout=self._patience(call)
            ) as response:
                body = await response.read()
        return read_answer(response.status, response.headers, body, account=account, table=self._table, what=call.what)

    def _form(self, call: Call, opened: ExitStack) -> aiohttp.FormData:
        """The parts of a body; files are read while they are sent."""
        form, api = aiohttp.FormData(), self._table.api
        for name, value in call.fields.items():
            form.add_field(name, value)
        for number, path in enumerate(call.paths, 1):
            file = opened.enter_context(path.open("rb"))
            form.add_field(api.file_part, file, filename=f"ids-{number}.csv", content_type=api.file_type)
        return form

    def _patience(self, call: Call) -> aiohttp.ClientTimeout:
        pace = self._table.pace
        upload = sum(path.stat().st_size for path in call.paths) / pace.slowest_bytes
        return aiohttp.ClientTimeout(
            total=_CONNECT_SECONDS + pace.idle_seconds + upload, sock_connect=_CONNECT_SECONDS, sock_read=pace.idle_seconds
        )

    def _unanswered(self, error: BaseException, call: Call) -> Answer:
        """No answer: a certificate or an address to correct, or something that may pass."""
        url, connection = self._account.url, self._account.connection
        if isinstance(error, aiohttp.InvalidURL):
            wrong = ConfigurationError(f"{url} is no address.", f"Correct the host of the connection {connection}.")
            return Answer(Verdict.REFUSED, error=wrong)
        if isinstance(error, aiohttp.ClientConnectorCertificateError):
            fix = "Check the host, or name your own certificate authority in the connection's extra field ca_file."
            return Answer(Verdict.REFUSED, error=ConfigurationError(f"The TLS certificate of {url} is not trusted.", fix))
        if isinstance(error, FileNotFoundError) and error.filename:
            return Answer(Verdict.REFUSED, error=TransientError(f"Could not {call.what}: {error.filename} is gone."))
        what = "did not answer in time" if isinstance(error, asyncio.TimeoutError) else f"could not be reached ({name_of(error)})"
        failed = TransientError(f"Could not {call.what}: {url} {what}. If that stays so, check the host of {connection}.")
        return Answer(Verdict.LATER, error=failed, unknown=not isinstance(error, aiohttp.ClientConnectorError))

    async def close(self) -> None:
        """Close the connection."""
        if self._session is not None:
            await self._session.close()


async def trust(ca_file: str, name: str) -> ssl.SSLContext | bool:
    """The certificate authorities to trust, as aiohttp takes them.

    :param ca_file: their file; empty: the system's.
    :param name: names the connection's type in an error.
    :raises ConfigurationError: if the file cannot be read.
    """
    if not ca_file:
        return True
    try:
        return await asyncio.to_thread(ssl.create_default_context, cafile=ca_file)
    except OSError as error:
        raise ConfigurationError(
            f"The ca_file {ca_file} of the {name} connection cannot be read: {error}.", "Correct its path."
        ) from error


def name_of(error: BaseException) -> str:
    """What went wrong on the line, without addresses or headers."""
    cause = getattr(error, "os_error", None) or error
    if isinstance(cause, OSError) and cause.errno is not None:
        return os.strerror(cause.errno) if cause.errno > 0 else str(cause.strerror)  # a name service's errors are negative
    return type(cause).__name__
