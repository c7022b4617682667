"""One real Airflow for all end-to-end tests: two kinds of warehouse, servers for Braze, Kinesis and Kakao, several pipelines."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import duckdb
import pytest

from sandbox.airflow import LocalAirflow
from sandbox.airflow import Settings as AirflowSettings
from sandbox.airflow.api import AirflowApi
from sandbox.airflow.settings import free_ports
from sandbox.braze import ApiKey, BrazeSandbox, Rate, Settings
from sandbox.braze.testing import assert_contract
from sandbox.demo.profiles import opened
from sandbox.kakao import KakaoSandbox
from sandbox.kinesis import KinesisSandbox
from tests.support import postgres
from tests.support.smtp import MailServer, mail_server

ROOT = Path(__file__).resolve().parents[2]
GOOD_KEY, READ_KEY, WRONG_KEY = "key-canary-4f1d9c2e7ab3", "key-reader-0b7d11c9e5f2", "key-wrong-77aa31be90c4"
PG_PASSWORD = postgres.PASSWORD
ROWS = 60_000
IN_FLIGHT = 16
STREAM_MEMBERS = 500
STREAMS = ("continuous", "following")


def _stream(name: str) -> str:
    changes = "changes: {wait: 1m, poll: 500ms}"
    return f"{{type: kinesis, connection: kinesis, stream: {name}, audiences: [vip], {changes}}}"


_PROFILES = {
    "source": "{type: duckdb, connection: crm, table: crm.profiles}",
    "cursor": "{settle: 0s}",
    "columns": "{fields: {person.name.firstName: FIRST_NAME}}",
}


def _audience(name: str) -> dict[str, str]:
    ids = "SELECT CAST(CAST(md5(EXTERNAL_ID) AS UUID) AS VARCHAR) AS adid FROM marketing.users"
    to = f"ad_account_id: {KakaoSandbox.account}, mode: register, file_name: {name}, output: {{wait: {{poll: 500ms}}}}"
    return {
        "source": f'{{type: duckdb, connection: warehouse, query: "{ids}"}}',
        "destination": f"{{type: kakao_moment, connection: kakao, {to}}}",
    }


PIPELINES: dict[str, dict[str, str]] = {
    "killed": {
        "source": "{type: duckdb, connection: warehouse, query: SELECT * FROM marketing.users}",
        "delivery": f"{{in_flight: {IN_FLIGHT}}}",
    },
    "stopped": {
        "source": "{type: duckdb, connection: warehouse, table: marketing.people}",
        "delivery": f"{{in_flight: {IN_FLIGHT}}}",
    },
    "split": {
        "source": "{type: duckdb, connection: warehouse, query: SELECT * FROM marketing.people}",
        "task": "{partitions: 3}",
    },
    "modes": {"source": "{type: postgres, connection: pg, table: marketing.people}"},
    "from_postgres": {"source": "{type: postgres, connection: pg, table: marketing.users}"},
    "wrong_key": {"destination": "{type: braze, connection: braze_wrong_key, data: attributes}"},
    "no_permission": {"destination": "{type: braze, connection: braze_reader, data: attributes}"},
    "wrong_host": {"destination": "{type: braze, connection: braze_nowhere, data: attributes}"},
    "not_braze": {"destination": "{type: braze, connection: braze_elsewhere, data: attributes}"},
    "no_connection": {"destination": "{type: braze, connection: nobody, data: attributes}"},
    "missing_table": {"source": "{type: duckdb, connection: warehouse, table: marketing.nobody}"},
    "missing_column": {"cursor": "{column: CHANGED_AT}"},
    "no_right": {"source": "{type: postgres, connection: pg_limited, table: marketing.users}"},
    "continuous": {
        **_PROFILES,
        "schedule": "continuous",
        "destination": _stream("continuous"),
        "alerts": "{email: [crm@example.com], connection: mail, start: true, success: true}",
    },
    "feeding": {"source": "{type: postgres, connection: pg, query: SELECT * FROM marketing.people}"},
    "following": {**_PROFILES, "schedule": "{after: [feeding]}", "destination": _stream("following")},
    "audience": _audience("VIP"),
    "audience_preview": _audience("Newcomers"),
    "given_up": {
        "source": "{type: duckdb, connection: warehouse, query: SELECT * FROM marketing.users}",
        "errors": "{retries: 0}",
    },
    "untold": {
        "source": "{type: duckdb, connection: warehouse, query: SELECT * FROM marketing.nobody}",
        "alerts": "{email: [crm@example.com], connection: no_mail, notify: [warehouse, mail_of_crm]}",
    },
    "once": {"source": "{type: postgres, connection: pg, query: SELECT * FROM marketing.people LIMIT 1}", "schedule": "once"},
    "either": {
        "source": "{type: postgres, connection: pg, query: SELECT * FROM marketing.people LIMIT 2}",
        "schedule": '{cron: "@monthly", assets: [crm/customers]}',
    },
    "unreadable": {"source": "{type: duckdb, connection: warehouse, tabel: marketing.users}"},
}


@dataclass
class World:
    """What the tests work with."""

    folder: Path
    airflow: LocalAirflow
    api: AirflowApi
    braze: BrazeSandbox
    database: Path
    kinesis: KinesisSandbox
    kakao: KakaoSandbox
    mail: MailServer

    @property
    def mails(self) -> list[EmailMessage]:
        """What was mailed."""
        return self.mail.mails

    def enter(self, *names: str) -> None:
        """Let profiles enter the audience of the streams, as soon as nobody reads the file."""
        with opened(self.folder / "people.duckdb") as warehouse:
            _enter(warehouse, names)

    def streamed(self, stream: str) -> dict[str, dict[str, Any]]:
        """The messages of a stream by partition key; none comes twice."""
        records = self.kinesis.records(stream)
        found = {record.key: json.loads(record.data) for record in records}
        assert len(found) == len(records), "one message a profile"
        return found

    def trigger(self, pipeline: str, **conf: Any) -> str:
        """Start a run.

        :param conf: what the trigger form would say.
        """
        self.api.unpause(pipeline)
        return self.api.trigger(pipeline, conf)

    def forget(self) -> None:
        """Empty the server, once every request until now was as the contract wants it."""
        assert_contract(self.braze)
        self.braze.reset()

    def finish(self, pipeline: str, run_id: str) -> str:
        """Wait for a run."""
        return self.api.wait_for_run(pipeline, run_id, timeout=180)

    def watermark(self, pipeline: str) -> Any:
        """The asset state's watermark; ``None`` if there is none."""
        return self.api.asset_states(f"activation/{pipeline}").get("watermark")

    def log(self, pipeline: str, run_id: str, attempt: int = 1) -> str:
        """The task's log of one try."""
        return self.api.task_log(pipeline, run_id, "import", attempt)


FEEDS = """from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import DAG, Asset

with DAG("feeds", schedule=None):
    EmptyOperator(task_id="load", outlets=[Asset("crm/customers", uri="s3://lake/crm/customers")])
"""
"""A DAG of somebody else, whose asset a pipeline waits for."""


def pipeline_file(**blocks: str) -> str:
    """The text of a pipeline file."""
    usual = {
        "schedule": "null",
        "source": "{type: duckdb, connection: warehouse, table: marketing.users}",
        "destination": "{type: braze, connection: braze, data: attributes}",
        "errors": "{retries: 2, retry_delay: 0s}",
        "alerts": "{email: [crm@example.com], connection: mail}",
    }
    return "".join(f"{name}: {text}\n" for name, text in {**usual, **blocks}.items())


def _warehouses(database: Path, server: postgres.Postgres) -> None:
    rows = """SELECT 'user-' || lpad(CAST(n AS VARCHAR), 6, '0'), '{"name": "김' || n || '", "n": ' || n || '}',
               TIMESTAMP '2026-01-01 00:00:00' + n * INTERVAL '1 millisecond'"""
    columns = "(EXTERNAL_ID VARCHAR, PAYLOAD VARCHAR, UPDATED_AT TIMESTAMP)"
    with duckdb.connect(str(database)) as warehouse:
        warehouse.execute("CREATE SCHEMA marketing")
        warehouse.execute(f"CREATE TABLE marketing.users {columns}")
        warehouse.execute(f"INSERT INTO marketing.users {rows} FROM range({ROWS}) AS r(n)")
        warehouse.execute("CREATE VIEW marketing.people AS FROM marketing.users")
    server.execute("CREATE SCHEMA marketing")
    server.execute(f"CREATE TABLE marketing.users {columns}")
    server.execute(f"INSERT INTO marketing.users {rows} FROM generate_series(0, 4999) AS r(n)")
    server.execute("CREATE VIEW marketing.people AS SELECT * FROM marketing.users")
    server.execute(f"GRANT USAGE ON SCHEMA marketing TO {postgres.LIMITED}")


def _crm(database: Path) -> None:
    instants = "UPDATED_AT TIMESTAMP WITH TIME ZONE"
    tables = {
        "profiles": f"PROFILE_ID VARCHAR, FIRST_NAME VARCHAR, {instants}",
        "audience_memberships": "PROFILE_ID VARCHAR, AUDIENCE_ID VARCHAR, STATUS VARCHAR, "
        f"LAST_QUALIFICATION_TIME TIMESTAMP WITH TIME ZONE, {instants}",
        "identities": f"PROFILE_ID VARCHAR, NAMESPACE VARCHAR, ID VARCHAR, {instants}",
        "audiences": f"ID VARCHAR, NAME VARCHAR, MERGE_POLICY VARCHAR, CREATED_AT TIMESTAMP WITH TIME ZONE, {instants}",
    }
    with duckdb.connect(str(database)) as warehouse:
        warehouse.execute("CREATE SCHEMA crm")
        for name, columns in tables.items():
            warehouse.execute(f"CREATE TABLE crm.{name} ({columns})")
        warehouse.execute("INSERT INTO crm.audiences VALUES ('vip', 'VIP 고객', 'default', now(), now())")
        _enter(warehouse, [f"m-{number}" for number in range(STREAM_MEMBERS)])


def _enter(warehouse: duckdb.DuckDBPyConnection, names: Sequence[str]) -> None:
    given = {"names": list(names)}
    warehouse.execute("INSERT INTO crm.profiles SELECT name, '김 ' || name, now() FROM unnest($names) AS n(name)", given)
    rows = "SELECT name, 'vip', 'realized', now(), now() FROM unnest($names) AS n(name)"
    warehouse.execute(f"INSERT INTO crm.audience_memberships {rows}", given)


def _connections(braze: BrazeSandbox, port: int, database: Path, server: postgres.Postgres) -> dict[str, str]:
    def to_braze(host: str, key: str) -> str:
        return json.dumps({"conn_type": "braze", "host": host, "password": key})

    return {
        "AIRFLOW_CONN_WAREHOUSE": json.dumps({"conn_type": "duckdb", "host": str(database)}),
        "AIRFLOW_CONN_PG": server.airflow(),
        "AIRFLOW_CONN_PG_LIMITED": server.airflow(postgres.LIMITED, PG_PASSWORD),
        "AIRFLOW_CONN_BRAZE": to_braze(braze.url, GOOD_KEY),
        "AIRFLOW_CONN_BRAZE_WRONG_KEY": to_braze(braze.url, WRONG_KEY),
        "AIRFLOW_CONN_BRAZE_READER": to_braze(braze.url, READ_KEY),
        "AIRFLOW_CONN_BRAZE_NOWHERE": to_braze("https://rest.nowhere.invalid", GOOD_KEY),
        "AIRFLOW_CONN_BRAZE_ELSEWHERE": to_braze(f"http://127.0.0.1:{port}", GOOD_KEY),
    }


def _streaming(kinesis: KinesisSandbox, mail: MailServer, database: Path) -> dict[str, str]:
    extra = {"disable_ssl": True, "disable_tls": True, "from_email": "airflow@example.com"}
    sender = {"conn_type": "smtp", "host": "127.0.0.1", "port": mail.server_address[1], "extra": extra}
    return {
        "AIRFLOW_CONN_CRM": json.dumps({"conn_type": "duckdb", "host": str(database)}),
        "AIRFLOW_CONN_KINESIS": kinesis.connection(),
        "AIRFLOW_CONN_MAIL": json.dumps(sender),
        "AIRFLOW_CONN_MAIL_OF_CRM": json.dumps({**sender, "extra": {**extra, "to": "notified@example.com"}}),
    }


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Airflow with all pipelines; ``not_braze`` takes Airflow's own address for Braze's."""
    folder = tmp_path_factory.mktemp("e2e")
    database, dags = folder / "warehouse.duckdb", folder / "dags"
    (dags / "pipelines").mkdir(parents=True)
    shutil.copy(ROOT / "dags" / "activation.py", dags)
    (dags / "feeds.py").write_text(FEEDS, encoding="utf-8")
    for name, blocks in PIPELINES.items():
        (dags / "pipelines" / f"{name}.yaml").write_text(pipeline_file(**blocks), encoding="utf-8")
    keys = (ApiKey(GOOD_KEY), ApiKey(READ_KEY, frozenset({"users.export.ids"})))
    port = free_ports(1)[0]
    with (
        postgres.running() as server,
        BrazeSandbox(Settings(rate=Rate(enabled=False)), keys=keys) as braze,
        KinesisSandbox(tls=True) as kinesis,
        KakaoSandbox() as kakao,
        mail_server() as mail,
    ):
        _warehouses(database, server)
        _crm(folder / "people.duckdb")
        for stream in STREAMS:
            kinesis.create(stream)
        environment = {**_connections(braze, port, database, server), **_streaming(kinesis, mail, folder / "people.duckdb")}
        # So much later may a supervisor see that its task has deferred; if it is resumed before, Airflow takes it for lost.
        environment["AIRFLOW__WORKERS__MIN_HEARTBEAT_INTERVAL"] = "1"
        environment["AIRFLOW_CONN_KAKAO"] = kakao.connection()
        environment["AIRFLOW__ACTIVATION__STATE_FOLDER"] = f"file://{folder / 'state'}"
        with LocalAirflow(folder / "airflow", dags, env=environment, settings=AirflowSettings(port=port)) as airflow:
            api = airflow.api()
            api.wait_for_dag("killed")
            yield World(folder, airflow, api, braze, database, kinesis, kakao, mail)


@pytest.fixture(autouse=True)
def keeps_to_the_contract(world: World, request: pytest.FixtureRequest) -> Iterator[None]:
    """Every request of a test must have been as the contract wants it, but for the rules that it breaks on purpose."""
    yield
    mark = request.node.get_closest_marker("allows")
    assert_contract(world.braze, allow=mark.args if mark else ())
    if mark:
        world.braze.reset()  # the next test breaks none
