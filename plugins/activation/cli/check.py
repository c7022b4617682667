"""Check a connection or a pipeline on the real service.

CONNECTION is the id of an Airflow connection: of a warehouse, or of Braze. Of a warehouse it checks what a local stand-in
cannot show: the clock, every type that can be the cursor, exact texts, the order of keys, missing values, the edges of a window,
going on behind any row, a preview, and that a statement can be cancelled. It reads literals only. With --table it also counts
that table and shows the form of its first rows, without their values.

PIPELINE is a pipeline file, or the id of a pipeline in the folder dags/pipelines. What exports to S3 is checked as an export does
it before its first byte, up to the first thing that is wrong: the role, that it is refused without its external id, region and
bucket, folder, encryption. For that one small object is written into the folder and taken away again. What goes to Kinesis is
checked as a run does it before its first record: the role likewise, the stream, the right to write, the shards, the key; nothing
is written to a stream of AWS. Of what goes to Kakao the token, the ad account, the room for files and the name are checked. Of
any other pipeline the connection of the destination is checked. If a connection and a pipeline share a name, write the path of
the file.

Exit code: 0 if nothing is wrong, 1 if something is, 2 if there is no such connection or pipeline, or it cannot be checked.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from activation.cli.pipelines import file_of, pipeline_in
from activation.cli.validate import DEFAULT
from activation.errors import ConfigurationError

if TYPE_CHECKING:
    from activation.findings import Finding
    from activation.hooks.checks import Wanted
    from activation.spec import Pipeline


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("subject", metavar="PIPELINE|CONNECTION", help="a pipeline's file or id, or the id of a connection")
    parser.add_argument("--type", default="", metavar="ENGINE", help="the source type, if the connection's type is another one")
    parser.add_argument("--table", metavar="SCHEMA.TABLE", help="also look at this table or view")
    parser.add_argument("--data", default="attributes", metavar="DATA", help="what its rows are (default: attributes)")
    parser.add_argument("--cursor", default="UPDATED_AT", metavar="COLUMN", help="its cursor column (default: UPDATED_AT)")
    parser.add_argument("--timeout", default="60s", metavar="TIME", help="most that one statement may take (default: 60s)")
    parser.add_argument("--slow", action="store_true", help="also wait until the warehouse stops a statement by itself")


def run(arguments: argparse.Namespace) -> int:
    """Check and print; see the module's text for the exit code.

    :raises ConfigurationError: if there is no such connection or pipeline, or an option is wrong.
    """
    from activation.findings import Verdict
    from activation.hooks.checks import Wanted
    from activation.spec import TableName

    table = TableName(arguments.table).parts if arguments.table else ()
    wanted = Wanted(arguments.type, table, arguments.data, arguments.cursor, _seconds(arguments.timeout), arguments.slow)
    began = time.monotonic()
    counts = dict.fromkeys(Verdict, 0)
    for finding in _findings(arguments.subject, wanted):
        counts[finding.verdict] += 1
        print(f"{finding.verdict.value:<8} {finding.name}: {' '.join(finding.text.split())}", flush=True)
    summary = ", ".join(f"{count} {verdict.value}" for verdict, count in counts.items())
    print(f"{summary} in {time.monotonic() - began:.1f} s.")
    return 1 if counts[Verdict.WRONG] else 0


def _findings(subject: str, wanted: Wanted) -> Iterator[Finding]:
    from activation.hooks.checks import Wanted, check_connection

    file = _file(subject)
    if file is None:
        return check_connection(subject, wanted)
    pipeline = pipeline_in(file, "" if file == Path(subject) else subject)
    if wanted != Wanted():
        raise ConfigurationError(
            f"{subject} is a pipeline, of which the destination is checked.",
            "Leave out --type, --table, --data, --cursor, --timeout and --slow, or name the connection of its source.",
        )
    return _way_out(pipeline)


def _file(subject: str) -> Path | None:
    """The pipeline file that is meant; ``None`` if it is a connection.

    :raises ConfigurationError: if there is neither.
    """
    from activation.hooks.connections import find_connection
    from activation.spec.loader import is_pipeline_file

    path = Path(subject)
    if is_pipeline_file(path):
        if path.is_file():
            return path
        raise ConfigurationError(f"There is no file {path}.")
    try:
        find_connection(subject)
    except ConfigurationError:
        found = file_of(subject)
        if found is None:
            raise ConfigurationError(
                f"There is no Airflow connection {subject!r} and no pipeline {(DEFAULT / subject).as_posix()}.yaml.",
                f"Create the connection under Admin › Connections or as AIRFLOW_CONN_{subject.upper()}, or correct the name.",
            ) from None
        return found
    return None


def _way_out(pipeline: Pipeline) -> Iterator[Finding]:
    """Check the destination of a pipeline."""
    from activation.operators.checking import destination_findings, refuse_templates
    from activation.spec import KakaoDestination

    refuse_templates(pipeline)
    to = pipeline.destination
    if isinstance(to, KakaoDestination) and to.output.to == "folder":
        raise ConfigurationError(
            "The pipeline writes its files to a folder, for which Kakao is not asked.", "Check the folder's own connection."
        )
    return destination_findings(to, f"check of {pipeline.id}")


def _seconds(text: str) -> float:
    from pydantic_core import PydanticCustomError

    from activation.spec import Duration

    try:
        seconds = Duration.parse(text).seconds
    except PydanticCustomError as error:
        context = error.context or {}
        raise ConfigurationError(f"--timeout {context['problem']}.", context["fix"]) from None
    if not seconds:
        raise ConfigurationError("--timeout is nothing.", "Write it like 60s.")
    return seconds
