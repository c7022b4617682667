"""Memory does not grow with the list."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[3]


def probed(rows: int, place: Path) -> dict[str, Any]:
    """Clean so many ids in a process of their own."""
    command = [sys.executable, "-m", "tests.records.advertising_ids.probe", str(rows), str(place)]
    path = {"PYTHONPATH": f"{ROOT / 'plugins'}:{ROOT}", "PATH": "/usr/bin:/bin"}
    done = subprocess.run(command, cwd=ROOT, env=path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    seen: dict[str, Any] = json.loads(done.stdout)
    print(rows, seen)
    return seen


def test_a_list_of_450_mb_takes_less_than_300_mb_and_no_more_than_a_small_one(tmp_path: Path) -> None:
    """contracts: kakao_moment 2.5: three files of at most 200,000,000 bytes."""
    large, small = probed(12_200_000, tmp_path), probed(1_000_000, tmp_path)
    assert large["ids"] == 12_200_000
    assert large["bytes"] == [199_999_985, 199_999_985, 12_200_000 * 37 - 2 * 199_999_985]
    assert sum(large["bytes"]) > 450_000_000
    assert small["ids"] == 1_000_000
    assert large["peak"] <= 300_000_000
    assert large["peak"] - small["peak"] <= 40_000_000
