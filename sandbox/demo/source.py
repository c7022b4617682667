"""The warehouse that the demo's pipelines read: the DuckDB file itself, or another engine that gets its rows."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TypeVar

import pyarrow as pa

from sandbox.demo import customers, devices, profiles, warehouse, waves
from sandbox.demo.screen import say, waiting
from sandbox.environments import telling
from sandbox.warehouses import SANDBOXES, sandbox_of

ROOT = Path(__file__).resolve().parents[2]
PIPELINE = "users_to_braze"
EVENTS, PROFILES = "events_to_partner", "profiles_to_partner"
STREAM = "profiles_to_kinesis"
AUDIENCE, DAILY = "ads_to_kakao", "ads_to_kakao_daily"
PIPELINES = (PIPELINE, EVENTS, PROFILES, STREAM, AUDIENCE, DAILY)


@dataclass(frozen=True, slots=True)
class Server:
    """What the demo says of an engine, and what it must know.

    :ivar title: what is started, and how long that takes.
    :ivar upper: whether the engine keeps a name without quotes in upper case; the pipelines say ``marketing.users`` for all.
    :ivar quote: what stands around a name.
    """

    title: str
    upper: bool = False
    quote: str = '"'

    def place(self, table: tuple[str, ...]) -> tuple[str, ...]:
        """Where the rows of a table go."""
        return tuple(part.upper() for part in table) if self.upper else table


SERVERS = {
    "duckdb": Server("DuckDB, embedded: the file itself is the warehouse"),
    "postgres": Server("PostgreSQL, a real server (2 seconds)"),
    "snowflake": Server("Snowflake's stand-in, fakesnow (5 seconds)", upper=True),
    "redshift": Server("Redshift's stand-in, a PostgreSQL server behind Redshift's protocol (3 seconds)"),
    "bigquery": Server("BigQuery's stand-in, bqemulator (5 seconds)", quote="`"),
    "databricks": Server("Databricks' stand-in, a real Spark (15 seconds)", quote="`"),
}
"""The engines of :data:`sandbox.warehouses.SANDBOXES`."""

S = TypeVar("S", bound="Source")


def source_of(engine: str, folder: Path) -> Source:
    """Make the demo's source; it is started by entering it.

    :param engine: a key of :data:`SERVERS`.
    :param folder: takes the DuckDB file, and the DAGs where they differ from the repository's.
    """
    return Source(engine, folder) if engine == "duckdb" else Copied(engine, folder)


def refusal(engine: str) -> str:
    """What is wrong with the name of a source; empty if nothing is."""
    return "" if engine in SANDBOXES else f"error: SOURCE={engine} is unknown. Allowed: {', '.join(SANDBOXES)}."


class Source:
    """The DuckDB file as the warehouse, for as long as a ``with`` block lasts.

    :ivar database: the model of the data, whatever engine the pipeline reads.
    """

    def __init__(self, engine: str, folder: Path) -> None:
        self.engine, self.folder = engine, folder
        self.database = folder / "warehouse.duckdb"

    def __enter__(self: S) -> S:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()

    def place(self) -> str:
        """Where a person finds the warehouse."""
        return str(self.database)

    def start(self) -> None:
        """Make the rows and bring them to the warehouse."""
        warehouse.seed(self.database)
        customers.seed(self.database)
        profiles.seed(self.database)
        devices.seed(self.database)

    def stop(self) -> None:
        """End what was started."""

    def update(self) -> None:
        """Change a thousand users."""
        warehouse.update(self.database)

    def change(self, wave: waves.Wave) -> None:
        """Change profiles."""
        waves.change(self.database, wave)

    def relist(self) -> None:
        """Let people leave the list of advertising ids, and others come."""
        devices.change(self.database)

    def environment(self) -> dict[str, str]:
        """What Airflow must be told to read it."""
        return {"AIRFLOW_CONN_WAREHOUSE": json.dumps({"conn_type": "duckdb", "host": str(self.database)})}

    def dags(self) -> Path:
        """The folder with the pipelines that read it."""
        return ROOT / "dags"


class Copied(Source):
    """A warehouse of another engine, which gets the rows of the DuckDB file."""

    def start(self) -> None:
        """Start the server and load the rows."""
        super().start()
        began = time.monotonic()
        with ExitStack() as stack:
            with waiting("starting the server"), telling(lambda text: say(f"   {text}")):
                self._sandbox = stack.enter_context(sandbox_of(self.engine))
            say(f"   it answers after {time.monotonic() - began:.1f} s")
            self._load(warehouse.TABLE, warehouse.rows(self.database))
            self._load(customers.EVENTS, customers.events(self.database))
            self._load(customers.PROFILES, customers.profiles(self.database))
            for table in profiles.TABLES:
                self._load((profiles.SCHEMA, table), profiles.rows(self.database, table))
            self._load(devices.TABLE, devices.rows(self.database))
            for view in profiles.VIEWS:
                self._sandbox.execute(profiles.view_of(view, SERVERS[self.engine].quote))
            self._stack = stack.pop_all()

    def stop(self) -> None:
        """Stop the server."""
        self._stack.close()

    def place(self) -> str:
        """Write what a client needs into a file that only its owner can read, and name it."""
        path = self.folder / "warehouse.env"
        path.touch(mode=0o600)
        path.write_text("".join(f"{name}={shlex.quote(value)}\n" for name, value in self.environment().items()), encoding="utf-8")
        return f"{self.engine}; its connection stands in {path}"

    def update(self) -> None:
        """Change a thousand users, and load all of them again."""
        super().update()
        self._load(warehouse.TABLE, warehouse.rows(self.database))

    def change(self, wave: waves.Wave) -> None:
        """Change profiles in the model, and add its new rows, each table's at once."""
        since = waves.change(self.database, wave)
        for table in profiles.TABLES:
            rows = profiles.rows(self.database, table, since)
            if rows.num_rows:
                self._add((profiles.SCHEMA, table), rows)

    def relist(self) -> None:
        """Change the list of advertising ids, and load all of it again."""
        super().relist()
        self._load(devices.TABLE, devices.rows(self.database))

    def environment(self) -> dict[str, str]:
        """The connection, and what the official hook needs beside it."""
        return {**self._sandbox.environment(), "AIRFLOW_CONN_WAREHOUSE": self._sandbox.connection()}

    def dags(self) -> Path:
        """Write copies of the samples in which the source has this engine's type."""
        folder = self.folder / "dags"
        (folder / "pipelines").mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / "dags" / "activation.py", folder)
        for pipeline in PIPELINES:
            name = f"pipelines/{pipeline}.yaml"
            text = sample_for(self.engine, (ROOT / "dags" / name).read_text(encoding="utf-8"))
            (folder / name).write_text(text, encoding="utf-8")
        return folder

    def _add(self, table: tuple[str, ...], rows: pa.Table) -> None:
        """Add rows in one statement, with the engine's own time as UPDATED_AT; they wait in a table beside it."""
        server = SERVERS[self.engine]
        waiting_rows = (*table[:-1], f"new_{table[-1]}")
        self._sandbox.load(server.place(waiting_rows), rows.drop_columns(["UPDATED_AT"]))
        names = ", ".join(f"{server.quote}{name}{server.quote}" for name in rows.column_names if name != "UPDATED_AT")
        self._sandbox.execute(
            f"INSERT INTO {'.'.join(table)} ({names}, {server.quote}UPDATED_AT{server.quote}) "
            f"SELECT {names}, CAST(CURRENT_TIMESTAMP AS {self._sandbox.types['timestamp']}) FROM {'.'.join(waiting_rows)}"
        )

    def _load(self, table: tuple[str, ...], rows: pa.Table) -> None:
        began, place = time.monotonic(), SERVERS[self.engine].place(table)
        with waiting("loading the rows"):
            self._sandbox.load(place, rows)
        say(f"   {rows.num_rows:,} rows loaded into {'.'.join(place)} in {time.monotonic() - began:.1f} s")


def sample_for(engine: str, text: str) -> str:
    """A sample pipeline with another ``source.type``."""
    changed, count = re.subn(r"(?m)^(source:\n  type: ).*$", rf"\g<1>{engine}", text)
    if count != 1:
        raise ValueError("the sample pipeline does not begin its source block with the type")
    return changed
