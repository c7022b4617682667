"""What ``cursor.skip_unchanged`` saves: every row of a table gets a newer timestamp and a few a new value, then it is sent again.

``python -m benchmarks.skip_unchanged`` prints requests, seconds and memory of three runs: the first one, one with 1 % changed,
and a full one. It ends with 1 if the destination does not hold exactly what the table holds. Nothing runs it but a person.
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import duckdb

from benchmarks.ours import Store, prepare
from benchmarks.processes import Place, Server

TABLE = "marketing.users"
EVERY = 100
"""One row of so many changes: 1 %."""


def main(given: Sequence[str]) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.skip_unchanged", description="Measure skip_unchanged.")
    parser.add_argument("--rows", type=int, default=2_000_000, help="rows of the table (default: 2000000)")
    rows = parser.parse_args(given).rows
    with tempfile.TemporaryDirectory(prefix="skip-unchanged-") as home, Server(Path(home)) as server:
        database = Path(home) / "warehouse.duckdb"
        _seed(database, rows)
        prepare(Place(server.url, str(database), home))
        stores = (Store(), Store())
        state: dict[str, str] = {}
        requests = {}
        exact = True
        for name, mode, change in (("first", "incremental", 0), ("1 % changed", "incremental", EVERY), ("full", "full", 0)):
            if change:
                _touch(database, change)
            server.begin(keep=True)
            began = time.monotonic()
            report = _run(mode, stores)
            seconds = time.monotonic() - began
            requests[name] = server.end().requests
            _apply(state, server.bodies())
            exact = exact and state == dict(_read(database))
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
            print(f"{name:12} {requests[name]:>8,} requests {seconds:>7.1f} s  {report['rows']}  peak {peak:,} MiB")
        kept = sum(file.stat().st_size for file in Path(home).rglob("sent/**/*") if file.is_file())
        print(f"{requests['full'] / max(1, requests['1 % changed']):.0f} times fewer requests than a full run; "
              f"{kept / rows:.1f} bytes a row are kept; the content is {'exact' if exact else 'WRONG'}.")  # fmt: skip
    return 0 if exact else 1


def _seed(database: Path, rows: int) -> None:
    with duckdb.connect(str(database)) as connection:
        connection.execute("CREATE SCHEMA marketing")
        connection.execute(
            f"""CREATE TABLE {TABLE} AS SELECT 'user-' || lpad(n::VARCHAR, 9, '0') AS EXTERNAL_ID,
                TIMESTAMP '2025-01-01' + to_milliseconds(n // 4) AS UPDATED_AT,
                json_object('n', n, 'version', 0, 'city', ['서울', '부산', 'Incheon'][1 + n % 3])::VARCHAR AS PAYLOAD
                FROM range({rows}) AS r(n) ORDER BY hash(n)"""
        )


def _touch(database: Path, every: int) -> None:
    """Every row gets a newer timestamp, and one of so many another value."""
    with duckdb.connect(str(database)) as connection:
        connection.execute(
            f"""UPDATE {TABLE} SET UPDATED_AT = UPDATED_AT + INTERVAL 1 YEAR, PAYLOAD = CASE
                WHEN hash(EXTERNAL_ID) % {every} = 0 THEN replace(PAYLOAD, '"version":0', '"version":1') ELSE PAYLOAD END"""
        )


def _read(database: Path) -> Iterable[tuple[str, str]]:
    with duckdb.connect(str(database), read_only=True) as connection:
        for user, payload in connection.execute(f"SELECT EXTERNAL_ID, PAYLOAD FROM {TABLE}").fetchall():
            yield user, _text(json.loads(payload))


def _apply(state: dict[str, str], bodies: Iterable[bytes]) -> None:
    for body in bodies:
        for one in json.loads(body)["attributes"]:
            user = one.pop("external_id")
            state[user] = _text(one)


def _text(one: dict[str, Any]) -> str:
    return json.dumps(one, sort_keys=True, ensure_ascii=False)


def _run(mode: str, stores: tuple[Store, Store]) -> dict[str, Any]:
    from activation.operators.braze_import import WarehouseIncrementalImportOperator

    operator = WarehouseIncrementalImportOperator(
        task_id="import",
        pipeline_id="skip",
        source={"type": "duckdb", "connection": "benchmark_duckdb", "table": TABLE},
        destination={"type": "braze", "connection": "benchmark_braze", "data": "attributes"},
        cursor={"skip_unchanged": True},
        order={"mode": mode},
    )
    context: Any = {
        "run_id": f"{mode}-{time.time_ns()}",
        "ti": SimpleNamespace(dag_id="benchmark", task_id="import", try_number=1),
        "asset_state_store": {operator.asset: stores[0]},
        "task_state_store": stores[1],
        "outlet_events": {operator.asset: SimpleNamespace(extra={})},
    }
    return operator.execute(context)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
