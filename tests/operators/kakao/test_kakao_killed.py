"""A real task process is killed amid the upload of three files, and the next try makes no file twice."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sandbox.kakao import KakaoSandbox
from sandbox.warehouses.postgres import PostgresSandbox

from .kakao_process import Tries, Victim, until
from .kakao_world import FAST

NAMES = ["VIP", "VIP_1", "VIP_2"]


@pytest.fixture(scope="module")
def victim() -> Iterator[Victim]:
    victim = Victim("fork")
    yield victim
    victim.close()


@pytest.fixture(scope="module")
def warehouse() -> Iterator[PostgresSandbox]:
    with PostgresSandbox() as server:
        yield server


@pytest.fixture(params=[True, False], ids=["unique names", "any names"])
def tries(
    victim: Victim,
    warehouse: PostgresSandbox,
    kakao_server: KakaoSandbox,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
) -> Tries:
    """A list of three files, where client and server take each name once, or as often as one likes."""
    kakao_server.reset()
    kakao_server.change(limits={"duplicate_names": not request.param})
    environment = {
        "AIRFLOW__ACTIVATION__STATE_FOLDER": f"file://{tmp_path}/state",
        "AIRFLOW_CONN_WORLD_POSTGRES": warehouse.connection(),
        "AIRFLOW_CONN_WORLD_KAKAO": kakao_server.connection(table={**FAST, "limits": {"names_unique": request.param}}),
    }
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    tries = Tries(victim, kakao_server, tmp_path, environment, ids=60)
    tries.destination["file"] = {"limit": "1KB"}
    return tries


def test_killed_between_the_second_and_the_third_upload(tries: Tries) -> None:
    fast = tries.environment["AIRFLOW_CONN_WORLD_KAKAO"]
    slow = tries.kakao.connection(table={"pace": {"write_seconds": 4.0}})
    tries.environment["AIRFLOW_CONN_WORLD_KAKAO"] = slow
    tries.begin()
    until(lambda: [one["state"] for one in tries.kept()] == ["sent", "sent", "sending"])
    assert tries.kill() == -signal.SIGKILL
    assert [one["name"] for one in tries.kakao.files()] == NAMES[:2]
    before = [one["id"] for one in tries.kakao.files()]
    tries.environment["AIRFLOW_CONN_WORLD_KAKAO"] = fast
    report = finished(tries)
    assert [one["id"] for one in report["files"]][:2] == before
    assert tries.kakao.calls()["register"] == 3


def test_killed_while_kakao_has_the_second_file_but_its_answer_is_not_there(tries: Tries) -> None:
    tries.kakao.faults([{"do": "delay", "ms": 20_000, "operation": "register", "after": 1}])
    tries.begin()
    until(lambda: len(tries.kakao.files()) == 2)
    assert tries.kill() == -signal.SIGKILL
    assert [one["state"] for one in tries.kept()] == ["sent", "sending", "planned"]
    second = tries.kakao.files()[1]["id"]
    report = finished(tries)
    assert report["files"][1]["id"] == second
    assert tries.kakao.calls()["register"] == 3


def test_killed_amid_the_upload_of_the_second_file(tries: Tries) -> None:
    tries.kakao.faults([{"do": "slow_read", "bytes_per_second": 50, "operation": "register", "after": 1}])
    tries.begin()
    until(lambda: [one["state"] for one in tries.kept()] == ["sent", "sending", "planned"])
    assert tries.kill() == -signal.SIGKILL
    assert [one["name"] for one in tries.kakao.files()] == NAMES[:1]
    finished(tries)


@pytest.mark.parametrize("rejects", [0, 5])
def test_a_task_loads_neither_pandas_nor_a_database(tries: Tries, rejects: int) -> None:
    tries.rejects = rejects
    tries.begin()
    told = tries.end()
    assert "deferred" in told, told
    assert told["heavy"] == []  # 70 MB that it would hold for nothing


def finished(tries: Tries) -> dict[str, Any]:
    """Let the next try end the run; all of the list is there then, once. Gives its report."""
    tries.kakao.clear_faults()
    report, _ = tries.whole(retry=True)
    there = tries.kakao.files()
    assert sorted(one["name"] for one in there) == NAMES
    assert [one["id"] for one in report["files"]] == [one["id"] for one in sorted(there, key=lambda one: str(one["name"]))]
    assert sum(one["unique"] for one in there) == report["rows"]["sent"] == 60
    return report
