"""Calls Kinesis over HTTP: signed JSON 1.1."""

from __future__ import annotations

import asyncio
import os
import ssl
from collections.abc import Mapping
from dataclasses import dataclass

import aiohttp

from activation.delivery.answer import Answer, Reason, Verdict
from activation.destinations.kinesis.errors import judge
from activation.destinations.kinesis.settings import Stream
from activation.errors import ActivationError, ConfigurationError, TransientError

CONTENT_TYPE = "application/x-amz-json-1.1"
TARGET = "Kinesis_20131202"

_PIECE = 256 * 1024
"""Bytes that are handed to a connection at once."""


@dataclass(frozen=True, slots=True)
class Reply:
    """The answer to a call that went through."""

    body: bytes


class Wire:
    """The connections to one stream. Belongs to one event loop.

    :param connections: most calls under way at the same time; further ones wait.
    :param timeout: seconds until a call counts as unanswered.
    """

    def __init__(self, stream: Stream, *, connections: int, timeout: float) -> None:
        self._stream, self._timeout = stream, timeout
        self._connections = connections
        self._free = asyncio.Semaphore(connections)
        self._session: aiohttp.ClientSession | None = None

    async def open(self) -> None:
        """Prepare the connections.

        :raises ConfigurationError: if the file with certificate authorities cannot be read.
        """
        context: ssl.SSLContext | bool = True
        if self._stream.verify:
            try:
                context = await asyncio.to_thread(ssl.create_default_context, cafile=self._stream.verify)
            except OSError as error:
                raise ConfigurationError(
                    f"The file of certificate authorities {self._stream.verify} cannot be read: {error}.",
                    "Correct verify in the extra field of the Kinesis connection.",
                ) from error
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=self._connections, ssl=context),
            timeout=aiohttp.ClientTimeout(total=self._timeout),
            skip_auto_headers=("Accept", "Accept-Encoding", "User-Agent"),
        )

    async def call(self, action: str, body: bytes) -> Reply | Answer:
        """Call an action.

        :returns: the content of a 200; for anything else what it means, with verdict ``FAILED``, ``REFUSED`` or ``FATAL``.
        """
        assert self._session is not None, "open() comes first"  # noqa: S101
        stream = self._stream
        async with self._free:
            try:
                # Hashing a large body and fetching credentials would hold up the loop.
                headers = await asyncio.to_thread(stream.sign, action, body)
            except TransientError as error:
                return Answer(Verdict.FAILED, Reason("no_credentials", str(error)))
            except ActivationError as error:
                return Answer(Verdict.FATAL, error=error)
            try:
                status, told, content = await self._post(self._session, headers, body)
            except (aiohttp.ClientError, asyncio.TimeoutError, OSError) as error:
                return self._unanswered(error)
        return Reply(content) if status == 200 else judge(status, told, content, action=action, stream=stream)

    async def _post(
        self, session: aiohttp.ClientSession, headers: Mapping[str, str], body: bytes
    ) -> tuple[int, Mapping[str, str], bytes]:
        async with session.post(self._stream.url, data=_Body(body), headers=headers, allow_redirects=False) as response:
            return response.status, response.headers, await response.read()

    def _unanswered(self, error: BaseException) -> Answer:
        url = self._stream.url
        if isinstance(error, aiohttp.InvalidURL):
            return Answer(
                Verdict.FATAL, error=ConfigurationError(f"{url} is no address.", "Correct the connection's endpoint_url.")
            )
        if isinstance(error, aiohttp.ClientConnectorCertificateError):
            fix = "Check the connection's endpoint_url, or name your own certificate authority in its extra field verify."
            return Answer(Verdict.FATAL, error=ConfigurationError(f"The TLS certificate of {url} is not trusted.", fix))
        what = "did not answer in time" if isinstance(error, asyncio.TimeoutError) else f"could not be reached ({_name(error)})"
        reason = Reason(
            "no_answer", f"{url} {what}. If that stays so, check the region, endpoint_url and the network's way there."
        )
        return Answer(Verdict.FAILED, reason, unknown=not isinstance(error, aiohttp.ClientConnectorError))

    async def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()


class _Body(aiohttp.payload.Payload):
    """A large body that is written without a copy, in pieces between which others may send."""

    def __init__(self, content: bytes) -> None:
        super().__init__(content, content_type=CONTENT_TYPE)
        self._content = content

    @property
    def size(self) -> int:
        return len(self._content)

    def decode(self, encoding: str = "utf-8", errors: str = "strict") -> str:
        return self._content.decode(encoding, errors)

    async def write(self, writer: aiohttp.abc.AbstractStreamWriter) -> None:
        view = memoryview(self._content)
        for start in range(0, len(view), _PIECE):
            await writer.write(view[start : start + _PIECE])


def _name(error: BaseException) -> str:
    cause = getattr(error, "os_error", None) or error
    if isinstance(cause, OSError) and cause.errno is not None:
        return os.strerror(cause.errno) if cause.errno > 0 else str(cause.strerror)  # a name service's errors are negative
    return str(cause) or type(cause).__name__
