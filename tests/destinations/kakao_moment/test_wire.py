"""The line to Kakao: memory, pace, pauses, certificates, and that no secret leaks."""

from __future__ import annotations

import asyncio
import os
import pickle
import resource
import socket
import time
from pathlib import Path
from typing import Any

import pytest

from activation.destinations.kakao_moment.client import Client
from activation.destinations.kakao_moment.files import in_use
from activation.destinations.kakao_moment.plan import plan
from activation.destinations.kakao_moment.register import register
from activation.destinations.kakao_moment.settings import Account
from activation.destinations.kakao_moment.table import TABLE, Table
from activation.errors import ActivationError, ConfigurationError, TransientError
from sandbox.kakao import KakaoSandbox
from tests.destinations.kakao_moment.support import FAST, Csv, Memory, account, csv, planned, talk


def test_an_upload_is_streamed_from_the_disk(kakao: KakaoSandbox, tmp_path: Path) -> None:
    line = b"%08x-0000-4000-8000-000000000000\n"
    path, size = tmp_path / "large.csv", 0
    with path.open("wb") as file:
        for block in range(100):
            size += file.write(b"".join(line % (block * 20_000 + number) for number in range(1, 20_001)))
    files = plan("VIP", [Csv(path, 2_000_000, size, "0" * 64)], TABLE.limits)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    (made,) = talk(kakao, lambda client: register(client, files, [], Memory().keep))
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024
    assert size > 70_000_000
    assert grown < 30_000_000
    (received,) = kakao.parts(made.id or 0)
    assert received.read_bytes() == path.read_bytes()


def test_c9_writes_keep_the_pace_of_the_server(tmp_path: Path) -> None:
    with KakaoSandbox(limits={"write_seconds": 1}) as kakao:
        pace = {"write_seconds": 1.05}
        files = planned(tmp_path, "VIP", 5, 5, 5)
        talk(kakao, lambda client: register(client, files, [], Memory().keep), pace=pace)
        assert [each["status"] for each in kakao.requests() if each["operation"] == "register"] == [200] * 3


@pytest.mark.parametrize("answer", ["429", "-10"])
def test_c9_who_is_too_fast_waits_and_tries_again(tmp_path: Path, answer: str) -> None:
    with KakaoSandbox(limits={"write_seconds": 1}, answers={"rate": answer}) as kakao:
        files = planned(tmp_path, "VIP", 5, 5)
        pace = {"first_pause": 0.6, "longest_pause": 1, "tries": 8}
        talk(kakao, lambda client: register(client, files, [], Memory().keep), pace=pace)
        statuses = [each["status"] for each in kakao.requests() if each["operation"] == "register"]
        assert statuses.count(200) == 2
        assert len(statuses) > 2
        assert len(kakao.files()) == 2


def test_retry_after_is_honoured(tmp_path: Path) -> None:
    with KakaoSandbox(limits={"write_seconds": 2}, answers={"retry_after": 2}) as kakao:
        files, began = planned(tmp_path, "VIP", 5, 5), time.monotonic()
        talk(kakao, lambda client: register(client, files, [], Memory().keep))
        assert kakao.calls()["register"] == 3
        assert time.monotonic() - began >= 2


def test_a_pause_that_is_too_long_is_left_to_airflow(tmp_path: Path) -> None:
    with KakaoSandbox(limits={"write_seconds": 60}, answers={"retry_after": 3600}) as kakao:
        memory = Memory()
        with pytest.raises(TransientError, match="429"):
            talk(kakao, lambda client: register(client, planned(tmp_path, "VIP", 5, 5), [], memory.keep))
        assert kakao.calls()["register"] == 2
        assert [each.state for each in memory.last] == ["sent", "sending"]


def test_a_private_authority_is_trusted_by_its_file(tmp_path: Path) -> None:
    with KakaoSandbox(tls=True) as kakao:
        assert talk(kakao, lambda client: client.files()) == []

        async def ask(ca_file: str) -> Any:
            mine = Account(kakao.url, kakao.token, "12345", ca_file)
            async with Client(mine, Table.overridden({"pace": FAST})) as client:
                return await client.files()

        with pytest.raises(ConfigurationError, match=r"The TLS certificate of .* is not trusted.*ca_file"):
            asyncio.run(ask(""))
        with pytest.raises(ConfigurationError, match=r"ca_file .*none\.pem of the Kakao Moment connection cannot be read"):
            asyncio.run(ask(str(tmp_path / "none.pem")))


def test_where_nobody_listens_it_is_a_matter_of_time(kakao: KakaoSandbox) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{probe.getsockname()[1]}"

        async def ask() -> Any:
            async with Client(Account(url, "t", "12345"), Table.overridden({"pace": FAST})) as client:
                return await client.files()

        with pytest.raises(TransientError, match=r"could not be reached \(Connection refused\).*check the host of kakao_default"):
            asyncio.run(ask())


def test_another_server_is_told_apart(kakao: KakaoSandbox) -> None:
    wrong = {"list": "GET /oauth/business/authorize"}
    with pytest.raises(ConfigurationError, match="does not look like the API of Kakao Moment"):
        talk(kakao, lambda client: client.files(), customer_files=wrong)


def test_c1_an_ordinary_login_token_is_told_to_consent(kakao: KakaoSandbox) -> None:
    with pytest.raises(
        ConfigurationError, match=r"The target biz token is not supplied.*activation kakao-login kakao.*business token"
    ):
        talk(kakao, lambda client: client.files(), token=kakao.mint(kind="login"))
    assert kakao.calls() == {"list": 1}


@pytest.mark.parametrize(("number", "detail"), [("777", "21006"), ("99999", "9004")])
def test_c2_an_account_that_is_not_yours(kakao: KakaoSandbox, number: str, detail: str) -> None:
    async def ask() -> Any:
        async with Client(account(kakao, number=number)) as client:
            return await client.files()

    with pytest.raises(ConfigurationError, match=f"detail code {detail}.* ad account {number}"):
        asyncio.run(ask())


@pytest.mark.parametrize("place", ["top", "extras"])
def test_c3_a_consent_that_lacks_something_names_it(kakao: KakaoSandbox, place: str) -> None:
    kakao.change(answers={"required_scopes": place})
    with pytest.raises(ConfigurationError, match="The consent lacks moment_management"):
        talk(kakao, lambda client: client.files(), token=kakao.mint(scopes=["moment_delete"]))


def test_c4_deleted_files_are_not_listed(kakao: KakaoSandbox, tmp_path: Path) -> None:
    kakao.change(answers={"list_deleted": True})

    async def ask(client: Client) -> list[str]:
        await register(client, planned(tmp_path, "VIP", 5, 5), [], Memory().keep)
        await client.delete((await client.files())[0])
        return [file.name for file in await client.files()]

    assert len(talk(kakao, ask)) == 1
    assert sorted(each["customerFileStatus"] for each in kakao.files()) == ["DELETE", "WAITING"]


CANARY = "canary-0123456789abcdef"


@pytest.mark.parametrize("status", [200, 400, 401, 403, 404, 429, 500])
@pytest.mark.parametrize(
    "body", ['{{"code": -813, "msg": "{0}", "extras": {{"detailMsg": "bad {0}"}}, "required_scopes": ["{0}"]}}', "<p>{0}</p>"]
)
def test_a_server_that_echoes_the_token_does_not_make_it_leak(status: int, body: str, caplog: pytest.LogCaptureFixture) -> None:
    from activation.destinations.kakao_moment.answers import read_answer

    mine = Account("https://x.example", CANARY, "1")
    answer = read_answer(status, {}, body.format(CANARY).encode(), account=mine, table=TABLE, what="list")
    assert answer.error is not None
    assert CANARY not in str(answer.error) + repr(answer) + repr(mine) + caplog.text
    assert CANARY.encode() not in pickle.dumps(answer.error)


def test_a_lost_line_does_not_make_the_token_leak(kakao: KakaoSandbox, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    import traceback

    kakao.faults([{"do": "reset_before", "requests": None}])
    with caplog.at_level("DEBUG"), pytest.raises(ActivationError) as raised:
        talk(kakao, lambda client: register(client, planned(tmp_path, "VIP", 5), [], Memory().keep), pace={"tries": 2})
    text = "".join(traceback.format_exception(raised.value)) + caplog.text
    assert kakao.token not in text


def test_a_part_that_is_gone_is_told(kakao: KakaoSandbox, tmp_path: Path) -> None:
    files = planned(tmp_path, "VIP", 5)
    os.unlink(files[0].paths[0])  # noqa: PTH108
    with pytest.raises(TransientError, match=r"Could not register 'VIP': .*\.csv is gone"):
        talk(kakao, lambda client: register(client, files, [], Memory().keep))


def test_names_and_parts_that_do_not_fit_are_refused_before_anything_is_sent(tmp_path: Path) -> None:
    parts = [csv(tmp_path, 5), csv(tmp_path, 5, 1000)]
    name = "가" * 49
    assert [each.name for each in plan(name, parts[:1], TABLE.limits)] == [name]
    with pytest.raises(ConfigurationError, match="has 51 characters; 1 to 50 are allowed"):
        plan(name, parts, TABLE.limits, limit=parts[0].bytes)
    with pytest.raises(ConfigurationError, match="has 0 characters"):
        plan("", parts, TABLE.limits)
    with pytest.raises(ConfigurationError, match="has 185 bytes; a customer file takes 184"):
        plan("VIP", parts, TABLE.limits, limit=184)
    assert [each.name for each in plan("VIP", parts, TABLE.limits, limit=185, first_index=2)] == ["VIP", "VIP_2"]


@pytest.mark.parametrize(
    ("data", "used"),
    [([], False), ([1], True), ({"a": [], "id": 5}, False), ({"a": [], "b": [1]}, True), ({"count": 0}, True), (None, True)],
)
def test_usages_that_cannot_be_read_count_as_use(data: Any, used: bool) -> None:
    assert in_use(data) is used
