"""The ``schedule`` block: when a pipeline runs."""

import re
from datetime import datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, field_validator, model_validator
from typing_extensions import Self

from activation.spec.block import Block
from activation.spec.cron import CONTINUOUS, ONCE, Cron, shortest_pause, skips_a_month
from activation.spec.destination import Destination
from activation.spec.destinations import BrazeDestination
from activation.spec.expressions import FromEnvironment, refuse_expressions
from activation.spec.invalid import invalid, invalid_at, invalid_in_file
from activation.spec.kinesis import KinesisDestination
from activation.spec.moments import Moment, instant
from activation.spec.names import PipelineId
from activation.spec.quantities import Between, Duration
from activation.spec.s3 import S3Destination
from activation.spec.times import Zone

IMPORT_PAUSE = 5
"""Minutes between two times at which an import begins, at least (contracts: braze 1.5, frequency)."""

_ASSET = re.compile(r"[!-~\u00a1-\U0010ffff](?:[ -~\u00a1-\U0010ffff]{0,1498}[!-~\u00a1-\U0010ffff])?")
_OURS = re.compile(r"activation/(.+)|x-activation://pipeline/(.+)")


def _asset(text: str) -> str:
    refuse_expressions(text)
    if _OURS.fullmatch(text):
        raise invalid("is the asset of a pipeline", "Write the pipeline's id: schedule: {after: [pipeline_id]}.")
    if _ASSET.fullmatch(text) is None:
        raise invalid("is not the name or URI of an asset", "Write it as the Assets page of Airflow shows it.")
    return text


class Schedule(Block):
    """When a pipeline runs: by the clock, once, back to back, behind pipelines or assets, or both ways.

    A text alone is the clock's.
    """

    cron: Annotated[
        Cron | None,
        FromEnvironment(),
        Field(
            title="Clock",
            description="A cron expression of five fields, in which months and weekdays may have their English names, `@hourly`, "
            "`@daily`, `@weekly`, `@monthly`; `once`: one run, when the pipeline is switched on; or `continuous`: runs back to "
            "back, only to kinesis. `${env:NAME}` is allowed.",
            examples=["*/15 * * * *", "once", "continuous"],
        ),
    ] = None
    after: Annotated[
        tuple[PipelineId, ...],
        Field(
            strict=False,
            title="After",
            description="Ids of pipelines. A run begins as soon as they have ended well, each of them since the last run.",
            examples=[["users_import"]],
        ),
    ] = ()
    assets: Annotated[
        tuple[Annotated[str, AfterValidator(_asset), Field(json_schema_extra={"minLength": 1, "maxLength": 1500})], ...],
        Field(
            strict=False,
            title="Assets",
            description="Assets of other DAGs, by their names or URIs. A run begins as soon as they were updated, each of them "
            "since the last run.",
            examples=[["crm/customers", "s3://lake/crm/customers"]],
        ),
    ] = ()
    wait_for: Annotated[
        Literal["all", "any"],
        Field(
            title="Wait for",
            description="With several in `after` and `assets`: `all` waits for each of them, `any` runs after every one.",
            examples=["any"],
        ),
    ] = "all"
    timezone: Annotated[
        Zone | None,
        Field(
            title="Time zone",
            description="The time zone of `cron`, `start` and `end`, by its IANA name; `null` is UTC. An export has it in "
            "destination.export.",
            examples=["Asia/Seoul"],
        ),
    ] = None
    delay: Annotated[
        Duration,
        Between(Duration(0), Duration.parse("1d")),
        Field(
            title="Delay",
            description="How long after the times of `cron` a run begins to work; it takes no worker slot meanwhile.",
            examples=["15m"],
        ),
    ] = Duration(0)
    start: Annotated[
        Moment | None,
        Field(
            title="Start",
            description="The first day, or the first instant, at which the clock begins runs. An export has it in "
            "destination.export.",
            examples=["2026-07-01", "2026-07-01T09:00"],
        ),
    ] = None
    end: Annotated[
        Moment | None,
        Field(
            title="End",
            description="The last day, or the last instant, at which the clock begins runs. An export has it in "
            "destination.export.",
            examples=["2026-12-31", "2026-12-31T18:00:00+09:00"],
        ),
    ] = None

    @property
    def continuous(self) -> bool:
        """Whether runs follow each other back to back."""
        return self.cron == CONTINUOUS

    @property
    def once(self) -> bool:
        """Whether there is one run, and no more."""
        return self.cron == ONCE

    @property
    def begins(self) -> datetime | None:
        """The first instant of the clock; aware."""
        return instant(self.start, self.timezone or "UTC") if self.start else None

    @property
    def ends(self) -> datetime | None:
        """The last instant of the clock; aware."""
        return instant(self.end, self.timezone or "UTC", last=True) if self.end else None

    def __str__(self) -> str:
        """How people say it: ``0 9 * * * Asia/Seoul + 15m from 2026-07-01``, or ``@hourly or after users_import``."""
        zone, delay = f" {self.timezone}" if self.timezone else "", f" + {self.delay}" if self.delay.milliseconds else ""
        since, until = f" from {self.start}" if self.start else "", f" until {self.end}" if self.end else ""
        clock = f"{self.cron}{zone}{delay}{since}{until}" if self.cron else ""
        names = [*self.after, *(f"asset {name}" for name in self.assets)]
        others = f"after {(' and ' if self.wait_for == 'all' else ' or ').join(names)}" if names else ""
        return " or ".join(filter(None, (clock, others)))

    @field_validator("after", "assets")
    @classmethod
    def _names_each_once(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(names)) < len(names):
            raise invalid("names one of them twice", "Name each of them once.")
        return names

    @model_validator(mode="after")
    def _begins_somehow(self) -> Self:
        others = "after" if self.after else "assets" if self.assets else ""
        if self.cron is None and not others:
            fix = "Write a cron expression, {after: [pipeline_id]} or {assets: [name]}; schedule: null runs it only by hand."
            raise invalid("names no time, no pipeline and no asset", fix)
        if self.wait_for == "any" and not others:
            raise invalid("waits for any of several, but names none", "Write after: [pipeline_id, …], or remove wait_for.")
        if others and (self.continuous or self.once):
            fix = f"Remove {others}, or write a cron expression."
            raise invalid_at("cron", f"is {self.cron}, which does not go with {others}", fix)
        for name in self._without_effect(others):
            if getattr(self, name) != type(self).model_fields[name].default:
                alone = f" and no {others}" if others and name in ("start", "end") else ""
                fix = f"Remove it, or write a cron expression{alone}."
                raise invalid_at(name, f"goes with the times of a clock, not with {others or self.cron}", fix)
        if self.begins and self.ends and self.ends < self.begins:
            raise invalid_at("end", "is before start", "Write the earlier one as start.")
        return self

    def _without_effect(self, others: str) -> tuple[str, ...]:
        """The fields that mean nothing to these runs. Those behind others begin in Airflow whatever the day is."""
        if self.cron is None:
            return "timezone", "delay", "start", "end"
        if others:
            return "start", "end"
        zone = () if self.start or self.end else ("timezone",)
        return ("delay", *zone) if self.continuous else ("delay", "end", *zone) if self.once else ()


def check_timing(timing: Schedule | None, to: Destination) -> None:
    """Compare when a pipeline runs with where it leads.

    :raises pydantic_core.PydanticCustomError: or a ``ValidationError``, if runs of that kind cannot begin so.
    """
    if isinstance(to, S3Destination):
        _check_export(timing, to)
    elif timing is not None and timing.continuous and not isinstance(to, KinesisDestination):
        fix = "Write a cron expression such as */5 * * * *, or {after: [pipeline_id]}."
        raise invalid_in_file(("schedule", "cron"), f"is continuous, which {to.way} cannot be", fix)
    elif timing is not None and timing.cron is not None and not timing.once and isinstance(to, BrazeDestination):
        _check_import(timing.cron)


def _check_import(cron: str) -> None:
    """Refuse what Braze's own import does not do: every five minutes at most, at least monthly (contracts: braze 1.5)."""
    if (pause := shortest_pause(cron)) < IMPORT_PAUSE:
        problem = (
            f"has times {pause} minute{'s' if pause > 1 else ''} apart, but an import begins every {IMPORT_PAUSE} minutes at most"
        )
        raise invalid_in_file(("schedule", "cron"), problem, "Write */5 * * * *, or fewer times.")
    if skips_a_month(cron):
        fix = "Name a day that every month has, such as 28 or L, the last one, and no months; or write schedule: null."
        raise invalid_in_file(("schedule", "cron"), "leaves a month out, but an import runs at least monthly", fix)


def _check_export(timing: Schedule | None, to: S3Destination) -> None:
    if to.export.type == "one_time":
        if timing is not None:
            raise invalid("exports once, but the pipeline has a schedule", "Remove the schedule, or the type one_time.")
        return
    if timing is None:
        raise invalid("is periodic, but the pipeline has no schedule", "Write a schedule, or export: {type: one_time}.")
    wrong = "after" if timing.after else "assets" if timing.assets else "cron" if timing.continuous or timing.once else ""
    if wrong:
        problem = "does not go with a periodic export, because an export is named by the interval between two times of a clock"
        instead = ", or export: {type: one_time}" if timing.once else ""
        raise invalid_in_file(("schedule", wrong), problem, f"Write a cron expression, such as @hourly{instead}.")
    for name in ("timezone", "start", "end"):
        if (value := getattr(timing, name)) is not None:
            what = "its time zone" if name == "timezone" else f"its {name}"
            day = value if name == "timezone" else value[:10]
            fix = f"Remove it, and write destination: {{export: {{{name}: {day}}}}}."
            raise invalid_in_file(("schedule", name), f"is not where an export has {what}", fix)
