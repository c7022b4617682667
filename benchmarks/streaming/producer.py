"""The producer of async-kinesis, in a Python environment of its own: this module imports nothing of the product."""

from __future__ import annotations

import asyncio
import logging
import os
from typing import Any

from benchmarks.streaming.loops import held
from benchmarks.streaming.records import Record
from benchmarks.streaming.stub import REGION, STREAM
from benchmarks.worker import Contestant

QUEUE = 10_000
"""Records that wait at most; the default."""


def producer(url: str) -> Contestant:
    """One ``Producer`` in one process: each text a record, since that is what the others send, under its own partition key.

    The limits that it keeps to are those of one shard, which are too low here. They are taken away: the way that its options
    have, larger numbers, makes it add up the last second's records for each new one.
    """
    logging.disable(logging.ERROR)
    os.environ |= {"AWS_ACCESS_KEY_ID": "AKIABENCHMARK", "AWS_SECRET_ACCESS_KEY": "benchmark-key"}
    import kinesis  # type: ignore[import-not-found,unused-ignore]
    from kinesis.utils import Throttler  # type: ignore[import-not-found,unused-ignore]

    async def put(records: list[Record]) -> None:
        made: Any = kinesis.Producer(
            stream_name=STREAM, endpoint_url=url, region_name=REGION, processor=kinesis.StringProcessor(), max_queue_size=QUEUE
        )
        async with made as one:
            one.put_rate_throttle = one.put_bandwidth_throttle = Throttler()
            for key, message in records:
                await one.put(message, partition_key=key)

    def send(file: str, most: int, load: bool = False) -> None:
        records = held(file, most)
        if not load:
            asyncio.run(put(records))

    return send
