"""UNLOAD for Redshift's stand-in: the query runs on PostgreSQL, its rows go to an S3 endpoint as files of two slices.

The form of the manifest is that of AWS's documentation (UNLOAD, examples). Files are never cut at MAXFILESIZE: what tests unload
is smaller than the least that it takes. The query runs with the rights of the sandbox's superuser.
"""

from __future__ import annotations

import gzip
import io
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import psycopg
import pyarrow as pa
import pyarrow.parquet as pq

UNLOAD = re.compile(r"\s*UNLOAD\b", re.IGNORECASE)

_STATEMENT = re.compile(
    r"\s*UNLOAD\s*\('(?P<query>(?:[^']|'')*)'\)\s*TO\s*'s3://(?P<bucket>[^/']+)/(?P<prefix>[^']*)'\s*IAM_ROLE\s*'(?P<role>[^']+)'\s*"
    r"(?P<options>.*?)(?:/\*.*\*/)?\s*;?\s*",
    re.IGNORECASE | re.DOTALL,
)
_OPTION = re.compile(
    r"(?P<format>FORMAT\s+(?:AS\s+)?(?:CSV|PARQUET))|(?P<header>HEADER)|(?P<packed>GZIP|ZSTD)|(?P<manifest>MANIFEST\s+VERBOSE)"
    r"|MAXFILESIZE\s+(?P<size>\d+)\s+MB|KMS_KEY_ID\s+'(?P<key>[^']+)'|(?P<encrypted>ENCRYPTED)|REGION\s+'(?P<region>[^']+)'",
    re.IGNORECASE,
)
_LEAST_MB, _MOST_MB = 5, 6_200
_SLICES = 2
_NAMES = {16: "boolean", 20: "bigint", 21: "smallint", 23: "integer", 700: "real", 701: "double precision", 1082: "date"}
_NAMES |= {1114: "timestamp without time zone", 1184: "timestamp with time zone"}
_ARROW = {
    "boolean": pa.bool_(),
    "bigint": pa.int64(),
    "smallint": pa.int16(),
    "integer": pa.int32(),
    "real": pa.float32(),
    "double precision": pa.float64(),
    "date": pa.date32(),
    "timestamp without time zone": pa.timestamp("us"),
    "timestamp with time zone": pa.timestamp("us"),  # files of Redshift have no zones; the value is that of UTC
}


class CutError(EOFError):
    """The connection is lost in the middle of the statement, or before its answer."""


class RefusedError(Exception):
    """What Redshift says to a statement that it does not run."""


@dataclass
class Unloads:
    """What a cluster needs to unload, and what it has unloaded.

    :ivar connect: opens a connection to PostgreSQL.
    :ivar s3: a boto3 client of the bucket's owner.
    :ivar role: the role that is attached to the cluster.
    :ivar cut_after: lose the connection when so many files are written, once; 3 is behind the manifest.
    :ivar forgets: say in the manifest that the first file has one row more than it has.
    :ivar seen: the statements that came.
    """

    connect: Callable[[], psycopg.Connection[tuple[Any, ...]]]
    s3: Any
    role: str
    cut_after: int | None = None
    forgets: bool = False
    seen: list[str] = field(default_factory=list)

    def run(self, text: str) -> str:
        """Run a statement.

        :returns: what Redshift would say if it refuses it; empty if it is done.
        :raises CutError: if the connection is to be lost.
        """
        self.seen.append(text)
        try:
            self._unload(text)
        except (RefusedError, psycopg.Error) as error:
            return str(error).splitlines()[0]
        return ""

    def _unload(self, text: str) -> None:
        found = _STATEMENT.fullmatch(text)
        if found is None:
            raise RefusedError(f'syntax error at or near "UNLOAD" ({text[:40]})')
        options = _options(found["options"])
        if found["role"] != self.role:
            raise RefusedError(f"User arn:aws:redshift:::dbuser:dev/awsuser is not authorized to assume IAM Role {found['role']}")
        place, prefix = found["bucket"], found["prefix"]
        if self.s3.list_objects_v2(Bucket=place, Prefix=prefix).get("KeyCount"):
            raise RefusedError("Specified unload destination on S3 is not empty. Consider using ALLOWOVERWRITE.")
        names, kinds, rows = self._rows(found["query"].replace("''", "'"))
        entries = []
        for number in range(_SLICES):
            share = rows[number::_SLICES]
            content, ending = _content(options, names, kinds, share)
            self._cut(number)
            key = f"{prefix}{number:04d}_part_00{ending}"
            self._put(place, key, content, options)
            count = len(share) + (self.forgets and not number)
            entries.append({"url": f"s3://{place}/{key}", "meta": {"content_length": len(content), "record_count": count}})
        self._cut(_SLICES)
        if "manifest" in options:
            self._put(place, f"{prefix}manifest", _manifest(entries, names, kinds), options)
        self._cut(_SLICES + 1)

    def _cut(self, files: int) -> None:
        if self.cut_after == files:
            self.cut_after = None
            raise CutError

    def _rows(self, query: str) -> tuple[list[str], list[str], list[tuple[Any, ...]]]:
        with self.connect() as connection:
            connection.execute("SET TimeZone = 'UTC'")
            cursor = connection.execute(query.encode())
            names = [column.name for column in cursor.description or ()]
            kinds = [_NAMES.get(column.type_code, "character varying") for column in cursor.description or ()]
            return names, kinds, cursor.fetchall()

    def _put(self, bucket: str, key: str, content: bytes, options: dict[str, str]) -> None:
        kind = {"ServerSideEncryption": "AES256"}
        if "key" in options:
            kind = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": options["key"]}
        self.s3.put_object(Bucket=bucket, Key=key, Body=content, **kind)


def _options(text: str) -> dict[str, str]:
    """The options by name; the whole text must be options."""
    rest = _OPTION.sub("", text).strip()
    found = {str(one.lastgroup): str(one[str(one.lastgroup)]) for one in _OPTION.finditer(text)}
    if rest:
        raise RefusedError(f'syntax error at or near "{rest[:40]}"')
    if ("key" in found) != ("encrypted" in found):
        raise RefusedError("KMS_KEY_ID needs ENCRYPTED")
    if "size" in found and not _LEAST_MB <= int(found["size"]) <= _MOST_MB:
        raise RefusedError("MAXFILESIZE must be between 5 MB and 6.2 GB")
    if "parquet" in found["format"].lower() and {"header", "packed"} & set(found):
        raise RefusedError("HEADER and compression are not supported for UNLOAD to PARQUET")
    return found


def _content(
    options: dict[str, str], names: Sequence[str], kinds: Sequence[str], rows: list[tuple[Any, ...]]
) -> tuple[bytes, str]:
    if "parquet" in options["format"].lower():
        columns = zip(*rows, strict=True) if rows else ((),) * len(names)
        arrays = [_array(values, kind) for values, kind in zip(columns, kinds, strict=True)]
        sink = io.BytesIO()
        pq.write_table(pa.Table.from_arrays(arrays, names=list(names)), sink, compression="snappy")
        return sink.getvalue(), ".parquet"
    lines = [list(names)] if "header" in options else []
    content = "".join(",".join(map(_csv, line)) + "\n" for line in [*lines, *rows]).encode()
    packed = options.get("packed", "").lower()
    if packed == "gzip":
        return gzip.compress(content), ".gz"
    return (pa.compress(content, "zstd", asbytes=True), ".zst") if packed else (content, "")


def _array(values: Sequence[Any], kind: str) -> pa.Array:
    if kind == "timestamp with time zone":
        return pa.array(values, pa.timestamp("us", "UTC")).cast(_ARROW[kind])
    return pa.array(values, _ARROW.get(kind, pa.string()))


def _csv(value: Any) -> str:
    if value is None:
        return ""
    text = str(value)
    return '"' + text.replace('"', '""') + '"' if not text or re.search(r'[",\r\n]', text) else text


def _manifest(entries: list[dict[str, Any]], names: Sequence[str], kinds: Sequence[str]) -> bytes:
    about = [one["meta"] for one in entries]
    told = {
        "entries": entries,
        "schema": {"elements": [{"name": name, "type": {"base": kind}} for name, kind in zip(names, kinds, strict=True)]},
        "meta": {name: sum(one[name] for one in about) for name in ("content_length", "record_count")},
        "author": {"name": "Amazon Redshift", "version": "1.0.0"},
    }
    return json.dumps(told, indent=2).encode()
