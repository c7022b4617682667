"""Exports that are killed in the middle, and what they need of memory: each is a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from activation.destinations.s3.export import export
from activation.destinations.s3.parts import PartLimit
from activation.destinations.s3.settings import LEAST_PART, MIB, Transfer
from tests.destinations.s3.exporting import PREFIX, SCHEMA, Storage, batches, plan

ROOT = Path(__file__).parents[3]
ROWS, PART, HOLD = 170, 60, 168
"""Three parts; the third is wide enough that pieces of it are on their way when it is killed."""


@pytest.fixture
def victim(storage: Storage) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Starts a process that exports; none outlives the test."""
    started: list[subprocess.Popen[str]] = []

    def start(**given: Any) -> subprocess.Popen[str]:
        told = {"url": storage.aws.url, "bucket": storage.bucket, "on_exists": "replace", "word": "b", "rows": ROWS, **given}
        code = f"import sys, runpy; sys.path[:0] = {[str(ROOT / 'plugins'), str(ROOT)]!r}; "
        code += "runpy.run_module('tests.destinations.s3.victim', run_name='__main__', alter_sys=True)"
        command = [sys.executable, "-c", code, json.dumps({"wide": 2 * PART, "part_rows": PART, **told})]
        started.append(subprocess.Popen(command, stdout=subprocess.PIPE, text=True))
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.communicate(timeout=60)


@pytest.mark.parametrize("again", ["b", "c"], ids=["same content", "changed content"])
@pytest.mark.parametrize("on_exists", ["replace", "fail", "version"])
def test_s_f2_a_kill_after_two_of_three_parts_leaves_no_mix(
    storage: Storage, victim: Callable[..., subprocess.Popen[str]], on_exists: Any, again: str
) -> None:
    wanted = plan(storage.bucket, on_exists=on_exists, limit=PartLimit(rows=PART), transfer=Transfer(LEAST_PART, 2))
    base = f"{PREFIX}/attempt=1" if on_exists == "version" else PREFIX
    if on_exists == "replace":
        export(batches(ROWS + PART, "a"), SCHEMA, wanted, storage.client)
        assert len(storage.whole().files) == 4
    process = victim(on_exists=on_exists, hold=HOLD)
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    parts = [f"{base}/part-0000{number}.csv" for number in range(3)]
    _wait(lambda: {*parts[:2]} <= {key for key, content in storage.objects().items() if b'"b' in content})
    _wait(lambda: [key for key, _ in storage.aws.unfinished(storage.bucket)] == [parts[2]])
    process.kill()
    process.wait(60)
    with pytest.raises(ClientError, match="NoSuchKey"):
        storage.manifest(f"{base}/_manifest.json")

    report = export(batches(ROWS, again, wide=2 * PART), SCHEMA, wanted, storage.client)
    assert report.manifest == f"{base}/_manifest.json"
    assert storage.aws.unfinished(storage.bucket) == []
    manifest, objects = storage.whole(report.manifest), storage.objects()
    assert [file.key for file in manifest.files] == parts
    assert [file.rows for file in manifest.files] == [PART, PART, ROWS - 2 * PART]
    assert {line.split(b'"')[1][:1] for key in parts for line in objects[key].splitlines()[1:]} == {again.encode()}


def test_s_f10_ten_times_the_rows_take_the_same_memory(victim: Callable[..., subprocess.Popen[str]]) -> None:
    peaks = []
    for rows in (50, 500):
        process = victim(rows=rows, wide=0, part_rows=1000)
        out, _ = process.communicate(timeout=200)
        assert process.returncode == 0
        peaks.append(int(out) / MIB)
    assert peaks[1] < peaks[0] + 50, peaks  # 450 MiB more went through


def _wait(until: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while not until():
        assert time.monotonic() < end
        time.sleep(0.2)
