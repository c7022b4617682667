"""What tests and demonstrations ask of the server beside BigQuery's own interface."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
from bqemulator.storage.sql_identifiers import quoted_table_ref  # type: ignore[import-not-found,unused-ignore]
from fastapi import APIRouter, Request  # type: ignore[import-not-found,unused-ignore]

from .queries import Queries
from .storage import StorageRead


def control(queries: Queries, storage: StorageRead) -> APIRouter:
    """Routes below ``/sandbox``."""
    made = APIRouter(prefix="/sandbox")

    @made.get("/activity")
    async def activity() -> Any:
        return {"reading": storage.reading, "sessions": storage.made, "jobs": [job.resource() for job in queries.jobs.values()]}

    @made.post("/storage")
    async def allow(request: Request) -> Any:
        storage.allowed = bool((await request.json())["allowed"])
        return {}

    @made.put("/rows/{project}/{dataset}/{table}")
    async def rows(project: str, dataset: str, table: str, request: Request) -> Any:
        """Append an Arrow stream to a table, by position."""
        added = pa.ipc.open_stream(await request.body()).read_all()
        cursor = queries.context.engine.connection.cursor()
        cursor.execute("SET TimeZone = 'UTC'")
        cursor.register("sandbox_rows", added)
        cursor.execute(f"INSERT INTO {quoted_table_ref(project, dataset, table)} SELECT * FROM sandbox_rows")
        cursor.close()
        return {"rows": added.num_rows}

    return made
