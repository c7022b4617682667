"""A process of its own whose memory is measured: ``python kakao_large.py FOLDER``.

It registers a list of 450 MB and edits a file at the limit, one byte less and more, and prints what came of it as JSON. The
warehouse makes the ids while they are read, so what is measured is the task and not a database within it.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowFailException

from sandbox.kakao import KakaoSandbox
from tests.operators.kakao.kakao_world import KakaoWorld, made, make

LARGE, FULL = 12_200_000, 5_405_405
"""Ids of 451,400,000 bytes, and those that 200,000,000 bytes hold: 199,999,985."""


def measured(folder: Path) -> dict[str, Any]:
    """Do it all."""
    with KakaoSandbox(limits={"write_seconds": 0}, states={"frozen": True}) as kakao, pytest.MonkeyPatch.context() as patch:
        world = make(kakao, folder, patch)
        config = {"memory_limit": "64MB", "threads": 1}
        duckdb = {"conn_type": "duckdb", "host": str(folder / "warehouse.duckdb"), "extra": {"config": config}}
        patch.setenv("AIRFLOW_CONN_WORLD_DUCKDB", json.dumps(duckdb))
        world.sql("SELECT 1")
        world.source = source(1000)
        world.destination["file_name"] = "small"
        world.run()
        world.destination["file_name"] = "VIP"
        world.source = source(LARGE)
        empty, began = held(), time.monotonic()
        large = world.run()
        seconds, registered = time.monotonic() - began, held()
        sizes = {one["name"]: [one["parts"][0]["bytes"], one["unique"]] for one in kakao.files() if one["name"] != "small"}
        world.source = source(FULL)
        return {
            "files": [[one["name"], one["ids"], one["bytes"], one["status"]] for one in large["files"]],
            "received": sizes,
            "more": edited(world, "stop", FULL * 37 + 1),
            "stop": edited(world, "stop", FULL * 37 - 1),
            "first": edited(world, "first_200mb", FULL * 37 - 1),
            "empty": empty,
            "registered": registered,
            "peak": held(),
            "seconds": round(seconds, 1),
            "server": kakao.memory(),
        }


def source(ids: int) -> dict[str, str]:
    """A query that gives so many ids."""
    return {"query": f"SELECT {made('n')} AS adid FROM range({ids}) r(n)"}


def edited(world: KakaoWorld, policy: str, limit: int) -> Any:
    """Edit the first file with so many bytes as its limit; the ids that the server has then, or what was told."""
    world.destination = {"mode": "edit", "file_name": "VIP", "file": {"when_over_limit": policy, "limit": f"{limit}B"}}
    try:
        world.run()
    except AirflowFailException as error:
        return str(error)
    return world.files()["VIP"]["unique"]


def held() -> int:
    """Most bytes that this process ever held."""
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    return int(next(line for line in status.splitlines() if line.startswith("VmHWM")).split()[1]) * 1024


if __name__ == "__main__":
    print(json.dumps(measured(Path(sys.argv[1]))))
