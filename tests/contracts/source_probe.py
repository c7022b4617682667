"""Reads a large table in a process of its own and prints what it saw: ``python -m tests.contracts.source_probe JSON``."""

from __future__ import annotations

import json
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

from activation.warehouses import open_warehouse
from activation.warehouses.base import Session, Warehouse
from activation.warehouses.profiles import ProfileRead, ProfileTable, ProfileTables
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
    if task["what"] == "changes":
        batches = warehouse.changes(everybody(warehouse, tuple(task["large"]), tuple(task["members"])), EVERYTHING)
    elif task["what"] == "scan":
        batches = warehouse.scan(tuple(task["large"]), warehouse.columns(tuple(task["large"])), rows=16_384)
    else:
        batches = warehouse.batches(reading(warehouse, tuple(task["large"])).extract, EVERYTHING)
    for batch in batches:
        rows, total, largest = rows + batch.num_rows, total + batch.nbytes, max(largest, batch.num_rows)
    warehouse.close()
    return {"rows": rows, "bytes": total, "largest": largest, "grown": peak() - before}


def everybody(warehouse: Warehouse, table: tuple[str, ...], members: tuple[str, ...]) -> ProfileRead:
    """The rows of a table as profiles, all of them in the audience ``a1``, and none with an identity."""
    columns = {column.name.lower(): column for column in warehouse.columns(table)}
    profiles = ProfileTable(table, {"profile_id": columns["id"], "updated_at": columns["u"]})
    who, when, audience, status = warehouse.columns(members)
    of = {"profile_id": who, "updated_at": when, "audience_id": audience, "status": status, "last_qualification_time": when}
    # Nobody's id is a payload.
    no_one = ProfileTable(table, {"profile_id": columns["payload"], "updated_at": columns["u"]})
    tables = ProfileTables(profiles, ProfileTable(members, of), no_one, profiles)
    return ProfileRead(tables, tuple(column for name, column in columns.items() if name not in ("id", "u")), ("a1",))


if __name__ == "__main__":
    print(json.dumps(main(json.loads(sys.argv[1]))))
