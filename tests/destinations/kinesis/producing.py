"""Hands records to the real sink, alone or through the real delivery run, without a warehouse or the profile encoder."""

from __future__ import annotations

import asyncio
import hashlib
import itertools
import json
import tempfile
import time
from base64 import b64encode
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from activation.cursor.ledger import Ledger
from activation.cursor.progress import Progress
from activation.cursor.window import Window
from activation.delivery.answer import Answer
from activation.delivery.cutting import Cutting
from activation.delivery.engine import Flight
from activation.delivery.items import Items
from activation.delivery.reader import Reader, Source
from activation.delivery.rejects import Origin, Rejects
from activation.delivery.run import Plan, Run
from activation.destinations.kinesis.settings import Sending, Stream
from activation.destinations.kinesis.sink import KinesisSink
from activation.records.encoded import Encoded, Marks
from sandbox.kinesis import KinesisSandbox
from tests.support.memory import EXTRACT, MemoryWarehouse, Row

ARN = "arn:aws:kinesis:ap-northeast-2:123456789012:stream/profiles"
_NUMBERS = itertools.count()


def hash_of(key: str) -> int:
    """A key's hash of 128 bits."""
    return int.from_bytes(hashlib.md5(key.encode(), usedforsecurity=False).digest(), "big")


def encoded(records: Sequence[tuple[str, bytes]], stamps: Sequence[int] = ()) -> Encoded:
    """Records, each a partition key and data, in the form that the sink takes."""
    texts = [
        b'{"Data":"%b","PartitionKey":%b},' % (b64encode(data), json.dumps(key, ensure_ascii=False).encode())
        for key, data in records
    ]
    count = len(records)
    keys = np.asarray([hash_of(key) >> 64 for key, _ in records], np.uint64)
    sizes = np.asarray([len(data) + len(key.encode()) for key, data in records], np.int64)
    none = np.zeros(count, np.uint64)
    marks = Marks(sizes, np.asarray(stamps or [-1] * count, np.int64), keys, none, none, np.zeros(count, np.bool_))
    offsets = np.cumsum([0, *map(len, texts)], dtype=np.int64)
    return Encoded(memoryview(b"".join(texts)), offsets, np.arange(count), keys, (), None, marks)


def stream_at(url: str, arn: str = ARN, *, on_demand: bool = False, verify: str = "", secret: str = "") -> Stream:
    """A stream whose calls botocore signs."""
    credentials = Credentials("test", secret or "test")

    def sign(action: str, body: bytes) -> Mapping[str, str]:
        headers = {"X-Amz-Target": f"Kinesis_20131202.{action}", "Content-Type": "application/x-amz-json-1.1"}
        request = AWSRequest("POST", url, data=body, headers=headers)
        SigV4Auth(credentials, "kinesis", "ap-northeast-2").add_auth(request)
        return dict(request.headers)

    return Stream(arn, "ap-northeast-2", url, sign, verify, on_demand)


def new_stream(server: KinesisSandbox, shards: int = 4, *, on_demand: bool = False) -> Stream:
    """An empty stream of the server."""
    return stream_at(
        server.url, server.create(f"produced-{next(_NUMBERS)}", shards), on_demand=on_demand, verify=server.ca_file or ""
    )


def send(stream: Stream, records: Encoded, sending: Sending | None = None) -> tuple[Answer, KinesisSink]:
    """Send records as one request of the engine."""
    sink = KinesisSink(stream, sending or Sending(), in_flight=4)

    async def story() -> Answer:
        await sink.open()
        try:
            return await sink.send(Items(records, 0, len(records.rows)))
        finally:
            await sink.close()

    return asyncio.run(story()), sink


class RowEncoder:
    """Encodes the rows of the memory warehouse: user as partition key, payload as data."""

    def encode(self, batch: pa.RecordBatch) -> Encoded:
        keys, payloads = batch.column("EXTERNAL_ID").to_pylist(), batch.column("PAYLOAD").to_pylist()
        stamp = int(time.time() * 1e6)
        pairs = [(key, text.encode()) for key, text in zip(keys, payloads, strict=True)]
        return encoded(pairs, [stamp] * len(keys))

    def close(self) -> None:
        pass


class Pipe:
    """The real run over rows in memory; a further call resumes where the last one stopped."""

    def __init__(
        self, stream: Stream, rows: list[Row], sending: Sending | None = None, *, cutting: Cutting | None = None
    ) -> None:
        self.stream, self.sending = stream, sending or Sending()
        self.warehouse = MemoryWarehouse(rows, clock=10**9)
        self.plan = Plan(cutting or Cutting(500, 5 << 20, per_key=1), Flight(4, first_delay=0.01), checkpoint=0.01)
        self.saved = Progress()
        self.sink: KinesisSink | None = None
        self.folder = Path(tempfile.mkdtemp())

    def run(self) -> Progress:
        """One try."""
        self.sink = KinesisSink(self.stream, self.sending, in_flight=4)
        reader = Reader(Source(self.warehouse, EXTRACT, Window(None, False, 10**9, False), self.saved), RowEncoder())
        rejects = Rejects(self.folder / "rejects", Origin("p", "r", 1), 0)
        progress, _ = Run(reader, self.sink, Ledger(self.saved), rejects, self.plan, self._save)()
        return progress

    def _save(self, progress: Progress, parts: int) -> None:
        self.saved = progress
