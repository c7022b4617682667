"""What a run has read and written, for OpenLineage: datasets named by its conventions, with counts of rows and bytes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from airflow.sdk.exceptions import AirflowException

from activation.errors import ActivationError
from activation.operators.orders import MOVED_NOTHING
from activation.spec import BrazeDestination, Destination, KakaoDestination, KinesisDestination, Pipeline, S3Destination, Source

if TYPE_CHECKING:
    from airflow.providers.openlineage.extractors import OperatorLineage
    from airflow.sdk import Connection

Named = tuple[str, str]
"""Namespace and name of a dataset."""


def lineage_of(pipeline: Pipeline, report: Mapping[str, Any] | None) -> OperatorLineage[Any, Any] | None:
    """What OpenLineage is told of a task that has ended.

    :param pipeline: with rendered templates.
    :param report: the run's; without one, or if it moved nothing, there are no datasets.
    :returns: ``None`` if OpenLineage is not installed.
    """
    try:
        from airflow.providers.openlineage.extractors import OperatorLineage
        from openlineage.client.generated.base import InputDataset, OutputDataset
        from openlineage.client.generated.input_statistics_input_dataset import InputStatisticsInputDatasetFacet
        from openlineage.client.generated.output_statistics_output_dataset import OutputStatisticsOutputDatasetFacet
        from openlineage.client.generated.sql_job import SQLJobFacet
    except ImportError:
        return None
    if report is None or report.get("status") in MOVED_NOTHING:
        return OperatorLineage()
    rows, source, to = report["rows"], pipeline.source, pipeline.destination
    read = InputStatisticsInputDatasetFacet(rowCount=rows["read"])
    written = OutputStatisticsOutputDatasetFacet(rowCount=rows["sent"], size=report.get("bytes"))
    found, reached = source_name(source), destination_name(to)
    return OperatorLineage(
        inputs=[InputDataset(*found, inputFacets={"inputStatistics": read})] if found else [],
        outputs=[OutputDataset(*reached, outputFacets={"outputStatistics": written})] if reached else [],
        job_facets={"sql": SQLJobFacet(query=source.query)} if source.query else {},
    )


def source_name(source: Source) -> Named | None:
    """The dataset of the table that is read; ``None`` for a query, or if its connection does not say where it is."""
    from activation.hooks.connections import find_connection

    if source.table is None:
        return None
    with suppress(ActivationError, AirflowException):
        parts = source.table_parts()
        return _SOURCES[source.type](find_connection(source.connection), parts)
    return None


def destination_name(to: Destination) -> Named | None:
    """The dataset that is written; ``None`` if nothing says where it is."""
    if isinstance(to, S3Destination):
        bucket, folder = to.place
        return f"s3://{bucket}", folder.strip("/") or "/"
    if isinstance(to, KinesisDestination):
        region, _, name = to.stream.place
        return f"kinesis://{region or to.connection}", name
    if isinstance(to, KakaoDestination):
        return _kakao(to)
    return _braze(to) if isinstance(to, BrazeDestination) else None


def _braze(to: BrazeDestination) -> Named | None:
    from activation.hooks.braze import BrazeHook

    with suppress(ActivationError, AirflowException):
        host = urlsplit(BrazeHook(to.connection).get_conn().url).netloc
        return f"braze://{host}", f"{to.data}/{to.catalog.name}" if to.catalog else to.data
    return None


def _kakao(to: KakaoDestination) -> Named:
    if to.output.to == "api":
        return f"kakao_moment://{to.ad_account_id}", to.file_name
    scheme, found, rest = (to.output.path or "").partition("://")
    bucket, _, folder = rest.rpartition("@")[2].partition("/")
    return (f"{scheme}://{bucket}" if bucket else "file", folder.strip("/") or "/") if found else ("file", scheme)


def _duckdb(connection: Connection, parts: tuple[str, ...]) -> Named:
    """OpenLineage has no name for DuckDB: the connection stands for the file."""
    return f"duckdb://{connection.conn_id}", ".".join(parts)


def _postgres(connection: Connection, parts: tuple[str, ...]) -> Named:
    host, port = connection.host or "localhost", connection.port or 5432
    return f"postgres://{host}:{port}", _full(parts, connection.schema or "postgres", "public")


def _redshift(connection: Connection, parts: tuple[str, ...]) -> Named:
    host = connection.host or str(connection.extra_dejson.get("cluster_identifier") or "")
    labels = host.split(".")
    place = f"{labels[0]}.{labels[2]}" if host.endswith(".amazonaws.com") and len(labels) > 3 else host
    return f"redshift://{place}:{connection.port or 5439}", _full(parts, connection.schema or "dev", "public")


def _snowflake(connection: Connection, parts: tuple[str, ...]) -> Named:
    extra = connection.extra_dejson
    account = str(_extra(extra, "account"))
    with suppress(ImportError):
        from airflow.providers.snowflake.utils.openlineage import fix_account_name

        account = fix_account_name(account)
    return f"snowflake://{account}", _full(parts, str(_extra(extra, "database")), connection.schema or "PUBLIC")


def _bigquery(connection: Connection, parts: tuple[str, ...]) -> Named | None:
    project = str(_extra(connection.extra_dejson, "project", "google_cloud_platform"))
    return ("bigquery", _full(parts, project, "")) if project or len(parts) == 3 else None


def _databricks(connection: Connection, parts: tuple[str, ...]) -> Named:
    catalog = str(connection.extra_dejson.get("catalog") or "hive_metastore")
    return f"databricks://{(connection.host or '').removeprefix('https://').strip('/')}", _full(parts, catalog, "default")


_SOURCES: Mapping[str, Callable[[Connection, tuple[str, ...]], Named | None]] = {
    "duckdb": _duckdb,
    "postgres": _postgres,
    "redshift": _redshift,
    "snowflake": _snowflake,
    "bigquery": _bigquery,
    "databricks": _databricks,
}
"""``source.type`` -> how OpenLineage calls a table there (its naming conventions)."""


def _full(parts: tuple[str, ...], database: str, schema: str) -> str:
    """``database.schema.table``; what the name leaves out is the connection's."""
    return ".".join((*(database, schema)[: 3 - len(parts)], *parts))


def _extra(extra: Mapping[str, Any], name: str, prefix: str = "snowflake") -> Any:
    """An extra field, by its name of today or by the one that old connections have."""
    return extra.get(name) or extra.get(f"extra__{prefix}__{name}") or ""
