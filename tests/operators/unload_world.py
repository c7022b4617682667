"""What the tests of push-down share: events in a warehouse, and the rows of a manifest however its files are made."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

import duckdb
import pyarrow as pa

from .export_world import ExportWorld

DAY = (datetime.now(timezone.utc) - timedelta(days=2)).strftime("%Y-%m-%d")
HOUR = (f"{DAY}T09:00:00+00:00", f"{DAY}T10:00:00+00:00")
ROWS = 101
"""Rows of the hour."""


def events() -> pa.Table:
    """A row before the hour, 101 in it, one behind it; NULL, empty texts, quotes, line ends, Korean and emoji among them."""
    first = int(datetime.fromisoformat(HOUR[0]).timestamp())
    seconds = [first - 1, *(first + 35 * n for n in range(ROWS)), first + 3600]
    texts = [None, "", 'a "quoted" one', "two\nlines, one comma", "서울 😀", "it's", "back\\slash"]
    count = len(seconds)
    return pa.table(
        {
            "event_id": pa.array(range(count), pa.int64()),
            "event_name": ["df_login" if n % 3 else "df_purchase" for n in range(count)],
            "server_at": pa.array([second * 1_000_000 + n for n, second in enumerate(seconds)], pa.timestamp("us", "UTC")),
            "day": pa.array([None if n % 7 == 0 else 20_000 + n for n in range(count)], pa.int32()).cast(pa.date32()),
            "amount": pa.array([None if n % 5 == 0 else n / 8 for n in range(count)], pa.float64()),
            "price": pa.array([f"{n}.25" for n in range(count)]).cast(pa.decimal128(18, 2)),
            "active": pa.array([(None, True, False)[n % 3] for n in range(count)], pa.bool_()),
            "text": [texts[n % len(texts)] for n in range(count)],
        }
    )


def content(world: ExportWorld, key: str) -> list[Any]:
    """The rows that a manifest lists, each value in its type, sorted: what a reader gets, whoever wrote the files."""
    manifest, found = world.manifest(key), list[Any]()
    types = {"boolean": "BOOLEAN", "integer": "BIGINT", "double": "DOUBLE", "date": "DATE", "timestamp(6)": "TIMESTAMP"}
    columns = [(one["name"], types.get(one["type"], "VARCHAR")) for one in manifest["columns"]]
    ending = {"none": "", "gzip": ".gz", "zstd": ".zst"}.get(manifest["compression"], "")
    objects = world.objects()
    for number, file in enumerate(manifest["files"]):
        path = world.folder / f"{number}.{manifest['format']}{ending}"
        path.write_bytes(objects[file["key"]])
        with duckdb.connect() as connection:
            connection.execute("SET TimeZone = 'UTC'")
            shown = ", ".join(f'CAST("{name}" AS {kind})' for name, kind in columns)
            source = f"read_csv('{path}', all_varchar = true, allow_quoted_nulls = false, header = true)"
            found += connection.execute(
                f"SELECT {shown} FROM {source if manifest['format'] == 'csv' else repr(str(path))}"
            ).fetchall()
    return sorted(found)


def only(report: dict[str, Any]) -> str:
    """The manifest of a report with one export."""
    (one,) = report["exports"]
    return str(one["manifest"])
