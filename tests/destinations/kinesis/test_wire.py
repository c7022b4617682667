"""Calls over real sockets, with and without TLS, and what is said when nothing comes back."""

from __future__ import annotations

import asyncio
import json
import warnings
from dataclasses import replace

import pytest

from activation.delivery.answer import Answer, Verdict
from activation.destinations.kinesis.settings import Stream
from activation.destinations.kinesis.wire import Reply, Wire
from activation.errors import ConfigurationError, TransientError
from sandbox.kinesis import KinesisSandbox

from .producing import encoded, new_stream, send, stream_at


def call(stream: Stream, action: str = "ListShards", timeout: float = 5) -> Reply | Answer:
    async def story() -> Reply | Answer:
        wire = Wire(stream, connections=1, timeout=timeout)
        await wire.open()
        try:
            return await wire.call(action, json.dumps({"StreamARN": stream.arn}).encode())
        finally:
            await wire.close()

    return asyncio.run(story())


def test_tls_with_an_own_authority_and_without() -> None:
    with KinesisSandbox(tls=True) as server:
        stream = new_stream(server)
        assert isinstance(call(stream), Reply)
        answer = call(replace(stream, verify=""))
        assert isinstance(answer, Answer)
        assert str(answer.error).startswith(f"The TLS certificate of {server.url} is not trusted. Fix: ")
        server.faults([{"do": "delay", "ms": 3_000, "operation": "ListShards"}])
        slow = call(stream, timeout=0.3)
        assert isinstance(slow, Answer)
        assert (slow.verdict, slow.unknown) == (Verdict.FAILED, True)
        assert slow.reason.message.startswith(f"{server.url} did not answer in time. If that stays so, check ")


def test_a_large_call_goes_through_without_a_warning() -> None:
    with KinesisSandbox(limits=False) as server, warnings.catch_warnings():
        warnings.simplefilter("error")
        stream = new_stream(server, 2)
        records = [(f"u{number}", bytes([number]) * 500_000) for number in range(9)]
        assert send(stream, encoded(records))[0].rejected == {}
        assert sorted((one.key, one.data) for one in server.records(stream.name)) == records


def test_nobody_there() -> None:
    answer = call(stream_at("http://127.0.0.1:1"))
    assert isinstance(answer, Answer)
    assert (answer.verdict, answer.unknown, answer.reason.code) == (Verdict.FAILED, False, "no_answer")
    assert "Connection refused" in answer.reason.message


def test_no_address_and_no_file_of_authorities() -> None:
    answer = call(replace(stream_at("http://"), sign=lambda action, body: {}))
    assert isinstance(answer, Answer)
    assert isinstance(answer.error, ConfigurationError)
    with pytest.raises(ConfigurationError, match="cannot be read"):
        call(stream_at("https://127.0.0.1:1", verify="/nowhere/ca.pem"))


@pytest.mark.parametrize(
    ("error", "verdict"), [(TransientError("STS is away."), Verdict.FAILED), (ConfigurationError("No role."), Verdict.FATAL)]
)
def test_credentials_that_cannot_be_had(error: Exception, verdict: Verdict) -> None:
    def sign(action: str, body: bytes) -> dict[str, str]:
        raise error

    answer = call(replace(stream_at("http://127.0.0.1:1"), sign=sign))
    assert isinstance(answer, Answer)
    assert answer.verdict is verdict
    assert str(error) in str(answer.error or answer.reason.message)


def test_the_signer_is_not_shown() -> None:
    assert "sign" not in repr(stream_at("http://127.0.0.1:1", secret="hush"))
