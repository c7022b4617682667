"""The model of a whole pipeline file."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, ValidationInfo, field_validator

from activation.spec.alerts import Alerts
from activation.spec.block import Block
from activation.spec.choice import Choice
from activation.spec.columns import Columns
from activation.spec.cron import Schedule
from activation.spec.cursor import Cursor
from activation.spec.delivery import Delivery, Errors
from activation.spec.destination import Destination
from activation.spec.destinations import DESTINATIONS, BrazeDestination
from activation.spec.expressions import FromEnvironment
from activation.spec.invalid import invalid
from activation.spec.names import PipelineId, Text
from activation.spec.s3 import S3Destination
from activation.spec.sources import SOURCES, Source
from activation.spec.task import Task


class Pipeline(Block):
    """One pipeline: a table of a warehouse, a destination, and how rows get from the one to the other."""

    id: Annotated[
        PipelineId,
        Field(
            title="Id",
            description="The id of the pipeline and of its DAG. In a file it may be left out; else it equals the file's name.",
            examples=["users_to_braze"],
        ),
    ]
    description: Annotated[
        str,
        Field(
            max_length=2000,
            title="Description",
            description="What the pipeline is for; Airflow shows it.",
            examples=["Profile attributes of all customers."],
        ),
    ] = ""
    owner: Annotated[
        Text,
        FromEnvironment(),
        Field(
            title="Owner",
            description="Who answers for the pipeline; Airflow shows it. `${env:NAME}` is allowed.",
            examples=["crm-team"],
        ),
    ] = "activation"
    tags: Annotated[
        tuple[Text, ...],
        Field(strict=False, title="Tags", description="Tags of the DAG.", examples=[["crm", "braze"]]),
    ] = ()
    schedule: Annotated[
        Schedule | None,
        FromEnvironment(),
        Field(
            title="Schedule",
            description="When the pipeline runs, in UTC: a cron expression of five fields, or `@hourly`, `@daily`, `@weekly`, "
            "`@monthly`. `null` runs it only by hand. `${env:NAME}` is allowed.",
            examples=["*/15 * * * *", "@hourly"],
        ),
    ] = None
    source: Annotated[
        Source,
        Choice(SOURCES),
        Field(
            title="Source",
            description="The table to read.",
            examples=[{"type": "postgres", "connection": "warehouse", "table": "analytics.users"}],
        ),
    ]
    cursor: Annotated[
        Cursor,
        Field(title="Cursor", description="Which rows a run reads.", examples=[{"rule": "dedup", "lookback": "1h"}]),
    ] = Cursor()
    destination: Annotated[
        Destination,
        Choice(DESTINATIONS),
        Field(
            title="Destination",
            description="Where the rows go.",
            examples=[{"type": "braze", "connection": "braze", "data": "attributes"}],
        ),
    ]
    columns: Annotated[
        Columns,
        Field(
            title="Columns",
            description="Which columns name the user and which make the payload. Absent: the fixed names.",
            examples=[{"identifiers": {"external_id": "USER_ID"}, "fields": {"city": "CITY"}}],
        ),
    ] = Columns()
    delivery: Annotated[
        Delivery,
        Field(title="Delivery", description="How requests are cut, sent and repeated.", examples=[{"in_flight": 32}]),
    ] = Delivery()
    alerts: Annotated[
        Alerts,
        Field(title="Alerts", description="Who is told of what.", examples=[{"email": ["crm-team@example.com"]}]),
    ] = Alerts()
    errors: Annotated[
        Errors,
        Field(title="Errors", description="What ends a run, and how often Airflow tries again.", examples=[{"retries": 5}]),
    ] = Errors()

    task: Annotated[
        Task,
        Field(title="Task", description="Where and when Airflow lets the tasks run.", examples=[{"pool": "braze"}]),
    ] = Task()

    @field_validator("destination")
    @classmethod
    def _only_what_can_be_repeated_is_skipped(cls, destination: Destination, info: ValidationInfo) -> Destination:
        cursor = info.data.get("cursor")
        skipping = isinstance(cursor, Cursor) and cursor.skip_unchanged
        if skipping and isinstance(destination, BrazeDestination) and destination.data not in ("attributes", "catalog_items"):
            raise invalid(
                f"does not go with cursor.skip_unchanged, because each of the {destination.data} counts",
                "Remove skip_unchanged; it is for attributes and catalog_items.",
            )
        return destination

    @field_validator("destination")
    @classmethod
    def _cursor_bounds_an_export(cls, destination: Destination, info: ValidationInfo) -> Destination:
        cursor = info.data.get("cursor")
        if isinstance(cursor, Cursor):
            _refuse(destination, "cursor", cursor, ("column", "key", "lookback"))
        if isinstance(destination, S3Destination) and destination.export.type == "periodic" and not info.data.get("schedule"):
            raise invalid("is periodic, but the pipeline has no schedule", "Write a schedule, or export: {type: one_time}.")
        if isinstance(destination, S3Destination) and destination.export.type == "one_time" and info.data.get("schedule"):
            raise invalid("exports once, but the pipeline has a schedule", "Remove the schedule, or the type one_time.")
        return destination

    @field_validator("columns", "delivery", "errors")
    @classmethod
    def _only_what_the_destination_takes(cls, block: Block, info: ValidationInfo) -> Block:
        taken = {"delivery": ("in_flight",), "errors": ("retries", "retry_delay", "timeout")}
        _refuse(info.data.get("destination"), "", block, taken.get(info.field_name or "", ()))
        return block

    @field_validator("columns")
    @classmethod
    def _columns_fit_the_data(cls, columns: Columns, info: ValidationInfo) -> Columns:
        destination = info.data.get("destination")
        if isinstance(destination, BrazeDestination):
            columns.check(destination.data)
        cursor = info.data.get("cursor")
        if isinstance(cursor, Cursor) and cursor.skip_unchanged:
            columns.check_repeatable()
        return columns


def _refuse(destination: Destination | None, name: str, block: Block, taken: tuple[str, ...]) -> None:
    """Refuse keys that mean nothing to an export of files."""
    extra = [key for key in type(block).model_fields if key in block.model_fields_set and key not in taken]
    if isinstance(destination, S3Destination) and extra:
        known = f"Allowed: {', '.join(taken)}." if taken else ""
        raise invalid(
            f"does not go with {name}.{extra[0]}" if name else f"has {extra[0]}, which means nothing to an export",
            f"Remove it. {known}".strip(),
        )
