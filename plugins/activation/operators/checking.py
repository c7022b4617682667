"""The task ``check``: looks at source and destination of a pipeline before anything moves; ``activation check`` shares it."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperator
from airflow.sdk.exceptions import AirflowFailException
from typing_extensions import Self

from activation.errors import ConfigurationError, TransientError
from activation.operators.base import told_to_airflow
from activation.spec import Destination, KakaoDestination, KinesisDestination, Pipeline, S3Destination
from activation.spec.blocks import pipeline_of
from activation.spec.expressions import has_jinja

if TYPE_CHECKING:
    from airflow.sdk import Context

    from activation.findings import Finding

log = logging.getLogger(__name__)

FINDINGS = "findings"
"""The XCom key of what a check has found."""


class PipelineCheckOperator(BaseOperator):
    """Checks a pipeline and moves nothing.

    :param pipeline_id: names the pipeline in messages.
    :param source: the block of that name (templated).
    :param destination: the block of that name (templated).
    :param blocks: the other blocks of the pipeline.
    :returns: the findings, as XCom: ``[{"check": …, "verdict": "ok" | "skipped", "text": …}]``.
    :raises AirflowFailException: if something is wrong that a person must put right.
    :raises TransientError: if all that is wrong may pass; Airflow retries the task.
    """

    template_fields: Sequence[str] = ("source", "destination")
    template_fields_renderers = {"source": "json", "destination": "json"}  # noqa: RUF012 - Airflow's own way
    ui_color = "#f3f4f6"

    def __init__(
        self,
        *,
        pipeline_id: str,
        source: Mapping[str, Any],
        destination: Mapping[str, Any],
        blocks: Mapping[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.pipeline_id = pipeline_id
        self.source = dict(source)
        self.destination = dict(destination)
        self.blocks = dict(blocks or {})

    @classmethod
    def of(cls, pipeline: Pipeline, **kwargs: Any) -> Self:
        """The operator that checks a pipeline.

        :param kwargs: of every operator.
        """
        blocks = pipeline.model_dump(mode="json", exclude_unset=True)
        source, destination = blocks.pop("source"), blocks.pop("destination")
        return cls(pipeline_id=blocks.pop("id"), source=source, destination=destination, blocks=blocks, **kwargs)

    def execute(self, context: Context) -> list[dict[str, str]]:
        """Check, and tell everything that is wrong at once."""
        with told_to_airflow():
            named = {"id": self.pipeline_id, "source": self.source, "destination": self.destination}
            pipeline = pipeline_of({**self.blocks, **named}, name=f"Pipeline {self.pipeline_id}")
            return checked(pipeline, context)


def checked(pipeline: Pipeline, context: Context) -> list[dict[str, str]]:
    """Look at source and destination, and keep what was found as the XCom :data:`FINDINGS`, whether something is wrong or not.

    :param pipeline: with rendered templates.
    :returns: the findings: ``[{"check": …, "verdict": "ok" | "skipped", "text": …}]``.
    :raises AirflowFailException: if something is wrong that a person must put right.
    :raises TransientError: if all that is wrong may pass; Airflow retries the task.
    """
    from activation.findings import Verdict
    from activation.operators.source import tag_of

    found = list(_findings(pipeline, tag_of(context)))
    wrong = [one for one in found if one.verdict is Verdict.WRONG]
    for one in found:
        log.log(logging.ERROR if one in wrong else logging.INFO, "%s %s: %s", one.verdict.value, one.name, one.text)
    told = [{"check": one.name, "verdict": one.verdict.value.lower(), "text": one.text} for one in found]
    context["ti"].xcom_push(key=FINDINGS, value=told)
    if wrong:
        text = "\n".join(f"{one.name}: {one.text}" for one in wrong)
        raise TransientError(text) if all(one.passing for one in wrong) else AirflowFailException(text)
    return told


def _findings(pipeline: Pipeline, tag: Mapping[str, str]) -> Iterator[Finding]:
    yield from source_findings(pipeline, tag)
    yield from destination_findings(pipeline.destination, f"task check of {pipeline.id}")


def source_findings(pipeline: Pipeline, tag: Mapping[str, str]) -> Iterator[Finding]:
    """Check that the warehouse can be opened, and that what is read has the column by which rows are chosen.

    :param pipeline: with rendered templates.
    :param tag: who checks, for the warehouse's query history.
    """
    from activation.findings import Check, Finding, Verdict, examine
    from activation.operators.source import opened, relation_of
    from activation.records.layout import column_named
    from activation.warehouses.base import Warehouse, named

    source, to = pipeline.source, pipeline.destination
    held: list[Warehouse] = []

    def opens() -> str:
        held.append(opened(source, tag))
        return f"{source.type} opens by the connection {source.connection}"

    def columns() -> str:
        relation = relation_of(source)
        found = held[0].columns(relation)
        wanted = to.ids.column if isinstance(to, KakaoDestination) else pipeline.cursor.column
        column = column_named(named(relation), found, wanted)
        return f"{named(relation)} has {len(found)} columns, {column.name} ({column.type}) among them"

    (first,) = examine([Check("source", opens)])
    yield first
    if first.verdict is not Verdict.OK:
        yield Finding(Verdict.SKIPPED, "table", "the source does not open")
        return
    with closing(held[0]):
        yield from examine([Check("table", columns)])


def destination_findings(to: Destination, owner: str) -> Iterator[Finding]:
    """Check the way into a destination, as a run does before it sends anything.

    :param to: with rendered templates.
    :param owner: who checks; names the small object that is written into a bucket and taken away again.
    :raises ConfigurationError: if there is no such connection, or it is still a template.
    """
    from activation.hooks.checks import Wanted, check_connection

    if isinstance(to, KinesisDestination):
        return _into_stream(to)
    if isinstance(to, KakaoDestination):
        return _into_account(to)
    if isinstance(to, S3Destination):
        return _into_bucket(to, owner)
    return check_connection(to.connection, Wanted())


def _into_bucket(to: S3Destination, owner: str) -> Iterator[Finding]:
    from activation.destinations.s3.checks import Place
    from activation.hooks.checks import check_export
    from activation.operators.ways import export_encryption

    return check_export(to.connection, to.access, Place(*to.place, export_encryption(to), owner))


def _into_stream(to: KinesisDestination) -> Iterator[Finding]:
    from activation.destinations.kinesis.checks import check
    from activation.operators.ways import stream_hook, stream_needs

    return check(stream_hook(to).access(), stream_needs(to))


def _into_account(to: KakaoDestination) -> Iterator[Finding]:
    from activation.destinations.kakao_moment.checks import check
    from activation.findings import Finding, Verdict
    from activation.hooks.kakao_moment import KakaoMomentHook

    if to.output.to == "folder":
        return iter([Finding(Verdict.SKIPPED, "destination", "the files go to a folder, for which Kakao is not asked")])
    hook = KakaoMomentHook(to.connection, ad_account_id=to.ad_account_id, api=to.output.api)
    name = None if has_jinja(to.file_name) else to.file_name
    return check(hook.get_conn, mode=to.mode, name=name, number=to.file.id)


def refuse_templates(pipeline: Pipeline) -> None:
    """Refuse a destination that Airflow still has to fill in.

    :raises ConfigurationError: if its connection or place is a template.
    """
    to = pipeline.destination
    path = to.path if isinstance(to, S3Destination) else ""
    stream = to.stream.name if isinstance(to, KinesisDestination) else ""
    for name, text in (("connection", to.connection), ("path", path), ("stream", stream)):
        if has_jinja(text):
            raise ConfigurationError(
                f"The destination.{name} of {pipeline.id} is a template, which Airflow fills in when a task runs.",
                "Check a copy of the file in which it is written out.",
            )
