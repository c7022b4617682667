"""The sink over real sockets, against the contract server: what goes through, and what it says when nothing does."""

from __future__ import annotations

import asyncio
import gc
import json
import pickle
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from activation.delivery.answer import Answer, Verdict
from activation.delivery.items import Items
from activation.destinations.braze.wire import Endpoint, TrackSink
from activation.errors import ConfigurationError
from sandbox.braze import ApiKey, BrazeSandbox, Fault, Tls
from tests.records.encoding import encode
from tests.support.tls import private_authority

HOST_FIX = "Set the connection's host to your instance's REST endpoint, such as https://rest.iad-01.braze.com."


def ask(endpoint: Endpoint, *rows: dict[str, Any], times: int = 1, timeout: float = 10) -> Answer:
    """Send the rows as one request, and give the last answer."""
    encoded = encode(*(rows or ({"external_id": "u1", "payload": '{"plan":"pro"}'},)))

    async def send() -> Answer:
        sink = TrackSink(endpoint, array="attributes", in_flight=2, timeout=timeout)
        await sink.open()
        try:
            answers = [await sink.send(Items(encoded, 0, len(encoded.rows))) for _ in range(times)]
        finally:
            await sink.close()
        return answers[-1]

    return asyncio.run(send())


@pytest.fixture
def server() -> Iterator[BrazeSandbox]:
    with BrazeSandbox() as running:
        yield running


@pytest.fixture
def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def at(server: BrazeSandbox, **changes: str) -> Endpoint:
    return Endpoint(**{"url": server.url, "key": server.key, **changes})


def problem(answer: Answer) -> str:
    assert answer.verdict is Verdict.FATAL
    assert isinstance(answer.error, ConfigurationError)
    return str(answer.error)


def trouble(answer: Answer) -> str:
    assert (answer.verdict, answer.reason.code) == (Verdict.FAILED, "no_answer")
    return answer.reason.message


def test_rows_arrive_as_they_were_written(server: BrazeSandbox) -> None:
    payload = {"이름": '김"철수"', "n": 12345678901234567890, "deep": {"a": [1, 2.5, True]}, "gone": "\\,}"}
    rows = [{"external_id": "u\n1", "payload": json.dumps(payload)}, {"email": "a@example.com"}]
    answer = ask(at(server), *rows)
    assert answer.verdict is Verdict.ACCEPTED
    assert answer.rate is not None
    assert answer.rate.limit == 3_000
    users = server.users()
    assert {user.get("external_id"): user["attributes"] for user in users if "external_id" in user} == {"u\n1": payload}
    assert server.summary()["objects"]["attributes"] == {"received": 2, "accepted": 2, "rejected": 0, "resent": 0}


def test_a_refused_row_is_named_and_the_others_are_in(server: BrazeSandbox) -> None:
    answer = ask(at(server), {"external_id": "u1"}, {"external_id": "u2", "payload": '{"email":"no"}'}, {"external_id": "u3"})
    assert answer.verdict is Verdict.ACCEPTED
    assert {index: reason.code for index, reason in answer.rejected.items()} == {1: "email_bad_format"}
    assert server.summary()["profiles"] == 2


def test_a_request_with_nothing_in_it_tells_whether_the_key_is_good(server: BrazeSandbox) -> None:
    nothing = {"external_id": "u", "payload": None}
    answer = ask(at(server), nothing)
    assert (answer.verdict, answer.rejected) == (Verdict.ACCEPTED, {})
    assert server.requests()[-1]["status"] == "400"
    assert ask(at(server, key="wrong"), nothing).verdict is Verdict.FATAL
    assert server.summary()["profiles"] == 0


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


def test_a_wrong_key(server: BrazeSandbox) -> None:
    answer = ask(at(server, key="wrong-key-0815"))
    assert problem(answer) == (
        "Braze refused the API key with 401 (Invalid API key: ***). "
        "Fix: Check that the connection's key is complete and belongs to the workspace and instance of its host."
    )
    assert answer.rate is None
    assert "0815" not in repr(answer)
    assert b"0815" not in pickle.dumps(answer)


def test_a_key_without_the_permission() -> None:
    with BrazeSandbox(keys=[ApiKey("reader", frozenset({"users.export.ids"}))]) as server:
        assert problem(ask(at(server))) == (
            "Braze forbids the call with 403 (Access Denied). "
            "Fix: Give the API key the permission users.track; the connection's host must have no path."
        )


def test_the_key_is_not_shown() -> None:
    endpoint = Endpoint("https://rest.iad-01.braze.com", "topsecret")
    sink = TrackSink(endpoint, array="attributes", in_flight=1, timeout=1)
    assert "topsecret" not in repr(endpoint) + str(endpoint) + repr(sink)


def test_nobody_listens(free_port: int) -> None:
    url = f"http://127.0.0.1:{free_port}"
    assert trouble(ask(Endpoint(url, "key"))) == (
        f"{url} could not be reached (Connection refused). If that stays so, check the connection's host."
    )


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Lets the system's name service fail in a chosen way."""

    def fail(code: int) -> None:
        def look_up(*_: Any, **__: Any) -> None:
            raise socket.gaierror(code, "the name service says no")

        monkeypatch.setattr(socket, "getaddrinfo", look_up)

    return fail


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
        sink = TrackSink(endpoint, array="attributes", in_flight=2, timeout=5)
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


def _unknown(*_: Any, **__: Any) -> None:
    raise socket.gaierror(socket.EAI_NONAME, "unknown")


def test_a_slow_answer_times_out_and_says_so(server: BrazeSandbox) -> None:
    server.add_faults(Fault("slow", delay_ms=2_000))
    assert trouble(ask(at(server), timeout=0.2)) == (
        f"{server.url} did not answer in time. If that stays so, check the connection's host."
    )
    server.clear_faults()
    assert ask(at(server), timeout=5).verdict is Verdict.ACCEPTED


@pytest.mark.parametrize(("applied", "profiles"), [(False, 0), (True, 1)])
def test_a_connection_that_is_cut_before_or_after_the_rows_are_in(server: BrazeSandbox, applied: bool, profiles: int) -> None:
    server.add_faults(Fault("reset", times=1, applied=applied))
    assert trouble(ask(at(server))) == (
        f"{server.url} could not be reached (Connection reset by peer). If that stays so, check the connection's host."
    )
    assert server.summary()["profiles"] == profiles
    assert server.summary()["requests"]["by_status"] == {"reset": 1}, "it is the engine that asks again, not the connection"


def test_a_connection_that_is_cut_while_others_were_kept(server: BrazeSandbox) -> None:
    server.add_faults(Fault("reset", contains="poison"))
    assert trouble(ask(at(server), {"external_id": "poison"}, times=2))
    assert server.summary()["requests"]["by_status"] == {"reset": 2}


@pytest.mark.parametrize(
    ("fault", "verdict"),
    [
        (Fault("500"), Verdict.FAILED),
        (Fault("502"), Verdict.FAILED),
        (Fault("503", applied=True), Verdict.FAILED),
        (Fault("504"), Verdict.FAILED),
        (Fault("queued"), Verdict.ACCEPTED),
        (Fault("slow", delay_ms=5), Verdict.ACCEPTED),
    ],
)
def test_faults_of_the_server(server: BrazeSandbox, fault: Fault, verdict: Verdict) -> None:
    server.add_faults(fault)
    answer = ask(at(server))
    assert answer.verdict is verdict
    assert answer.rate is not None
    assert server.summary()["profiles"] == (fault.applied or verdict is Verdict.ACCEPTED)


def test_too_many_items_and_too_many_bytes_are_refused(server: BrazeSandbox) -> None:
    many = [{"external_id": f"u{number}"} for number in range(76)]
    answer = ask(at(server), *many)
    assert (answer.verdict, answer.reason.message) == (Verdict.REFUSED, "Braze answered 400: Max Input Length Exceeded")
    large = [{"external_id": f"u{number}", "payload": json.dumps({"text": "x" * 1_000_000})} for number in range(5)]
    answer = ask(at(server), *large)
    assert (answer.verdict, answer.reason.message) == (Verdict.REFUSED, "Braze answered 413: Request Entity Too Large")
    assert server.summary()["profiles"] == 0


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
        sink = TrackSink(Endpoint(url, "key"), array="attributes", in_flight=1, timeout=5)
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


@pytest.mark.filterwarnings("error::ResourceWarning")
def test_a_closed_sink_leaves_no_connection_open(server: BrazeSandbox) -> None:
    assert ask(at(server), times=3).verdict is Verdict.ACCEPTED
    gc.collect()
