"""A DuckDB warehouse, the Kakao server and the operator between them; Airflow's stores are plain variables."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast
from urllib.request import Request, urlopen

import duckdb
import pytest
from airflow.sdk import Context
from airflow.sdk.exceptions import TaskDeferred

from activation.operators.kakao_customer_file import KakaoCustomerFileOperator
from sandbox.kakao import KakaoSandbox
from tests.operators.world import Store
from tests.support.task import task_instance

FAST: dict[str, Any] = {
    "pace": {"write_seconds": 0.0, "first_pause": 0.01, "quota_seconds": 0.01, "tries": 3, "idle_seconds": 5.0}
}
"""Of the connection's extra field table: no pauses, for a server that asks for none."""


@dataclass
class KakaoWorld:
    """One pipeline and its surroundings.

    :ivar destination: keys of the destination block beside type, connection and ad account.
    :ivar blocks: further arguments of the operator.
    """

    kakao: KakaoSandbox
    folder: Path
    destination: dict[str, Any] = field(default_factory=lambda: {"mode": "register", "file_name": "VIP"})
    blocks: dict[str, Any] = field(default_factory=dict)
    source: dict[str, Any] = field(default_factory=lambda: {"table": "crm.push_ids"})
    task: Store = field(default_factory=Store)
    store: Store = field(default_factory=Store)
    pushed: dict[str, Any] = field(default_factory=dict)
    runs: int = 0
    tries: int = 0
    deferred: TaskDeferred | None = None

    def sql(self, text: str, params: Sequence[Any] = ()) -> list[Any]:
        """Run a statement in the warehouse; gives its rows."""
        with duckdb.connect(str(self.folder / "warehouse.duckdb")) as connection:
            return connection.execute(text, list(params) or None).fetchall()

    def ids(self, *ids: str | None) -> None:
        """Let the table hold these."""
        self.sql("CREATE SCHEMA IF NOT EXISTS crm")
        self.sql("CREATE OR REPLACE TABLE crm.push_ids AS SELECT unnest(?::VARCHAR[]) AS adid", [list(ids)])

    def many(self, count: int, start: int = 0) -> None:
        """Let the table hold so many different ids."""
        self.sql("CREATE SCHEMA IF NOT EXISTS crm")
        self.sql(f"CREATE OR REPLACE TABLE crm.push_ids AS SELECT {made('n')} AS adid FROM range({start}, {start + count}) r(n)")

    def operator(self, **changed: Any) -> KakaoCustomerFileOperator:
        """The operator of the pipeline."""
        destination = {"connection": "world_kakao", "ad_account_id": self.kakao.account, **self.destination}
        if "output" in destination and destination["output"].get("to") == "folder":
            del destination["connection"]
        arguments = {
            "pipeline_id": "p",
            "source": {"type": "duckdb", "connection": "world_duckdb", **self.source},
            "destination": destination,
            **self.blocks,
            **changed,
        }
        return KakaoCustomerFileOperator(task_id="upload", **arguments)

    def context(self, operator: KakaoCustomerFileOperator) -> Context:
        """What Airflow hands to the operator."""
        given = {
            "run_id": f"run-{self.runs}",
            "ti": task_instance("p", "upload", self.tries, self.pushed),
            "asset_state_store": {operator.asset: self.store},
            "task_state_store": self.task,
            "outlet_events": {operator.asset: SimpleNamespace(extra={})},
        }
        return cast(Context, given)

    def start(self, *, retry: bool = False, **changed: Any) -> dict[str, Any] | None:
        """Begin a run; gives its XCom, or nothing if it waits in the triggerer now."""
        if retry:
            self.tries += 1
        else:
            self.runs, self.tries, self.task = self.runs + 1, 1, Store()
        operator = self.operator(**changed)
        self.deferred = None
        try:
            return operator.execute(self.context(operator))
        except TaskDeferred as deferred:
            self.deferred = deferred
            return None

    def finish(self, **changed: Any) -> dict[str, Any]:
        """Let the triggerer wait, and end the run; gives its XCom."""
        assert self.deferred is not None
        event = asyncio.run(event_of(self.deferred.trigger))
        operator = self.operator(**changed)
        complete = getattr(operator, self.deferred.method_name)
        return cast("dict[str, Any]", complete(self.context(operator), event))

    def run(self, *, retry: bool = False, **changed: Any) -> dict[str, Any]:
        """One whole run, in which Kakao finishes as soon as it is waited for; gives its XCom."""
        report = self.start(retry=retry, **changed)
        if report is None:
            self.kakao.advance(3600)
            report = self.finish(**changed)
        rows = report["rows"]
        assert rows["read"] == rows["sent"] + rows["rejected"] + rows["skipped"]
        return report

    def by_hand(self, *names: str, content: str = "38400000-8cf0-11bd-b23e-10b96e4ef00d") -> list[dict[str, Any]]:
        """Let ready files be there that no run has made; gives what the server says of them."""
        known = {one["id"] for one in self.kakao.files()}
        for name in names:
            body = f'--b\r\nContent-Disposition: form-data; name="name"\r\n\r\n{name}\r\n--b\r\nContent-Disposition: form-data; '
            body += f'name="file"; filename="ids.csv"\r\nContent-Type: text/csv\r\n\r\n{content}\n\r\n--b--\r\n'
            headers = {"Authorization": f"Bearer {self.kakao.token}", "adAccountId": str(self.kakao.account)}
            headers["Content-Type"] = "multipart/form-data; boundary=b"
            address = f"{self.kakao.url}/openapi/v4/customerFiles"
            with urlopen(Request(address, body.encode(), headers), timeout=30) as answer:
                assert answer.status == 200
        self.kakao.advance(600)
        return [one for one in self.kakao.files() if one["id"] not in known]

    def files(self) -> dict[str, Any]:
        """What lies in the account, by name."""
        return {one["name"]: one for one in self.kakao.files(self.kakao.account)}

    def journal(self) -> list[dict[str, Any]]:
        """The records of the pipeline's runs, the oldest first."""
        return [json.loads(one.read_text()) for one in sorted((self.folder / "state" / "p" / "runs").glob("*.json"))]

    def rejects(self) -> list[dict[str, Any]]:
        """The rejects that the last run has kept."""
        folder = self.folder / "state" / "p" / "rejects" / f"run-{self.runs}"
        return [json.loads(line) for one in sorted(folder.glob("part-*")) for line in one.read_text().splitlines()]


def made(number: str) -> str:
    """SQL expression for the id of a number."""
    return f"format('{{:08x}}-0000-4000-8000-{{:012x}}', {number}, {number} * 7)"


async def event_of(trigger: Any) -> Mapping[str, Any]:
    """What a trigger says, after Airflow has kept it and made it anew."""
    path, arguments = trigger.serialize()
    module, _, name = path.rpartition(".")
    from importlib import import_module

    again = getattr(import_module(module), name)(**json.loads(json.dumps(arguments)))
    async for event in again.run():
        return cast("Mapping[str, Any]", json.loads(json.dumps(event.payload)))
    raise AssertionError("the trigger gave no event")


def connect(kakao: KakaoSandbox, patch: pytest.MonkeyPatch, **extra: Any) -> None:
    """Let Airflow know the server; further calls replace the connection.

    :param extra: of its extra fields.
    """
    patch.setenv("AIRFLOW_CONN_WORLD_KAKAO", kakao.connection(**{"table": FAST, **extra}))


def make(kakao: KakaoSandbox, folder: Path, patch: pytest.MonkeyPatch) -> KakaoWorld:
    """Make a world around a running server. No worker has to notice here that its task was deferred."""
    patch.setattr("activation.triggers.kakao_moment.NOTICED", 0.0)
    patch.setenv("AIRFLOW__ACTIVATION__STATE_FOLDER", f"file://{folder}/state")
    patch.setenv("AIRFLOW_CONN_WORLD_DUCKDB", json.dumps({"conn_type": "duckdb", "host": str(folder / "warehouse.duckdb")}))
    connect(kakao, patch)
    return KakaoWorld(kakao, folder)
