"""An export is killed at ten random moments and tried again, while somebody reads by the manifest all the time."""

from __future__ import annotations

import hashlib
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import duckdb
import pytest
from botocore.exceptions import ClientError

from sandbox.aws import AwsSandbox

from .export_world import ExportWorld, make

ROOT = Path(__file__).parents[2]
DAY = (datetime.now(timezone.utc) - timedelta(days=2)).strftime("%Y-%m-%d")
HOUR = [f"{DAY}T09:00:00+00:00", f"{DAY}T10:00:00+00:00"]
KEY = f"crm/event/dt={DAY}/hr=18/run={DAY.replace('-', '')}T090000Z_events/_manifest.json"
KILLS, PART_ROWS = 10, 12_000
ROWS = (24_100, 18_000, 12_500)
"""Of 1.5 KB: three parts or two; one of 18 MB is a multipart upload of two pieces."""


@dataclass
class Reader(threading.Thread):
    """Reads what the manifest lists, over and over.

    :ivar whole: the word of each export that was read whole, in order.
    :ivar absent: how often there was no manifest.
    :ivar overtaken: how often the manifest was gone before its parts were read.
    :ivar wrong: what must never be seen.
    """

    client: Any
    bucket: str
    whole: list[str] = field(default_factory=list)
    absent: int = 0
    overtaken: int = 0
    wrong: list[str] = field(default_factory=list)
    done: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        super().__init__(daemon=True)

    def __hash__(self) -> int:
        return id(self)

    def run(self) -> None:
        while not self.done.wait(0.1):
            try:
                self._read()
            except Exception as error:
                self.wrong.append(repr(error))
                raise

    def _read(self) -> None:
        manifest = self._get(KEY)
        told = json.loads(manifest or b"{}")
        if told.get("status") != "complete":
            self.absent += 1
            return
        parts = [self._get(file["key"]) for file in told["files"]]
        for file, part in zip(told["files"], parts, strict=True):
            if part is None or hashlib.sha256(part).hexdigest() != file["sha256"]:
                if self._get(KEY) == manifest:
                    self.wrong.append(f"{file['key']} is {'missing' if part is None else 'another'}, and the manifest says whole")
                self.overtaken += 1
                return
        self._check(told, [part or b"" for part in parts])

    def _check(self, told: dict[str, Any], parts: list[bytes]) -> None:
        rows = [line.split(b",", 2) for part in parts for line in part.splitlines()[1:]]
        words = {row[1].decode().strip('"') for row in rows}
        if sorted(int(row[0]) for row in rows) != list(range(told["total_rows"])) or len(words) != 1:
            self.wrong.append(f"{len(rows)} rows of {told['total_rows']}, of {words}")
        self.whole += words

    def _get(self, key: str) -> bytes | None:
        try:
            content: bytes = self.client.get_object(Bucket=self.bucket, Key=key)["Body"].read()
        except ClientError as error:
            assert error.response["Error"]["Code"] == "NoSuchKey"
            return None
        return content


class Victim:
    """The process of :mod:`tests.operators.export_victim`; see there."""

    def __init__(self, world: ExportWorld, environment: dict[str, str]) -> None:
        code = f"import sys, runpy; sys.path[:0] = {[str(ROOT / 'plugins'), str(ROOT)]!r}; "
        code += "runpy.run_module('tests.operators.export_victim', run_name='__main__', alter_sys=True)"
        self._process = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self._order = {
            "environment": environment, "folder": str(world.folder), "bucket": world.bucket,
            "destination": world.destination, "interval": HOUR, "run": "scheduled__1",
        }  # fmt: skip

        assert self._answer() == "ready"

    def export(self, kill_after: float | None = None) -> int:
        """One try; gives its exit code."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{json.dumps({**self._order, 'kill_after': kill_after})}\n")
        self._process.stdin.flush()
        return int(self._answer())

    def close(self) -> None:
        self._process.kill()
        self._process.communicate(timeout=60)

    def _answer(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ExportWorld]:
    with AwsSandbox("storage") as aws:
        world = make(aws, tmp_path, f"bucket-{uuid.uuid4().hex[:12]}", monkeypatch)
        world.destination["files"] = {"compression": "none", "part_rows": PART_ROWS}
        world.events()
        yield world


@pytest.fixture
def victim(world: ExportWorld) -> Iterator[Victim]:
    victim = Victim(world, {name: value for name, value in os.environ.items() if name.startswith(("AIRFLOW", "AWS"))})
    yield victim
    victim.close()


def refill(world: ExportWorld, word: str, rows: int) -> None:
    """Let the table have other rows."""
    world.sql(
        "DELETE FROM crm.events; INSERT INTO crm.events "
        f"SELECT i, '{word}', repeat(md5(i || '{word}'), 45), '{DAY} 09:00:00+00', 1, NULL FROM range({rows}) AS numbers (i)"
    )


def test_killed_at_ten_random_moments_no_reader_sees_a_mix(world: ExportWorld, victim: Victim) -> None:
    seed = random.randrange(10**6)
    chance = random.Random(seed)
    refill(world, "word0", ROWS[0])
    began = time.monotonic()
    assert victim.export() == 0
    took = time.monotonic() - began
    reader = Reader(world.aws.client("s3"), world.bucket)
    reader.start()
    moments: list[float] = []
    tries = 0
    try:
        while len(moments) < KILLS:
            tries += 1
            assert tries < 4 * KILLS, "it ends before it can be killed"
            refill(world, f"word{tries}", chance.choice(ROWS))
            moment = chance.uniform(0, 1.1 * took)
            if victim.export(moment) == -signal.SIGKILL:
                moments.append(round(moment, 2))
        refill(world, "last", ROWS[0])
        assert victim.export() == 0
        end = time.monotonic() + 20
        while "last" not in reader.whole and time.monotonic() < end:
            time.sleep(0.1)
    finally:
        reader.done.set()
        reader.join(30)
        print(f"seed {seed}: one try took {took:.2f} s, killed after {moments} s in {tries} tries")
        print(f"read whole: {reader.whole}, without a manifest: {reader.absent}, overtaken: {reader.overtaken}")
    assert reader.wrong == []
    assert reader.whole[0] == "word0"
    assert reader.whole[-1] == "last"
    assert reader.absent
    assert world.aws.unfinished(world.bucket) == []
    files = [file["key"] for file in world.manifest(KEY)["files"]]
    assert len(files) == 3
    assert sorted(world.objects()) == [KEY, *files]
    assert _differences(world, files) == (0, 0)


def _differences(world: ExportWorld, keys: list[str]) -> tuple[int, int]:
    """How many rows only the bucket has, and how many only the table."""
    for number, key in enumerate(keys):
        (world.folder / f"got-{number}.csv").write_bytes(world.objects()[key])
    columns = "EVENT_ID, EVENT_NAME, df_unified_id, SERVER_AT, AMOUNT"
    with duckdb.connect(str(world.folder / "warehouse.duckdb")) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute(f"CREATE TEMP TABLE got AS SELECT {columns} FROM '{world.folder}/got-*.csv'")
        found = []
        for one, other in (("got", "crm.events"), ("crm.events", "got")):
            ours = f"SELECT {columns} FROM {one} EXCEPT ALL SELECT {columns} FROM {other}"
            found.append(connection.execute(f"SELECT count(*) FROM ({ours})").fetchall()[0][0])
    return found[0], found[1]
