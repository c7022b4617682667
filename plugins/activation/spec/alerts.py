"""The ``alerts`` block: who is told of what (contracts: braze 1.6, kinesis_profiles 1.6)."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from activation.spec.block import Block
from activation.spec.names import ConnectionId, Text
from activation.spec.quantities import Between, Duration

_SPAN = Between(Duration.parse("1s"), Duration.parse("7d"))


class Alerts(Block):
    """Who gets a mail when a run fails, and when else."""

    email: Annotated[
        tuple[Text, ...],
        Field(
            strict=False,
            title="E-mail",
            description="Addresses that get a mail whenever a run has failed for good, and for what stands below.",
            examples=[["crm-team@example.com"]],
        ),
    ] = ()
    connection: Annotated[
        ConnectionId,
        Field(title="Connection", description="The Airflow connection of the mail server.", examples=["smtp_default"]),
    ] = "smtp_default"
    row_errors: Annotated[
        float | None,
        Field(
            ge=0,
            le=1,
            title="Row errors",
            description="A mail if at least this share of a run's rows was rejected; `null` sends none. 0 means any reject. "
            "To kinesis this is the skip rate, and is told once until it is lower again.",
            examples=[0.05],
        ),
    ] = None
    success: Annotated[
        bool, Field(title="Success", description="A mail after every run that has moved rows.", examples=[True])
    ] = False
    empty: Annotated[
        bool, Field(title="Empty", description="With `success`: a mail after runs without any row, too.", examples=[True])
    ] = False
    start: Annotated[bool, Field(title="Start", description="A mail at the start of each run.", examples=[True])] = False
    latency: Annotated[
        Annotated[Duration, _SPAN] | None,
        Field(
            title="Latency",
            description="A mail if one change in twenty took longer than this from its UPDATED_AT until the stream had it; "
            "`null` sends none. Told once until it is lower again. Only to kinesis.",
            examples=["2m"],
        ),
    ] = Duration.parse("10m")
    delay: Annotated[
        Annotated[Duration, _SPAN] | None,
        Field(
            title="Delay",
            description="A mail if a run took longer than this, or leaves the stream further behind the warehouse; `null` sends "
            "none. Told once until it is lower again. Only to kinesis.",
            examples=["1h"],
        ),
    ] = Duration.parse("150m")
