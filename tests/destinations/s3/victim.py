"""A process that exports: to be killed in the middle, or to be measured.

Arguments as one JSON object: ``url`` of S3, ``bucket``, ``on_exists``, ``word``, ``rows``, ``wide`` as of
:func:`~tests.destinations.s3.exporting.batches`, ``part_rows``, and ``hold``: the number of rows after which it says ``held`` and
waits to be killed. Without ``hold`` it prints its peak memory in bytes.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from collections.abc import Iterator
from typing import Any

import pyarrow as pa

from activation.destinations.s3.export import export
from activation.destinations.s3.parts import PartLimit
from activation.destinations.s3.settings import MIB, Transfer
from tests.destinations.s3.exporting import SCHEMA, batches, plan


def main(url: str, bucket: str, on_exists: str, word: str, rows: int, wide: int, part_rows: int, hold: int | None = None) -> None:
    """Export; see the module."""
    import boto3

    client = boto3.client(
        "s3", endpoint_url=url, region_name="ap-northeast-2", aws_access_key_id="test", aws_secret_access_key="test"
    )
    changes: dict[str, Any] = {"on_exists": on_exists, "limit": PartLimit(rows=part_rows), "transfer": Transfer(5 * MIB, 2)}
    export(_held(batches(rows, word, 1, wide), hold), SCHEMA, plan(bucket, **changes), client)
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024)


def _held(rows: Iterator[pa.RecordBatch], hold: int | None) -> Iterator[pa.RecordBatch]:
    for number, batch in enumerate(rows):
        if number == hold:
            print("held", flush=True)
            time.sleep(600)
        yield batch


if __name__ == "__main__":
    main(**json.loads(sys.argv[1]))
