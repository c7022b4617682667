"""The trigger as Airflow's triggerer uses it, against the server on a socket."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator
from typing import Any

import pytest

from activation.destinations.kakao_moment.client import Client
from activation.destinations.kakao_moment.settings import Account
from activation.triggers.kakao_moment import KakaoMomentTrigger
from sandbox.kakao import KakaoSandbox

ID = "38400000-8cf0-11bd-b23e-10b96e4ef00d"


@pytest.fixture
def kakao(monkeypatch: pytest.MonkeyPatch) -> Iterator[KakaoSandbox]:
    with KakaoSandbox(limits={"write_seconds": 0}, states={"frozen": True, "complete_seconds": 60}) as server:
        monkeypatch.setenv("AIRFLOW_CONN_KAKAO", server.connection())
        yield server


def trigger(kakao: KakaoSandbox, tmp: Any, *, until: float = 20.0) -> KakaoMomentTrigger:
    """One that waits for a file that is just registered."""
    (tmp / "ids.csv").write_text(f"{ID}\n")

    async def lost() -> None:
        return None

    async def register() -> int | None:
        async with Client(Account(kakao.url, kakao.token, str(kakao.account))) as client:
            return await client.register("VIP", [tmp / "ids.csv"], lost)

    file = {"name": "VIP", "ids": 1, "sha256": "", "state": "sent", "id": asyncio.run(register()), "seen": [], "generation": ""}
    return KakaoMomentTrigger(
        connection="kakao", ad_account_id=str(kakao.account), api="auto", files=[file], poll=0.1, until=time.time() + until
    )


async def first(one: KakaoMomentTrigger) -> Any:
    async for event in one.run():
        return event.payload
    raise AssertionError("no event")


async def ready_while_waiting(one: KakaoMomentTrigger, kakao: KakaoSandbox) -> Any:
    """Let Kakao finish while the trigger waits, as the triggerer waits for many at once."""
    waiting = asyncio.create_task(first(one))
    await asyncio.sleep(0.5)
    assert not waiting.done()
    await asyncio.to_thread(kakao.advance, 60)
    return await waiting


def test_it_waits_without_blocking_until_the_file_is_ready(kakao: KakaoSandbox, tmp_path: Any) -> None:
    event = asyncio.run(ready_while_waiting(trigger(kakao, tmp_path), kakao))
    assert event["status"] == "ready"
    assert [(one["status"], one["population"]) for one in event["files"]] == [("COMPLETE", 0)]


@pytest.mark.parametrize(
    ("status", "kind", "text"), [("ERROR", "FatalError", "could not make a target of 'VIP'"), (None, "TransientError", "in time")]
)
def test_it_tells_what_ended_the_wait(kakao: KakaoSandbox, tmp_path: Any, status: str | None, kind: str, text: str) -> None:
    one = trigger(kakao, tmp_path, until=0.3)
    if status is not None:
        kakao.set_status(one.files[0]["id"], status)
    event = asyncio.run(first(one))
    assert (event["status"], event["kind"]) == ("failed", kind)
    assert text in event["arguments"][0]


def test_a_revoked_token_is_told_with_its_fix(kakao: KakaoSandbox, tmp_path: Any) -> None:
    one = trigger(kakao, tmp_path)
    kakao.revoke(kakao.token)
    event = asyncio.run(first(one))
    assert event["kind"] == "ConfigurationError" and "activation kakao-login kakao" in event["arguments"][1]


def test_what_airflow_keeps_of_it_is_plain_and_holds_no_secret(kakao: KakaoSandbox, tmp_path: Any) -> None:
    one = trigger(kakao, tmp_path)
    path, arguments = one.serialize()
    assert path == "activation.triggers.kakao_moment.KakaoMomentTrigger"
    assert KakaoMomentTrigger(**json.loads(json.dumps(arguments))).serialize() == (path, arguments)
    assert kakao.token not in json.dumps(arguments)
