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
    """A million rows pass through a bounded process."""

    def test_f28_a_million_rows_pass_in_bounded_memory(self, engine: Engine, warehouse: Warehouse) -> None:
        cursor = engine.cursors[0]
        engine.make_million("million")
        small = engine.table({"id": "integer", "u": cursor.type, "payload": "varchar"}, [["1", None, "x"]])
        large = engine.place("million")
        task = {**asdict(engine.probe()), "small": small, "large": large}
        command = [sys.executable, "-m", "tests.contracts.source_probe", json.dumps(task)]
        path = {"PYTHONPATH": f"{ROOT / 'plugins'}:{ROOT}", "PATH": "/usr/bin:/bin"}
        done = subprocess.run(command, cwd=ROOT, env=path, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        seen = json.loads(done.stdout.splitlines()[-1])
        assert seen["rows"] == 1_000_000
        bound = engine.most_growth * MEGABYTE
        assert seen["bytes"] > 1.2 * bound  # collected, the rows would not fit
        assert seen["largest"] <= 16_384
        print(engine.name, seen)
        assert seen["grown"] < bound
        assert warehouse.columns(large)
