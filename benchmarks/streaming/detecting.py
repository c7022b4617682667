"""Ours from the warehouse: the operator's run with the stub behind it, and the same run with only its reading side."""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Generator, Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

from benchmarks.ours import Store
from benchmarks.streaming.ours import CONNECTION, variables
from benchmarks.streaming.profiles import FIELDS, MAPPED, SCHEMA
from benchmarks.streaming.stub import ARN
from benchmarks.worker import Contestant

if TYPE_CHECKING:
    from activation.operators.kinesis_stream import KinesisProfileStreamOperator

PARTS = ("count", "reading", "assembling", "encoding", "comparing")
"""What the time of finding and encoding changes is split into; the rest is between them."""

DUCKDB = {"threads": 2}
"""DuckDB's settings in the Airflow connection."""

_SOURCE = "benchmark_profiles"


class Clock:
    """Seconds by what they were spent on; what is inside of another span does not count there."""

    def __init__(self) -> None:
        self.seconds = dict.fromkeys(PARTS, 0.0)
        self._inner = [0.0]

    @contextmanager
    def span(self, part: str) -> Iterator[None]:
        """Take the time of a block."""
        began = time.perf_counter()
        self._inner.append(0.0)
        try:
            yield
        finally:
            spent = time.perf_counter() - began
            self.seconds[part] += spent - self._inner.pop()
            self._inner[-1] += spent

    def each(self, part: str, values: Generator[Any, None, None]) -> Generator[Any, None, None]:
        """Take the time that an iterator needs for each of its values."""
        try:
            while True:
                with self.span(part):
                    value = next(values, None)
                if value is None:
                    return
                yield value
        finally:
            values.close()


class Clocked:
    """An object some of whose methods are timed.

    :param parts: method -> part; one that gives a generator is timed value by value.
    """

    def __init__(self, clock: Clock, inner: Any, **parts: str) -> None:
        self._clock, self._inner, self._parts = clock, inner, parts

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._inner, name)
        if name not in self._parts:
            return found

        def timed(*given: Any, **named: Any) -> Any:
            part = self._parts[name]
            with self._clock.span(part):
                result = found(*given, **named)
            return self._clock.each(part, result) if isinstance(result, Generator) else result

        return timed


def operator(name: str) -> KinesisProfileStreamOperator:
    """The operator with the default settings but for where things are, and no waiting."""
    from activation.operators.kinesis_stream import KinesisProfileStreamOperator

    related = {"memberships": "memberships", "identities": "identities", "audiences": "audiences", "writes": "writes"}
    return KinesisProfileStreamOperator(
        task_id=name,
        pipeline_id=name,
        source={
            "type": "duckdb",
            "connection": _SOURCE,
            "table": f"{SCHEMA}.profiles",
            "related": {role: f"{SCHEMA}.{table}" for role, table in related.items()},
        },
        destination={
            "type": "kinesis",
            "connection": CONNECTION,
            "stream": ARN,
            "audiences": [*MAPPED],
            "changes": {"wait": "0s"},
        },
        cursor={"settle": "0s"},
        columns={"fields": FIELDS},
    )


class World:
    """A pipeline with its state.

    :param home: takes the state, and a copy of it.
    """

    def __init__(self, home: Path) -> None:
        self._state, self._copy, self._assets = home / "state", home / "kept state", Store()
        self._runs = 0
        self.operator = operator("benchmark")

    def context(self) -> Any:
        """What Airflow hands to the next run, as far as it is asked for."""
        self._runs += 1
        asset = self.operator.asset
        return {
            "run_id": f"run-{self._runs}",
            "ti": SimpleNamespace(try_number=1, dag_id="benchmark", task_id="benchmark"),
            "asset_state_store": {asset: self._assets},
            "task_state_store": Store(),
            "outlet_events": {asset: SimpleNamespace(extra={})},
        }

    def keep(self) -> None:
        """Keep the state as it is."""
        shutil.rmtree(self._copy, ignore_errors=True)
        if self._state.exists():
            shutil.copytree(self._state, self._copy)
        self._watermark = self._assets.get("watermark")

    def restore(self) -> None:
        """Go back to the state that was kept."""
        shutil.rmtree(self._state, ignore_errors=True)
        if self._copy.exists():
            shutil.copytree(self._copy, self._state)
        if self._watermark is None:
            self._assets.delete("watermark")
        else:
            self._assets.set("watermark", self._watermark)


def detect(world: World) -> dict[str, Any]:
    """Find and encode the changes as a run does, and send nothing.

    :returns: ``rows`` that are left to send, ``seconds`` from the count of the changes to the last encoded chunk, and ``parts``:
        the seconds of each of :data:`PARTS`.
    """
    from activation.operators.orders import Order
    from activation.operators.streaming import Stream

    class Detection(Stream):
        """A run that ends before anything is sent."""

        def find(self, clock: Clock) -> dict[str, Any]:
            """Read and encode the window."""
            self._prepare()
            warehouse, table = self._source()
            self._warehouse = Clocked(clock, warehouse, changes="reading", count_changes="count")
            with closing(warehouse):
                watermark = self._bind(table)
                began = time.perf_counter()
                opened = self._window(watermark)
                self._expected(opened)
                rows = _drained(self._course(opened), clock)
                return {"rows": rows, "seconds": time.perf_counter() - began, "parts": clock.seconds}

    return Detection(world.operator.pipeline(), world.operator.asset, world.context(), Order()).find(Clock())


def _drained(course: Any, clock: Clock) -> int:
    """Read a run to its end, with its parts timed; gives the rows that would be sent."""
    reader = course.reader
    source = reader._source.warehouse
    reader._encoder = Clocked(clock, reader._encoder, encode="encoding")
    reader._sent = Clocked(clock, reader._sent, pass_on="comparing")
    object.__setattr__(source, "assembler", Clocked(clock, source.assembler, batches="assembling"))
    with ExitStack() as held:
        for one in (*course.closing, course.sent):
            held.callback(one.close)
        return sum(len(chunk.encoded.rows) for chunk in reader.chunks())


def ours(url: str) -> Contestant:
    """One pipeline; the jobs are ``run`` (the operator), ``detect``, ``keep`` and ``restore``."""
    home = Path(os.environ["BENCHMARK_HOME"])
    os.environ |= variables(url, home / "airflow")
    config = {**DUCKDB, "temp_directory": str(home / "spill")}
    made: dict[str, World] = {}

    def work(job: str, database: str) -> Any:
        os.environ[f"AIRFLOW_CONN_{_SOURCE.upper()}"] = json.dumps(
            {"conn_type": "duckdb", "host": database, "extra": json.dumps({"config": config})}
        )
        place = home / "airflow"
        if database not in made:
            made.clear()
            shutil.rmtree(place / "state", ignore_errors=True)
            made[database] = World(place)
        world = made[database]
        if job == "detect":
            return detect(world)
        if job == "run":
            from airflow.sdk import Context

            return world.operator.execute(cast(Context, world.context()))["rows"]
        return world.keep() if job == "keep" else world.restore()

    return work
