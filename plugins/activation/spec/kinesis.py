"""The ``destination`` block of type ``kinesis``: profiles into a Kinesis data stream (contracts: kinesis_profiles 4.1)."""

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal

from pydantic import Field, ValidationInfo, field_validator, model_validator
from typing_extensions import Self

from activation.errors import ConfigurationError
from activation.spec.aws import STREAM, Region, RoleArn, StreamName
from activation.spec.block import Block
from activation.spec.destination import Destination
from activation.spec.entries import Short
from activation.spec.expressions import FromEnvironment, Templated, has_jinja
from activation.spec.invalid import invalid, invalid_at
from activation.spec.names import Text
from activation.spec.quantities import Between, Duration, Size

_DEADLINE = Duration.parse("10m")
_KEYS = ("profile_id", "primary_identity", "random")


class KinesisStream(Block):
    """Which stream, and with whose rights."""

    name: Annotated[
        StreamName,
        Templated(),
        FromEnvironment(),
        Field(
            title="Name",
            description="The name of a data stream that is there, or its ARN. Jinja and `${env:NAME}` are allowed.",
            examples=["profiles", "arn:aws:kinesis:ap-northeast-2:123456789012:stream/profiles"],
        ),
    ]
    region: Annotated[
        Region | None,
        Field(
            title="Region",
            description="The stream's region. `null` takes that of the ARN, or else of the connection.",
            examples=["ap-northeast-2"],
        ),
    ] = None
    role_arn: Annotated[
        RoleArn | None,
        FromEnvironment(),
        Field(
            title="Role ARN",
            description="An IAM role, assumed with the connection's own credentials. `${env:NAME}` is allowed.",
            examples=["arn:aws:iam::123456789012:role/activation"],
        ),
    ] = None
    external_id: Annotated[
        Text | None,
        FromEnvironment(),
        Field(
            title="External id",
            description="What the role's trust policy demands as `sts:ExternalId`. `${env:NAME}` is allowed.",
            examples=["activation-partner-a"],
        ),
    ] = None

    @property
    def place(self) -> tuple[str | None, str | None, str]:
        """Region, account and name of the stream, once templates are rendered; ``None`` is the connection's own.

        :raises ConfigurationError: if the name is not written as it must be.
        """
        match = STREAM.fullmatch(self.name)
        if match is None:
            raise ConfigurationError(
                "destination.stream.name is not the name or ARN of a data stream.", "Write it like profiles, or its whole ARN."
            )
        return self.region or match["region"], match["account"], match["name"]

    @model_validator(mode="after")
    def _fits_the_arn(self) -> Self:
        match = STREAM.fullmatch(self.name)
        if match and match["region"] and self.region not in (None, match["region"]):
            raise invalid_at("region", "is not the region of the stream's ARN", "Remove it; the ARN names the region.")
        if self.external_id is not None and self.role_arn is None:
            raise invalid_at("external_id", "has no effect without a role", "Write role_arn beside it, or remove it.")
        return self


class KinesisMessage(Block):
    """What stands in a message beside the mapped attributes (contracts: kinesis_profiles 1.4, 1.5)."""

    segment_names: Annotated[
        bool, Field(title="Segment names", description="`true` adds the `name` of each mapped audience.", examples=[True])
    ] = False
    segment_timestamps: Annotated[
        bool,
        Field(
            title="Segment timestamps",
            description="`true` adds `createdAt`, `updatedAt`, `mappingCreatedAt` and `mappingUpdatedAt` of each mapped "
            "audience, in milliseconds since the epoch.",
            examples=[True],
        ),
    ] = False
    membership_scope: Annotated[
        Literal["same_merge_policy", "mapped_only", "all"],
        Field(
            title="Membership scope",
            description="Which audiences stand in a message: `mapped_only` those of the pipeline, `same_merge_policy` also "
            "others that the profile is in and that share a merge policy with one of its mapped ones, `all` every one it is in.",
            examples=["mapped_only"],
        ),
    ] = "same_merge_policy"
    legacy_existing_status: Annotated[
        bool,
        Field(
            title="Legacy status",
            description="`true` writes `existing` for who was in a mapped audience before, as older readers want it; "
            "`false` writes `realized`.",
            examples=[True],
        ),
    ] = False
    time_format: Annotated[
        Literal["z", "offset"],
        Field(
            title="Time format",
            description="How times end: `z` is `2026-07-19T09:07:23Z`, `offset` is `2026-07-19T09:07:23+0000`.",
            examples=["offset"],
        ),
    ] = "z"
    identity_fields: Annotated[
        Literal["id", "full"],
        Field(
            title="Identity fields",
            description="What stands for an identity: its `id`; `full` adds `authenticatedState` and `primary` where the "
            "warehouse has them.",
            examples=["full"],
        ),
    ] = "id"


class KinesisChanges(Block):
    """What makes a profile go out, and how long a run looks for it (contracts: kinesis_profiles 1.3, 4.2)."""

    attributes: Annotated[
        Literal["writes", "row", "content"] | None,
        Field(
            title="Attributes",
            description="Which update of a profile counts: `writes` a row about a mapped attribute in the table "
            "`source.related.writes`, with the same value too; `row` every new UPDATED_AT of the profile; `content` one after "
            "which the mapped attributes are not those sent last. `null` is `writes` if that table is there, else `content`.",
            examples=["row"],
        ),
    ] = None
    backfill: Annotated[
        bool,
        Field(
            title="Backfill",
            description="`true` sends everybody who is in an audience when it is newly mapped; `false` only who enters it later.",
            examples=[False],
        ),
    ] = True
    wait: Annotated[
        Duration,
        Between(Duration(0), Duration.parse("1h")),
        Field(
            title="Wait",
            description="How long a run of a `continuous` pipeline that finds no change goes on looking before it ends; "
            "longer means fewer empty runs. Runs of other schedules look once.",
            examples=["2m"],
        ),
    ] = Duration.parse("5m")
    poll: Annotated[
        Duration,
        Between(Duration.parse("100ms"), Duration.parse("1h")),
        Field(title="Poll", description="How often it looks in that time.", examples=["10s"]),
    ] = Duration.parse("5s")

    @model_validator(mode="after")
    def _polls_while_it_waits(self) -> Self:
        if self.wait.milliseconds and self.poll > self.wait:
            raise invalid_at("poll", "is longer than wait", "Write a shorter poll, a longer wait, or wait: 0s.")
        return self


class KinesisRecords(Block):
    """How a message becomes a record of the stream (contracts: kinesis_profiles 2.1, 2.3, 4.1, 4.3)."""

    partition_key: Annotated[
        Text,
        Field(
            title="Partition key",
            description="What chooses the shard: `profile_id`, `primary_identity`, `random`, or the path of a mapped attribute, "
            "`person.country`. A key beyond 256 characters is hashed.",
            examples=["primary_identity", "person.country"],
        ),
    ] = "profile_id"
    ordering: Annotated[
        Literal["per_key", "none"],
        Field(
            title="Ordering",
            description="`per_key`: a key has at most one record on the way, and what follows waits until it has arrived. "
            "`none`: a record that is sent again may come behind a later one.",
            examples=["none"],
        ),
    ] = "per_key"
    max_bytes: Annotated[
        Annotated[Size, Between(Size.parse("1KiB"), Size.parse("10MiB"))] | None,
        Field(
            title="Most bytes",
            description="How large data and partition key of one record may be together; `null` asks the stream, else 1MiB.",
            examples=["1MiB"],
        ),
    ] = None
    oversize: Annotated[
        Literal["reject", "fail"],
        Field(
            title="Oversize",
            description="What a larger record does: `reject` keeps it among the rejects, `fail` stops the run.",
            examples=["fail"],
        ),
    ] = "reject"
    aggregation: Annotated[
        Literal["off", "kpl"],
        Field(
            title="Aggregation",
            description="`kpl` packs messages for one shard into one record, in the format of the Kinesis Producer Library.",
            examples=["kpl"],
        ),
    ] = "off"

    @model_validator(mode="after")
    def _a_random_key_has_no_order(self) -> Self:
        if self.partition_key == "random" and self.ordering == "per_key":
            raise invalid_at("ordering", "is per_key, but a random key is no key to keep an order of", "Write ordering: none.")
        return self


class KinesisRequests(Block):
    """How records are put together and sent again (contracts: kinesis_profiles 1.6, 2.1, 2.4)."""

    records: Annotated[int, Field(ge=1, le=500, title="Records", description="Most records of one request.", examples=[250])] = (
        500
    )
    bytes: Annotated[
        Size,
        Between(Size.parse("1KiB"), Size.parse("10MiB")),
        Field(
            title="Bytes",
            description="Most bytes of the records of one request, before base64, with their keys. Amazon takes 10MiB today; "
            "older regions and emulators 5MiB.",
            examples=["10MiB"],
        ),
    ] = Size.parse("5MiB")
    retries: Annotated[
        Literal["adobe", "until_deadline"],
        Field(
            title="Retries",
            description="How often a record that the stream has refused is sent again: `adobe` twice, `until_deadline` with "
            "growing pauses until `deadline` has passed.",
            examples=["until_deadline"],
        ),
    ] = "adobe"
    deadline: Annotated[
        Duration,
        Between(Duration.parse("1s"), Duration.parse("1d")),
        Field(title="Deadline", description="How long a record is sent again. Only with `until_deadline`.", examples=["2m"]),
    ] = _DEADLINE
    exhausted: Annotated[
        Literal["fail", "reject"],
        Field(
            title="Exhausted",
            description="What happens then: `fail` ends the try, and a retry of the task goes on there; `reject` keeps the "
            "record among the rejects.",
            examples=["reject"],
        ),
    ] = "fail"
    rate_share: Annotated[
        float,
        Field(
            gt=0,
            le=1,
            title="Share of the rate limit",
            description="How much of each shard's limits (1 MB and 1,000 records a second) a run may use; the rest is left to "
            "other producers.",
            examples=[0.8],
        ),
    ] = 1.0

    @field_validator("deadline")
    @classmethod
    def _has_an_effect(cls, deadline: Duration, info: ValidationInfo) -> Duration:
        if info.data.get("retries") == "adobe" and deadline != _DEADLINE:
            raise invalid("has no effect with retries: adobe", "Remove it, or write retries: until_deadline.")
        return deadline


class KinesisDestination(Destination):
    """An Amazon Kinesis data stream: one JSON message for each profile that has changed."""

    way: ClassVar[str] = "a stream of profiles"
    knows: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "cursor": ("column", "lookback", "settle"),
        "columns": ("fields",),
        "delivery": ("in_flight", "timeout", "checkpoint"),
    }

    type: Annotated[Literal["kinesis"], Field(title="Type", description="The destination.", examples=["kinesis"])]
    stream: Annotated[
        Annotated[KinesisStream, Short("name")],
        Templated(),
        FromEnvironment(),
        Field(
            title="Stream",
            description="The stream: its name, its ARN, or a block. Jinja and `${env:NAME}` are allowed.",
            examples=["profiles", {"name": "profiles", "region": "ap-northeast-2"}],
        ),
    ]
    audiences: Annotated[
        tuple[Text, ...],
        Field(
            strict=False,
            title="Audiences",
            description="Ids of the mapped audiences, at least one: their members are sent, and who leaves them.",
            examples=[["aud-1", "aud-2"]],
            json_schema_extra={"minItems": 1, "uniqueItems": True},
        ),
    ]
    message: Annotated[
        KinesisMessage, Field(title="Message", description="What stands in a message.", examples=[{"segment_names": True}])
    ] = KinesisMessage()
    changes: Annotated[
        KinesisChanges, Field(title="Changes", description="What makes a profile go out.", examples=[{"attributes": "row"}])
    ] = KinesisChanges()
    records: Annotated[
        KinesisRecords,
        Field(title="Records", description="How a message becomes a record.", examples=[{"partition_key": "primary_identity"}]),
    ] = KinesisRecords()
    requests: Annotated[
        KinesisRequests, Field(title="Requests", description="How records are sent.", examples=[{"retries": "until_deadline"}])
    ] = KinesisRequests()

    @property
    def key_path(self) -> str | None:
        """The mapped attribute that gives the partition key; ``None`` if something else does."""
        key = self.records.partition_key
        return None if key in _KEYS else key

    @field_validator("audiences")
    @classmethod
    def _each_once(cls, audiences: tuple[str, ...]) -> tuple[str, ...]:
        if not audiences:
            raise invalid("names no audience, so nobody would ever be sent", "Write the ids of the audiences to map.")
        for index, audience in enumerate(audiences):
            if audience in audiences[:index]:
                raise invalid_at(index, "stands above already", "Name each audience once.")
        return audiences

    @model_validator(mode="after")
    def _a_record_fits_a_request(self) -> Self:
        if self.records.max_bytes is not None and self.records.max_bytes > self.requests.bytes:
            fix = f"Write requests: {{bytes: {self.records.max_bytes}}}, or smaller records."
            raise invalid_at(("records", "max_bytes"), "is more than a request takes (requests.bytes)", fix)
        return self

    @property
    def is_template(self) -> bool:
        """Whether the stream's name still has to be rendered by Airflow."""
        return has_jinja(self.stream.name)
