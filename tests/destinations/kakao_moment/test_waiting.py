"""Waiting for COMPLETE or ERROR."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from activation.destinations.kakao_moment.edit import edit
from activation.destinations.kakao_moment.files import CustomerFile
from activation.destinations.kakao_moment.register import register
from activation.destinations.kakao_moment.registered import Registered
from activation.destinations.kakao_moment.waiting import wait
from activation.errors import ConfigurationError, FatalError, TransientError
from sandbox.kakao import KakaoSandbox
from tests.destinations.kakao_moment.support import Memory, planned, talk


@pytest.fixture
def made(kakao: KakaoSandbox, tmp_path: Path) -> list[Registered]:
    return talk(kakao, lambda client: register(client, planned(tmp_path, "VIP", 10, 20), [], Memory().keep))


class Clock:
    """Between two looks the server's time goes on, not ours."""

    def __init__(self, kakao: KakaoSandbox, step: float = 1800) -> None:
        self.kakao, self.step, self.slept = kakao, step, 0.0

    async def sleep(self, seconds: float) -> None:
        self.slept += seconds
        self.kakao.advance(self.step)

    def now(self) -> float:
        return time.time() + self.slept


def look(
    kakao: KakaoSandbox, made: Sequence[Registered], clock: Clock, *, timeout: float = 6 * 3600, **more: Any
) -> list[CustomerFile]:
    until = time.time() + timeout
    return talk(kakao, lambda client: wait(client, made, until=until, poll=60, sleep=clock.sleep, now=clock.now, **more))


def test_c6_it_waits_until_all_files_are_complete(kakao: KakaoSandbox, made: list[Registered]) -> None:
    told: list[dict[str, str]] = []
    files = look(kakao, made, Clock(kakao), progress=lambda states: told.append(dict(states)))
    assert [(file.id, file.state, file.population) for file in files] == [
        (made[0].id, "COMPLETE", 5),
        (made[1].id, "COMPLETE", 10),
    ]
    assert told[0] == {"VIP": "WAITING", "VIP_1": "WAITING"}
    assert told[-1] == {"VIP": "COMPLETE", "VIP_1": "COMPLETE"}


def test_c6_an_error_ends_the_wait(kakao: KakaoSandbox, made: list[Registered]) -> None:
    kakao.set_status(made[1].id or 0, "ERROR")
    with pytest.raises(FatalError, match=rf"could not make a target of 'VIP_1' \({made[1].id}\): ERROR"):
        look(kakao, made, Clock(kakao))


def test_a_file_that_somebody_deletes_ends_the_wait(kakao: KakaoSandbox, made: list[Registered]) -> None:
    talk(kakao, lambda client: client.delete(CustomerFile(made[0].id or 0, "VIP", "WAITING")))
    with pytest.raises(FatalError, match=rf"'VIP' \({made[0].id}\): missing"):
        look(kakao, made, Clock(kakao, step=1))


def test_the_wait_ends_in_time_and_a_retry_can_go_on(kakao: KakaoSandbox, made: list[Registered]) -> None:
    clock = Clock(kakao, step=0)
    with pytest.raises(TransientError, match="not finished in time with 'VIP': WAITING, 'VIP_1': WAITING"):
        look(kakao, made, clock, timeout=600)
    assert 540 <= clock.slept <= 600


def test_trouble_on_the_line_does_not_end_the_wait(kakao: KakaoSandbox, made: list[Registered]) -> None:
    kakao.faults([{"do": "http", "status": 503, "operation": "list", "requests": 7}])
    assert len(look(kakao, made, Clock(kakao))) == 2


def test_a_token_that_is_no_longer_good_ends_the_wait(kakao: KakaoSandbox, made: list[Registered]) -> None:
    token = kakao.mint()
    kakao.revoke(token)
    with pytest.raises(ConfigurationError, match="activation kakao-login kakao"):
        talk(kakao, lambda client: wait(client, made, until=time.time() + 60), token=token)


def test_c7_an_edited_file_counts_once_its_new_ids_do(kakao: KakaoSandbox, made: list[Registered], tmp_path: Path) -> None:
    kakao.advance(7 * 3600)
    files = planned(tmp_path, "VIP", 40)
    edited = talk(kakao, lambda client: edit(client, "VIP", files[0], [], Memory().keep))
    told: list[dict[str, str]] = []
    (file,) = look(kakao, edited, Clock(kakao), progress=lambda states: told.append(dict(states)))
    assert (file.state, file.population) == ("COMPLETE", 20)
    assert told == [{"VIP": "MODIFYING"}, {"VIP": "COMPLETE"}]
