"""What the tests of an export share: a bucket behind a proxy, plans, rows, and a reader who goes by the manifest."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone
from functools import cached_property
from typing import Any

import pyarrow as pa

from activation.destinations.s3.export import export
from activation.destinations.s3.formats import Format
from activation.destinations.s3.identity import Identity
from activation.destinations.s3.manifest import Manifest, read
from activation.destinations.s3.parts import PartLimit
from activation.destinations.s3.plan import Place, Plan, Report
from activation.destinations.s3.settings import MIB
from sandbox.aws import AwsSandbox, FaultProxy

PREFIX = "exports/event/dt=2026-07-19/run=20260719T000000Z_orders"
MANIFEST = f"{PREFIX}/_manifest.json"
IDENTITY = Identity(
    pipeline_id="orders",
    pipeline_name="Orders to the partner",
    run_id="scheduled__2026-07-20T00:00:00+00:00",
    data="event",
    start=datetime(2026, 7, 19, tzinfo=timezone.utc),
    end=datetime(2026, 7, 20, tzinfo=timezone.utc),
    timezone="Asia/Seoul",
)
OTHER_RUN = replace(IDENTITY, run_id="manual__2026-07-21T00:00:00+00:00")
SCHEMA = pa.schema([("id", pa.int64()), ("name", pa.string()), ("at", pa.timestamp("us", "UTC"))])


@dataclass
class Storage:
    """A bucket, and S3 behind a proxy that can fail."""

    aws: AwsSandbox
    proxy: FaultProxy
    bucket: str

    @cached_property
    def client(self) -> Any:
        """A client as a hook makes it; it goes through the proxy."""
        return self.aws.client("s3", endpoint_url=self.proxy.url)

    @cached_property
    def direct(self) -> Any:
        """A client that nothing keeps from S3, for tests to look around."""
        return self.aws.client("s3")

    def objects(self) -> dict[str, bytes]:
        """Key -> content of all objects."""
        return self.aws.objects(self.bucket)

    def put(self, key: str, content: bytes = b"of somebody else", **more: Any) -> None:
        """Write an object past the proxy."""
        self.direct.put_object(Bucket=self.bucket, Key=key, Body=content, **more)

    def manifest(self, key: str = MANIFEST) -> Manifest:
        """The manifest as a reader sees it."""
        return read(self.direct.get_object(Bucket=self.bucket, Key=key)["Body"].read(), key)

    def export(self, plan: Plan, rows: int = 30, *, word: str = "a", **more: Any) -> Report:
        """Export made-up rows."""
        return export(batches(rows, word), SCHEMA, plan, more.pop("client", self.client), **more)

    def writes(self) -> list[str]:
        """What was asked of S3 that changes something, in order: ``PUT part-00000.csv``."""
        return [f"{one.method} {one.path.rpartition('/')[2]}" for one in self.proxy.requests("^(PUT|POST|DELETE) ")]

    def whole(self, key: str = MANIFEST) -> Manifest:
        """Read as a reader does who goes by the manifest: everything that it lists must be there as it says, and nothing else
        may look like a part unless it says so."""
        manifest, objects = self.manifest(key), self.objects()
        for file in manifest.files:
            content = objects[file.key]
            assert (len(content), hashlib.sha256(content).hexdigest()) == (file.size, file.sha256), file.key
            self.direct.get_object(Bucket=self.bucket, Key=file.key, IfMatch=file.etag)
        parts = {key for key in objects if "/part-" in key}
        assert parts == {file.key for file in manifest.files} | set(manifest.ignored)
        return manifest


def plan(bucket: str, **changes: Any) -> Plan:
    """A plan of CSV files of ten rows."""
    usual: dict[str, Any] = {"identity": IDENTITY, "form": Format("csv", "none"), "limit": PartLimit(rows=10)}
    return Plan(Place(bucket, PREFIX), **{**usual, **changes})


def batches(rows: int, word: str = "a", size: int = 5, wide: int | None = None) -> Iterator[pa.RecordBatch]:
    """Made-up rows; the same word gives the same rows.

    :param size: rows of a batch.
    :param wide: the row from which on each has 1 MiB; ``None`` for never.
    """
    day = datetime(2026, 7, 19, tzinfo=timezone.utc)
    for first in range(0, rows, size):
        ids = list(range(first, min(first + size, rows)))
        names = [f"{word if wide is None or one < wide else word * MIB}{one}" for one in ids]
        columns = [ids, names, [day + timedelta(seconds=one) for one in ids]]
        yield pa.record_batch(
            [pa.array(values, field.type) for values, field in zip(columns, SCHEMA, strict=True)], schema=SCHEMA
        )
