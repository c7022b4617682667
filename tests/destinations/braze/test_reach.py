"""The way to the host: names, certificates, and what a person is told where the way is wrong."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path
from typing import Any

import pytest

from activation.delivery.answer import Answer, Verdict
from activation.delivery.items import Items
from activation.destinations.braze.wire import BrazeSink, Endpoint
from activation.errors import ConfigurationError
from sandbox.braze import BrazeSandbox, Tls
from sandbox.tls import private_authority
from tests.records.encoding import ATTRIBUTES, encode

from .asking import ask, at, problem, trouble

HOST_FIX = "Set the connection's host to your instance's REST endpoint, such as https://rest.iad-01.braze.com."


@pytest.fixture
def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Lets the system's name service fail in a chosen way."""

    def fail(code: int) -> None:
        def look_up(*_: Any, **__: Any) -> None:
            raise socket.gaierror(code, "the name service says no")

        monkeypatch.setattr(socket, "getaddrinfo", look_up)

    return fail


def _unknown(*_: Any, **__: Any) -> None:
    raise socket.gaierror(socket.EAI_NONAME, "unknown")


def test_a_private_authority_is_trusted_if_it_is_named(tmp_path: Path) -> None:
    files = private_authority(tmp_path)
    with BrazeSandbox(tls=Tls(files.certificate, files.private_key)) as server:
        url = server.url.replace("127.0.0.1", "localhost")
        assert ask(Endpoint(server.url, server.key, files.ca_file)).verdict is Verdict.ACCEPTED
        assert ask(Endpoint(url, server.key, files.ca_file)).verdict is Verdict.ACCEPTED
        assert problem(ask(Endpoint(url, server.key))) == (
            f"The TLS certificate of {url} is not trusted. "
            "Fix: Check the host, or name your own certificate authority in the connection's extra field ca_file."
        )
        assert server.summary()["requests"]["total"] == 2


def test_a_certificate_for_another_host_is_not_trusted(tmp_path: Path) -> None:
    files = private_authority(tmp_path, host="rest.example.com")
    with BrazeSandbox(tls=Tls(files.certificate, files.private_key)) as server:
        answer = ask(Endpoint(server.url, server.key, files.ca_file))
    assert problem(answer).startswith(f"The TLS certificate of {server.url} is not trusted.")


def test_a_server_without_tls(server: BrazeSandbox) -> None:
    url = server.url.replace("http:", "https:")
    assert problem(ask(Endpoint(url, server.key))) == f"{url} does not speak TLS. Fix: Check the connection's host and port."


@pytest.mark.parametrize("content", [None, "not a certificate"])
def test_a_file_of_authorities_that_is_none(tmp_path: Path, content: str | None) -> None:
    file = tmp_path / "ca.pem"
    if content is not None:
        file.write_text(content)
    with pytest.raises(ConfigurationError) as raised:
        ask(Endpoint("https://localhost:1", "key", str(file)))
    assert raised.value.problem.startswith(f"The Braze connection's ca_file {file} cannot be read: ")
    assert raised.value.fix == "Correct its path."


def test_nobody_listens(free_port: int) -> None:
    url = f"http://127.0.0.1:{free_port}"
    assert trouble(ask(Endpoint(url, "key"))) == (
        f"{url} could not be reached (Connection refused). If that stays so, check the connection's host."
    )


def test_an_unknown_host(names: Any) -> None:
    names(socket.EAI_NONAME)
    url = "https://rest.iad-99.braze.com"
    assert problem(ask(Endpoint(url, "key"))) == f"There is no host {url}. Fix: {HOST_FIX}"


def test_a_name_service_that_does_not_answer_may_come_back(names: Any) -> None:
    names(socket.EAI_AGAIN)
    url = "https://rest.iad-01.braze.com"
    assert trouble(ask(Endpoint(url, "key"))) == (
        f"{url} could not be reached (the name service says no). If that stays so, check the connection's host."
    )


def test_a_host_that_is_no_host() -> None:
    assert problem(ask(Endpoint("http://[::1", "key"))) == f"There is no host http://[::1. Fix: {HOST_FIX}"


def test_a_host_that_was_there_may_come_back(server: BrazeSandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """After one answer an unknown name is the name service's trouble, not the connection's."""
    encoded = encode({"external_id": "u"})
    endpoint = at(server, url=server.url.replace("127.0.0.1", "localhost"))

    async def send() -> list[Answer]:
        sink = BrazeSink(endpoint, ATTRIBUTES, in_flight=2, timeout=5)
        await sink.open()
        try:
            first = await sink.send(Items(encoded, 0, 1))
            await sink.close()
            await sink.open()  # with connections and names forgotten
            monkeypatch.setattr(socket, "getaddrinfo", _unknown)
            return [first, await sink.send(Items(encoded, 0, 1))]
        finally:
            await sink.close()

    first, second = asyncio.run(send())
    assert first.verdict is Verdict.ACCEPTED
    assert trouble(second).startswith(f"{endpoint.url} could not be reached")


def test_an_address_that_is_moved_is_not_followed(server: BrazeSandbox) -> None:
    """The key must not travel to wherever an answer points."""

    async def story() -> tuple[Answer, list[bytes]]:
        heads: list[bytes] = []

        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            heads.append(await reader.readuntil(b"\r\n\r\n"))
            writer.write(f"HTTP/1.1 307 Moved\r\nLocation: {server.url}/users/track\r\nContent-Length: 0\r\n\r\n".encode())
            await writer.drain()
            writer.close()

        listening = await asyncio.start_server(answer, "127.0.0.1", 0)
        url = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
        encoded = encode({"external_id": "u"})
        sink = BrazeSink(Endpoint(url, "key"), ATTRIBUTES, in_flight=1, timeout=5)
        await sink.open()
        found = await sink.send(Items(encoded, 0, 1))
        await sink.close()
        listening.close()
        return found, heads

    answer, heads = asyncio.run(story())
    assert problem(answer).startswith("The Braze connection's host answered 307 with something that is not JSON")
    (head,) = heads
    lines = head.decode().split("\r\n")
    assert lines[0] == "POST /users/track HTTP/1.1"
    assert "Authorization: Bearer key" in lines
    assert "Content-Type: application/json" in lines
    assert server.summary()["requests"]["total"] == 0
