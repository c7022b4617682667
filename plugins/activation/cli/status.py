"""Show how all pipelines stand, and the counters of the exports.

PIPELINE is the id of a pipeline; without one all are shown: those with a file in FOLDER, with a DAG in Airflow, or with a state
folder. Counters and errors are of the pipelines that are shown.

    created      periodic exports, whatever their status
    active       periodic exports that are Active
    completed    one-time exports that are Completed
    errors       runs of exports that failed in the last 7 days
    last sync    when the last run of an export that went well ended

The status follows from Airflow's runs and from the run journals. What is shown is not changed.

Exit code: 0 if it was shown, 2 if there is no such pipeline or Airflow cannot be asked.
"""

from __future__ import annotations

import argparse
import io
import json
import sys
from datetime import datetime, timezone
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING

from activation.cli.pipelines import count, files_of, short, table
from activation.cli.validate import DEFAULT
from activation.errors import ConfigurationError

if TYPE_CHECKING:
    from activation.destinations.standing import Overview, Standing

HEAD = ("pipeline", "type", "data", "status", "cycle", "last run", "ended", "rows", "bytes", "errors", "source", "target", "name")
MOST_NAME = 40
"""Characters of a management name in the table."""
MOST_ERRORS = 10
"""Errors that are shown below the table."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("pipelines", nargs="*", metavar="PIPELINE", help="the id of a pipeline (default: all)")
    parser.add_argument("--folder", type=Path, help=f"the folder of the pipeline files (default: {DEFAULT.as_posix()})")
    parser.add_argument("--format", choices=("text", "json"), default="text", help="its form (default: text)")


def run(arguments: argparse.Namespace) -> int:
    """Show what is asked; see the module's text for the exit code.

    :raises ConfigurationError: if there is no such pipeline or folder, or if Airflow cannot be asked.
    """
    now = datetime.now(timezone.utc)
    found = _overview(arguments, now)
    if arguments.format == "json":
        if isinstance(sys.stdout, io.TextIOWrapper):
            sys.stdout.reconfigure(encoding="utf-8")
        print(json.dumps({"at": now.isoformat(timespec="milliseconds"), **found.to_json()}, ensure_ascii=False, indent=2))
    else:
        print("\n".join(_lines(found)))
    return 0


def _overview(arguments: argparse.Namespace, now: datetime) -> Overview:
    from activation.cli.airflow_runs import seen
    from activation.destinations.known import known, left_behind
    from activation.destinations.standing import overview
    from activation.operators.memory import state_root

    files, root = files_of(arguments.folder), state_root()
    there = {*files, *left_behind(root)}
    told = seen({*there, *arguments.pipelines})
    for name in arguments.pipelines:
        if name not in there and not told[name].dags:
            _unknown(name, {*there, *(one for one, facts in told.items() if facts.dags)})
    return overview(known(root, sorted({*arguments.pipelines} or told), files, told, now), now)


def _unknown(name: str, names: set[str]) -> None:
    near = get_close_matches(name, sorted(names), 1)
    known = f"Known are: {', '.join(sorted(names))}." if names else "There is none yet."
    raise ConfigurationError(f"There is no pipeline {name}.", f"Did you mean {near[0]}?" if near else known)


def _lines(found: Overview) -> list[str]:
    if not found.pipelines:
        return ["There is no pipeline yet."]
    counted = found.counters
    sync = f"{counted.last_sync:%Y-%m-%d %H:%M:%S} UTC" if counted.last_sync else "none"
    lines = [
        f"Exports: {counted.created:,} created, {counted.active:,} active, {counted.completed:,} completed, "
        f"{count(len(counted.errors), 'error')} in 7 days, last sync {sync}.",
        "",
        table(HEAD, [_row(one) for one in found.pipelines]),
    ]
    lines += [f"\n{one.id}: {one.note}." for one in found.pipelines if one.note]
    if found.errors:
        more = f", the newest {MOST_ERRORS} of {len(found.errors):,}" if len(found.errors) > MOST_ERRORS else ""
        lines += ["", f"Errors of the last 7 days{more}:"]
    shown = found.errors[:MOST_ERRORS]
    return [*lines, *(f"{_minute(error.at)}  {error.pipeline}  {error.run}: {' '.join(error.text.split())}" for error in shown)]


def _row(one: Standing) -> tuple[object, ...]:
    what, last = one.what, one.last
    ran = (last.status, _minute(last.ended), last.rows, last.bytes) if last else (None,) * 4
    texts = [text or None for text in (what.source, what.target, short(what.name, MOST_NAME))]
    status = one.status.value if one.status else None
    return (one.id, what.type or None, what.data or None, status, what.cycle or None, *ran, len(one.errors), *texts)


def _minute(instant: str) -> str:
    return f"{datetime.fromisoformat(instant).astimezone(timezone.utc):%Y-%m-%d %H:%M:%S}"
