"""A DuckDB warehouse with profiles, the Kinesis server and the operator between them; Airflow's stores are plain variables."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast
from uuid import uuid4

import duckdb
import pytest
from airflow.sdk import Context
from botocore.loaders import JSONFileLoader  # type: ignore[import-untyped,unused-ignore]

from activation.operators.kinesis_stream import KinesisProfileStreamOperator
from sandbox.kinesis import KinesisSandbox, Record
from tests.support.task import task_instance

from .world import Store

TABLES = """
CREATE SCHEMA crm;
CREATE TABLE crm.profiles (PROFILE_ID VARCHAR, FIRST_NAME VARCHAR, EMAIL VARCHAR, NOTES VARCHAR, UPDATED_AT TIMESTAMP);
CREATE TABLE crm.audience_memberships
    (PROFILE_ID VARCHAR, AUDIENCE_ID VARCHAR, STATUS VARCHAR, LAST_QUALIFICATION_TIME TIMESTAMP, UPDATED_AT TIMESTAMP);
CREATE TABLE crm.identities (PROFILE_ID VARCHAR, NAMESPACE VARCHAR, ID VARCHAR, REMOVED BOOLEAN, UPDATED_AT TIMESTAMP);
CREATE TABLE crm.audiences (ID VARCHAR, NAME VARCHAR, MERGE_POLICY VARCHAR, CREATED_AT TIMESTAMP, UPDATED_AT TIMESTAMP);
CREATE TABLE crm.attribute_writes (PROFILE_ID VARCHAR, ATTRIBUTE VARCHAR, UPDATED_AT TIMESTAMP);
"""
FIELDS = {"person.name.firstName": "FIRST_NAME", "personalEmail.address": "EMAIL"}


@dataclass
class StreamWorld:
    """One pipeline and its surroundings.

    :ivar destination: keys of the destination block beside type, connection and stream.
    :ivar blocks: further arguments of the operator.
    """

    kinesis: KinesisSandbox
    folder: Path
    stream: str
    destination: dict[str, Any] = field(default_factory=lambda: {"audiences": ["a"], "changes": {"wait": "0s"}})
    source: dict[str, Any] = field(default_factory=dict)
    blocks: dict[str, Any] = field(default_factory=lambda: {"columns": {"fields": FIELDS}, "cursor": {"settle": "0s"}})
    runs: int = 0
    tries: int = 0
    seen: set[str] = field(default_factory=set)
    task: Store = field(default_factory=Store)
    stores: dict[str, Store] = field(default_factory=lambda: defaultdict(Store))
    pushed: dict[str, Any] = field(default_factory=dict)

    def sql(self, text: str, params: Sequence[Any] = (), *more: Any) -> list[Any]:
        """Run a statement in the warehouse; gives its rows.

        :param more: further statements and their parameters in turns; the rows are those of the last one.
        """
        steps = [text, params, *more]
        with duckdb.connect(str(self.folder / "warehouse.duckdb")) as connection:
            connection.execute("SET TimeZone = 'UTC'")
            for step, values in zip(steps[::2], steps[1::2], strict=True):
                connection.execute(step, [list(one) if isinstance(one, tuple) else one for one in values] or None)
            return connection.fetchall()

    def audience(self, name: str, policy: str = "default") -> None:
        """Add an audience."""
        self.sql("INSERT INTO crm.audiences VALUES (?, ?, ?, now(), now())", [name, f"Audience {name}", policy])

    def profiles(self, *names: str) -> None:
        """Add profiles with an identity each."""
        self.sql("INSERT INTO crm.profiles SELECT p, '이름 ' || p, p || '@example.com', NULL, now() FROM unnest(?) u(p)", [names])
        self.sql("INSERT INTO crm.identities SELECT p, 'crm', 'id-' || p, false, now() FROM unnest(?) u(p)", [names])

    def member(self, audience: str, *names: str, status: str = "realized") -> None:
        """Let profiles enter an audience, or leave it; when they were qualified first stays."""
        self.sql(
            """CREATE TEMP TABLE moved AS SELECT p, coalesce(LAST_QUALIFICATION_TIME, now()) AS since
                FROM unnest(?) u(p) LEFT JOIN crm.audience_memberships m ON m.PROFILE_ID = p AND m.AUDIENCE_ID = ?""",
            [names, audience],
            "DELETE FROM crm.audience_memberships WHERE AUDIENCE_ID = ? AND PROFILE_ID IN (SELECT p FROM moved)",
            [audience],
            "INSERT INTO crm.audience_memberships SELECT p, ?, ?, since, now() FROM moved",
            [audience, status],
        )

    def write(self, attribute: str, *names: str, value: str | None = None) -> None:
        """Write to the first name or the address of profiles, with the value that it has if none is given."""
        column = FIELDS.get(attribute, "NOTES")
        self.sql(
            f"""UPDATE crm.profiles SET {column} = coalesce(?, {column}), UPDATED_AT = now()
                WHERE PROFILE_ID IN (SELECT unnest(?))""",
            [value, names],
            "INSERT INTO crm.attribute_writes SELECT p, ?, now() FROM unnest(?) u(p)",
            [attribute, names],
        )

    def run(self, order: Mapping[str, Any] | None = None, *, retry: bool = False, **changed: Any) -> dict[str, Any]:
        """One run of the pipeline; gives its XCom.

        :param retry: whether it is a further try of the last run.
        """
        if retry:
            self.tries += 1
        else:
            self.runs, self.tries, self.task = self.runs + 1, 1, Store()
        operator = KinesisProfileStreamOperator(
            task_id="stream",
            source={"type": "duckdb", "connection": "world_duckdb", "table": "crm.profiles", **self.source},
            destination={"connection": "world_kinesis", "stream": self.stream, **self.destination},
            order=order,
            **{"pipeline_id": "p", **self.blocks, **changed},
        )
        context = {
            "run_id": f"run-{self.runs}",
            "ti": task_instance("p", "stream", self.tries, self.pushed),
            "asset_state_store": {operator.asset: self.stores[operator.pipeline_id]},
            "task_state_store": self.task,
            "outlet_events": {operator.asset: SimpleNamespace(extra={})},
        }
        return operator.execute(cast(Context, context))

    def arrived(self) -> list[Record]:
        """The records that came since the last call, in the order of their shards."""
        records = [one for one in self.kinesis.records(self.stream) if one.sequence not in self.seen]
        self.seen.update(one.sequence for one in records)
        return records

    def messages(self) -> dict[str, Any]:
        """What came since the last call, by partition key; no key comes twice."""
        records = self.arrived()
        found = {record.key: json.loads(record.data) for record in records}
        assert len(found) == len(records), "one record a profile"
        return found

    def sends(self, **changed: Any) -> dict[str, Any]:
        """What one run sends; it says so in its report, too."""
        rows = self.run(**changed)["rows"]
        found = self.messages()
        assert rows["read"] == rows["sent"] + rows["rejected"] + rows["skipped"]
        assert rows["sent"] == len(found)
        return found

    def watermark(self) -> Any:
        """Where the pipeline stands."""
        found = self.stores["p"].get("watermark")
        return found and found["updated_at"]


@cache
def _parsed(path: str) -> Any:
    return _load(JSONFileLoader(), path)


def _parsed_once(self: Any, path: str) -> Any:
    """The list of AWS's endpoints, which nobody changes, takes a third of a second to read, and every run makes a client."""
    return _parsed(path) if path.endswith(("endpoints", "partitions")) else _load(self, path)


_load = JSONFileLoader.load_file


def make(kinesis: KinesisSandbox, folder: Path, stream: str, patch: pytest.MonkeyPatch, shards: int | None = None) -> StreamWorld:
    """Make a world around a running server."""
    patch.setattr(JSONFileLoader, "load_file", _parsed_once)
    kinesis.create(stream, shards)
    patch.setenv("AIRFLOW__ACTIVATION__STATE_FOLDER", f"file://{folder}/state")
    patch.setenv("AIRFLOW_CONN_WORLD_DUCKDB", json.dumps({"conn_type": "duckdb", "host": str(folder / "warehouse.duckdb")}))
    patch.setenv("AIRFLOW_CONN_WORLD_KINESIS", kinesis.connection())
    for name, value in kinesis.environment().items():
        patch.setenv(name, value)
    world = StreamWorld(kinesis, folder, stream)
    world.sql(TABLES)
    world.audience("a")
    return world


def fresh(kinesis: KinesisSandbox, folder: Path, patch: pytest.MonkeyPatch, shards: int | None = None) -> StreamWorld:
    """Make a world with a stream of its own."""
    return make(kinesis, folder, f"stream-{uuid4().hex[:8]}", patch, shards)


def writes(world: StreamWorld) -> StreamWorld:
    """Let attributes count by the table of writes."""
    world.source = {"related": {"writes": "crm.attribute_writes"}}
    return world


def counting(world: StreamWorld, mode: str) -> StreamWorld:
    """Let attributes count by ``writes``, ``row`` or ``content``."""
    world.destination = {**world.destination, "changes": {"wait": "0s", "attributes": mode}}
    return writes(world) if mode == "writes" else world
