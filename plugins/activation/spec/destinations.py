"""The ``destination`` block: where the rows go. One class a destination."""

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal

from pydantic import Field, model_validator
from typing_extensions import Self

from activation.spec.block import Block
from activation.spec.destination import Destination
from activation.spec.invalid import invalid
from activation.spec.kakao import KakaoDestination
from activation.spec.kinesis import KinesisDestination
from activation.spec.s3 import S3Destination


class Catalog(Block):
    """The catalog that items go to (contracts: braze 1.1, 2.5)."""

    name: Annotated[
        str,
        Field(
            pattern=r"^[-A-Za-z0-9_]{1,250}$",
            title="Name",
            description="The catalog's name in Braze. It must be there, with the fields of the payload.",
            examples=["restaurants"],
        ),
    ]
    write: Annotated[
        Literal["put", "patch"],
        Field(
            title="Write",
            description="`put` replaces an item and creates it where it is not there. `patch` changes the fields that the "
            "payload names; an item that is not there stays away, and Braze does not say so.",
            examples=["patch"],
        ),
    ] = "put"


class BrazeDestination(Destination):
    """A Braze workspace, written through its REST API (contracts: braze 2)."""

    way: ClassVar[str] = "an import"
    knows: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "alerts": ("email", "connection", "notify", "row_errors", "success", "start"),
    }

    type: Annotated[Literal["braze"], Field(title="Type", description="The destination.", examples=["braze"])]
    data: Annotated[
        Literal["attributes", "events", "purchases", "deletes", "catalog_items"],
        Field(
            title="Data",
            description="What a row is. `attributes` updates a user, `events` and `purchases` log one with a user, all from "
            "the PAYLOAD column. `deletes` removes users; a table with a PAYLOAD column is refused. `catalog_items` writes "
            "items, and removes those whose DELETED is true.",
            examples=["events"],
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
    catalog: Annotated[
        Catalog | None,
        Field(
            title="Catalog", description="Where `catalog_items` go; for other data `null`.", examples=[{"name": "restaurants"}]
        ),
    ] = None
    profile: Annotated[
        str,
        Field(
            pattern=r"^(combined_[1-9][0-9]{0,2}|per_array_75|bulk_1000)$",
            title="Profile",
            description="What your contract with Braze allows in one request for user data: `combined_75`, `per_array_75`, "
            "`combined_N` for another number N, or `bulk_1000`, the bulk endpoint (contracts: braze 2.3).",
            examples=["combined_50", "bulk_1000"],
        ),
    ] = "combined_75"
    on_unknown: Annotated[
        Literal["resend", "reject"],
        Field(
            title="On unknown",
            description="What happens to events and purchases of a request that was never answered: `resend` may log them twice, "
            "`reject` may lose them but keeps them among the rejects. Other data can be sent twice without harm, and is.",
            examples=["reject"],
        ),
    ] = "resend"

    lint: Annotated[
        Literal["reject", "off"],
        Field(
            title="Lint",
            description="What happens to attributes of which Braze would drop a part and still say success: nulls, bad "
            "dates and bad keys inside nested objects, and objects beyond 100 KB. `reject` keeps the row among the rejects, "
            "`off` sends it.",
            examples=["off"],
        ),
    ] = "reject"

    @model_validator(mode="after")
    def _catalog_for_items(self) -> Self:
        if (self.data == "catalog_items") != (self.catalog is not None):
            needs = "needs a catalog for catalog_items" if self.catalog is None else f"takes no catalog for {self.data}"
            raise invalid(needs, "Write catalog: {name: …} with data: catalog_items, and only there.")
        return self


DESTINATIONS: dict[str, type[Destination]] = {
    "braze": BrazeDestination,
    "s3": S3Destination,
    "kinesis": KinesisDestination,
    "kakao_moment": KakaoDestination,
}
"""The block's model by ``destination.type``. A new destination is one class and one line here."""
