"""The pipeline files: four destinations, six engines, and what the DAG of each must have, known from how the files are made."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ENGINES = ("snowflake", "redshift", "bigquery", "databricks", "postgres", "duckdb")
KINDS = ("attributes", "events", "export", "attributes", "stream", "purchases", "audience", "catalog", "profiles", "attributes")
"""What the pipelines are for, in turns: six of ten are imports."""

OWNERS = ("crm", "growth", "data-platform")
ZONES = ("Asia/Seoul", "Europe/Berlin")
STARTED = "2024-01-01"
ROLE = "arn:aws:iam::123456789012:role/activation-export"

Block = dict[str, Any]


@dataclass(frozen=True)
class Schedule:
    """When a pipeline runs.

    :ivar cron: an expression or preset; ``None``: by hand, or behind others.
    :ivar interval: whether a run is named by the interval between two times.
    :ivar after: ids of the pipelines that it waits for.
    """

    cron: str | None = None
    timezone: str | None = None
    interval: bool = False
    after: tuple[str, ...] = ()


@dataclass(frozen=True)
class Made:
    """One pipeline file and what must come of it.

    :ivar retries: of a task.
    """

    pipeline_id: str
    blocks: Block
    schedule: Schedule

    @property
    def owner(self) -> str:
        """Who answers for the DAG."""
        return str(self.blocks["owner"])

    @property
    def tags(self) -> list[str]:
        """The DAG's tags."""
        return ["activation", *self.blocks["tags"]]

    @property
    def retries(self) -> int:
        """How often Airflow tries a task again."""
        return int(self.blocks["errors"]["retries"])


def made(count: int) -> Iterator[Made]:
    """The first so many pipelines."""
    for number in range(count):
        kind, engine = KINDS[number % len(KINDS)], ENGINES[number % len(ENGINES)]
        pipeline_id = f"{kind}_{number:05}"
        schedule = _schedule(kind, number)
        needs = kind not in ("export", "profiles", "stream", "audience")
        told = {"alerts": {"email": [f"team-{number % 7}@example.com"]}} if needs or number % 2 == 0 else {}
        blocks = {
            "description": f"{kind.capitalize()} of market {number} from {engine}.",
            "owner": OWNERS[number % len(OWNERS)],
            "tags": [kind, engine, f"market-{number % 20}"],
            **_written(schedule),
            "source": {"type": engine, "connection": f"warehouse_{engine}", "table": f"marketing.{kind}_{number:05}"},
            **_rest(kind, number),
            **told,
            "errors": {"retries": number % 4, "retry_delay": "30s", "timeout": "2h"},
        }
        yield Made(pipeline_id, blocks, schedule)


def write(folder: Path, count: int) -> None:
    """Write the first so many pipelines, a YAML file each."""
    folder.mkdir(parents=True)
    for one in made(count):
        (folder / f"{one.pipeline_id}.yaml").write_text(text(one.blocks), encoding="utf-8")


def text(blocks: Any, indent: int = 0) -> str:
    """Write YAML as people do: a key a line, short lists in brackets."""
    lines = []
    for key, value in blocks.items():
        start = f"{' ' * indent}{key}:"
        if isinstance(value, dict) and value:
            lines.append(f"{start}\n{text(value, indent + 2)}")
        else:
            lines.append(f"{start} {json.dumps(value, ensure_ascii=False)}\n")
    return "".join(lines)


def _schedule(kind: str, number: int) -> Schedule:
    minute, hour = number % 60, number % 24
    if kind == "export":
        return Schedule("@hourly", ZONES[number % 2], interval=True)
    if kind == "profiles":
        return Schedule("@once")
    if kind == "stream":
        return Schedule("@continuous" if number % 20 < 10 else "*/5 * * * *")
    if kind == "audience":
        return Schedule(f"{minute} {hour} * * *", ZONES[number % 2])
    after = (f"attributes_{number - 5:05}",) if kind == "purchases" else ()
    clock = ("*/15 * * * *", "@hourly", f"{minute} {hour} * * *")[number % 3]
    return Schedule(None if kind in ("purchases", "catalog") else clock, after=after)


def _written(schedule: Schedule) -> Block:
    """The block ``schedule``; an export has its time zone, and a one-time one everything, elsewhere."""
    if schedule.after:
        return {"schedule": {"after": list(schedule.after)}}
    if schedule.cron == "@once":
        return {}
    if schedule.timezone and not schedule.interval:
        return {"schedule": {"cron": schedule.cron, "timezone": schedule.timezone}}
    return {"schedule": "continuous" if schedule.cron == "@continuous" else schedule.cron}


def _rest(kind: str, number: int) -> Block:
    """The blocks that depend on the destination."""
    cursor = {"column": "UPDATED_AT"}
    if kind in ("export", "profiles"):
        return {"cursor": {**cursor, "key": ["ID"]}, "destination": _bucket(kind, number)}
    if kind == "stream":
        fields = {"person.name.firstName": "FIRST_NAME", "personalEmail.address": "EMAIL", "loyalty.tier": "TIER"}
        stream = {"name": f"profiles-{number}", "region": "ap-northeast-2"}
        to: Block = {"type": "kinesis", "connection": "kinesis", "stream": stream, "audiences": ["vip", "newsletter"]}
        return {"cursor": {"settle": "2s"}, "columns": {"fields": fields}, "destination": to}
    if kind == "audience":
        return {"destination": _audience(number)}
    if kind == "catalog":
        to = {"type": "braze", "connection": "braze", "data": "catalog_items", "catalog": {"name": f"products_{number}"}}
        return {"cursor": cursor, "destination": to, "delivery": {"in_flight": 4}}
    fields = {"country": "COUNTRY", "city": "CITY", "plan": "PLAN"}
    columns = {"identifiers": {"external_id": "USER_ID"}, **({"fields": fields} if kind == "attributes" else {})}
    to = {"type": "braze", "connection": "braze", "data": kind}
    rule = {**cursor, "rule": "count"} if kind == "attributes" else cursor
    return {"cursor": rule, "columns": columns, "destination": to, "delivery": {"in_flight": 16}}


def _bucket(kind: str, number: int) -> Block:
    once: Block = {"type": "one_time"} if kind == "profiles" else {}
    return {
        "type": "s3",
        "connection": f"partner_{number // 50}",  # five periodic exports at most go to one
        "data": "user_profile" if kind == "profiles" else "event",
        "path": f"s3://partner-imports/market-{number}",
        "access": {"role_arn": ROLE, "external_id": f"partner-{number}", "region": "ap-northeast-2"},
        "files": {"format": ("parquet", "csv")[number % 2]},
        "export": {**once, "timezone": ZONES[number % 2]},
    }


def _audience(number: int) -> Block:
    return {
        "type": "kakao_moment",
        "connection": "kakao",
        "ad_account_id": 10_000 + number,
        "mode": "register",
        "file_name": f"Push {number}",
        "ids": {"column": "adid", "case": "lower"},
    }
