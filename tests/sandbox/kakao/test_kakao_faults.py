"""What goes wrong on purpose, and how much memory a large upload needs (contract: kakao_moment, C5, C10)."""

from __future__ import annotations

import asyncio
import socket
import ssl
import time
from pathlib import Path
from typing import Any

import aiohttp
import numpy as np
import pytest
import requests

from sandbox.kakao import KakaoSandbox
from tests.sandbox.kakao.conftest import Moment, failure, ids

BIG = ids(20_000)


@pytest.mark.parametrize("operation", ["register", "list", "edit", "delete"])
@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ({"do": "error", "code": -9798}, (503, -9798, None)),
        ({"do": "error"}, (400, -1, None)),
        ({"do": "error", "code": -813, "detail": 31011}, (400, -813, 31011)),
        ({"do": "error", "code": -813, "status": 429}, (429, -813, None)),
        ({"do": "error", "code": -401}, (401, -401, None)),
        ({"do": "envelope_200"}, (200, -813, 99000)),
        ({"do": "envelope_200", "code": -603}, (200, -603, None)),
    ],
)
def test_c10_errors_refuse_and_leave_all_as_it_was(
    moment: Moment, server: KakaoSandbox, operation: str, rule: dict[str, Any], expected: tuple[int, int, int | None]
) -> None:
    number = moment.complete()
    before = moment.listed()
    server.faults([{**rule, "operation": operation}])

    def ask() -> requests.Response:
        if operation == "edit":
            return moment.edit(number, BIG)
        return moment.register("새것", BIG) if operation == "register" else moment.ask(*_ASKED[operation](number))

    assert failure(ask()) == expected
    assert moment.listed() == before
    assert ask().status_code == 200, "it hits one request"


_ASKED: dict[str, Any] = {"list": lambda number: ("GET",), "delete": lambda number: ("DELETE", f"/{number}")}


def test_c10_a_500_comes_with_a_page(moment: Moment, server: KakaoSandbox) -> None:
    server.faults([{"do": "http"}, {"do": "http", "status": 502}])
    answers = [moment.register("고객", BIG) for _ in range(2)]
    assert [one.status_code for one in answers] == [500, 502]
    with pytest.raises(requests.exceptions.JSONDecodeError):
        answers[0].json()
    assert moment.listed() == []


def test_c10_an_envelope_in_another_form(moment: Moment, server: KakaoSandbox) -> None:
    server.faults([{"do": "envelope_200", "variant": "extras"}])
    answer = moment.register()
    assert (answer.status_code, answer.json()["extras"]["status"]) == (200, 400)


@pytest.mark.parametrize("rule", [{"do": "reset_upload", "bytes": 300_000}, {"do": "reset_before"}])
def test_c10_a_reset_amid_an_upload_leaves_nothing(moment: Moment, server: KakaoSandbox, rule: dict[str, Any]) -> None:
    server.faults([rule])
    with pytest.raises(requests.exceptions.ConnectionError):
        moment.register("고객", BIG)
    assert moment.listed() == []
    assert server.requests()[0]["status"] == 0
    assert moment.register("고객", BIG).status_code == 200
    assert server.files()[0]["unique"] == 20_000


def test_c10_a_client_that_goes_away_amid_an_upload_leaves_nothing(moment: Moment, server: KakaoSandbox) -> None:
    host, _, port = server.url.removeprefix("http://").partition(":")
    head = f"POST /openapi/v4/customerFiles HTTP/1.1\r\nHost: {host}\r\nContent-Length: 900000\r\n"
    head += "".join(f"{name}: {value}\r\n" for name, value in moment.headers.items())
    head += "Content-Type: multipart/form-data; boundary=xyz\r\n\r\n"
    part = '--xyz\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\n'
    with socket.create_connection((host, int(port))) as connection:
        connection.sendall(head.encode() + part.encode() + BIG[:200_000])
        time.sleep(0.2)
    assert moment.listed() == []
    assert moment.register("고객", BIG).status_code == 200


def test_c10_a_slow_answer_dribbles(moment: Moment, server: KakaoSandbox) -> None:
    server.faults([{"do": "slow_answer", "ms": 500}])
    began = time.monotonic()
    answer = moment.register("고객", stream=True)
    headers = time.monotonic() - began
    assert answer.json()["name"] == "고객"
    assert headers < 0.4
    assert time.monotonic() - began >= 0.5


def test_c10_an_upload_is_taken_slowly(moment: Moment, server: KakaoSandbox) -> None:
    server.faults([{"do": "slow_read", "bytes_per_second": 1_000_000, "operation": "register"}, {"do": "delay", "ms": 300}])
    took = []
    for _ in range(2):
        began = time.monotonic()
        assert moment.register("고객", BIG).status_code == 200
        took.append(time.monotonic() - began)
    assert took[0] >= len(BIG) / 1_000_000
    assert took[1] >= 0.3
    assert server.files()[0]["parts"][0]["sha256"] == server.files()[1]["parts"][0]["sha256"]


@pytest.mark.parametrize("how", ["silent", "reset"])
def test_c10_an_answer_may_be_lost_though_all_was_done(moment: Moment, server: KakaoSandbox, how: str) -> None:
    server.faults([{"do": "lost", "how": how}])
    with pytest.raises((requests.exceptions.ReadTimeout, requests.exceptions.ConnectionError)):
        moment.register("고객", BIG, timeout=1)
    (file,) = moment.listed()
    assert (file["name"], server.files()[0]["unique"]) == ("고객", 20_000)
    server.advance(3600)
    server.faults([{"do": "lost", "how": how, "operation": "edit"}])
    with pytest.raises((requests.exceptions.ReadTimeout, requests.exceptions.ConnectionError)):
        moment.edit(file["id"], ids(3), timeout=1)
    assert moment.one(file["id"])["customerFileStatus"] == "MODIFYING"


def test_c10_an_extraction_may_fail(moment: Moment, server: KakaoSandbox) -> None:
    server.faults([{"do": "extraction_error", "operation": "register"}])
    number = moment.complete()
    failed = moment.one(number)
    assert (failed["customerFileStatus"], failed["ready"], failed["populationScore"]) == ("ERROR", False, None)
    assert moment.edit(number, ids(10)).status_code == 200
    server.advance(3600)
    assert moment.one(number)["customerFileStatus"] == "COMPLETE"
    server.faults([{"do": "extraction_error"}])
    moment.edit(number, ids(4))
    server.advance(3600)
    failed = moment.one(number)
    assert (failed["customerFileStatus"], failed["populationScore"]) == ("ERROR", 5), "the population is the old one"


def test_c10_a_state_can_be_set(moment: Moment, server: KakaoSandbox) -> None:
    number = moment.new()
    server.set_status(number, "COMPLETE")
    assert (moment.one(number)["customerFileStatus"], moment.one(number)["populationScore"]) == ("COMPLETE", 5)
    server.set_status(number, "MODIFYING")
    server.advance(1e6)
    assert moment.one(number)["customerFileStatus"] == "MODIFYING"
    server.set_status(number, "ERROR")
    assert moment.one(number)["customerFileStatus"] == "ERROR"


def test_c10_rules_say_whom_they_hit(moment: Moment, server: KakaoSandbox) -> None:
    other = Moment(server, server.other_account)
    server.faults([{"do": "http", "operation": "list", "account": server.other_account, "after": 1, "requests": 2}])
    assert [moment.ask("GET").status_code for _ in range(3)] == [200, 200, 200]
    assert [other.ask("GET").status_code for _ in range(4)] == [200, 500, 500, 200]
    server.faults([{"do": "http", "requests": None}])
    assert [moment.ask("GET").status_code for _ in range(3)] == [500, 500, 500]
    server.clear_faults()
    assert moment.ask("GET").status_code == 200
    assert server.calls()["list"] == 11
    assert [one["fault"] for one in server.requests()][-2:] == ["http", None]


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ({"do": "sing"}, "there is no fault 'sing'"),
        ({"do": "http", "code": 5}, "has no code"),
        ({"do": "lost", "how": "often"}, "how of a fault lost"),
        ({"do": "http", "operation": "sing"}, "not 'sing'"),
        ({"do": "slow_read", "operation": "list"}, "not 'list'"),
    ],
)
def test_c10_a_rule_that_is_none_is_an_error(server: KakaoSandbox, rule: dict[str, Any], said: str) -> None:
    with pytest.raises(RuntimeError, match=said):
        server.faults([rule])


@pytest.mark.parametrize(
    "switches", [{"limit": {}}, {"limits": {"file": 1}}, {"limits": {"files": "many"}}, {"consent_error": "KOE1"}]
)
def test_a_switch_that_there_is_not_is_an_error(server: KakaoSandbox, switches: dict[str, Any]) -> None:
    with pytest.raises(RuntimeError, match=r"there is no|Expected"):
        server.change(**switches)


def test_c5_an_asynchronous_client_with_tls_is_served_as_well(tmp_path: Path) -> None:
    path = tmp_path / "ids.csv"
    path.write_bytes(BIG)

    async def register(server: KakaoSandbox) -> Any:
        trust = ssl.create_default_context(cafile=server.ca_file)
        headers = {"Authorization": f"Bearer {server.token}", "adAccountId": "12345", "Expect": "100-continue"}
        with path.open("rb") as file:
            form = aiohttp.FormData({"name": "고객"}, quote_fields=False)
            form.add_field("file", file, filename="고객.csv", content_type="text/csv")
            async with aiohttp.ClientSession(headers=headers) as session:
                url = f"{server.url}/openapi/v4/customerFiles"
                async with session.post(url, data=form, ssl=trust) as answer:
                    return await answer.json()

    with KakaoSandbox(tls=True) as server:
        assert server.url.startswith("https://127.0.0.1:")
        number = asyncio.run(register(server))["id"]
        assert b"".join(part.read_bytes() for part in server.parts(number)) == BIG
        assert server.files()[0]["parts"][0]["filename"] == "고객.csv"


@pytest.mark.quiet
def test_c5_450_megabytes_in_three_files_need_little_memory(tmp_path: Path) -> None:
    lines, path = 4_054_054, tmp_path / "ids.csv"
    with KakaoSandbox(limits={"write_seconds": 0}) as server:
        moment = Moment(server)
        moment.new()
        start, sizes = server.memory(), []
        for number in range(3):
            _random_ids(path, lines, number)
            with path.open("rb") as file:
                form = aiohttp.FormData({"name": f"고객 {number}"})
                form.add_field("file", file, filename="a.csv")
                answer = asyncio.run(_post(server, moment, form))
            assert answer["name"] == f"고객 {number}"
            sizes.append(server.files()[-1])
        assert [one["unique"] for one in sizes] == [lines] * 3
        assert sum(one["parts"][0]["bytes"] for one in sizes) == 3 * lines * 37 > 449_000_000
        grown = server.memory() - start
        assert grown < 60_000_000, f"it needed {grown / 1e6:.0f} MB more"
        assert server.memory() < 140_000_000


async def _post(server: KakaoSandbox, moment: Moment, form: aiohttp.FormData) -> Any:
    async with (
        aiohttp.ClientSession(headers=moment.headers) as session,
        session.post(f"{server.url}/openapi/v4/customerFiles", data=form) as answer,
    ):
        return await answer.json()


def _random_ids(path: Path, count: int, seed: int) -> None:
    """Write so many different ids; sixteen random bytes do not come twice."""
    letters, random = np.frombuffer(b"0123456789abcdef", np.uint8), np.random.default_rng(seed)
    places = [place for place in range(36) if place not in (8, 13, 18, 23)]
    with path.open("wb") as file:
        for start in range(0, count, 100_000):
            rows = np.full((min(100_000, count - start), 37), ord("-"), np.uint8)
            rows[:, places] = letters[random.integers(0, 16, (len(rows), 32), np.uint8)]
            rows[:, 36] = ord("\n")
            file.write(rows.tobytes())
