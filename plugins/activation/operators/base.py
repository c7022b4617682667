"""What all operators have in common, whatever they move: the blocks of a pipeline, its asset, and how errors reach Airflow."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from airflow.sdk import BaseOperator
from airflow.sdk.exceptions import AirflowFailException

from activation.errors import ConfigurationError, FatalError, TransientError
from activation.operators.assets import read_from, written_to
from activation.operators.facts import EXTRA, facts_of, more_facts
from activation.operators.links import LINKS
from activation.operators.memory import asset_of
from activation.operators.orders import CHECKED, LOOKED
from activation.spec import Pipeline
from activation.spec.blocks import pipeline_of

if TYPE_CHECKING:
    from airflow.providers.openlineage.extractors import OperatorLineage
    from airflow.sdk import Context

OPERATORS = {
    "braze": "WarehouseIncrementalImportOperator",
    "kakao_moment": "KakaoCustomerFileOperator",
    "kinesis": "KinesisProfileStreamOperator",
    "s3": "S3ExportOperator",
}
"""``destination.type`` -> the operator that serves it."""


class Try(Protocol):
    """One try of a run, while it is on its way."""

    def stop(self) -> None:
        """Let what is in flight finish, keep the progress and end; from any thread or signal handler."""


class PipelineOperator(BaseOperator):
    """Runs one pipeline. The blocks have the grammar of a pipeline file; those of :attr:`template_fields` are templated.

    :param pipeline_id: names the state of the pipeline, its asset ``activation/<pipeline_id>`` and its folder; two tasks with one
        id would share a watermark. The asset is the task's outlet, beside what is written; its inlet is the table.
    :param source: ``{"type": "duckdb" | "postgres" | …, "connection": …, "table": …}``.
    :param destination: ``{"type": …, "connection": …, …}``; the type may be left out.
    :raises ConfigurationError: if a block is wrong; names the field, what is allowed and the fix.
    """

    template_fields: Sequence[str] = ("source", "destination", "order")
    template_fields_renderers = {"source": "json", "destination": "json", "order": "json"}  # noqa: RUF012 - Airflow's own way
    operator_extra_links = LINKS
    takes: ClassVar[str]
    """The ``destination.type`` that the operator serves."""

    def __init__(self, *, pipeline_id: str, source: Mapping[str, Any], destination: Mapping[str, Any], **kwargs: Any) -> None:
        self.asset = asset_of(pipeline_id, **{EXTRA: facts_of(pipeline_id, self.takes, source, destination)})
        kwargs["inlets"] = [*kwargs.get("inlets", ()), *read_from(source)]
        kwargs["outlets"] = [*kwargs.get("outlets", ()), self.asset, *written_to(self.takes, destination)]
        super().__init__(**kwargs)
        self.pipeline_id = pipeline_id
        self.source = dict(source)
        self.destination = dict(destination)
        self.report: dict[str, Any] | None = None
        """The report of the run, once it has ended."""
        self._try: Try | None = None

    def pipeline(self) -> Pipeline:
        """The blocks as one validated pipeline; once Airflow has rendered the templates, the rendered one.

        :raises ConfigurationError: if a block is wrong; names the field, what is allowed and the fix.
        """
        kind = self.destination.get("type", self.takes)
        if kind != self.takes and kind in OPERATORS:
            raise ConfigurationError(
                f"Pipeline {self.pipeline_id}: {type(self).__name__} does not serve destinations of type {kind}.",
                f"Use {OPERATORS[kind]}.",
            )
        blocks = {
            "id": self.pipeline_id,
            "source": self.source,
            "destination": {"type": self.takes, **self.destination},
            **self._blocks(),
        }
        return pipeline_of(blocks, name=f"Pipeline {self.pipeline_id}")

    def describe(self, pipeline: Pipeline) -> None:
        """Let the asset tell what only the whole pipeline knows; see :mod:`activation.operators.facts`."""
        facts: Any = self.asset.extra[EXTRA]
        facts.update(more_facts(pipeline))

    @abstractmethod
    def _blocks(self) -> dict[str, Any]:
        """The blocks beside source and destination."""

    def _checked(self, context: Context) -> dict[str, Any]:
        """Look at source and destination, and move nothing; gives the report.

        :raises AirflowFailException: if something is wrong. Nothing is tried again: somebody waits for the answer.
        """
        from activation.operators.checking import checked

        try:
            findings = checked(self.pipeline(), context)
        except TransientError as error:
            raise AirflowFailException(str(error)) from None
        return {"status": CHECKED, "findings": findings}

    def _ended(self, report: dict[str, Any], context: Context, **extra: Any) -> dict[str, Any]:
        """Keep the report for the task's links and its lineage, and say in the asset's event what the run has moved."""
        self.report = report
        if report["status"] not in LOOKED:
            context["outlet_events"][self.asset].extra = extra
        return report

    def get_openlineage_facets_on_complete(self, task_instance: Any) -> OperatorLineage[Any, Any] | None:
        """What OpenLineage is told once the task has ended; the provider calls it, if it is installed."""
        from activation.operators.lineage import lineage_of

        return lineage_of(self.pipeline(), self.report)

    def on_kill(self) -> None:
        """Let what is in flight finish, keep the progress and end; Airflow calls it when it wants the task to stop."""
        if self._try is not None:
            self._try.stop()


@contextmanager
def told_to_airflow() -> Iterator[None]:
    """Let Airflow know which errors no retry can mend.

    :raises AirflowFailException: instead of a :class:`ConfigurationError` or a :class:`FatalError`.
    """
    try:
        yield
    except (ConfigurationError, FatalError) as error:
        raise AirflowFailException(str(error)) from None
