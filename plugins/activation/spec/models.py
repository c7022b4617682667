"""The model of a whole pipeline file."""

from typing import Annotated

from pydantic import ConfigDict, Field, ValidationInfo, field_validator

from activation.spec.alerts import Alerts
from activation.spec.block import Block
from activation.spec.choice import Choice
from activation.spec.columns import Columns
from activation.spec.cursor import Cursor
from activation.spec.delivery import Delivery, Errors
from activation.spec.destination import Destination
from activation.spec.destinations import DESTINATIONS, BrazeDestination
from activation.spec.entries import Short
from activation.spec.expressions import FromEnvironment
from activation.spec.invalid import invalid, invalid_at, invalid_in_file
from activation.spec.kakao import KakaoDestination, check_fields
from activation.spec.kinesis import KinesisDestination
from activation.spec.kinesis_rules import check_columns, check_source
from activation.spec.names import PipelineId, Text
from activation.spec.schedule import Schedule, check_timing
from activation.spec.sources import SOURCES, Source
from activation.spec.task import Task


class Pipeline(Block):
    """One pipeline: a table of a warehouse, a destination, and how rows get from the one to the other."""

    model_config = ConfigDict(serialize_by_alias=True)

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
    timing: Annotated[
        Annotated[Schedule, Short("cron")] | None,
        FromEnvironment(),
        Field(
            alias="schedule",
            title="Schedule",
            description="When the pipeline runs: a cron expression of five fields, in UTC, or `@hourly`, `@daily`, `@weekly`, "
            "`@monthly`, `once`, `continuous`, or a block. `null` runs it only by hand. An import runs every five minutes at "
            "most, and at least monthly. `${env:NAME}` is allowed.",
            examples=["*/15 * * * *", "@hourly", "once", {"after": ["users_import"]}],
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
            validate_default=True,
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
        Field(
            title="Alerts",
            validate_default=True,
            description="Who is told of what. The file of an import names somebody.",
            examples=[{"email": ["crm-team@example.com"]}],
        ),
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
    def _fits_what_stands_above(cls, destination: Destination, info: ValidationInfo) -> Destination:
        cursor, source = info.data.get("cursor"), info.data.get("source")
        if isinstance(cursor, Cursor) and (wrong := destination.meaningless("cursor", cursor)):
            raise invalid_in_file(("cursor", wrong[0]), *wrong[1:])
        if isinstance(source, Source) and isinstance(destination, KinesisDestination):
            check_source(source, destination)
        elif isinstance(source, Source) and source.related is not None:
            fix = "Remove it; only a stream of profiles to kinesis reads such tables."
            raise invalid_in_file(("source", "related"), f"means nothing to {destination.way}", fix)
        if "timing" in info.data:
            check_timing(info.data["timing"], destination)
        return destination

    @field_validator("columns", "delivery", "alerts", "errors")
    @classmethod
    def _only_what_the_destination_knows(cls, block: Block, info: ValidationInfo) -> Block:
        destination = info.data.get("destination")
        if isinstance(destination, Destination) and (wrong := destination.meaningless(info.field_name or "", block)):
            raise invalid_at(*wrong)
        return block

    @field_validator("task")
    @classmethod
    def _only_imports_are_split(cls, task: Task, info: ValidationInfo) -> Task:
        destination = info.data.get("destination")
        if task.partitions > 1 and isinstance(destination, Destination) and not isinstance(destination, BrazeDestination):
            fix = "Remove partitions; only imports into braze are split."
            raise invalid_at("partitions", f"means nothing to {destination.way}", fix)
        return task

    @field_validator("alerts")
    @classmethod
    def _somebody_is_told(cls, alerts: Alerts, info: ValidationInfo) -> Alerts:
        """An import has a contact (contracts: braze 1.6). Blocks from Python may leave it out: their callers see the errors."""
        from_file = (info.context or {}).get("file", False)
        if from_file and isinstance(info.data.get("destination"), BrazeDestination) and not (alerts.email or alerts.notify):
            fix = "Write alerts: {email: [you@example.com]}, here, or once in _defaults.yaml; or notify: a list of connections."
            raise invalid("names nobody, but an import needs somebody who is told of its errors", fix)
        return alerts

    @field_validator("columns")
    @classmethod
    def _columns_fit_the_data(cls, columns: Columns, info: ValidationInfo) -> Columns:
        destination, source = info.data.get("destination"), info.data.get("source")
        if isinstance(destination, BrazeDestination):
            columns.check(destination.data)
        if isinstance(destination, KinesisDestination) and isinstance(source, Source):
            check_columns(columns, source, destination)
        if isinstance(destination, KakaoDestination):
            check_fields(columns.fields, destination)
        cursor = info.data.get("cursor")
        if isinstance(cursor, Cursor) and cursor.skip_unchanged:
            columns.check_repeatable("cursor.skip_unchanged")
        return columns

    @field_validator("timing")
    @classmethod
    def _not_after_itself(cls, timing: Schedule | None, info: ValidationInfo) -> Schedule | None:
        if timing is not None and info.data.get("id") in timing.after:
            raise invalid_at("after", "names the pipeline itself, which would never begin", "Name the pipelines that feed it.")
        return timing

    @property
    def schedule(self) -> str | None:
        """When the pipeline runs, as people write it: ``@daily``, ``continuous``, ``after users_import``; ``None``: by hand."""
        return str(self.timing) if self.timing else None
