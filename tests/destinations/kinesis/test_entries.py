"""The entries of PutRecords: exact bytes, and the number that chooses the shard."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from contextlib import closing
from hashlib import md5
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from activation.destinations.kinesis.entries import Entries, EntryWriter

TEXTS = st.text(st.characters(codec="utf-8"), max_size=20)


def entries(messages: list[str], keys: list[str]) -> Entries:
    with closing(EntryWriter()) as writer:
        return writer.of(pa.array(messages, pa.string()), pa.array(keys, pa.string()))


def parts(found: Entries) -> list[bytes]:
    ends = found.offsets.tolist()
    return [bytes(found.data[first:last]) for first, last in pairwise(ends)]


def test_form() -> None:
    found = entries(['{"a":1}', '{"a":"한"}', ""], ["u1", 'q"\\\n\u2028한', "u1"])
    assert parts(found) == [
        b'{"Data":"' + b64encode(b'{"a":1}') + b'","PartitionKey":"u1"},',
        b'{"Data":"' + b64encode('{"a":"한"}'.encode()) + '","PartitionKey":"q\\"\\\\\\n\u2028한"},'.encode(),
        b'{"Data":"","PartitionKey":"u1"},',
    ]


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(TEXTS, TEXTS), max_size=8))
def test_equals_plain_python(rows: list[tuple[str, str]]) -> None:
    found = entries([message for message, _ in rows], [key for _, key in rows])
    for part, number, (message, key) in zip(parts(found), found.hashes.tolist(), rows, strict=True):
        entry = json.loads(part.removesuffix(b","))
        assert entry == {"Data": b64encode(message.encode()).decode(), "PartitionKey": key}
        assert number == int.from_bytes(md5(key.encode(), usedforsecurity=False).digest()[:8], "big")
    assert found.hashes.dtype == np.uint64


@pytest.mark.parametrize("rows", [0, 1, 130_000])
def test_many(rows: int) -> None:
    """More rows than DuckDB puts into one chunk."""
    found = entries([f'{{"n":{number}}}' for number in range(rows)], [f"u{number}" for number in range(rows)])
    assert len(found.offsets) == rows + 1
    assert (found.offsets[0], found.offsets[-1]) == (0, len(found.data))
    parsed = json.loads(b"[" + bytes(found.data).removesuffix(b",") + b"]")
    assert [json.loads(b64decode(one["Data"]))["n"] for one in parsed] == list(range(rows))


def test_slices_of_arrays() -> None:
    messages, keys = pa.array(["a", "b", "c"]), pa.array(["x", "y", "z"])
    with closing(EntryWriter()) as writer:
        assert parts(writer.of(messages.slice(1, 1), keys.slice(1, 1))) == [b'{"Data":"Yg==","PartitionKey":"y"},']
