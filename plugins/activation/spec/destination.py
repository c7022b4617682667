"""What the ``destination`` blocks of all types have."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from activation.spec.block import Block
from activation.spec.expressions import FromEnvironment, Templated
from activation.spec.names import ConnectionId


class Destination(Block):
    """What every destination's block has."""

    type: str
    connection: Annotated[
        ConnectionId,
        Templated(),
        FromEnvironment(),
        Field(
            title="Connection",
            description="The Airflow connection of the destination; it holds the address and the key. "
            "Jinja and `${env:NAME}` are allowed.",
            examples=["braze", "${env:BRAZE_CONNECTION}"],
        ),
    ]
