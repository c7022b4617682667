"""Several small records in one, as the KPL packs them (contract 2.3): written byte by byte like the KPL, and read back."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

MAGIC = b"\xf3\x89\x9a\xc2"
DIGEST = 16
"""Bytes of the MD5 at the end."""

MOST = 51_200
"""Bytes of an aggregate (contract 2.4)."""

OUTER_KEY = "a"
"""Partition key of an aggregate; its hash key says where it goes."""

_KEY_TABLE, _HASH_TABLE, _RECORDS = 1, 2, 3
_KEY_INDEX, _HASH_INDEX, _DATA = 1, 2, 3
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5


@dataclass(frozen=True, slots=True)
class UserRecord:
    """A record as its producer made it.

    :ivar key: partition key.
    :ivar hash_key: explicit hash key in decimal; empty if there is none.
    """

    key: str
    data: bytes
    hash_key: str = ""


def hash_of(key: str) -> int:
    """A partition key's hash: its MD5 as a big-endian number of 128 bits."""
    return int.from_bytes(hashlib.md5(key.encode(), usedforsecurity=False).digest(), "big")


def encode(records: Iterable[tuple[bytes, bytes]]) -> bytes:
    """Pack records.

    :param records: partition key in UTF-8 and data of each one.
    """
    places: dict[bytes, int] = {}
    parts: list[bytes] = []
    for key, data in records:
        index = _varint(places.setdefault(key, len(places)))
        head = b"\x08" + index + b"\x1a" + _varint(len(data))
        parts += (b"\x1a", _varint(len(head) + len(data)), head, data)
    table = b"".join(b"\x0a" + _varint(len(key)) + key for key in places)
    message = table + b"".join(parts)
    return MAGIC + message + hashlib.md5(message, usedforsecurity=False).digest()


def split(sizes: Sequence[tuple[int, int]], most: int = MOST) -> list[int]:
    """Cut records of one shard into aggregates of a bounded size.

    :param sizes: bytes of each record's partition key and data.
    :returns: where each aggregate begins; one that holds a single record may be larger.
    """
    starts: list[int] = []
    total = most + 1
    for index, (key, data) in enumerate(sizes):
        need = _room(key, data)
        if total + need > most:
            starts.append(index)
            total = len(MAGIC) + DIGEST
        total += need
    return starts


def decode(data: bytes) -> list[UserRecord] | None:
    """Take an aggregate apart.

    :returns: its records; ``None`` if it is a plain record: no magic, a wrong MD5, or no message of the format.
    """
    if not data.startswith(MAGIC) or len(data) < len(MAGIC) + DIGEST:
        return None
    message = data[len(MAGIC) : -DIGEST]
    if hashlib.md5(message, usedforsecurity=False).digest() != data[-DIGEST:]:
        return None
    keys: list[str] = []
    hashes: list[str] = []
    packed: list[bytes] = []
    try:
        for field, value in _fields(message):
            if isinstance(value, bytes):
                if field == _KEY_TABLE:
                    keys.append(value.decode())
                elif field == _HASH_TABLE:
                    hashes.append(value.decode())
                elif field == _RECORDS:
                    packed.append(value)
        return [_record(one, keys, hashes) for one in packed]
    except (ValueError, IndexError, KeyError):
        return None


def _room(key: int, data: int) -> int:
    """At most so many bytes a record needs, with a key of its own and an index of up to two bytes."""
    inner = 3 + 1 + len(_varint(data)) + data
    return 1 + len(_varint(key)) + key + 1 + len(_varint(inner)) + inner


def _varint(number: int) -> bytes:
    if number < 0x80:
        return bytes((number,))
    out = bytearray()
    while number >= 0x80:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def _record(message: bytes, keys: list[str], hashes: list[str]) -> UserRecord:
    """:raises LookupError: if it has no data, or no key of the table."""
    fields = dict(_fields(message))
    data, key, hash_key = fields[_DATA], fields[_KEY_INDEX], fields.get(_HASH_INDEX)
    if not isinstance(data, bytes) or not isinstance(key, int) or isinstance(hash_key, bytes):
        raise ValueError("a field of another type")
    return UserRecord(keys[key], data, "" if hash_key is None else hashes[hash_key])


def _fields(message: bytes) -> Iterable[tuple[int, int | bytes]]:
    """The fields of a protobuf message by their numbers.

    :raises ValueError: if it is none.
    """
    place = 0
    while place < len(message):
        tag, place = _read_varint(message, place)
        kind = tag & 7
        if kind == _VARINT:
            value, place = _read_varint(message, place)
            yield tag >> 3, value
            continue
        if kind == _BYTES:
            size, place = _read_varint(message, place)
        elif kind in (_FIXED64, _FIXED32):
            size = 8 if kind == _FIXED64 else 4
        else:
            raise ValueError("no wire type")
        if place + size > len(message):
            raise ValueError("cut off")
        yield tag >> 3, message[place : place + size]
        place += size


def _read_varint(message: bytes, place: int) -> tuple[int, int]:
    number = shift = 0
    while True:
        if place >= len(message) or shift > 63:
            raise ValueError("no number")
        byte = message[place]
        number |= (byte & 0x7F) << shift
        place, shift = place + 1, shift + 7
        if byte < 0x80:
            return number, place
