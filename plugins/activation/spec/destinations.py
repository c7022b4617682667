"""The ``destination`` block: where the rows go. One class a destination."""

from __future__ import annotations

from typing import Annotated, Literal

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


class BrazeDestination(Destination):
    """A Braze workspace, written through its REST API (contracts: braze 2)."""

    type: Annotated[Literal["braze"], Field(title="Type", description="The destination.", examples=["braze"])]
    data: Annotated[
        Literal["attributes"],
        Field(
            title="Data",
            description="What a row is. `attributes` updates user profiles from the PAYLOAD column.",
            examples=["attributes"],
        ),
    ]
    update_existing_only: Annotated[
        bool,
        Field(
            title="Update existing only",
            description="`true` skips rows that name a user whom Braze does not know; `false` creates the user.",
            examples=[True],
        ),
    ] = False


DESTINATIONS: dict[str, type[Destination]] = {
    "braze": BrazeDestination,
}
"""The block's model by ``destination.type``. A new destination is one class and one line here."""
