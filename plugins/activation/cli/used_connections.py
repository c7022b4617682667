"""The Airflow connections that pipelines name: are they there, and of the needed type? Nothing that they hold is shown."""

from __future__ import annotations

import os
from collections.abc import Iterator
from difflib import get_close_matches
from functools import cache
from typing import TYPE_CHECKING

from activation.errors import ConfigurationError

if TYPE_CHECKING:
    from activation.spec import Pipeline
    from activation.spec.values import Route

MAIL = ("smtp",)
"""Types of connections to mail servers."""

ANY = ("", "generic")
"""Types that say nothing of what the connection is for."""

_PREFIX = "AIRFLOW_CONN_"

Wrong = tuple["Route", str, str]
"""The place in the file, what is wrong as the end of a sentence, and the fix."""


def wrong_connections(pipeline: Pipeline) -> Iterator[Wrong]:
    """Look up every connection that a pipeline names; those that Airflow only knows once it has rendered a template are not.

    :raises ConfigurationError: if Airflow cannot tell whether a connection is there.
    """
    from activation.spec.expressions import has_jinja

    for route, conn_id, types in _uses(pipeline):
        if has_jinja(conn_id):
            continue
        kind = _type_of(conn_id)
        if kind is None:
            yield route, f"names the connection {conn_id!r}, which Airflow does not know", _unknown(conn_id)
        elif types and kind not in (*types, *ANY):
            needed = " or ".join(types)
            problem = f"names the connection {conn_id!r}, which is of type {kind}, but one of type {needed} is needed"
            yield route, problem, _other_type(kind, route)


def _uses(pipeline: Pipeline) -> Iterator[tuple[Route, str, tuple[str, ...]]]:
    """Place, id and possible types of each connection; no types: any will do."""
    from activation.hooks.checks import AWS, ENGINES, OTHERS
    from activation.spec import KakaoDestination

    source, to, alerts = pipeline.source, pipeline.destination, pipeline.alerts
    yield ("source", "connection"), source.connection, tuple(kind for kind, engine in ENGINES.items() if engine == source.type)
    if isinstance(to, KakaoDestination) and to.output.to == "folder":
        scheme, _, rest = (to.output.path or "").partition("://")
        if scheme != "file" and "@" in rest.partition("/")[0]:
            yield ("destination", "output", "path"), rest.partition("@")[0], ()
    else:
        yield ("destination", "connection"), to.connection, (to.type,) if to.type in OTHERS else (AWS,)
    if alerts.email:
        yield ("alerts", "connection"), alerts.connection, MAIL
    for index, conn_id in enumerate(alerts.notify):
        yield ("alerts", "notify", index), conn_id, ()


@cache
def _type_of(conn_id: str) -> str | None:
    """The type of a connection; ``None`` if there is none of that id.

    :raises ConfigurationError: if it is not found, but Airflow's database cannot be asked.
    """
    from activation.cli.metadata_db import database
    from activation.hooks.connections import find_connection

    with database("Give the connections as environment variables AIRFLOW_CONN_… instead"):
        try:
            return find_connection(conn_id).conn_type or ""
        except ConfigurationError:
            _stored()
            return None


def _unknown(conn_id: str) -> str:
    given = {name.removeprefix(_PREFIX).lower() for name in os.environ if name.startswith(_PREFIX)}
    near = get_close_matches(conn_id, sorted({*given, *_stored()}), 1)
    hint = f"Did you mean {near[0]}? " if near else ""
    return f"{hint}Create it under Admin › Connections or as {_PREFIX}{conn_id.upper()}, or correct the name."


def _other_type(kind: str, route: Route) -> str:
    from activation.hooks.checks import ENGINES

    fix = "Name a connection of that type"
    if route[0] == "source" and kind in ENGINES:
        return f"{fix}, or write type: {ENGINES[kind]}."
    return f"{fix}, or change the connection's type in Airflow."


@cache
def _stored() -> tuple[str, ...]:
    """The ids of the connections in Airflow's database."""
    from airflow.models.connection import Connection
    from airflow.utils.session import create_session
    from sqlalchemy import select

    with create_session() as session:
        return tuple(session.scalars(select(Connection.conn_id)))
