"""A DuckDB warehouse with profiles, the Kinesis server and the operator between them; Airflow's stores are plain variables."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import duckdb
import pytest
from airflow.sdk import Context

from activation.operators.kinesis_stream import KinesisProfileStreamOperator
from sandbox.kinesis import KinesisSandbox

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
    blocks: dict[str, Any] = field(default_factory=lambda: {"columns": {"fields": FIELDS}})
    store: Store = field(default_factory=Store)
    runs: int = 0
    tries: int = 0
    seen: int = 0
    task: Store = field(default_factory=Store)
    stores: dict[str, Store] = field(default_factory=lambda: defaultdict(Store))

    def sql(self, text: str, params: Sequence[Any] = ()) -> list[Any]:
        """Run statements in the warehouse."""
        with duckdb.connect(str(self.folder / "warehouse.duckdb")) as connection:
            connection.execute("SET TimeZone = 'UTC'")
            return connection.execute(text, list(params) or None).fetchall()

    def audience(self, name: str, policy: str = "default") -> None:
        """Add an audience."""
        self.sql("INSERT INTO crm.audiences VALUES (?, ?, ?, now(), now())", [name, f"Audience {name}", policy])

    def profiles(self, *names: str) -> None:
        """Add profiles with an identity each."""
        for name in names:
            self.sql("INSERT INTO crm.profiles VALUES (?, ?, ?, NULL, now())", [name, f"이름 {name}", f"{name}@example.com"])
            self.sql("INSERT INTO crm.identities VALUES (?, 'crm', ?, false, now())", [name, f"id-{name}"])

    def member(self, audience: str, *names: str, status: str = "realized") -> None:
        """Let profiles enter an audience, or leave it."""
        for name in names:
            since = self.sql(
                "SELECT LAST_QUALIFICATION_TIME FROM crm.audience_memberships WHERE PROFILE_ID = ? AND AUDIENCE_ID = ?",
                [name, audience],
            )
            self.sql("DELETE FROM crm.audience_memberships WHERE PROFILE_ID = ? AND AUDIENCE_ID = ?", [name, audience])
            self.sql(
                "INSERT INTO crm.audience_memberships VALUES (?, ?, ?, coalesce(?, now()), now())",
                [name, audience, status, since[0][0] if since else None],
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
            "ti": SimpleNamespace(try_number=self.tries, dag_id="p", task_id="stream"),
            "asset_state_store": {operator.asset: self.stores[operator.pipeline_id]},
            "task_state_store": self.task,
            "outlet_events": {operator.asset: SimpleNamespace(extra={})},
        }
        return operator.execute(cast(Context, context))

    def messages(self) -> dict[str, Any]:
        """What came since the last call, by partition key; no key comes twice."""
        records = self.kinesis.records(self.stream)[self.seen :]
        self.seen += len(records)
        found = {record.key: json.loads(record.data) for record in records}
        assert len(found) == len(records), "one record a profile"
        return found

    def watermark(self) -> Any:
        """Where the pipeline stands."""
        found = self.stores["p"].get("watermark")
        return found and found["updated_at"]


def make(kinesis: KinesisSandbox, folder: Path, stream: str, patch: pytest.MonkeyPatch) -> StreamWorld:
    """Make a world around a running server."""
    kinesis.create(stream)
    patch.setenv("AIRFLOW__ACTIVATION__STATE_FOLDER", f"file://{folder}/state")
    patch.setenv("AIRFLOW_CONN_WORLD_DUCKDB", json.dumps({"conn_type": "duckdb", "host": str(folder / "warehouse.duckdb")}))
    patch.setenv("AIRFLOW_CONN_WORLD_KINESIS", kinesis.connection())
    for name, value in kinesis.environment().items():
        patch.setenv(name, value)
    world = StreamWorld(kinesis, folder, stream)
    world.sql(TABLES)
    world.audience("a")
    return world
