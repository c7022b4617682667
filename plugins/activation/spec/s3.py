"""The ``destination`` block of type ``s3``: files in a partner's bucket (contracts: s3_export 3.1)."""

import re
from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal

from pydantic import Field, field_validator, model_validator
from typing_extensions import Self

from activation.errors import ConfigurationError
from activation.spec.aws import Region, RoleArn
from activation.spec.block import Block
from activation.spec.destination import Destination
from activation.spec.entries import Short
from activation.spec.expressions import Braces, FromEnvironment, Templated, has_jinja
from activation.spec.invalid import invalid
from activation.spec.names import ColumnName, Text
from activation.spec.quantities import Between, Size
from activation.spec.s3_rules import COMPRESSIONS, check_template
from activation.spec.times import Day, Zone

Condition = Literal["all", "include", "exclude"]

_PERIODIC = "A periodic export carries events; write export: {type: one_time}, or compat: none."
_PATH = re.compile(r"s3://([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])/(.+)")
"""Bucket names: Amazon S3, general purpose bucket naming rules."""
_PATH_FIX = "Write it like s3://bucket/folder; a bucket's name has 3 to 63 small letters, digits, dots and hyphens."
Name = Annotated[str, Field(pattern=r"^[\w .:@/+-]+$", max_length=200)]
"""Of an event or an audience, in any script. The length stands beside the pattern: counted in it, it takes 60 ms to compile."""


class S3Access(Block):
    """Whose rights are used. What is absent is taken from the connection."""

    role_arn: Annotated[
        RoleArn | None,
        FromEnvironment(),
        Field(
            title="Role ARN",
            description="The partner's IAM role, assumed with the connection's own credentials. `${env:NAME}` is allowed.",
            examples=["arn:aws:iam::123456789012:role/activation"],
        ),
    ] = None
    external_id: Annotated[
        Text | None,
        FromEnvironment(),
        Field(
            title="External id",
            description="What the role's trust policy demands as `sts:ExternalId`; chosen by you, one for each partner. "
            "`${env:NAME}` is allowed.",
            examples=["activation-partner-a"],
        ),
    ] = None
    region: Annotated[Region | None, Field(title="Region", description="The bucket's region.", examples=["ap-northeast-2"])] = (
        None
    )
    encryption: Annotated[
        Literal["s3", "kms"] | None,
        Field(
            title="Encryption",
            description="What every object is encrypted with: `s3` (SSE-S3) or `kms` (SSE-KMS); `null` leaves it to the bucket.",
            examples=["kms"],
        ),
    ] = None
    kms_key: Annotated[
        Text | None,
        Field(
            title="KMS key",
            description="The ARN or id of the key for `kms`; `null` is the account's own key for S3.",
            examples=["arn:aws:kms:ap-northeast-2:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"],
        ),
    ] = None

    @model_validator(mode="after")
    def _key_needs_kms(self) -> Self:
        if self.kms_key is not None and self.encryption != "kms":
            raise invalid("names a kms_key but is not encrypted with it", "Write encryption: kms beside it.")
        return self


class S3Unload(Block):
    """Whether the warehouse writes the files by itself."""

    mode: Annotated[
        Literal["auto", "never", "always"],
        Field(
            title="Mode",
            description="`auto`: if there is a credential, and the warehouse can write such files. `always`: or else the run "
            "fails. Databricks, Redshift and Snowflake can write csv, and parquet with snappy; Databricks jsonl too.",
            examples=["never"],
        ),
    ] = "auto"
    credential: Annotated[
        str | None,
        FromEnvironment(),
        Field(
            max_length=1000,
            pattern=r"^[\w+=.@:/,-]+$",
            title="Credential",
            description="What the warehouse itself writes with: for Redshift the ARN of an IAM role, or of a chain of them with "
            "commas in between; for Snowflake the name of a storage integration, for Databricks that of an external location. "
            "`${env:NAME}` is allowed.",
            examples=["arn:aws:iam::123456789012:role/redshift-unload"],
        ),
    ] = None


class S3Files(Block):
    """What the files look like and how they are cut."""

    format: Annotated[
        Literal["csv", "jsonl", "parquet"], Field(title="Format", description="The format of the files.", examples=["parquet"])
    ] = "csv"
    compression: Annotated[
        Literal["none", "gzip", "zstd", "snappy"] | None,
        Field(
            title="Compression",
            description="`none`, `gzip` or `zstd` for csv and jsonl; `none`, `snappy` or `zstd` for parquet. "
            "`null` is gzip, for parquet zstd.",
            examples=["zstd"],
        ),
    ] = None
    part_rows: Annotated[
        int | None, Field(ge=1, title="Rows per part", description="Most rows of one file.", examples=[5_000_000])
    ] = None
    part_bytes: Annotated[
        Annotated[Size, Between(Size.parse("1MB"), Size.parse("5000000MB"))] | None,
        Field(
            title="Bytes per part",
            description="About how large a file may grow before the next one begins; `null` is without limit.",
            examples=["200MB"],
        ),
    ] = Size.parse("512MB")
    layout: Annotated[
        str | None,
        Braces(),
        Field(
            max_length=500,
            title="Layout",
            description="The path of one export in the bucket; fields in braces: folder, data, date, year, month, day, hour, "
            "minute, interval_start, interval_end, pipeline_id. `null` is "
            "`{folder}/{data}/dt={date}/hr={hour}/run={interval_start}_{pipeline_id}`, for days without the hour.",
            examples=["{folder}/{data}/{year}/{month}/{day}/{hour}"],
        ),
    ] = None
    on_exists: Annotated[
        Literal["replace", "fail", "version"],
        Field(
            title="On exists",
            description="If the interval was exported before: `replace` takes the manifest away, writes the same keys and then "
            "the manifest; `fail` overwrites nothing; `version` writes below `attempt=2`, `attempt=3`, ….",
            examples=["version"],
        ),
    ] = "replace"
    success_marker: Annotated[
        bool,
        Field(title="Success marker", description="`true` writes an empty `_SUCCESS` behind the manifest.", examples=[True]),
    ] = False
    unload: Annotated[
        Annotated[S3Unload, Short("mode")],
        Field(
            title="Unload",
            description="Whether the warehouse writes the files by itself: a mode of the table below, or a block.",
            examples=["never", {"credential": "arn:aws:iam::123456789012:role/redshift-unload"}],
        ),
    ] = S3Unload()

    @field_validator("layout")
    @classmethod
    def _names_known_fields(cls, layout: str | None) -> str | None:
        try:
            check_template(layout or "")
        except ConfigurationError as error:
            raise invalid(f"cannot be used: {error.problem.rstrip('.')}", error.fix) from None
        return layout

    @model_validator(mode="after")
    def _format_takes_the_compression(self) -> Self:
        allowed = COMPRESSIONS[self.format]
        if self.compression is not None and self.compression not in allowed:
            raise invalid(
                f"has the compression {self.compression}, which {self.format} does not take",
                f"Choose one of {', '.join(allowed)}.",
            )
        return self


class S3Export(Block):
    """What one pipeline exports, and when."""

    type: Annotated[
        Literal["periodic", "one_time"],
        Field(
            title="Type",
            description="`periodic` exports each interval of the schedule; `one_time` the days between from_date and to_date, or "
            "the profiles as they are, once.",
            examples=["one_time"],
        ),
    ] = "periodic"
    from_date: Annotated[
        Day | None, Field(title="From", description="First day of a one-time export of events.", examples=["2026-07-01"])
    ] = None
    to_date: Annotated[
        Day | None, Field(title="To", description="Last day of a one-time export of events.", examples=["2026-07-19"])
    ] = None
    timezone: Annotated[
        Zone | None,
        Field(
            title="Time zone",
            description="Where days and hours begin, for the schedule too. `null` is Asia/Seoul with `dfinery`, else UTC.",
            examples=["Asia/Seoul"],
        ),
    ] = None
    start: Annotated[Day | None, Field(title="Start", description="First day of a periodic export.", examples=["2026-07-01"])] = (
        None
    )
    end: Annotated[
        Day | None,
        Field(title="End", description="Last day of a periodic export; then it has ended.", examples=["2026-12-31"]),
    ] = None
    catch_up: Annotated[
        bool,
        Field(
            title="Catch up",
            description="`true` exports what passed while the DAG was paused, from `start` on; `false` only the last interval.",
            examples=[True],
        ),
    ] = False
    compat: Annotated[
        Literal["dfinery", "none"],
        Field(
            title="Limits",
            description="`dfinery` keeps the limits of its partner sync: periodic events only, five periodic pipelines, "
            "events of the last 30 days, profiles once a day. `none` lifts them.",
            examples=["none"],
        ),
    ] = "dfinery"

    @property
    def zone(self) -> str:
        """The time zone by its IANA name."""
        return self.timezone or ("Asia/Seoul" if self.compat == "dfinery" else "UTC")

    @model_validator(mode="after")
    def _dates_fit_the_type(self) -> Self:
        one_time, periodic = (self.from_date, self.to_date), (self.start, self.end)
        if self.type == "periodic" and any(one_time):
            raise invalid("has from_date or to_date but is periodic", "Write start and end, or type: one_time.")
        if self.type == "one_time" and (any(periodic) or self.catch_up):
            raise invalid("has start, end or catch_up but is one_time", "Write from_date and to_date, or type: periodic.")
        if self.catch_up and not self.start:
            raise invalid("catches up, but does not say from where on", "Write start: the first day.")
        for first, last in (one_time, periodic):
            if first and last and last < first:
                raise invalid("ends before it begins", "Write the earlier day first.")
        return self


class S3Select(Block):
    """Which rows and columns are exported."""

    event_column: Annotated[
        ColumnName, Field(title="Event column", description="The column with the event's name.", examples=["EVENT"])
    ] = "EVENT_NAME"
    events: Annotated[
        tuple[Name, ...],
        Field(strict=False, title="Events", description="Names of events.", examples=[["df_purchase", "df_login"]]),
    ] = ()
    events_condition: Annotated[
        Condition,
        Field(title="Events condition", description="What `events` means: only these, or all but these.", examples=["include"]),
    ] = "all"
    properties: Annotated[
        tuple[ColumnName, ...],
        Field(strict=False, title="Properties", description="Names of columns.", examples=[["EMAIL"]]),
    ] = ()
    properties_condition: Annotated[
        Condition,
        Field(
            title="Properties condition",
            description="What `properties` means: only these columns, or all but these. The cursor and its key always come.",
            examples=["exclude"],
        ),
    ] = "all"
    audience_column: Annotated[
        ColumnName, Field(title="Audience column", description="The column with an audience's id.", examples=["SEGMENT"])
    ] = "AUDIENCE"
    audience: Annotated[
        Name | None,
        Field(title="Audience", description="Only rows of this audience; `null` is everybody.", examples=["vip"]),
    ] = None
    active_column: Annotated[
        ColumnName | None,
        Field(
            title="Active column",
            description="The boolean column that is true for active profiles; others are left out. `null` takes all rows.",
            examples=["IS_ACTIVE"],
        ),
    ] = None

    @model_validator(mode="after")
    def _lists_fit_conditions(self) -> Self:
        for name, listed, condition in (
            ("events", self.events, self.events_condition),
            ("properties", self.properties, self.properties_condition),
        ):
            if bool(listed) != (condition != "all"):
                raise invalid(
                    f"has {name} without saying what they mean" if listed else f"has {name}_condition without {name}",
                    f"Write {name} and {name}_condition: include or exclude together.",
                )
        return self


class S3Destination(Destination):
    """A partner's Amazon S3 bucket, written through the partner's IAM role."""

    way: ClassVar[str] = "an export"
    knows: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "cursor": ("column", "key", "lookback"),
        "columns": (),
        "delivery": ("in_flight",),
        "errors": ("retries", "retry_delay", "timeout", "stop_after"),
        "alerts": ("email", "connection", "notify", "success", "start"),
    }

    type: Annotated[Literal["s3"], Field(title="Type", description="The destination.", examples=["s3"])]
    data: Annotated[
        Literal["event", "user_profile"],
        Field(title="Data", description="What a row is: an event, or a user's profile.", examples=["user_profile"]),
    ]
    path: Annotated[
        str,
        Templated(),
        FromEnvironment(),
        Field(
            min_length=1,
            max_length=1000,
            title="Path",
            description="Bucket and folder, `s3://bucket/folder`. Jinja and `${env:NAME}` are allowed.",
            examples=["s3://partner-imports/crm"],
        ),
    ]
    access: Annotated[
        S3Access, Field(title="Access", description="Whose rights are used.", examples=[{"region": "ap-northeast-2"}])
    ] = S3Access()
    files: Annotated[S3Files, Field(title="Files", description="What the files look like.", examples=[{"format": "parquet"}])] = (
        S3Files()
    )
    export: Annotated[
        S3Export, Field(title="Export", description="What is exported, and when.", examples=[{"timezone": "Asia/Seoul"}])
    ] = S3Export()
    select: Annotated[
        S3Select,
        Field(title="Select", description="Which rows and columns.", examples=[{"active_column": "IS_ACTIVE"}]),
    ] = S3Select()

    @property
    def place(self) -> tuple[str, str]:
        """Bucket and folder, once templates are rendered.

        :raises ConfigurationError: if the path is not written as it must be.
        """
        match = _PATH.fullmatch(self.path)
        if match is None:
            raise ConfigurationError("destination.path is not the path of a folder in a bucket.", _PATH_FIX)
        return match[1], match[2]

    @field_validator("path")
    @classmethod
    def _a_folder_of_a_bucket(cls, path: str) -> str:
        if not has_jinja(path) and _PATH.fullmatch(path) is None:
            raise invalid("is not the path of a folder in a bucket", _PATH_FIX)
        if not has_jinja(path) and {".", ".."} & set(path.split("/")):
            raise invalid("has a part . or .. in its folder", "Write the folder from the bucket's root.")
        return path

    @model_validator(mode="after")
    def _data_fits_the_type(self) -> Self:
        export = self.export
        if self.data == "user_profile" and export.type == "periodic" and export.compat == "dfinery":
            raise invalid("exports user_profile periodically", _PERIODIC)
        if self.data == "event" and export.type == "one_time" and not (export.from_date and export.to_date):
            raise invalid("exports events once but does not say which", "Write export: {from_date: …, to_date: …}.")
        if self.data == "user_profile" and (export.from_date or export.to_date):
            raise invalid("has a range of days for profiles, which are as they are", "Remove from_date and to_date.")
        return self
