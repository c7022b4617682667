"""The page for readers of a bucket: its query reads what manifests list, and nothing beside it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import duckdb

PAGE = (Path(__file__).parents[3] / "docs" / "s3-export.md").read_text(encoding="utf-8")


def write(folder: Path, status: str, *parts: int, listed: int) -> None:
    """Make an export whose manifest lists the first of these parts; the number is the one row of each."""
    folder.mkdir(parents=True)
    files = []
    for number, value in enumerate(parts):
        path = folder / f"part-{number:05}.parquet"
        duckdb.connect().execute(f"COPY (SELECT {value} AS n, 'x' AS dt) TO '{path}'")
        files.append({"key": str(path.relative_to(folder.parents[3])), "size": 1, "rows": 1, "sha256": "0", "etag": "e"})
    manifest = {"version": 1, "status": status, "files": files[:listed], "total_rows": listed}
    (folder / "_manifest.json").write_text(json.dumps(manifest, indent=1))


def test_the_query_of_the_page_reads_what_is_whole(tmp_path: Path) -> None:
    base = tmp_path / "crm" / "event"
    write(base / "dt=2026-07-18" / "run=a", "complete", 1, 2, 99, listed=2)
    write(base / "dt=2026-07-19" / "run=b", "complete", listed=0)
    write(base / "dt=2026-07-20" / "run=c", "withdrawn", 98, listed=0)
    write(base / "dt=2026-07-21" / "run=d", "complete", 3, listed=1)
    (base / "dt=2026-07-22" / "run=e").mkdir(parents=True)
    duckdb.connect().execute(f"COPY (SELECT 97 AS n) TO '{base}/dt=2026-07-22/run=e/part-00000.parquet'")
    (query,) = re.findall(r"```sql\n(.*?)```", PAGE, re.DOTALL)
    with duckdb.connect() as connection:
        connection.execute(query.replace("s3://partner-imports/", f"{tmp_path}/"))
        assert sorted(row[0] for row in connection.fetchall()) == [1, 2, 3]
