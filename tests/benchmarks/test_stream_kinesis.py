"""The benchmark runs to its end, checks all content, and sees content that is wrong; nothing is about time."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import ProxyHandler, Request, build_opener

import pytest

from benchmarks import stream_kinesis
from benchmarks.processes import Outcome
from benchmarks.streaming import measure, records, table
from benchmarks.streaming.results import (
    DEFAULT,
    FAULTS,
    LIBRARY,
    LOOP,
    OURS,
    PEERS,
    SERIAL,
    THREADS,
    Found,
    Results,
    Timing,
    full,
    quick,
)
from benchmarks.streaming.worker import Stub

ROOT = Path(__file__).parents[2]


def test_a_quick_run_finds_every_content_exact() -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW")}
    command = [sys.executable, "-m", "benchmarks.stream_kinesis", "--quick", "--rows", "1000"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=280, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    senders = {OURS: "1,000", LOOP: "20", SERIAL: "1,000", THREADS: "1,000"}
    if sys.version_info >= (3, 11):  # async-kinesis does not run on older ones
        senders[LIBRARY] = "1,000"
    for name, count in senders.items():
        for size in ("200", "2,000"):
            for failing in ("", ", 5 % failing"):
                assert f"{name}, {count} records of {size} B{failing}: exact\n" in done.stdout
    for what in ("first run over 1,000 profiles", "10 of 1,000 profiles changed"):
        assert f"from the warehouse, {what}: exact\n" in done.stdout
    assert "these times mean nothing" in done.stdout


@pytest.fixture
def stub(tmp_path: Path) -> Iterator[Stub]:
    """A running stub."""
    with Stub(tmp_path) as running:
        yield running


def put(stub: Stub, sent: list[records.Record], *, signed: bool = True) -> Any:
    """One PutRecords; gives the answer."""
    entries = [{"Data": base64.b64encode(text.encode()).decode(), "PartitionKey": key} for key, text in sent]
    headers = {"X-Amz-Target": "Kinesis_20131202.PutRecords"} | ({"Authorization": "AWS4-HMAC-SHA256 x"} if signed else {})
    request = Request(stub.url, data=json.dumps({"Records": entries}).encode(), headers=headers)
    with build_opener(ProxyHandler({})).open(request, timeout=10) as answer:
        return json.load(answer)


def test_the_stub_fails_one_record_of_twenty_once_and_keeps_the_others(stub: Stub) -> None:
    sent = list(records.make(400, 200))
    stub.begin(faults=FAULTS, keep=True)
    answer = put(stub, sent)
    bad = [one for one, told in zip(sent, answer["Records"], strict=True) if told.get("ErrorCode") == FAULTS]
    assert len(bad) == answer["FailedRecordCount"]
    assert 8 <= len(bad) <= 40
    assert put(stub, bad)["FailedRecordCount"] == 0
    counts = stub.end()
    assert (counts.requests, counts.records, counts.failed) == (2, 400, len(bad))
    assert records.differences(sent, stub.records()) == []


def test_the_stub_takes_neither_unsigned_calls_nor_more_than_500_records(stub: Stub) -> None:
    stub.begin()
    for sent, signed, code in ((1, False, "MissingAuthenticationTokenException"), (501, True, "ValidationException")):
        with pytest.raises(HTTPError) as refused:
            put(stub, list(records.make(sent, 200)), signed=signed)
        assert json.load(refused.value)["__type"] == code
    assert stub.end().records == 0


@pytest.mark.parametrize("size", [200, 2_000])
def test_the_records_have_their_size_and_what_is_hard(size: int, tmp_path: Path) -> None:
    made = list(records.make(10, size))
    assert {len(message.encode()) for _, message in made} == {size}
    assert '\\"안녕\\"' in made[0][1]
    records.write(tmp_path / "file", 10, size)
    assert records.read(tmp_path / "file", 7) == made[:7]


def test_every_kind_of_wrong_content_is_seen() -> None:
    wanted = [("a", "1"), ("b", "2"), ("c", "3")]
    found = [("a", b"1"), ("b", b"20"), ("b", b"2"), ("d", b"4")]
    assert records.differences(wanted, found) == [
        "1 records came though nobody sent it, the first is d",
        "1 records differ, the first is b",
        "1 records came more than once, the first is b",
        "1 records are missing, the first is c",
    ]
    assert records.differences(wanted, [*((key, text.encode()) for key, text in wanted), ("a", b"1")], once=False) == []


class _Lossy:
    """A sender that sends nothing."""

    def __init__(self, *given: Any) -> None:
        pass

    def __enter__(self) -> _Lossy:
        return self

    def __exit__(self, *error: object) -> None:
        pass

    def do(self, **arguments: Any) -> Outcome:
        return Outcome([1.0], 1.0, 1, 1, {"rows": 0})


def test_wrong_content_is_reported_not_timed_and_ends_with_1(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(measure, "Sender", _Lossy)
    monkeypatch.setattr("benchmarks.streaming.whole.Whole.__call__", lambda self: None)
    assert stream_kinesis.main(["--quick", "--rows", "1000"]) == 1
    said = capsys.readouterr().out
    for name in (OURS, *PEERS):
        assert f"{name}: FAILED: content of {name}, " in said
    assert "1,000 records are missing, the first is profile-000000000" in said
    assert "| record |" not in said


def test_a_sender_that_cannot_be_installed_is_told_and_changes_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def sender(name: str, *given: Any) -> _Lossy:
        if name == LIBRARY:
            raise RuntimeError("no such package")
        return _Lossy()

    monkeypatch.setattr(measure, "Sender", sender)
    monkeypatch.setattr(measure.Measurement, "_checks", lambda self, sender, name: None)
    monkeypatch.setattr(measure.Measurement, "_times", lambda self, senders, size: None)
    monkeypatch.setattr(measure.Measurement, "_ceiling", lambda self: None)
    monkeypatch.setattr("benchmarks.streaming.whole.Whole.__call__", lambda self: None)
    results = measure.Measurement(quick(1_000), tmp_path, print)()
    assert results.good
    assert "- async-kinesis: does not run here, no such package" in table.render(results, "x")


def test_the_table_compares_rates_and_marks_a_missed_target() -> None:
    results = Results(quick(1_000))
    results.timings = [
        Timing(OURS, 200, False, 1_000, 2, 0.5, 0.1),
        Timing(OURS, 200, True, 1_000, 3, 1.0, 0.1),
        Timing(DEFAULT, 200, True, 1_000, 3, 2.0, 0.1),
        Timing(SERIAL, 200, False, 1_000, 2, 1.0, 0.1),
        Timing(THREADS, 200, False, 1_000, 2, 1.0, 0.1),
        Timing(LIBRARY, 200, False, 1_000, 2, 0.8, 0.1),
    ]
    results.found = [Found(OURS, 100_000, 100_000, 1.0, {"count": 0.5}, 2.0), Found(OURS, 100_000, 1_000, 1.0)]
    text = table.render(results, "python -m benchmarks.stream_kinesis")
    row = "| 200 B | none | `put_records`, 8 threads | 8 | 1,000 | 2 | 1.00 s | 1,000 | 100.0 ms | 2.0× |"
    assert row in text
    assert "| faster than `put_records`, one after the other, 200 B | ≥ 2.5× | 2.0× | **no** |" in text
    assert "| faster than async-kinesis, the best of the rest, 200 B | ≥ 1.5× | 1.6× | yes |" in text
    assert "| records/s with 5 % failing beside none, 200 B | ≥ 0.8× | 0.50× | **no** |" in text
    assert "| profiles/s found and encoded, all 100,000 of them changed | ≥ 50,000 | 100,000 | yes |" in text
    assert results.good
    results.exact["ours"] = ["1 records differ"]
    assert not results.good


def test_the_sizes_of_a_real_measurement() -> None:
    sizes = full(200_000)
    assert sizes.records == {200: 200_000, 2_000: 50_000}
    assert (sizes.loop, sizes.profiles, sizes.sample) == (1_000, 1_000_000, 100_000)


def test_the_published_document_has_the_marks() -> None:
    text = (ROOT / "docs" / "benchmarks.md").read_text(encoding="utf-8")
    assert [text.count(mark) for mark in table.MARKS] == [1, 1]
