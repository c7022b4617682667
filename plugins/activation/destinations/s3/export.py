"""The run of one export: rows into parts, parts into the bucket, and the manifest last (contracts: s3_export 3.2 to 3.4).

A reader goes by the manifest alone. It lists every part with its ETag and SHA-256; there is none while parts are written, or one
that says that the export is withdrawn.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import pyarrow as pa

from activation.destinations.s3 import layout
from activation.destinations.s3.bucket import Bucket
from activation.destinations.s3.ground import Ground, prepare
from activation.destinations.s3.manifest import COMPLETE, File, Manifest, Shape, columns_of, generated
from activation.destinations.s3.parts import Part, Parts
from activation.destinations.s3.plan import Plan, Progress, Report
from activation.destinations.s3.upload import Upload
from activation.errors import FatalError, StoppedError

log = logging.getLogger(__name__)

TELL_EVERY = 5.0
"""Seconds between two times that somebody is told how far the export is."""


def export(
    batches: Iterable[pa.RecordBatch],
    schema: pa.Schema,
    plan: Plan,
    client: Any,
    told: Callable[[Progress], None] | None = None,
    stopped: Callable[[], bool] = lambda: False,
) -> Report:
    """Write rows to a bucket, and say in a manifest what is there. One pass, nothing on disk.

    :param batches: the rows in a total order, so that a re-run of the same rows gives the same bytes under the same keys.
    :param schema: their columns, in the canonical types.
    :param client: a boto3 client of S3; faults that pass are repeated as it is configured.
    :param told: is told every five seconds how far the export is, and once at its end.
    :param stopped: is asked after each batch whether to stop.
    :raises KeyTakenError: if another run's export lies there and ``on_exists`` is ``fail``; it is left as it was.
    :raises ConfigurationError: if a person must change something.
    :raises TransientError: if a later try can succeed; :class:`StoppedError` if it was asked to stop.
    :raises FatalError: if the parts do not hold the rows that were read.
    """
    began = time.monotonic()
    shape = Shape(plan.form.kind, plan.form.compression, columns_of(schema))
    ground = prepare(Bucket(client, plan.place.bucket), plan, shape)
    writing = _Writing(ground, schema, told, began)
    files = writing.write(batches, stopped)
    ignored = ground.stale(file.key for file in files)
    manifest = Manifest(plan.identity, shape, COMPLETE, files, ignored, generated())
    key = ground.publish(manifest)
    if plan.success_marker:
        ground.mark()
    writing.tell()
    for warning in ground.warnings:
        log.warning("%s", warning)
    seconds = time.monotonic() - began
    return Report(manifest.total_rows, manifest.total_bytes, files, key, ignored, tuple(ground.warnings), seconds)


class _Writing:
    """The rows of one export on their way into its parts.

    :param began: when the export began, on the monotonic clock.
    """

    def __init__(self, ground: Ground, schema: pa.Schema, told: Callable[[Progress], None] | None, began: float) -> None:
        self._ground, self._told = ground, told
        self._uploads: list[tuple[str, Upload]] = []
        self._parts = Parts(ground.plan.form, schema, ground.plan.limit, self._open)
        self._rows = 0
        self._began = self._last = began

    def write(self, batches: Iterable[pa.RecordBatch], stopped: Callable[[], bool]) -> tuple[File, ...]:
        """Write all rows; nothing unfinished stays if that fails, whatever the reason."""
        try:
            for batch in batches:
                self._parts.write(batch)
                self._rows += batch.num_rows
                if time.monotonic() - self._last >= TELL_EVERY:
                    self.tell()
                if stopped():
                    raise StoppedError("The export was asked to stop; no manifest was written. The next try writes it anew.")
            parts = self._parts.close()
        except BaseException:
            self._parts.abort()
            raise
        self._check(parts)
        if self._parts.nonfinite:
            self._ground.warnings.append(
                f"{self._parts.nonfinite:,} numbers that are not finite were written as null; JSON has none."
            )
        keys = [key for key, _ in self._uploads]
        return tuple(File(key, part.bytes, part.rows, part.sha256, part.etag) for key, part in zip(keys, parts, strict=True))

    def tell(self) -> None:
        """Say how far it is."""
        self._last = time.monotonic()
        if self._told is not None:
            size = sum(upload.written for _, upload in self._uploads)
            rate = self._rows / max(self._last - self._began, 1e-9)
            self._told(Progress(self._rows, size, len(self._uploads), rate))

    def _open(self, number: int) -> Upload:
        key = layout.part_key(self._ground.prefix, number, self._ground.plan.form.extension)
        upload = self._ground.part(key)
        self._uploads.append((key, upload))
        return upload

    def _check(self, parts: Sequence[Part]) -> None:
        """Check that the parts hold the rows that were read and the bytes that were sent.

        :raises FatalError: if not; there is no manifest then.
        """
        rows, size = sum(part.rows for part in parts), [part.bytes for part in parts]
        sent = [upload.written for _, upload in self._uploads]
        if rows != self._rows or size != sent or [part.number for part in parts] != list(range(len(sent))):
            raise FatalError(
                f"The books do not balance: {self._rows:,} rows were read, {rows:,} are in {len(parts):,} parts of "
                f"{sum(size):,} bytes; {sum(sent):,} bytes were sent in {len(sent):,} objects. No manifest was written."
            )
