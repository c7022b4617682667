"""The ``cursor`` block: how the rows of a run are chosen (contracts: braze 1.3)."""

from typing import Annotated, Any, Literal

from pydantic import Field, SerializerFunctionWrapHandler, ValidationInfo, field_validator, model_serializer

from activation.spec.block import Block
from activation.spec.invalid import invalid
from activation.spec.names import ColumnName
from activation.spec.quantities import Between, Duration

_LONG = Between(Duration(0), Duration.parse("3650d"))


class Cursor(Block):
    """Which rows a run reads: those that changed since the last run, by a timestamp column."""

    column: Annotated[
        ColumnName,
        Field(
            title="Column",
            description="The timestamp column that tells when a row changed. Case does not matter.",
            examples=["UPDATED_AT"],
        ),
    ] = "UPDATED_AT"
    rule: Annotated[
        Literal["count", "exclusive", "inclusive", "dedup"],
        Field(
            title="Rule",
            description="What happens to rows that carry exactly the last run's greatest timestamp. `count` reads all of them "
            "again if there are more than last time (as Braze CDI does), `exclusive` none, `inclusive` always all, "
            "`dedup` all, but sends only those that it has not sent in this form.",
            examples=["dedup"],
        ),
    ] = "count"
    key: Annotated[
        tuple[ColumnName, ...] | None,
        Field(
            strict=False,
            title="Key",
            description="The columns that tell rows of equal timestamp apart and order them. "
            "Absent: the identifier columns of the table.",
            examples=[["EXTERNAL_ID"]],
            json_schema_extra={"minItems": 1, "uniqueItems": True},
        ),
    ] = None
    lookback: Annotated[
        Duration,
        _LONG,
        Field(
            title="Look-back",
            description="How far before the last run's end a run begins to read, for rows that arrive late. "
            "Rows in that span are sent again, except by the rule `dedup`.",
            examples=["1h"],
        ),
    ] = Duration(0)
    settle: Annotated[
        Duration,
        _LONG,
        Field(
            title="Settle time",
            description="A run reads up to the warehouse's clock minus this, which leaves open transactions to the next run.",
            examples=["30s"],
        ),
    ] = Duration.parse("5s")
    future: Annotated[
        Literal["hold", "send"],
        Field(
            title="Future rows",
            description="Rows stamped later than the run's end: `hold` leaves them until their time has come; `send` reads them "
            "now, and what is stamped earlier from then on is passed over (as Braze CDI does).",
            examples=["send"],
        ),
    ] = "hold"
    remember: Annotated[
        int,
        Field(
            ge=0,
            le=100_000,
            title="Remember",
            description="How many sent rows the rule `dedup` remembers. Only with that rule.",
            examples=[50_000],
        ),
    ] = 10_000

    skip_unchanged: Annotated[
        bool,
        Field(
            title="Skip unchanged",
            description="`true` skips rows whose payload equals the last one that was sent for the same user or item. Only for "
            "attributes and catalog items. What others change in the destination is not seen; a run with mode `full` sends all.",
            examples=[True],
        ),
    ] = False

    @field_validator("key")
    @classmethod
    def _key_names_columns(cls, key: tuple[str, ...] | None) -> tuple[str, ...] | None:
        if key is not None and not key:
            raise invalid("names no column", "Name at least one column, or remove key.")
        if key is not None and len({name.casefold() for name in key}) < len(key):
            raise invalid("names a column twice", "Name each column once.")
        return key

    @field_validator("remember")
    @classmethod
    def _remember_has_an_effect(cls, remember: int, info: ValidationInfo) -> int:
        rule = info.data.get("rule", "dedup")
        if rule != "dedup":
            raise invalid(f"has no effect with the rule {rule}", "Remove it, or write rule: dedup.")
        return remember

    @model_serializer(mode="wrap")
    def _only_what_validates(self, serialize: SerializerFunctionWrapHandler) -> dict[str, Any]:
        data: dict[str, Any] = serialize(self)
        if self.rule != "dedup":
            data.pop("remember", None)
        return data
