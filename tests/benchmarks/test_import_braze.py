"""The benchmark runs to its end, checks every contestant's content, and sees content that is wrong; nothing is about time."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest

from benchmarks import import_braze, source, table
from benchmarks.content import differences
from benchmarks.processes import BenchmarkError, Outcome, Place, Server
from benchmarks.results import Results, Timing, full, quick

ROOT = Path(__file__).parents[2]
USERS: list[dict[str, Any]] = [{"external_id": "a", "n": 1}, {"external_id": "b", "n": True}]


def test_a_quick_run_finds_every_content_exact() -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW")}
    command = [sys.executable, "-m", "benchmarks.import_braze", "--quick"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    for name, rows in (("ours", 300), ("ours", 1_500), ("row loop", 300), ("batch loop", 300), ("drt-core", 300)):
        assert f"{name}: content of {rows:,} rows is exact\n" in done.stdout
    assert "these times mean nothing" in done.stdout


class _Lossy:
    """A worker whose contestant forgets a row."""

    def __init__(self, contestant: str, place: Place) -> None:
        self._place = place

    def __enter__(self) -> _Lossy:
        return self

    def __exit__(self, *error: object) -> None:
        pass

    def run(self, rows: int, *, in_flight: int = 1, repeat: int = 1) -> Outcome:
        objects = [source.object_of(*row) for row in source.read(Path(self._place.database), rows)][1:]
        with urlopen(Request(f"{self._place.url}/users/track", data=json.dumps({"attributes": objects}).encode()), timeout=10):
            return Outcome([1.0], 1.0, 1, 1)


def test_wrong_content_is_reported_not_timed_and_ends_with_1(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("benchmarks.measure.Worker", _Lossy)
    assert import_braze.main(["--quick"]) == 1
    said = capsys.readouterr().out
    for name in ("ours", "row loop", "batch loop", "drt-core"):
        assert f"{name}: FAILED: content of 300 rows is wrong: 1 objects are missing, the first is user-" in said
    assert "in flight:" not in said
    assert said.count("**WRONG**: 1 objects are missing, the first is user-") == 4


@pytest.mark.parametrize(
    ("sent", "fault"),
    [
        ([USERS], []),
        ([[USERS[1]], [USERS[0]]], []),
        ([[USERS[0]]], ["1 objects are missing, the first is b"]),
        ([USERS, [USERS[0]]], ["1 objects came twice, the first is a"]),
        ([[*USERS, {"external_id": "c"}]], ["1 objects came though no row asks for it, the first is c"]),
        ([[USERS[0], {"external_id": "b", "n": 1}]], ["1 objects differ, the first is b"]),
        ([[{**USERS[0], "m": None}, USERS[1]]], ["1 objects differ, the first is a"]),
    ],
)
def test_content_that_is_not_exact_is_told(sent: list[list[dict[str, Any]]], fault: list[str]) -> None:
    assert differences(USERS, [json.dumps({"attributes": objects}).encode() for objects in sent]) == fault


def test_the_tables_hold_what_they_say(tmp_path: Path) -> None:
    source.seed(tmp_path / "w.duckdb", {20, 75})
    rows = source.read(tmp_path / "w.duckdb", 75)
    objects = [source.object_of(*row) for row in rows]
    assert len({one["external_id"] for one in objects}) == 75
    assert [row[0] for row in rows] != sorted(row[0] for row in rows)
    assert {len(one) for one in objects} == {10}
    assert objects[0]["address"].keys() == {"zip", "street", "floor"}


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    with Server(tmp_path) as running:
        yield running


async def _talk(url: str, *pieces: bytes) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", int(url.rpartition(":")[2]))
    for piece in pieces:
        writer.write(piece)
        await writer.drain()
        await asyncio.sleep(0.02)
    answer = await reader.readuntil(b"}")
    writer.close()
    return answer


BODY = b'{"attributes":[{"external_id":"a"}]}'
TRACK = b"POST /users/track HTTP/1.1\r\n"


@pytest.mark.parametrize(
    "pieces",
    [
        [TRACK + b"Content-", b"Length: 36\r\n\r\n" + BODY[:20], BODY[20:]],
        [TRACK + b"Transfer-Encoding: chunked\r\n\r\n14\r\n", BODY[:20] + b"\r\n", b"10\r\n" + BODY[20:] + b"\r\n0", b"\r\n\r\n"],
    ],
    ids=["content-length", "chunked"],
)
def test_the_server_takes_bodies_in_pieces(server: Server, pieces: list[bytes]) -> None:
    server.begin(keep=True)
    answer = asyncio.run(_talk(server.url, *pieces))
    assert answer.startswith(b"HTTP/1.1 201 Created\r\n")
    assert answer.endswith(b'{"message":"success","attributes_processed":1}')
    counts = server.end()
    assert (counts.requests, counts.objects, counts.bytes) == (1, 1, len(BODY))
    assert list(server.bodies()) == [BODY]


def test_the_table_marks_a_missed_target_and_wrong_content() -> None:
    results = Results(quick(1_500))
    results.timings = [
        Timing("ours", 0.05, 16, 1_500, 20, 1.0, 0.5),
        Timing("batch loop", 0.05, 1, 75, 1, 1.0, 0.5),
        Timing("ours", 0.0, 16, 160_000, 2_000, 1.0, 0.5),
    ]
    results.ceilings = {16: 30_000.0}
    results.exact = {("ours", 300): [], ("row loop", 300): ["1 objects differ, the first is a"]}
    results.memory = {10: (100, 100 << 20), 100: (100, 120 << 20)}
    text = table.render(results, "python -m benchmarks.import_braze")
    assert "75 rows each, at 50 ms with 16 in flight | ≥ 14× | 20.0× | yes |" in text
    assert "against a server that can take more | ≥ 150,000 | 160,000 | yes |" in text
    assert "growth of peak memory from 10 to 100 rows | < 15% | +20.0% | **no** |" in text
    assert "**WRONG**: 1 objects differ, the first is a" in text
    assert not results.good


def test_results_go_between_the_marks_of_a_document(tmp_path: Path) -> None:
    document = tmp_path / "b.md"
    document.write_text(f"before\n{table.BEGIN}\nold\n{table.END}\nafter\n", encoding="utf-8")
    table.write(document, "new")
    assert document.read_text(encoding="utf-8") == f"before\n{table.BEGIN}\n\nnew\n\n{table.END}\nafter\n"
    document.write_text("no marks", encoding="utf-8")
    with pytest.raises(BenchmarkError, match="has no lines <!-- results: begin -->"):
        table.write(document, "new")


def test_the_published_document_has_the_marks() -> None:
    text = (ROOT / "docs" / "benchmarks.md").read_text(encoding="utf-8")
    assert text.count(table.BEGIN) == text.count(table.END) == 1


def test_a_peer_that_waits_is_timed_on_a_sample() -> None:
    sizes = full(150_000)
    assert sizes.slow == {"row loop": 150, "batch loop": 15_000, "drt-core": 15_000}
    assert sizes.memory == (150_000, 1_500_000)
