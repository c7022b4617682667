"""Reads 1,000,000 rows in a process of its own and prints what it saw: ``python -m tests.contracts.source_probe JSON``."""

from __future__ import annotations

import json
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

from activation.warehouses import open_warehouse
from activation.warehouses.base import Session
from tests.contracts.sources import EVERYTHING, reading


def peak() -> int:
    """Give the most memory that this program has had, in bytes; ``getrusage`` would count its parent's too."""
    status = Path("/proc/self/status").read_text()
    return next(int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmHWM:"))


def main(task: dict[str, Any]) -> dict[str, Any]:
    """Warm up with a small table, so that libraries and pools are not counted, then read the large one."""
    module, _, name = task["opener"].partition(":")
    session = Session(options=task["options"])
    warehouse = open_warehouse(task["engine"], getattr(import_module(module), name)(**task["arguments"]), session)
    reading(warehouse, tuple(task["small"])).rows()
    before = peak()
    rows = total = largest = 0
    for batch in warehouse.batches(reading(warehouse, tuple(task["large"])).extract, EVERYTHING):
        rows, total, largest = rows + batch.num_rows, total + batch.nbytes, max(largest, batch.num_rows)
    warehouse.close()
    return {"rows": rows, "bytes": total, "largest": largest, "grown": peak() - before}


if __name__ == "__main__":
    print(json.dumps(main(json.loads(sys.argv[1]))))
