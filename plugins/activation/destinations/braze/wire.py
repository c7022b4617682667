"""Sends requests to Braze over HTTP and hands their answers to the engine."""

from __future__ import annotations

import asyncio
import os
import socket
import ssl
from dataclasses import dataclass, field

import aiohttp

from activation.delivery.answer import Answer, Reason, Verdict
from activation.delivery.items import Items
from activation.destinations.braze.answers import read_answer
from activation.destinations.braze.calls import Call
from activation.errors import ConfigurationError


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where Braze is and how to get in.

    :ivar url: the instance's REST endpoint without a path.
    :ivar key: the API key; never shown.
    :ivar ca_file: certificate authorities to trust instead of the system's; empty: the system's.
    """

    url: str
    key: str = field(repr=False)
    ca_file: str = ""


class BrazeSink:
    """A :class:`~activation.delivery.answer.Sink` for the calls of one data type.

    :param calls: where the items of each group go.
    :param in_flight: most connections.
    :param timeout: seconds until a request counts as unanswered.
    """

    def __init__(self, endpoint: Endpoint, calls: tuple[Call, ...], *, in_flight: int, timeout: float) -> None:
        self._endpoint, self._calls = endpoint, calls
        self._in_flight, self._timeout = in_flight, timeout
        self._session: aiohttp.ClientSession | None = None
        self._answered = False

    async def open(self) -> None:
        """Prepare the connections.

        :raises ConfigurationError: if the file with certificate authorities cannot be read.
        """
        context: ssl.SSLContext | bool = True
        if self._endpoint.ca_file:
            try:
                context = await asyncio.to_thread(ssl.create_default_context, cafile=self._endpoint.ca_file)
            except OSError as error:
                raise ConfigurationError(
                    f"The Braze connection's ca_file {self._endpoint.ca_file} cannot be read: {error}.", "Correct its path."
                ) from error
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=self._in_flight, ssl=context),
            headers={"Authorization": f"Bearer {self._endpoint.key}", "Content-Type": "application/json"},
            timeout=aiohttp.ClientTimeout(total=self._timeout),
        )

    async def send(self, items: Items) -> Answer:
        """Send one request; see :class:`~activation.delivery.answer.Sink`."""
        assert self._session is not None, "open() comes first"  # noqa: S101
        call = self._calls[items.group]
        url = self._endpoint.url + call.path
        try:
            async with self._session.request(call.method, url, data=call.body(items.data), allow_redirects=False) as response:
                content = await response.read()
        except (aiohttp.ClientError, asyncio.TimeoutError, OSError) as error:
            return self._unanswered(error)
        self._answered = True
        return read_answer(response.status, response.headers, content, count=len(items), call=call, secret=self._endpoint.key)

    def _unanswered(self, error: BaseException) -> Answer:
        """No answer: a wrong address if there never was one and it cannot be one, else something that may pass."""
        url = self._endpoint.url
        if not self._answered and (isinstance(error, aiohttp.InvalidURL) or _no_such_name(error)):
            fix = "Set the connection's host to your instance's REST endpoint, such as https://rest.iad-01.braze.com."
            return Answer(Verdict.FATAL, error=ConfigurationError(f"There is no host {url}.", fix))
        if isinstance(error, aiohttp.ClientConnectorCertificateError):
            fix = "Check the host, or name your own certificate authority in the connection's extra field ca_file."
            return Answer(Verdict.FATAL, error=ConfigurationError(f"The TLS certificate of {url} is not trusted.", fix))
        if not self._answered and isinstance(error, aiohttp.ClientConnectorSSLError):
            return Answer(
                Verdict.FATAL, error=ConfigurationError(f"{url} does not speak TLS.", "Check the connection's host and port.")
            )
        what = "did not answer in time" if isinstance(error, asyncio.TimeoutError) else f"could not be reached ({_name(error)})"
        reason = Reason("no_answer", f"{url} {what}. If that stays so, check the connection's host.")
        return Answer(Verdict.FAILED, reason, unknown=not isinstance(error, aiohttp.ClientConnectorError))

    async def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()


def _no_such_name(error: BaseException) -> bool:
    """Whether the name service knows that there is no such host; that it does not answer may pass."""
    cause = error.os_error if isinstance(error, aiohttp.ClientConnectorDNSError) else None
    return cause is not None and cause.errno != socket.EAI_AGAIN


def _name(error: BaseException) -> str:
    cause = getattr(error, "os_error", None) or error
    if isinstance(cause, OSError) and cause.errno is not None:
        return os.strerror(cause.errno) if cause.errno > 0 else str(cause.strerror)  # a name service's errors are negative
    return str(cause) or type(cause).__name__
