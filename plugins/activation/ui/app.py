"""The routes of the Pipelines page; Airflow serves them below ``/activation``.

Every route demands a user who is logged in, and one about a DAG the right to read that DAG. What changes something is no route of
ours: the page starts runs and pauses DAGs through Airflow's own API, with Airflow's rights, and they are in its audit log.
"""

from __future__ import annotations

import json
from datetime import datetime, timezone
from typing import Any

from fastapi import Depends, FastAPI, HTTPException, Request, Response
from fastapi.responses import StreamingResponse

from activation.delivery.folder import safe_name
from activation.errors import ActivationError
from activation.ui.airflow import (
    GetUserDep,
    Rights,
    SessionDep,
    document_of,
    found,
    get_user,
    requires_access_dag,
    rights,
    runs_of,
)
from activation.ui.bundle import served
from activation.ui.detail import RUNS, exported, folder_of, split, told
from activation.ui.rows import counters, iso, row

app = FastAPI(title="Activation", docs_url=None, redoc_url=None, openapi_url=None, dependencies=[Depends(get_user)])
"""What the plugin mounts. A mounted app inherits no guard of Airflow's: this one has its own."""

READS = Depends(requires_access_dag("GET"))
"""The right to read the DAG in the path."""


@app.get("/api/pipelines")
def pipelines(user: GetUserDep, session: SessionDep) -> Response:
    """All pipelines that the user may read."""
    rows, now = found(session), datetime.now(timezone.utc)
    may = rights(user, rows)
    shown = [row(one, _can(may, one.dag_id), now) for one in rows if one.dag_id in may.read]
    return _json({"at": iso(now), "counters": counters(shown), "pipelines": shown})


@app.get("/api/pipelines/{dag_id}", dependencies=[READS])
def pipeline(dag_id: str, user: GetUserDep, session: SessionDep, pipeline: str = "") -> Response:
    """One pipeline.

    :param pipeline: which one; needed where the DAG has several.
    """
    one = _one(session, dag_id, pipeline)
    shown = row(one, _can(rights(user, [one]), dag_id), datetime.now(timezone.utc))
    document, params = document_of(session, dag_id)
    plan, file = split(document)
    more = told(shown["pipeline"], runs_of(session, dag_id, RUNS))
    return _json({**shown, **more, "file": file, "plan": plan, "asset_id": one.asset_id, "params": params})


@app.get("/api/pipelines/{dag_id}/rejects.csv", dependencies=[READS])
def rejects(dag_id: str, session: SessionDep, run: str = "", pipeline: str = "") -> Response:
    """The rows that runs have rejected, with masked values.

    :param run: only this one's.
    :param pipeline: which one; needed where the DAG has several.
    """
    name = _one(session, dag_id, pipeline).asset.partition("/")[2]
    try:
        lines = exported(folder_of(name), run)
    except (ActivationError, OSError) as error:
        raise HTTPException(503, f"The state folder cannot be read here: {error}") from None
    headers = {"Content-Disposition": f'attachment; filename="{safe_name(name)}-rejects.csv"', "Cache-Control": "no-store"}
    return StreamingResponse(lines, media_type="text/csv; charset=utf-8", headers=headers)


@app.get("/static/{name}")
def static(name: str, request: Request) -> Response:
    """A file of the React app."""
    return served(name, request)


def _one(session: Any, dag_id: str, pipeline: str) -> Any:
    """A pipeline of a DAG.

    :raises HTTPException: 404 if there is none.
    """
    for one in found(session, dag_id):
        if pipeline in ("", one.asset.partition("/")[2]):
            return one
    raise HTTPException(404, f"The DAG {dag_id} has no pipeline{f' {pipeline}' if pipeline else ''}.")


def _can(may: Rights, dag_id: str) -> dict[str, bool]:
    return {"run": dag_id in may.run, "edit": dag_id in may.edit}


def _json(content: Any) -> Response:
    return Response(json.dumps(content, ensure_ascii=False), media_type="application/json", headers={"Cache-Control": "no-store"})
