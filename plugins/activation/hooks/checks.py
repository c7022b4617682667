"""What ``activation check`` looks at, by the type of the connection. A new destination is one line here and its function."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING

from activation.errors import ActivationError, ConfigurationError
from activation.findings import Check, Finding, Verdict, Wrong, examine
from activation.hooks.connections import HOOKS, find_connection, open_source

if TYPE_CHECKING:
    from activation.destinations.s3.checks import Place
    from activation.records.layout import Layout
    from activation.spec.s3 import S3Access
    from activation.warehouses.base import Warehouse

TAG = {"dag": "activation-check", "task": "check", "run": "by-hand"}
"""How the statements of a check are called in the warehouse's query history."""

ENGINES = {
    "duckdb": "duckdb",
    "postgres": "postgres",
    "snowflake": "snowflake",
    "redshift": "redshift",
    "gcpbigquery": "bigquery",
    "google_cloud_platform": "bigquery",
    "databricks": "databricks",
}
"""Type of an Airflow connection -> source type that reads it."""

AWS = "aws"
"""Type of the connections that exports use."""

OTHERS = {
    "braze": "activation.hooks.checks:check_braze",
    "kakao_moment": "activation.hooks.checks:check_kakao",
}
"""Type of an Airflow connection that is no source -> ``module:function`` that takes its id and gives findings."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to check of a source.

    :ivar engine: the source type; empty takes the connection's type.
    :ivar table: the unquoted parts of a table's name; empty checks no table.
    :ivar data: what a row of the table is, a key of :data:`activation.destinations.braze.kinds.KINDS`: which columns it needs.
    :ivar cursor: the cursor column of the table.
    :ivar timeout: seconds after which the warehouse stops a statement.
    :ivar slow: whether to wait for a statement to be stopped.
    """

    engine: str = ""
    table: tuple[str, ...] = ()
    data: str = "attributes"
    cursor: str = "UPDATED_AT"
    timeout: float = 60
    slow: bool = False


def check_connection(conn_id: str, wanted: Wanted) -> Iterator[Finding]:
    """Check a connection, one finding after the other.

    :raises ConfigurationError: if there is no such connection, or nothing that knows its type.
    """
    from activation.destinations.braze.kinds import KINDS

    kind = find_connection(conn_id).conn_type
    if not wanted.engine and kind == AWS:
        raise ConfigurationError(
            f"The connection {conn_id!r} is one to AWS: it does not say which bucket or stream it is for, nor whose role.",
            "Name a pipeline that uses it: activation check PIPELINE.",
        )
    if not wanted.engine and kind in OTHERS:
        if wanted != Wanted():
            raise ConfigurationError(
                f"The connection {conn_id!r} is no warehouse.", "Leave out --table, --data, --cursor, --timeout and --slow."
            )
        module, _, name = OTHERS[kind].partition(":")
        check: Callable[[str], Iterator[Finding]] = getattr(import_module(module), name)
        return check(conn_id)
    if wanted.data not in KINDS:
        raise ConfigurationError(f"There is no data {wanted.data!r}.", f"Choose one of {', '.join(KINDS)}.")
    if wanted.engine and wanted.engine not in HOOKS:
        raise ConfigurationError(f"There is no engine {wanted.engine!r}.", f"Choose one of {', '.join(HOOKS)}.")
    engine = wanted.engine or ENGINES.get(kind or "", "")
    if engine not in HOOKS:
        raise ConfigurationError(
            f"The connection {conn_id!r} has the type {kind!r}, which nothing here can check.",
            f"Choose a connection of one of these types: {', '.join(sorted({*ENGINES, *OTHERS}))}; or name the engine by --type.",
        )
    return _check_source(conn_id, engine, wanted)


def check_braze(conn_id: str) -> Iterator[Finding]:
    """Ask Braze, as the button Test of the connection does."""
    from activation.hooks.braze import BrazeHook

    return examine([Check("connection", BrazeHook(conn_id).ask)])


def check_kakao(conn_id: str) -> Iterator[Finding]:
    """Ask Kakao, as the button Test of the connection does."""
    from activation.hooks.kakao_moment import KakaoMomentHook

    return _tested(KakaoMomentHook(conn_id).test_connection)


def _tested(test: Callable[[], tuple[bool, str]]) -> Iterator[Finding]:
    def ask() -> str:
        good, text = test()
        if not good:
            raise Wrong(text)
        return text

    return examine([Check("connection", ask)])


def check_export(conn_id: str, access: S3Access, place: Place) -> Iterator[Finding]:
    """Check the way into a partner's bucket, as an export does before its first byte; the last finding is the wrong one.

    :param conn_id: the connection with the exporter's own credentials.
    :param access: the role and where its bucket is, by the pipeline.
    """
    from activation.destinations.s3.checks import check
    from activation.hooks.s3_export import S3ExportHook

    hook = S3ExportHook(conn_id, role_arn=access.role_arn, external_id=access.external_id, region_name=access.region)
    yield from check(hook.access(), place)


def _check_source(conn_id: str, engine: str, wanted: Wanted) -> Iterator[Finding]:
    from activation.warehouses.checks import SAMPLES, control_checks, row_checks, table_checks, type_checks

    def reopen(timeout: float) -> Warehouse:
        return open_source(engine, conn_id, tag=TAG, timeout=timeout)

    began = time.monotonic()
    try:
        warehouse = reopen(wanted.timeout)
    except ActivationError as error:
        yield Finding(Verdict.WRONG, "connection", str(error))
        return
    with closing(warehouse):
        yield Finding(Verdict.OK, "connection", f"{engine} opened in {time.monotonic() - began:.1f} s")
        samples = SAMPLES[engine]
        yield from examine(row_checks(warehouse, samples))
        yield from examine(type_checks(warehouse, samples))
        if wanted.table:
            layout: list[Layout] = []
            yield from examine([Check("columns", lambda: _bind(warehouse, wanted, layout))])
            for found in layout:
                yield from examine(table_checks(warehouse, found.extract))
        yield from examine(control_checks(warehouse, samples, reopen if wanted.slow else None))


def _bind(warehouse: Warehouse, wanted: Wanted, found: list[Layout]) -> str:
    from activation.destinations.braze.kinds import KINDS
    from activation.records.layout import bind

    shape = KINDS[wanted.data].shape
    layout = bind(wanted.table, warehouse.columns(wanted.table), cursor=wanted.cursor, shape=shape)
    found.append(layout)
    extract = layout.extract
    roles = ", ".join(f"{role} {name}" for role, name in layout.roles.items())
    return f"cursor {extract.cursor.name} ({extract.cursor.type}), {roles}"
