"""The ways to export a table: ours, and Airflow's own operator with either of its data frames."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

from benchmarks.exporting.rows import COLUMNS, CURSOR, END, KEY, START
from benchmarks.ours import Store
from benchmarks.worker import Contestant

SOURCE, TARGET, BUCKET = "benchmark_source", "benchmark_bucket", "benchmark"
"""The two Airflow connections, and the bucket."""

OURS, PEERS = "ours", ("pandas", "polars")
FORMS = ("parquet", "csv")


def contestant(way: str, engine: str) -> Contestant:
    """Make what exports: it takes ``table``, the parts of the table's name, the ``form`` and the ``folder`` in the bucket, and
    gives the key of the ``manifest``; the others write none.

    :param way: ``ours``, or the data frames of ``SqlToS3Operator``.
    """
    return _ours(engine) if way == OURS else _theirs(way)


def _ours(engine: str) -> Contestant:
    from airflow.sdk import Context

    from activation.operators.s3_export import S3ExportOperator

    def export(table: list[str], form: str, folder: str) -> dict[str, Any]:
        operator = S3ExportOperator(
            task_id="export",
            pipeline_id="benchmark",
            source={"type": engine, "connection": SOURCE, "table": ".".join(table)},
            destination={
                "connection": TARGET,
                "path": f"s3://{BUCKET}/{folder}",
                "data": "event",
                "export": {"compat": "none"},  # these events are older than 30 days
                "files": {"format": form},
            },
            cursor={"column": CURSOR, "key": [KEY]},
            interval_start=START,
            interval_end=END,
        )
        context = {
            "run_id": "benchmark",
            "dag_run": SimpleNamespace(data_interval_start=None, data_interval_end=None),
            "ti": SimpleNamespace(try_number=1, dag_id="benchmark", task_id="export"),
            "asset_state_store": {operator.asset: Store()},
            "task_state_store": Store(),
            "outlet_events": {operator.asset: SimpleNamespace(extra={})},
        }
        report = operator.execute(cast(Context, context))
        (one,) = report["exports"]
        return {"manifest": one["manifest"]}

    return export


def _theirs(frame: str) -> Contestant:
    from airflow.providers.amazon.aws.transfers.sql_to_s3 import SqlToS3Operator

    def export(table: list[str], form: str, folder: str) -> dict[str, Any]:
        operator = SqlToS3Operator(
            task_id="export",
            # Without an order: nobody asks for one here, so the server need not sort.
            query=f"SELECT {', '.join(COLUMNS)} FROM {'.'.join(table)} WHERE {CURSOR} >= '{START}' AND {CURSOR} < '{END}'",
            s3_bucket=BUCKET,
            s3_key=f"{folder}/all",
            sql_conn_id=SOURCE,
            aws_conn_id=TARGET,
            replace=True,
            df_type=cast(Any, frame),
            file_format=cast(Any, form),
            df_kwargs=_options(frame, form),
        )
        operator.execute({})
        return {"manifest": None}

    return export


def _options(frame: str, form: str) -> dict[str, Any]:
    """No numbers of rows as a column of their own, and CSV compressed; everything else is as it comes."""
    index = {"index": False} if frame == "pandas" else {}
    return index | ({"compression": "gzip"} if form == "csv" else {})
