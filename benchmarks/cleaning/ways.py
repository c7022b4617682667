"""The ways from a column of a warehouse to part files: ours, and the script that people write with pandas."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from benchmarks.cleaning.rows import AROUND, COLUMN, LIMIT, SHAPE, ZERO, table_of
from benchmarks.worker import Contestant


def contestant(way: str, database: str) -> Contestant:
    """Make what cleans: it takes ``rows``, which name the table, and a ``folder`` to write to; it gives ``files`` and counts."""
    return _ours(database) if way == "ours" else _pandas(database)


def _ours(database: str) -> Contestant:
    import duckdb

    from activation.records.advertising_ids import IdRules, clean, id_column
    from activation.warehouses import open_warehouse
    from activation.warehouses.base import Session

    settings: dict[str, Any] = {"memory_limit": "32MB", "threads": 1}  # of the source: a scan sorts nothing

    def run(rows: int, folder: str) -> dict[str, Any]:
        table = (table_of(rows),)
        warehouse = open_warehouse("duckdb", duckdb.connect(database, read_only=True, config=settings), Session())
        try:
            column = id_column(warehouse.columns(table), COLUMN, table[0])
            cleaned = clean(warehouse.scan(table, [column]), column.name, IdRules("lower"), Path(folder))
            parts = cleaned.parts(LIMIT)
        finally:
            warehouse.close()
        return {"files": [str(part.path) for part in parts], "ids": cleaned.ids, **cleaned.counts}

    return run


def _pandas(database: str) -> Contestant:
    import duckdb
    import pandas  # type: ignore[import-untyped]  # noqa: F401 - loaded before the time is taken

    lines = LIMIT // 37

    def run(rows: int, folder: str) -> dict[str, Any]:
        with duckdb.connect(database, read_only=True) as connection:
            texts = connection.execute(f"SELECT {COLUMN} FROM {table_of(rows)}").df()[COLUMN]
        bare = texts.str.strip(AROUND).str.lower().fillna("")
        present = bare[bare != ""]
        valid = present[present.str.fullmatch(SHAPE)]
        some = valid[valid != ZERO]
        ids = some.drop_duplicates()
        files = []
        Path(folder).mkdir()
        for start in range(0, len(ids), lines):
            files.append(str(Path(folder) / f"part-{start}.csv"))
            ids.iloc[start : start + lines].to_csv(files[-1], header=False, index=False)
        return {
            "files": files,
            "ids": len(ids),
            "missing": len(bare) - len(present),
            "not_an_advertising_id": len(present) - len(valid),
            "all_zero": len(valid) - len(some),
            "duplicate": len(some) - len(ids),
        }

    return run
