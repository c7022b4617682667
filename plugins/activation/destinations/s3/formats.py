"""What the files of an export look like: format and compression, and the writer for them (contracts: s3_export 3.1, 3.6)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import pyarrow as pa

from activation.destinations.s3.lines import csv_lines, json_lines
from activation.destinations.s3.packing import packer
from activation.destinations.s3.parquet import ParquetEncoder
from activation.destinations.s3.text import TextEncoder
from activation.destinations.s3.writer import Encoder, Sink, Writer
from activation.errors import ConfigurationError
from activation.spec.s3_rules import COMPRESSIONS

Kind = Literal["csv", "jsonl", "parquet"]
Compression = Literal["none", "gzip", "zstd", "snappy"]

LEAST_ROWS = 100_000
"""Rows that a row group must be allowed to have (contracts: s3_export 3.7, S-C2)."""

_ENDINGS = {"none": "", "gzip": ".gz", "zstd": ".zst"}
_TYPES = {"csv": "text/csv; charset=utf-8", "jsonl": "application/x-ndjson", "parquet": "application/vnd.apache.parquet"}
_PACKED_TYPES = {"gzip": "application/gzip", "zstd": "application/zstd"}


@dataclass(frozen=True, slots=True)
class Format:
    """Format and compression of the files of one export.

    :ivar compression: csv and jsonl take none, gzip and zstd; parquet none, snappy and zstd.
    :ivar row_group_rows: rows of a Parquet row group, unless it reaches
        :data:`~activation.destinations.s3.parquet.GROUP_BYTES` first, or the file ends.
    """

    kind: Kind
    compression: Compression
    row_group_rows: int = 250_000

    def __post_init__(self) -> None:
        """Check that the parts fit each other.

        :raises ConfigurationError: for an unknown format, a compression that it does not take, or too small row groups.
        """
        if self.kind not in COMPRESSIONS:
            raise ConfigurationError(f"There is no format {self.kind}.", f"Choose one of {', '.join(COMPRESSIONS)}.")
        if self.compression not in (allowed := COMPRESSIONS[self.kind]):
            raise ConfigurationError(
                f"The format {self.kind} cannot have the compression {self.compression}.", f"Choose one of {', '.join(allowed)}."
            )
        if self.row_group_rows < LEAST_ROWS:
            raise ConfigurationError(
                f"A row group of {self.row_group_rows:,} rows is too small.", f"Choose {LEAST_ROWS:,} rows or more."
            )

    @property
    def extension(self) -> str:
        """How the names of the files end, without the leading dot: ``csv.gz``, ``jsonl.zst``, ``parquet``."""
        return self.kind if self.kind == "parquet" else f"{self.kind}{_ENDINGS[self.compression]}"

    @property
    def content_type(self) -> str:
        """The media type of the files as they lie in the bucket; Parquet compresses inside."""
        return _TYPES[self.kind] if self.kind == "parquet" else _PACKED_TYPES.get(self.compression, _TYPES[self.kind])


def open_writer(form: Format, schema: pa.Schema, sink: Sink) -> Writer:
    """Open a file.

    :param schema: the columns; text, JSON text, int64, double, decimal, boolean, date and UTC timestamp.
    :param sink: takes the bytes of the file in order, one call at a time, in a thread of the writer or that of its caller.
    :raises ConfigurationError: for a column of another type, for two columns of one name, and where there are no columns.
    """
    return Writer(open_encoder(form, schema, sink), schema)


def open_encoder(form: Format, schema: pa.Schema, sink: Sink) -> Encoder:
    """Open a file, as :func:`open_writer` does, for one who cuts the rows into blocks himself."""
    _check(schema)
    if form.kind == "parquet":
        return ParquetEncoder(schema, sink, form.compression, form.row_group_rows)
    lines = csv_lines(schema) if form.kind == "csv" else json_lines(schema)
    return TextEncoder(lines, packer(form.compression, sink))


def _check(schema: pa.Schema) -> None:
    names = schema.names
    if not names:
        raise ConfigurationError("The export has no columns.", "Choose at least one column.")
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise ConfigurationError(
            f"The export has two columns of the name {twice[0]}.", "Rename one of them in the source's query."
        )
    for column in schema:
        if not _known(column.type):
            raise ConfigurationError(
                f"The column {column.name} has the type {column.type}, which an export does not write.",
                "Cast it in the source's query, for example to text.",
            )


def _known(kind: pa.DataType) -> bool:
    if pa.types.is_timestamp(kind):
        return kind.unit in {"us", "ns"} and kind.tz == "UTC"
    simple = kind in {pa.string(), pa.int64(), pa.float64(), pa.bool_(), pa.date32()}
    return simple or pa.types.is_decimal128(kind)
