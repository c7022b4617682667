"""The KPL's format (contract 2.3; K-A1, K-A3): byte by byte as aws-kinesis-agg writes it, whose output is kept in ``golden``."""

from __future__ import annotations

import hashlib
import json
from base64 import b64decode
from pathlib import Path

import pytest

from activation.destinations.kinesis.aggregation import MAGIC, MOST, UserRecord, decode, encode, hash_of, split

GOLDEN = json.loads((Path(__file__).parent / "golden" / "kpl_aggregates.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("case", GOLDEN, ids=range(len(GOLDEN)))
def test_ka1_aggregates_equal_the_golden_bytes_and_come_back(case: dict[str, object]) -> None:
    records = [(key, b64decode(data)) for key, data in case["records"]]  # type: ignore[attr-defined]
    made = encode((key.encode(), data) for key, data in records)
    assert made == b64decode(str(case["aggregate"]))
    assert decode(made) == [UserRecord(key, data) for key, data in records]


def test_ka1_the_hash_is_the_md5_as_a_big_endian_number() -> None:
    assert hash_of("user-1") == int(hashlib.md5(b"user-1", usedforsecurity=False).hexdigest(), 16)


def test_ka1_aggregates_fill_up_to_the_limit_and_not_beyond() -> None:
    sizes = [(12, 200)] * 1_000
    starts = split(sizes)
    lengths = []
    for begin, end in zip(starts, [*starts[1:], len(sizes)], strict=True):
        lengths.append(len(encode((b"k%011d" % number, b"x" * 200) for number in range(begin, end))))
    assert max(lengths) <= MOST
    assert min(lengths[:-1]) > MOST - 250
    assert split([(1, 10), (1, 60_000), (1, 10)]) == [0, 1, 2]
    assert split([]) == []


def test_ka3_what_is_no_aggregate_is_a_plain_record() -> None:
    good = encode([(b"a", b"1"), (b"b", b"2")])
    wrong_md5 = good[:-1] + bytes([good[-1] ^ 1])
    for data in (b"", b'{"a":1}', MAGIC, MAGIC + b"x" * 20, wrong_md5, b"\x00" + good[1:], good[:-4], good + b"\n"):
        assert decode(data) is None


@pytest.mark.parametrize(
    "message",
    [b"\x1a\x05ab", b"\x1a\x04\x08\x00\x1a\x01", b"\x1a\x05\x08\x07\x1a\x01x", b"\x0b", b"\x1a\x02\x08\x00", b"\xff" * 12],
)
def test_ka3_a_right_md5_around_no_message_is_a_plain_record(message: bytes) -> None:
    assert decode(MAGIC + message + hashlib.md5(message, usedforsecurity=False).digest()) is None


def test_hash_keys_and_unknown_fields_of_other_producers_are_read() -> None:
    inner = b"\x08\x00\x10\x00\x1a\x01x\x22\x03\x0a\x01t"
    message = b"\x0a\x01k\x12\x0212" + b"\x1a" + bytes([len(inner)]) + inner + b"\x29" + b"\x00" * 8
    found = decode(MAGIC + message + hashlib.md5(message, usedforsecurity=False).digest())
    assert found == [UserRecord("k", b"x", "12")]
