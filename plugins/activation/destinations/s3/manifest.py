"""The manifest: what an export consists of. It is written last, and a reader goes by it alone (contracts: s3_export 3.3)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timezone
from typing import Any

import pyarrow as pa

from activation import __version__
from activation.destinations.s3.identity import Identity, utc_text
from activation.errors import ConfigurationError

VERSION = 1
"""The version of the manifest's form."""

COMPLETE = "complete"
WITHDRAWN = "withdrawn"

_PRODUCER = f"airflow-activation {__version__}"
_FIELDS = (
    "version", "status", "pipeline_id", "pipeline_name", "run_id", "data", "interval", "timezone", "snapshot_at", "format",
    "compression", "delimiter", "columns", "schema_hash", "files", "total_rows", "total_bytes", "ignored", "generated_at",
    "producer",
)  # fmt: skip
_REMOVE = "Remove the object if nothing needs it, or choose another folder."


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the parts: its name, and one of ``text``, ``json``, ``integer``, ``double``, ``decimal(p,s)``, ``boolean``,
    ``date``, ``timestamp(6)`` and ``timestamp(9)``, both in UTC."""

    name: str
    type: str


@dataclass(frozen=True, slots=True)
class File:
    """A part: its key in the bucket, bytes, rows, SHA-256 in hex, and ETag as S3 gives it."""

    key: str
    size: int
    rows: int
    sha256: str
    etag: str


@dataclass(frozen=True, slots=True)
class Shape:
    """How the parts are written.

    :ivar format: ``csv``, ``jsonl`` or ``parquet``.
    :ivar compression: such as ``gzip``; ``none`` for none.
    :ivar columns: in the order of the parts.
    """

    format: str
    compression: str
    columns: tuple[Column, ...]

    @property
    def delimiter(self) -> str | None:
        """What stands between the values of a row: a comma for CSV (contracts: s3_export 3.6)."""
        return "," if self.format == "csv" else None

    @property
    def schema_hash(self) -> str:
        """SHA-256 in hex over the names and types of the columns, in their order."""
        names = [[column.name, column.type] for column in self.columns]
        return hashlib.sha256(json.dumps(names, ensure_ascii=False, separators=(",", ":")).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Manifest:
    """What an export consists of.

    :ivar status: ``complete``, or ``withdrawn`` while a re-run that must not delete it replaces its parts.
    :ivar files: the parts; none if the export has no rows, or is withdrawn.
    :ivar ignored: keys in the same folder that look like parts and belong to no export; they could not be removed.
    :ivar generated_at: when it was written, ISO 8601 in UTC.
    """

    identity: Identity
    shape: Shape
    status: str
    files: tuple[File, ...]
    ignored: tuple[str, ...]
    generated_at: str

    @property
    def total_rows(self) -> int:
        """Rows of all parts."""
        return sum(file.rows for file in self.files)

    @property
    def total_bytes(self) -> int:
        """Bytes of all parts as they lie in the bucket."""
        return sum(file.size for file in self.files)

    def to_json(self) -> bytes:
        """UTF-8 JSON in a fixed order; two runs of one export differ in ``run_id`` and ``generated_at`` alone."""
        who, shape = self.identity, self.shape
        fields = {
            "version": VERSION,
            "status": self.status,
            "pipeline_id": who.pipeline_id,
            "pipeline_name": who.pipeline_name,
            "run_id": who.run_id,
            "data": who.data,
            "interval": {"start": utc_text(who.start), "end": utc_text(who.end)},
            "timezone": who.timezone,
            "snapshot_at": None if who.snapshot_at is None else utc_text(who.snapshot_at),
            "format": shape.format,
            "compression": shape.compression,
            "delimiter": shape.delimiter,
            "columns": [asdict(column) for column in shape.columns],
            "schema_hash": shape.schema_hash,
            "files": [asdict(file) for file in self.files],
            "total_rows": self.total_rows,
            "total_bytes": self.total_bytes,
            "ignored": list(self.ignored),
            "generated_at": self.generated_at,
            "producer": _PRODUCER,
        }
        return json.dumps(fields, ensure_ascii=False, indent=1).encode() + b"\n"


def generated() -> str:
    """Now, as a manifest says when it was written."""
    return utc_text(datetime.now(timezone.utc).replace(microsecond=0))


def columns_of(schema: pa.Schema) -> tuple[Column, ...]:
    """The columns of rows in the canonical types of an export.

    :raises ConfigurationError: if a column has another type.
    """
    return tuple(Column(field.name, _type(field)) for field in schema)


def read(content: bytes, place: str) -> Manifest:
    """Read a manifest back.

    :param place: where it lies, for messages.
    :raises ConfigurationError: if it is no manifest, of a later version, or its sums differ from its files; says what to do.
    """
    try:
        fields = json.loads(content)
        if not isinstance(fields, Mapping):
            raise TypeError("it is no JSON object")
        if fields.get("version") != VERSION:
            raise ConfigurationError(
                f"The manifest {place} has the version {fields.get('version')!r}; this one reads {VERSION}.",
                f"Read it with the version of this bundle that wrote it. {_REMOVE}",
            )
        if missing := [name for name in _FIELDS if name not in fields]:
            raise KeyError(", ".join(missing))
        if fields["status"] not in {COMPLETE, WITHDRAWN}:
            raise ValueError(f"its status {fields['status']!r} is neither {COMPLETE} nor {WITHDRAWN}")
        manifest = _manifest(fields)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        reason = f"it has no {error.args[0]}" if isinstance(error, KeyError) else str(error)
        raise ConfigurationError(f"{place} is no manifest of an export: {reason}.", _REMOVE) from error
    _agree(manifest, fields, place)
    return manifest


def _manifest(fields: Mapping[str, Any]) -> Manifest:
    snapshot = fields["snapshot_at"]
    identity = Identity(
        pipeline_id=str(fields["pipeline_id"]),
        pipeline_name=str(fields["pipeline_name"]),
        run_id=str(fields["run_id"]),
        data=str(fields["data"]),
        start=_instant(fields["interval"]["start"]),
        end=_instant(fields["interval"]["end"]),
        timezone=str(fields["timezone"]),
        snapshot_at=None if snapshot is None else _instant(snapshot),
    )
    columns = tuple(Column(**column) for column in fields["columns"])
    files = tuple(File(**file) for file in fields["files"])
    shape = Shape(fields["format"], fields["compression"], columns)
    return Manifest(identity, shape, fields["status"], files, tuple(fields["ignored"]), fields["generated_at"])


def _agree(manifest: Manifest, fields: Mapping[str, Any], place: str) -> None:
    """Check that what a manifest says twice is the same."""
    said: Sequence[Any] = (fields["total_rows"], fields["total_bytes"], fields["schema_hash"])
    is_so = (manifest.total_rows, manifest.total_bytes, manifest.shape.schema_hash)
    for name, one, other in zip(("total_rows", "total_bytes", "schema_hash"), said, is_so, strict=True):
        if one != other:
            raise ConfigurationError(f"The manifest {place} says {name} {one!r}; its own lists give {other!r}.", _REMOVE)


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


def _type(field: pa.Field) -> str:
    kind = field.type
    if pa.types.is_string(kind):
        return "json" if (field.metadata or {}).get(b"activation.kind") == b"json" else "text"
    if pa.types.is_decimal128(kind):
        return f"decimal({kind.precision},{kind.scale})"
    if (word := _WORDS.get(kind)) is not None:
        return word
    raise ConfigurationError(
        f"The column {field.name} has the type {kind}, which an export does not carry.", "Convert it in the query of the source."
    )


_WORDS = {
    pa.int64(): "integer",
    pa.float64(): "double",
    pa.bool_(): "boolean",
    pa.date32(): "date",
    pa.timestamp("us", "UTC"): "timestamp(6)",
    pa.timestamp("ns", "UTC"): "timestamp(9)",
}
