"""A real 450 MB list, and edits at the limit to the byte, in a task process of at most 300 MB."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sandbox.kakao import KakaoSandbox
from sandbox.warehouses.postgres import PostgresSandbox

from .kakao_process import Tries, Victim
from .kakao_world import FAST

LARGE, FULL = 12_200_000, 5_405_405
"""Ids of 451,400,000 bytes, and those that 200,000,000 bytes hold: 199,999,985."""

MOST, GROWTH = 300_000_000, 100_000_000
"""Bytes of memory of the whole task process, Airflow and all libraries in it; and beyond a task with a thousand ids."""


@pytest.fixture
def tries(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Tries]:
    with PostgresSandbox() as warehouse, KakaoSandbox(limits={"write_seconds": 0}, states={"frozen": True}) as kakao:
        environment = {
            "AIRFLOW__ACTIVATION__STATE_FOLDER": f"file://{tmp_path}/state",
            "AIRFLOW_CONN_WORLD_POSTGRES": warehouse.connection(),
            "AIRFLOW_CONN_WORLD_KAKAO": kakao.connection(table=FAST),
        }
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        victim = Victim("here")
        yield Tries(victim, kakao, tmp_path, environment)
        victim.close()


@pytest.mark.quiet
@pytest.mark.timeout(300)
def test_feature_450_mb_in_three_files_in_bounded_memory(tries: Tries) -> None:
    tries.destination["file_name"] = "small"
    _, small = tries.whole()
    tries.destination["file_name"], tries.ids = "VIP", LARGE
    began = time.monotonic()
    report, peak = tries.whole()
    print(f"{time.monotonic() - began:.1f} s, {peak / 1e6:.0f} MB; {small / 1e6:.0f} MB for 1,000 ids")
    rest = LARGE - 2 * FULL
    assert [[one["name"], one["ids"], one["bytes"], one["status"]] for one in report["files"]] == [
        ["VIP", FULL, FULL * 37, "COMPLETE"],
        ["VIP_1", FULL, FULL * 37, "COMPLETE"],
        ["VIP_2", rest, rest * 37, "COMPLETE"],
    ]
    assert received(tries) == {"VIP": [FULL * 37, FULL], "VIP_1": [FULL * 37, FULL], "VIP_2": [rest * 37, rest]}
    assert peak <= MOST
    assert peak - small <= GROWTH


@pytest.mark.quiet
@pytest.mark.timeout(300)
def test_many_rejects_in_bounded_memory(tries: Tries) -> None:
    tries.destination["file_name"] = "small"
    _, small = tries.whole()
    tries.destination["file_name"], tries.ids, tries.rejects = "VIP", 300_000, 244_000
    report, peak = tries.whole()
    print(f"{peak / 1e6:.0f} MB; {small / 1e6:.0f} MB for 1,000 ids")
    assert report["rows"] == {"read": 544_000, "sent": 300_000, "rejected": 244_000, "skipped": 0}
    assert peak <= MOST
    assert peak - small <= GROWTH


@pytest.mark.quiet
@pytest.mark.timeout(300)
def test_feature_an_edit_at_the_limit_to_the_byte_in_bounded_memory(tries: Tries) -> None:
    tries.whole()
    tries.ids = FULL
    more = edited(tries, "stop", FULL * 37 + 1)
    assert received(tries) == {"VIP": [FULL * 37, FULL]}
    stop = edited(tries, "stop", FULL * 37 - 1)
    assert "5,405,405 ids, 199,999,985 bytes; a customer file takes 199,999,984" in stop["error"]
    assert received(tries) == {"VIP": [FULL * 37, FULL]}
    first = edited(tries, "first_200mb", FULL * 37 - 1)
    assert received(tries) == {"VIP": [(FULL - 1) * 37, FULL - 1]}
    assert max(one["peak"] for one in (more, stop, first)) <= MOST


def edited(tries: Tries, policy: str, limit: int) -> dict[str, Any]:
    """Edit the file with so many bytes as its limit; gives what came of the try."""
    tries.destination = {"mode": "edit", "file_name": "VIP", "file": {"when_over_limit": policy, "limit": f"{limit}B"}}
    tries.begin()
    told = tries.end()
    print(f"{policy} {limit}: {told['peak'] / 1e6:.0f} MB")
    tries.kakao.advance(3600)
    return told


def received(tries: Tries) -> dict[str, list[int]]:
    """Bytes and different ids that the server has got, by name."""
    return {one["name"]: [one["parts"][0]["bytes"], one["unique"]] for one in tries.kakao.files() if one["name"] != "small"}
