"""The part of a DAG that belongs to customer files of Kakao Moment."""

from __future__ import annotations

from typing import Any

from airflow.sdk import BaseOperator

from activation.dags.forms import dry_run, mode
from activation.dags.frame import Frame
from activation.dags.schedules import plain_schedule
from activation.operators.kakao_customer_file import KakaoCustomerFileOperator
from activation.operators.orders import FILE_MODES
from activation.spec import KakaoDestination, Pipeline

KAKAO_FORM = {
    "mode": mode(
        FILE_MODES,
        "run: makes the files. preview: reads and cleans the ids, and shows which files a run would make. "
        "check: looks at source and ad account.",
    ),
    "dry_run": dry_run("The same as mode preview."),
}
"""The trigger form."""


def kakao_schedule(pipeline: Pipeline, to: KakaoDestination) -> dict[str, Any]:
    """Arguments of the DAG that say when it runs."""
    return plain_schedule(pipeline)


def kakao_task(frame: Frame, pipeline: Pipeline, to: KakaoDestination) -> BaseOperator:
    """Add the task; gives the first one, if there are several."""
    return KakaoCustomerFileOperator(
        task_id="upload",
        pipeline_id=pipeline.id,
        source=pipeline.source.model_dump(mode="json"),
        destination=to.model_dump(mode="json"),
        columns=pipeline.columns.model_dump(mode="json", exclude_unset=True),
        order=frame.order,
        max_reject_share=pipeline.errors.max_reject_share,
        max_rows=pipeline.errors.max_rows,
        **frame.work,
    )


def kakao_document(pipeline: Pipeline, to: KakaoDestination) -> tuple[str, ...]:
    """What Airflow shows beside the DAG, line by line."""
    source, output = pipeline.source, to.output
    what = "Registers" if to.mode == "register" else "Replaces the content of"
    where = f"(connection `{to.connection}`)" if output.to == "api" else f"as CSV files in `{output.path}`"
    ends = "until they are ready" if output.wait.until == "ready" else "until they are uploaded"
    return (
        f"{what} the customer file `{to.file_name}` of the Kakao Moment ad account {to.ad_account_id} {where} with the "
        f"advertising ids of `{source.name}` ({source.type}, connection `{source.connection}`, column `{to.ids.column}`).\n",
        f"* More ids than one file takes: `{to.over_limit}`.",
        f"* A run lasts {ends}." if output.to == "api" else "* Somebody uploads the files by hand.",
        "* The report of a run is the XCom of its task `upload`; rejected rows are kept in the state folder.",
    )
