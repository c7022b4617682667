"""The ``alerts`` block: who is told of what (contracts: braze 1.6)."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from activation.spec.block import Block
from activation.spec.names import ConnectionId, Text


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
            description="A mail if at least this share of a run's rows was rejected; `null` sends none. 0 means any reject.",
            examples=[0.05],
        ),
    ] = None
    success: Annotated[
        bool, Field(title="Success", description="A mail after every run that has moved rows.", examples=[True])
    ] = False
    empty: Annotated[
        bool, Field(title="Empty", description="With `success`: a mail after runs without any row, too.", examples=[True])
    ] = False
