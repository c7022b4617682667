"""What Airflow shows beside a DAG: what the pipeline does, its plan, and the file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from activation.spec import Pipeline
from activation.spec.files import DEFAULTS
from activation.spec.problems import SourceText

MOST = 8_000
"""Characters of a file that are shown; a longer one is cut."""

_FENCE = "~~~~"


def document(pipeline: Pipeline, lines: Sequence[str], texts: Sequence[SourceText] = ()) -> str:
    """The Markdown beside a DAG.

    :param lines: what the pipeline does, in the words of its kind.
    :param texts: what the pipeline was read from, from the text on top down to the outermost defaults.
    """
    about = f"**{pipeline.description}**\n" if pipeline.description else ""
    return "\n".join((about, *lines, "", "### Plan\n", *_plan(pipeline), *_files(texts)))


def _plan(pipeline: Pipeline) -> Iterator[str]:
    errors, task = pipeline.errors, pipeline.task
    yield f"* Runs {_schedule(pipeline.schedule)}."
    most = "" if errors.max_rows is None else f" A window of more than {errors.max_rows:,} rows is not sent."
    yield f"* A try that fails is repeated {errors.retries} times, {errors.retry_delay} apart.{most}"
    if errors.timeout or errors.stop_after:
        ends = f"A try ends after {errors.timeout}. " if errors.timeout else ""
        stops = f"After {errors.stop_after} failed runs in a row the DAG is paused." if errors.stop_after else ""
        yield f"* {ends}{stops}".rstrip()
    if task.pool:
        yield f"* It waits for {task.pool_slots} of the pool `{task.pool}`."
    yield f"* {_told(pipeline)}"
    yield f"* What it remembers lies in the folder `{pipeline.id}` of `[activation] state_folder`, and in the asset's state."


def _schedule(said: str | None) -> str:
    if said is None:
        return "when somebody starts it"
    return said if said.startswith(("after ", "continuous", "once")) else f"at `{said}`"


def _told(pipeline: Pipeline) -> str:
    """Who is told of failures. The names of people and connections are the file's own."""
    alerts = pipeline.alerts
    who = [*getattr(alerts, "email", ()), *(f"`{one}`" for one in getattr(alerts, "notify", ()))]
    return f"{', '.join(who)} is told of failures." if who else "Nobody is told of failures."


def _files(texts: Sequence[SourceText]) -> Iterator[str]:
    """The pipeline's own file, and the overlay on it, as they are but for secrets; defaults are named."""
    names = [Path(text.name).name for text in texts]
    defaults = [f"`{name}`" for name in names if name.startswith(DEFAULTS)]
    for text, name in zip(texts, names, strict=True):
        if name.startswith(DEFAULTS):
            continue
        shown = "\n".join(text.lines).replace(_FENCE, "~~~").rstrip()
        if len(shown) > MOST:
            shown = f"{shown[:MOST].rpartition(chr(10))[0]}\n# … {len(shown) - MOST:,} more characters"
        yield f"\n### `{name}`\n\n{_FENCE}yaml\n{shown}\n{_FENCE}"
    if defaults:
        yield f"\nUnder it lie {' and '.join(defaults)}."
