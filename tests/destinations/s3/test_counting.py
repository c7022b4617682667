"""Rows of files of lines, however the bytes come and whatever stands in quotes."""

from __future__ import annotations

import gzip

import pytest

from activation.destinations.s3.counting import LineCounter
from activation.errors import FatalError

CSV = b'id,text\n1,"a ""quoted"" one"\n2,"two\nlines, ""\n"\n3,\n4,""\n5,"\n"\n'
JSON = b'{"a":"x\\n\\"y"}\n{"a":null}\n'


def counted(kind: str, compression: str, data: bytes, step: int) -> int:
    counter = LineCounter(kind, compression)
    for start in range(0, len(data), step):
        counter.feed(data[start : start + step])
    return counter.rows("s3://b/k")


@pytest.mark.parametrize("step", [1, 2, 3, 7, 1000])
def test_rows_are_counted_in_pieces_of_any_size(step: int) -> None:
    assert counted("csv", "none", CSV, step) == 5
    assert counted("jsonl", "none", JSON, step) == 2
    assert counted("csv", "gzip", gzip.compress(CSV), step) == 5
    assert counted("jsonl", "gzip", gzip.compress(JSON) + gzip.compress(JSON), step) == 4


def test_a_last_line_needs_no_end_and_a_header_is_no_row() -> None:
    assert counted("csv", "none", CSV[:-1], 5) == 5
    assert counted("csv", "none", b"id,text\n", 5) == 0
    assert counted("csv", "none", b"", 5) == 0
    assert counted("jsonl", "gzip", b"", 5) == 0
    assert counted("jsonl", "gzip", gzip.compress(b""), 5) == 0


def test_what_was_packed_well_is_unpacked_in_bounded_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("activation.destinations.s3.counting._MOST", 100)
    assert counted("jsonl", "gzip", gzip.compress(JSON * 10_000), 1_000_000) == 20_000


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (gzip.compress(CSV)[:-9], "it ends too early"),
        (b"not packed at all", "incorrect header"),
        (gzip.compress(CSV[:-3]), "a quote is open"),
    ],
    ids=["cut", "not packed", "open quote"],
)
def test_a_broken_file_has_no_rows(data: bytes, text: str) -> None:
    with pytest.raises(FatalError, match=f"The warehouse wrote s3://b/k, which is broken: .*{text}"):
        counted("csv", "gzip", data, 10)
