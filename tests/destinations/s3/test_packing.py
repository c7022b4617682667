"""Compressed text is one stream that any reader understands (contracts: s3_export 3.7, S-F3)."""

from __future__ import annotations

import gzip
import shutil
import subprocess
import zlib
from typing import Any

import pyarrow as pa
import pytest

from activation.destinations.s3.formats import Format

from .forms import rows, written


@pytest.mark.parametrize("kind", ["csv", "jsonl"])
def test_s_f3_gzip_says_nothing_of_time_and_name(kind: Any) -> None:
    table = rows(50_000)
    data, plain = written(Format(kind, "gzip"), table), written(Format(kind, "none"), table)
    assert data[:10] == bytes([0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 0xFF])
    assert gzip.decompress(data) == plain
    one = zlib.decompressobj(wbits=31)
    assert (one.decompress(data), one.eof, one.unused_data) == (plain, True, b"")
    if tool := shutil.which("gzip"):
        assert subprocess.run([tool, "-dc"], input=data, capture_output=True, check=True).stdout == plain


@pytest.mark.parametrize("kind", ["csv", "jsonl"])
def test_s_f3_zstd_is_one_frame(kind: Any) -> None:
    table = rows(50_000)
    data, plain = written(Format(kind, "zstd"), table), written(Format(kind, "none"), table)
    assert pa.input_stream(pa.py_buffer(data), compression="zstd").read() == plain
    assert data.count(b"\x28\xb5\x2f\xfd") == 1


def test_no_rows_are_a_stream_too() -> None:
    table = rows(1).slice(0, 0)
    assert gzip.decompress(written(Format("jsonl", "gzip"), table)) == b""
    assert pa.input_stream(pa.py_buffer(written(Format("jsonl", "zstd"), table)), compression="zstd").read() == b""
