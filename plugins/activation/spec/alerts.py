"""The ``alerts`` block: who is told of what (contracts: braze 1.6, kinesis_profiles 1.6)."""

from typing import Annotated, Any, Literal

from pydantic import Field, PlainValidator, WithJsonSchema

from activation.spec.block import Block
from activation.spec.invalid import invalid
from activation.spec.names import ConnectionId, Text
from activation.spec.quantities import Between, Duration

_SPAN = Between(Duration.parse("1s"), Duration.parse("7d"))


def _success(value: Any) -> Any:
    if isinstance(value, bool) or value == "always":
        return value
    raise invalid("is neither true nor false nor always", "Write true, or always to be told of runs without rows, too.")


Success = Annotated[
    bool | Literal["always"],
    PlainValidator(_success),
    WithJsonSchema({"anyOf": [{"type": "boolean"}, {"const": "always", "type": "string"}]}),
]
"""Whether good runs are told; ``always``: those without rows, too."""


class Alerts(Block):
    """Who is told when a run fails, and when else."""

    email: Annotated[
        tuple[Text, ...],
        Field(
            strict=False,
            title="E-mail",
            description="Addresses that get a mail whenever a run has failed for good, and for what stands below. An import "
            "needs an address here or a connection in `notify`.",
            examples=[["crm-team@example.com"]],
        ),
    ] = ()
    connection: Annotated[
        ConnectionId,
        Field(title="Connection", description="The Airflow connection of the mail server, for `email`.", examples=["mail"]),
    ] = "smtp_default"
    notify: Annotated[
        tuple[ConnectionId, ...],
        Field(
            strict=False,
            title="Notify",
            description="Airflow connections that are told the same as `email`: a chat, a pager, a queue, whatever a provider "
            "has a notifier for. The connection's type chooses it.",
            examples=[["slack_crm"]],
        ),
    ] = ()
    row_errors: Annotated[
        float | None,
        Field(
            ge=0,
            le=1,
            title="Row errors",
            description="Told if at least this share of a run's rows was rejected; `null` never is. 0 means any reject. "
            "To kinesis this is the skip rate, and is told once until it is lower again.",
            examples=[0.05],
        ),
    ] = None
    success: Annotated[
        Success,
        Field(
            title="Success",
            description="`true` tells of every run that has moved rows; `always` of runs without any row, too.",
            examples=[True, "always"],
        ),
    ] = False
    start: Annotated[bool, Field(title="Start", description="Told at the start of each run.", examples=[True])] = False
    latency: Annotated[
        Annotated[Duration, _SPAN] | None,
        Field(
            title="Latency",
            description="Told if one change in twenty took longer than this from its UPDATED_AT until the stream had it; "
            "`null` never is. Told once until it is lower again. Only to kinesis.",
            examples=["2m"],
        ),
    ] = Duration.parse("10m")
    delay: Annotated[
        Annotated[Duration, _SPAN] | None,
        Field(
            title="Delay",
            description="Told if a run took longer than this, or leaves the stream further behind the warehouse; `null` never "
            "is. Told once until it is lower again. Only to kinesis.",
            examples=["1h"],
        ),
    ] = Duration.parse("150m")
