"""Query jobs as BigQuery runs them: in the background, with states, a time-out, cancellation and pages of bounded size.

bqemulator 1.4.0 answers ``jobs.insert`` when the query is done and knows neither of these.
"""

from __future__ import annotations

import asyncio
import copy
import time
from collections import OrderedDict
from dataclasses import dataclass, field, replace
from typing import Any

from bqemulator.api.dependencies import AppContext, get_caller  # type: ignore[import-not-found,unused-ignore]
from bqemulator.api.routes import jobs as routes  # type: ignore[import-not-found,unused-ignore]
from bqemulator.jobs import executor  # type: ignore[import-not-found,unused-ignore]
from bqemulator.storage.arrow_bridge import arrow_table_to_bq_rows  # type: ignore[import-not-found,unused-ignore]
from fastapi import APIRouter, Request  # type: ignore[import-not-found,unused-ignore]
from fastapi.responses import JSONResponse  # type: ignore[import-not-found,unused-ignore]

KEPT = 8
"""Finished jobs whose rows are kept; the service keeps them for a day, which a test does not need."""

PAGE_BYTES = 10 * 1024 * 1024
"""Most bytes of a page of rows, as the service limits them."""

LONG_POLL = 10.0
"""Seconds that ``jobs.getQueryResults`` waits where the caller does not say; the service's own default."""


@dataclass
class Job:
    """A query job that was started, and what became of it."""

    project: str
    name: str
    config: dict[str, Any]
    connection: Any
    done: asyncio.Event = field(default_factory=asyncio.Event)
    stopped: str = ""
    began: float = field(default_factory=time.time)
    rows: Any = None
    schema: list[dict[str, Any]] = field(default_factory=list)
    error: dict[str, Any] | None = None

    def resource(self) -> dict[str, Any]:
        """The job as ``jobs.get`` shows it."""
        state = "DONE" if self.done.is_set() else "RUNNING"
        milliseconds = str(int(self.began * 1000))
        status: dict[str, Any] = {"state": state}
        if self.error is not None:
            status |= {"errorResult": self.error, "errors": [self.error]}
        times = {"creationTime": milliseconds, "startTime": milliseconds}
        if self.done.is_set():
            times["endTime"] = str(int(time.time() * 1000))
        return {
            "kind": "bigquery#job",
            "id": f"{self.project}:US.{self.name}",
            "jobReference": self.reference(),
            "configuration": self.config,
            "status": status,
            "statistics": {**times, "query": {"statementType": "SELECT", "totalBytesProcessed": "0"}},
        }

    def reference(self) -> dict[str, str]:
        """How the job is called."""
        return {"projectId": self.project, "jobId": self.name, "location": "US"}

    @property
    def table(self) -> str:
        """The id of the anonymous table of its rows."""
        return f"anon{self.name.replace('-', '')}"

    def page(self, start: int, most: int) -> dict[str, Any]:
        """Some of the rows, with the token of the next page."""
        size = max(1, self.rows.nbytes // max(1, self.rows.num_rows))
        count = min(most, max(1, PAGE_BYTES // size))
        body: dict[str, Any] = {"totalRows": str(self.rows.num_rows), "schema": {"fields": self.schema}}
        if count and self.rows.num_rows > start:
            body["rows"] = arrow_table_to_bq_rows(self.rows, offset=start, limit=count)
        if start + count < self.rows.num_rows:
            body["pageToken"] = str(start + count)
        return body


class Queries:
    """The query jobs of this server."""

    def __init__(self, context: AppContext) -> None:
        self.context = context
        self.jobs: OrderedDict[str, Job] = OrderedDict()
        self._tasks: set[asyncio.Task[None]] = set()

    def find(self, table: str) -> Job | None:
        """The finished job whose rows an anonymous table holds."""
        return next((job for job in self.jobs.values() if job.table == table and job.rows is not None), None)

    def start(self, project: str, name: str, config: dict[str, Any], caller: Any) -> Job:
        """Run a SELECT in the background."""
        job = Job(project, name, config, self.context.engine.connection.cursor())
        config["query"]["destinationTable"] = {
            "projectId": project,
            "datasetId": executor._ANONYMOUS_RESULTS_DATASET,
            "tableId": job.table,
        }
        self.jobs[name] = job
        finished = [old for old in self.jobs.values() if old.done.is_set() and old.rows is not None]
        for old in finished[:-KEPT]:
            old.rows = None
        task = asyncio.create_task(self._run(job, caller))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return job

    def stop(self, job: Job, why: str) -> None:
        """Have a job stopped as soon as DuckDB notices."""
        job.stopped = job.stopped or why

    async def _run(self, job: Job, caller: Any) -> None:
        work = asyncio.create_task(asyncio.to_thread(self._work, job, caller))
        limit = int(job.config.get("jobTimeoutMs") or 0) / 1000
        until = time.time() + limit if limit else None
        while not work.done():
            if until is not None and time.time() > until:
                self.stop(job, f"Job timed out after {limit:.0f} sec")
            if job.stopped:
                job.connection.interrupt()
            await asyncio.wait([work], timeout=0.02)
        if job.stopped:
            job.error = {"reason": "stopped", "message": f"Job execution was cancelled: {job.stopped}"}
            job.rows = None
        job.connection.close()
        job.done.set()

    def _work(self, job: Job, caller: Any) -> None:
        """Run it over a cursor that can be interrupted, in a thread with an event loop, both of its own."""
        engine = copy.copy(self.context.engine)
        engine._connection = job.connection
        job.connection.execute("SET TimeZone = 'UTC'")
        query = job.config["query"]
        context = replace(self.context, engine=engine)
        try:
            asyncio.run(
                executor.execute_query_job(
                    job.project, job.name, query["query"], query.get("queryParameters"), context, caller=caller
                )
            )
            job.rows = executor.JOB_RESULTS.pop(job.name)
            job.schema = executor.JOB_SCHEMAS.pop(job.name)
        except routes._SQL_EXECUTION_DOMAIN_ERRORS as error:
            job.error = routes._domain_error_to_error_result(error)
        except Exception as error:  # noqa: BLE001 - DuckDB, sqlglot and the emulator share no base class
            job.error = {"reason": "invalidQuery", "message": str(error)}


def _failed(error: dict[str, Any]) -> Any:
    """The answer to a request for the rows of a job that failed."""
    code = {"notFound": 404, "accessDenied": 403}.get(error["reason"], 400)
    return JSONResponse({"error": {"code": code, "message": error["message"], "errors": [error]}}, status_code=code)


def router(queries: Queries) -> APIRouter:
    """The routes that stand before the emulator's own."""
    made = APIRouter(prefix="/bigquery/v2")

    @made.post("/projects/{project}/jobs")
    async def insert(project: str, request: Request) -> Any:
        body = await request.json()
        config = body.get("configuration", {})
        name = body.get("jobReference", {}).get("jobId")
        text = config.get("query", {}).get("query", "")
        caller = get_caller(request)
        if not name or config.get("dryRun") or executor.classify_statement_type(text) != "SELECT":
            return await routes.insert_job(project, request, queries.context, caller)
        return queries.start(project, name, config, caller).resource()

    @made.get("/projects/{project}/jobs/{name}")
    async def get(project: str, name: str) -> Any:
        job = queries.jobs.get(name)
        return routes.get_job(project, name, queries.context) if job is None else job.resource()

    @made.post("/projects/{project}/jobs/{name}/cancel")
    async def cancel(project: str, name: str) -> Any:
        job = queries.jobs.get(name)
        if job is None:
            return routes.cancel_job(project, name, queries.context)
        if not job.done.is_set():
            queries.stop(job, "User requested cancellation")
        return {"kind": "bigquery#jobCancelResponse", "job": job.resource()}

    @made.get("/projects/{project}/queries/{name}")
    async def results(project: str, name: str, request: Request) -> Any:
        asked = request.query_params
        start = int(asked.get("pageToken") or asked.get("startIndex") or 0)
        most = int(asked.get("maxResults", 10_000))
        job = queries.jobs.get(name)
        if job is None:
            return routes.get_query_results(project, name, queries.context, maxResults=most, startIndex=start, pageToken=None)
        wait = float(asked["timeoutMs"]) / 1000 if "timeoutMs" in asked else LONG_POLL
        try:
            await asyncio.wait_for(job.done.wait(), wait)
        except asyncio.TimeoutError:
            return {"jobReference": job.reference(), "jobComplete": False}
        if job.error is not None or job.rows is None:
            error = job.error or {"reason": "notFound", "message": f"Not found: Job {job.project}:{job.name}"}
            return _failed(error)
        return {"jobReference": job.reference(), "jobComplete": True, **job.page(start, most)}

    return made
