"""The ``schedule`` block: when a pipeline runs."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator
from typing_extensions import Self

from activation.spec.block import Block
from activation.spec.cron import CONTINUOUS, Cron
from activation.spec.destination import Destination
from activation.spec.expressions import FromEnvironment
from activation.spec.invalid import invalid, invalid_at, invalid_in_file
from activation.spec.kinesis import KinesisDestination
from activation.spec.names import PipelineId
from activation.spec.quantities import Between, Duration
from activation.spec.s3 import S3Destination
from activation.spec.times import Zone


class Schedule(Block):
    """When a pipeline runs: by the clock, back to back, or behind other pipelines. A text alone is the clock's."""

    cron: Annotated[
        Cron | None,
        FromEnvironment(),
        Field(
            title="Clock",
            description="A cron expression of five fields, in which months and weekdays may have their English names, `@hourly`, "
            "`@daily`, `@weekly`, `@monthly`; or `continuous`: runs back to back, only to kinesis. `${env:NAME}` is allowed.",
            examples=["*/15 * * * *", "continuous"],
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
    wait_for: Annotated[
        Literal["all", "any"],
        Field(
            title="Wait for",
            description="With several in `after`: `all` waits for each of them, `any` runs after every one.",
            examples=["any"],
        ),
    ] = "all"
    timezone: Annotated[
        Zone | None,
        Field(
            title="Time zone",
            description="The time zone of `cron`, by its IANA name; `null` is UTC. An export has it in destination.export.",
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

    @property
    def continuous(self) -> bool:
        """Whether runs follow each other back to back."""
        return self.cron == CONTINUOUS

    def __str__(self) -> str:
        """How people say it: ``0 9 * * * Asia/Seoul + 15m``, or ``after users_import``."""
        if self.cron is None:
            return f"after {(' and ' if self.wait_for == 'all' else ' or ').join(self.after)}"
        zone, delay = f" {self.timezone}" if self.timezone else "", f" + {self.delay}" if self.delay.milliseconds else ""
        return f"{self.cron}{zone}{delay}"

    @field_validator("after")
    @classmethod
    def _names_each_once(cls, after: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(after)) < len(after):
            raise invalid("names a pipeline twice", "Name each pipeline once.")
        return after

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if (self.cron is None) == (not self.after):
            problem = "names no time and no pipeline" if self.cron is None else "has both cron and after"
            raise invalid(problem, "Write a cron expression, or {after: [pipeline_id]}, and not both.")
        if self.wait_for == "any" and not self.after:
            raise invalid("waits for any pipeline, but names none", "Write after: [pipeline_id, …], or remove wait_for.")
        for name in ("timezone", "delay"):
            if (self.after or self.continuous) and getattr(self, name) != type(self).model_fields[name].default:
                how = "continuous" if self.continuous else "after"
                raise invalid_at(
                    name, f"goes with the times of a clock, not with {how}", "Remove it, or write a cron expression."
                )
        return self


def check_timing(timing: Schedule | None, to: Destination) -> None:
    """Compare when a pipeline runs with where it leads.

    :raises pydantic_core.PydanticCustomError: or a ``ValidationError``, if runs of that kind cannot begin so.
    """
    if isinstance(to, S3Destination):
        _check_export(timing, to)
    elif timing is not None and timing.continuous and not isinstance(to, KinesisDestination):
        fix = "Write a cron expression such as */5 * * * *, or {after: [pipeline_id]}."
        raise invalid_in_file(("schedule", "cron"), f"is continuous, which {to.way} cannot be", fix)


def _check_export(timing: Schedule | None, to: S3Destination) -> None:
    if to.export.type == "one_time":
        if timing is not None:
            raise invalid("exports once, but the pipeline has a schedule", "Remove the schedule, or the type one_time.")
        return
    if timing is None:
        raise invalid("is periodic, but the pipeline has no schedule", "Write a schedule, or export: {type: one_time}.")
    if timing.cron is None or timing.continuous:
        key = "after" if timing.after else "cron"
        problem = "does not go with a periodic export, because an export is named by the interval between two times of a clock"
        raise invalid_in_file(("schedule", key), problem, "Write a cron expression, such as @hourly.")
    if timing.timezone is not None:
        fix = f"Remove it, and write destination: {{export: {{timezone: {timing.timezone}}}}}."
        raise invalid_in_file(("schedule", "timezone"), "is not where an export has its time zone", fix)
