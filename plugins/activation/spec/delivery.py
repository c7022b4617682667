"""The ``delivery`` block (how requests are cut, sent and repeated) and the ``errors`` block (what ends a run)."""

from typing import Annotated

from pydantic import Field

from activation.spec.block import Block
from activation.spec.quantities import Between, Duration, Size


class Delivery(Block):
    """How requests are cut, sent and repeated (contracts: braze 2.3, 2.4)."""

    batch_rows: Annotated[
        int | None,
        Field(
            ge=1,
            le=1000,
            title="Rows per request",
            description="Most objects in one request; `null` is what the destination takes, which also is the limit.",
            examples=[50],
        ),
    ] = None
    batch_bytes: Annotated[
        Annotated[Size, Between(Size.parse("1KB"), Size.parse("4MB"))] | None,
        Field(
            title="Bytes per request",
            description="Most bytes in the body of one request; `null` is what the destination takes. "
            "1 KB is 1000 bytes, 1 MB is 1000 KB.",
            examples=["512KB"],
        ),
    ] = None
    in_flight: Annotated[
        int,
        Field(
            ge=1,
            le=256,
            title="Requests in flight",
            description="Most requests that wait for their answer at the same time.",
            examples=[32],
        ),
    ] = 16
    attempts: Annotated[
        int,
        Field(
            ge=1,
            le=20,
            title="Attempts",
            description="How often one request is tried before the run stops.",
            examples=[5],
        ),
    ] = 8
    timeout: Annotated[
        Duration,
        Between(Duration.parse("1ms"), Duration.parse("1h")),
        Field(title="Request time-out", description="How long one request may take.", examples=["10s"]),
    ] = Duration.parse("30s")
    checkpoint: Annotated[
        Duration,
        Between(Duration.parse("100ms"), Duration.parse("60s")),
        Field(
            title="Checkpoint",
            description="How often progress is saved. A retry of the task begins at the last checkpoint.",
            examples=["2s"],
        ),
    ] = Duration.parse("500ms")
    rate_share: Annotated[
        float,
        Field(
            gt=0,
            le=1,
            title="Share of the rate limit",
            description="How much of the destination's rate limit a run may use; the rest is left to other traffic.",
            examples=[0.8],
        ),
    ] = 1.0
    max_delay: Annotated[
        Duration,
        Between(Duration(0), Duration.parse("1h")),
        Field(
            title="Longest pause",
            description="The longest pause between two attempts of one request.",
            examples=["5m"],
        ),
    ] = Duration.parse("60s")


class Errors(Block):
    """What ends a run, and how often Airflow starts it again."""

    retries: Annotated[
        int,
        Field(
            ge=0,
            le=20,
            title="Retries",
            description="How often Airflow retries the task. A retry goes on where the last try stopped.",
            examples=[5],
        ),
    ] = 3
    retry_delay: Annotated[
        Duration,
        Between(Duration(0), Duration.parse("1d")),
        Field(title="Retry delay", description="How long Airflow waits before a retry.", examples=["5m"]),
    ] = Duration.parse("1m")
    timeout: Annotated[
        Annotated[Duration, Between(Duration.parse("1s"), Duration.parse("30d"))] | None,
        Field(
            title="Run time-out",
            description="How long one try of the task may take; `null` is without limit.",
            examples=["2h"],
        ),
    ] = None
    max_rows: Annotated[
        int | None,
        Field(
            ge=1,
            title="Most rows",
            description="A window with more rows than this is not sent at all, and the run fails; `null` is without limit.",
            examples=[10_000_000],
        ),
    ] = 500_000_000
    max_reject_share: Annotated[
        float,
        Field(
            ge=0,
            le=1,
            title="Greatest share of rejects",
            description="A run stops when more than this share of at least 1000 rows read were rejected, "
            "by the destination or by the pipeline's own rules.",
            examples=[0.1],
        ),
    ] = 0.5
    stop_after: Annotated[
        int | None,
        Field(
            ge=1,
            le=1000,
            title="Stop after",
            description="After so many failed runs in a row Airflow switches the pipeline off (pauses its DAG), until somebody "
            "switches it on again; `null` never does.",
            examples=[5],
        ),
    ] = None
