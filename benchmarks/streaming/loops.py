"""What people write with boto3: ``put_record`` in a loop, ``put_records`` of 500 one after the other, and in eight threads."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from typing import Any

from benchmarks.streaming.records import Record, read
from benchmarks.streaming.stub import MOST, REGION, STREAM
from benchmarks.worker import Contestant

THREADS = 8
PAUSE = 0.01
"""Seconds before records that failed are sent again."""

held = lru_cache(maxsize=1)(read)
"""The records of a file; the time to read them does not count, because a first job without sending does it."""


def client(url: str) -> Any:
    """A boto3 client of the stub, as it comes, with as many connections as there are threads."""
    import boto3  # type: ignore[import-untyped,unused-ignore]
    from botocore.config import Config  # type: ignore[import-untyped,unused-ignore]

    keys = {"aws_access_key_id": "AKIABENCHMARK", "aws_secret_access_key": "benchmark-key"}
    config = Config(max_pool_connections=max(10, THREADS))
    return boto3.session.Session().client("kinesis", region_name=REGION, endpoint_url=url, config=config, **keys)


def row_loop(url: str) -> Contestant:
    """``put_record`` for each record."""
    kinesis = client(url)

    def put(records: list[Record]) -> None:
        for key, message in records:
            kinesis.put_record(StreamName=STREAM, Data=message.encode(), PartitionKey=key)

    return _contestant(put)


def batch_loop(url: str) -> Contestant:
    """``put_records``, one call after the other."""
    kinesis = client(url)

    def put(records: list[Record]) -> None:
        for first in range(0, len(records), MOST):
            put_batch(kinesis, records[first : first + MOST])

    return _contestant(put)


def threads(url: str) -> Contestant:
    """``put_records`` in threads that share a client, as boto3 allows."""
    kinesis = client(url)

    def put(records: list[Record]) -> None:
        batches = [records[first : first + MOST] for first in range(0, len(records), MOST)]
        with ThreadPoolExecutor(THREADS) as pool:
            for _ in pool.map(lambda batch: put_batch(kinesis, batch), batches):
                pass

    return _contestant(put)


def put_batch(kinesis: Any, records: list[Record]) -> None:
    """One ``put_records``, and again with what failed until nothing does."""
    rest = [{"Data": message.encode(), "PartitionKey": key} for key, message in records]
    while rest:
        answer = kinesis.put_records(StreamName=STREAM, Records=rest)
        if not answer["FailedRecordCount"]:
            return
        rest = [one for one, told in zip(rest, answer["Records"], strict=True) if "ErrorCode" in told]
        time.sleep(PAUSE)


def _contestant(put: Callable[[list[Record]], None]) -> Contestant:
    def send(file: str, most: int, load: bool = False) -> None:
        records = held(file, most)
        if not load:
            put(records)

    return send
