"""The records that are sent, and the check that exactly these arrived. Needs nothing but the standard library."""

from __future__ import annotations

import base64
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

CITIES = ("서울특별시", "부산광역시", "Incheon", "대구광역시")

Record = tuple[str, str]
"""Partition key and message."""


def make(count: int, size: int) -> Iterator[Record]:
    """Records whose messages have exactly ``size`` bytes: JSON with Korean text, an emoji and escapes.

    :param size: at least 200.
    """
    for number in range(count):
        message = {
            "person": {"name": {"firstName": f"민준 {number % 977}"}, "city": CITIES[number % 4]},
            "note": 'said "안녕" \\ 👋',
            "segmentMembership": {"ups": {"a": {"status": "realized"}}},
            "pad": "",
        }
        short = len(_text(message).encode())
        message["pad"] = "x" * (size - short)
        yield f"profile-{number:09d}", _text(message)


def _text(message: Mapping[str, object]) -> str:
    return json.dumps(message, ensure_ascii=False, separators=(",", ":"))


def write(file: Path, count: int, size: int) -> None:
    """Write records, one a line: the key, a tabulator, the message."""
    with file.open("w", encoding="utf-8", newline="\n") as lines:
        lines.writelines(f"{key}\t{message}\n" for key, message in make(count, size))


def read(file: Path | str, most: int) -> list[Record]:
    """The first records of a file."""
    found: list[Record] = []
    with Path(file).open(encoding="utf-8", newline="\n") as lines:
        for line in lines:
            if len(found) == most:
                break
            key, _, message = line.rstrip("\n").partition("\t")
            found.append((key, message))
    return found


def arrived(spool: Path) -> Iterator[tuple[str, bytes]]:
    """Key and data of every record that the stub took; see :class:`benchmarks.streaming.stub.State`."""
    with spool.open("rb") as calls:
        while head := calls.readline():
            size, _, bad = head.partition(b" ")
            body, failed = json.loads(calls.read(int(size))), set(json.loads(bad))
            for index, one in enumerate(body.get("Records", [body])):
                if index not in failed:
                    yield one["PartitionKey"], base64.b64decode(one["Data"], validate=True)


def differences(expected: Iterable[Record], found: Iterable[tuple[str, bytes]], *, once: bool = True) -> list[str]:
    """Compare what should have arrived with what did, byte for byte.

    :param once: whether no record may come twice.
    :returns: what is wrong, a line for each kind of fault; empty if the content is exact.
    """
    wanted = {key: message.encode() for key, message in expected}
    times: Counter[str] = Counter()
    faults: dict[str, list[str]] = {"came though nobody sent it": [], "differ": []}
    for key, data in found:
        times[key] += 1
        if key not in wanted:
            faults["came though nobody sent it"].append(key)
        elif wanted[key] != data:
            faults["differ"].append(key)
    faults["came more than once"] = [key for key, count in times.items() if once and count > 1]
    faults["are missing"] = [key for key in wanted if key not in times]
    return [f"{len(keys):,} records {fault}, the first is {keys[0]}" for fault, keys in faults.items() if keys]
