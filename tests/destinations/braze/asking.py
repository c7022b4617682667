"""Sends rows through the real sink and takes its answers apart."""

from __future__ import annotations

import asyncio
from typing import Any

from activation.delivery.answer import Answer, Verdict
from activation.delivery.items import Items
from activation.destinations.braze.wire import BrazeSink, Endpoint
from activation.errors import ConfigurationError
from sandbox.braze import BrazeSandbox
from tests.records.encoding import ATTRIBUTES, encode


def ask(endpoint: Endpoint, *rows: dict[str, Any], times: int = 1, timeout: float = 10) -> Answer:
    """Send the rows as one request, and give the last answer."""
    encoded = encode(*(rows or ({"external_id": "u1", "payload": '{"plan":"pro"}'},)))

    async def send() -> Answer:
        sink = BrazeSink(endpoint, ATTRIBUTES, in_flight=2, timeout=timeout)
        await sink.open()
        try:
            answers = [await sink.send(Items(encoded, 0, len(encoded.rows))) for _ in range(times)]
        finally:
            await sink.close()
        return answers[-1]

    return asyncio.run(send())


def at(server: BrazeSandbox, **changes: str) -> Endpoint:
    """The server's address and first key, with changes."""
    return Endpoint(**{"url": server.url, "key": server.key, **changes})


def problem(answer: Answer) -> str:
    """What a person is told to mend."""
    assert answer.verdict is Verdict.FATAL
    assert isinstance(answer.error, ConfigurationError)
    return str(answer.error)


def trouble(answer: Answer) -> str:
    """What went wrong on the way."""
    assert (answer.verdict, answer.reason.code) == (Verdict.FAILED, "no_answer")
    return answer.reason.message
