"""The source contract: memory does not grow with the table."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

from activation.warehouses.base import Warehouse
from tests.contracts.sources import Engine

ROOT = Path(__file__).parents[2]
MEGABYTE = 1024 * 1024


class MemoryContract:
    """A large table passes through a bounded process."""

    def test_f28_a_large_table_passes_in_bounded_memory(self, engine: Engine, warehouse: Warehouse) -> None:
        seen = probed(engine, "rows")
        assert seen["rows"] == engine.rows
        assert warehouse.columns(engine.large())

    def test_many_changed_profiles_pass_in_bounded_memory(self, engine: Engine, warehouse: Warehouse) -> None:
        """Each with all of its columns and one membership; the first run of a pipeline that maps an audience of everybody."""
        rows, u = engine.sql(engine.large()), engine.quoted("u")
        text = engine.kind("varchar")
        columns = f"{engine.quoted('id')}, {u}, CAST('a1' AS {text}) AS a, CAST('realized' AS {text}) AS s"
        seen = probed(engine, "changes", members=engine.view(f"SELECT {columns} FROM {rows}"))
        assert seen["rows"] == 2 * engine.rows
        assert warehouse.clock()


def probed(engine: Engine, what: str, **more: tuple[str, ...]) -> dict[str, int]:
    """Read the large table in a process of its own, and check what that one says of its memory."""
    large = engine.large()
    small = engine.table({"id": "integer", "u": engine.cursors[0].type, "payload": "varchar"}, [["1", None, "x"]])
    task = {**asdict(engine.probe()), "what": what, "small": small, "large": large, **more}
    command = [sys.executable, "-m", "tests.contracts.source_probe", json.dumps(task)]
    path = {"PYTHONPATH": f"{ROOT / 'plugins'}:{ROOT}", "PATH": "/usr/bin:/bin"}
    done = subprocess.run(command, cwd=ROOT, env=path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    seen: dict[str, int] = json.loads(done.stdout.splitlines()[-1])
    bound = engine.most_growth * MEGABYTE
    print(engine.name, what, seen)
    assert seen["bytes"] > 1.2 * bound  # collected, the rows would not fit
    assert seen["largest"] <= 16_384
    assert seen["grown"] < bound
    return seen
