"""A real 450 MB list, and edits at the limit to the byte, in bounded memory."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from . import kakao_large
from .kakao_large import FULL, LARGE

ROOT = Path(__file__).parents[3]
MOST = 150_000_000
"""Bytes of memory that 450 MB may take beyond a task that has registered a thousand ids: its libraries take about 300 MB."""


@pytest.mark.quiet
@pytest.mark.timeout(300)
def test_feature_450_mb_in_three_files_in_bounded_memory(tmp_path: Path) -> None:
    path = os.pathsep.join([str(ROOT / "plugins"), str(ROOT)])
    done = subprocess.run(
        [sys.executable, kakao_large.__file__, str(tmp_path)],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": path},
        cwd=ROOT,
        timeout=280,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    found = json.loads(done.stdout.splitlines()[-1])
    rest = LARGE - 2 * FULL
    assert found["files"] == [
        ["VIP", FULL, FULL * 37, "COMPLETE"],
        ["VIP_1", FULL, FULL * 37, "COMPLETE"],
        ["VIP_2", rest, rest * 37, "COMPLETE"],
    ]
    assert found["received"] == {"VIP": [FULL * 37, FULL], "VIP_1": [FULL * 37, FULL], "VIP_2": [rest * 37, rest]}
    assert (found["more"], found["first"]) == (FULL, FULL - 1)
    assert "5,405,405 ids, 199,999,985 bytes; a customer file takes 199,999,984" in found["stop"]
    print(f"{found['seconds']} s, {found['peak'] / 1e6:.0f} MB, {found['empty'] / 1e6:.0f} MB of it after 1,000 ids")
    assert found["peak"] - found["empty"] <= MOST
