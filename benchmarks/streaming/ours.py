"""Ours: the product's own encoding, engine and sink, with a connection as an operator has it. Only the warehouse is not there."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Generator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.ours import airflow
from benchmarks.processes import BenchmarkError
from benchmarks.streaming.loops import held
from benchmarks.streaming.records import Record
from benchmarks.streaming.stub import ARN, REGION
from benchmarks.worker import Contestant

if TYPE_CHECKING:
    import pyarrow as pa

    from activation.cursor.window import Position, Window
    from activation.records.encoded import Encoded
    from activation.spec import Pipeline
    from activation.warehouses.base import Extract

CONNECTION = "benchmark_kinesis"


def variables(url: str, home: Path) -> Mapping[str, str]:
    """What a process of ours needs in its environment before it imports Airflow."""
    place = {"endpoint_url": url}
    extra = {"region_name": REGION, "service_config": {"kinesis": place, "sts": place}}
    keys = {"conn_type": "aws", "login": "AKIABENCHMARK", "password": "benchmark-key", "extra": extra}
    return {
        **airflow(home),
        f"AIRFLOW_CONN_{CONNECTION.upper()}": json.dumps(keys),
        "AWS_EC2_METADATA_DISABLED": "true",
        "AIRFLOW__ACTIVATION__STATE_FOLDER": f"file://{home}/state",
    }


@dataclass(frozen=True)
class Given:
    """Records that are there already, as a source for the reader of a run."""

    batches_of: list[pa.RecordBatch]

    def tick_of(self, extract: Extract) -> int:
        """One nanosecond; every row stands at 0."""
        return 1

    def batches(
        self, extract: Extract, window: Window, after: Position | None = None, *, rows: int = 0
    ) -> Generator[pa.RecordBatch, None, None]:
        """Give them all."""
        yield from self.batches_of

    def cancel(self) -> None:
        """Nothing runs."""


class GivenEncoder:
    """Message and partition key to entries, by the product's own writer; the marks are those of rows without a history."""

    def __init__(self) -> None:
        from activation.destinations.kinesis.entries import EntryWriter

        self._writer = EntryWriter()

    def encode(self, batch: pa.RecordBatch) -> Encoded:
        """Encode one batch; every row is good."""
        import numpy as np
        import pyarrow.compute as pc

        from activation.records.arrays import to_numpy
        from activation.records.encoded import Encoded, Marks

        messages, keys = batch.column("message"), batch.column("profile_id")
        entries = self._writer.of(messages, keys)
        sizes = pc.add(pc.binary_length(messages), pc.binary_length(keys)).cast("int64")
        count, hashes = batch.num_rows, entries.hashes
        unknown = np.full(count, -1, np.int64)
        marks = Marks(to_numpy(sizes, np.int64), unknown, hashes, hashes, hashes, np.ones(count, np.bool_))
        return Encoded(entries.data, entries.offsets, np.arange(count), hashes, (), marks=marks)

    def close(self) -> None:
        """Free the memory that the writing holds."""
        self._writer.close()


def ours(url: str) -> Contestant:
    """One run after the other: reader, engine and sink as the operator puts them together, with a pipeline's own settings."""
    home = Path(tempfile.mkdtemp(prefix="airflow-", dir=os.environ.get("BENCHMARK_HOME")))
    os.environ |= variables(url, home)
    from activation.hooks.kinesis_stream import KinesisStreamHook

    hook = KinesisStreamHook(CONNECTION, stream=ARN)
    stream = hook.stream()
    kept: dict[tuple[str, int], list[pa.RecordBatch]] = {}

    def send(file: str, most: int, in_flight: int, retries: str, load: bool = False) -> dict[str, Any] | None:
        if (file, most) not in kept:
            kept.clear()
            kept[file, most] = _columns(held(file, most))
            held.cache_clear()
        return None if load else _deliver(stream, kept[file, most], _pipeline(in_flight, retries), home)

    return send


def _columns(records: list[Record]) -> list[pa.RecordBatch]:
    import pyarrow as pa

    from activation.delivery.reader import CHUNK_ROWS
    from activation.warehouses.base import CURSOR

    found = []
    for first in range(0, len(records), CHUNK_ROWS):
        keys, messages = zip(*records[first : first + CHUNK_ROWS], strict=True)
        columns = {CURSOR: pa.array([0] * len(keys), pa.int64()), "profile_id": pa.array(keys), "message": pa.array(messages)}
        found.append(pa.record_batch(columns))
    return found


def _pipeline(in_flight: int, retries: str) -> Pipeline:
    from activation.spec.blocks import pipeline_of

    related = {"memberships": "crm.m", "identities": "crm.i", "audiences": "crm.a"}
    blocks = {
        "id": "benchmark",
        "source": {"type": "duckdb", "connection": "none", "table": "crm.profiles", "related": related},
        "destination": {
            "type": "kinesis",
            "connection": CONNECTION,
            "stream": ARN,
            "audiences": ["a"],
            "requests": {"retries": retries},
        },
        "delivery": {"in_flight": in_flight},
    }
    return pipeline_of(blocks, name="benchmark")


def _deliver(stream: Any, batches: list[pa.RecordBatch], pipeline: Pipeline, home: Path) -> dict[str, Any]:
    """
    :raises BenchmarkError: if not every record is in.
    """
    from activation.cursor.ledger import Ledger
    from activation.cursor.progress import Progress
    from activation.cursor.window import Window
    from activation.delivery.reader import Reader, Source
    from activation.delivery.rejects import Origin, Rejects
    from activation.delivery.run import Run
    from activation.destinations.kinesis.sink import KinesisSink
    from activation.operators.kinesis_parts import plan_of, sending_of
    from activation.records.profiles.rows import EXTRACT

    encoder = GivenEncoder()
    start = Progress()
    reader = Reader(Source(Given(batches), EXTRACT, Window(None, False, 1, False), start), encoder)
    sink = KinesisSink(stream, sending_of(pipeline), in_flight=pipeline.delivery.in_flight)
    rejects = Rejects(home / "rejects", Origin("benchmark", "benchmark", 1))
    progress, _ = Run(reader, sink, Ledger(start), rejects, plan_of(pipeline), lambda done, parts: None)()
    encoder.close()
    wanted = sum(batch.num_rows for batch in batches)
    if progress.totals.sent != wanted:
        raise BenchmarkError(f"{progress.totals} of {wanted:,} records")
    return {"calls": sink.counters.calls, "resent": sink.counters.resent}
