"""List, export or replay the rows that runs have rejected.

PIPELINE is the id of a pipeline. Its rejects lie in its state folder ([activation] state_folder) until they are old
([activation] keep_rejects_days).

    activation rejects list PIPELINE              counts by run and reason, with a message of each
    activation rejects export PIPELINE -o FILE    the rows as they were read, with the reason: they hold data of customers
    activation rejects replay PIPELINE            an ordinary run of its DAG sends them once more; not for pipelines whose runs
                                                  send whole lists (kakao_moment)

Exit code: 0 if it was done, 2 if there is nothing to do or Airflow cannot be asked.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from activation.cli.pipelines import add_dag, add_pipeline, count, folder_of, table
from activation.errors import ConfigurationError

if TYPE_CHECKING:
    from activation.delivery.kept import Chosen, Kept

ABOUT = ("code", "message", "updated_at", "pipeline", "run", "attempt")
"""What stands in a CSV file before the columns of the row; one of those that is called so gets ``row.`` before its name."""

SHOWN = ("external_id", "alias_name", "alias_label", "braze_id", "id")
"""Columns that ``--details`` shows as they are, so that the row can be found; all others are masked."""

_LISTS = "advertising_ids"
"""What records say of runs that make customer files (:mod:`activation.operators.kakao_run`)."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True)
    listing = actions.add_parser("list", help="counts by run and reason")
    export = actions.add_parser("export", help="write them to a file")
    replay = actions.add_parser("replay", help="send them once more")
    for action, function in ((listing, _list), (export, _export), (replay, _replay)):
        add_pipeline(action)
        action.add_argument("--run", default="", metavar="RUN", help="only those of this run")
        action.add_argument("--code", default="", metavar="CODE", help="only those of this reason")
        action.set_defaults(action=function)
    for action in (listing, export):
        action.add_argument("--user", default="", metavar="TEXT", help="only those with this text in one of their values")
    listing.add_argument("--details", type=int, default=0, metavar="N", help="also show the first N, their values masked")
    export.add_argument("-o", "--output", type=Path, required=True, metavar="FILE", help="the file to write")
    export.add_argument("--format", choices=("jsonl", "csv"), default="jsonl", help="its form (default: jsonl)")
    add_dag(replay)


def run(arguments: argparse.Namespace) -> int:
    """Do what is asked; see the module's text for the exit code.

    :raises ConfigurationError: if there is nothing to do, or if it cannot be done.
    """
    from activation.delivery.kept import Chosen, Kept

    kept = Kept(folder_of(arguments.pipeline) / "rejects")
    chosen = Chosen(arguments.run, arguments.code, getattr(arguments, "user", ""))
    result: int = arguments.action(arguments, kept, chosen)
    return result


def _list(arguments: argparse.Namespace, kept: Kept, chosen: Chosen) -> int:
    runs = kept.runs(chosen)
    rows = [(run.folder, code, number, run.samples[code]) for run in runs for code, number in run.reasons.most_common()]
    if rows:
        print(table(("run", "reason", "rows", "message of the first"), rows))
    total = sum(run.reasons.total() for run in runs)
    print(f"{count(total, 'reject')} of {count(len(runs), 'run')}.")
    for record in islice(kept.records(chosen), max(0, arguments.details)):
        print(json.dumps(_veiled(record), ensure_ascii=False))
    return 0


def _export(arguments: argparse.Namespace, kept: Kept, chosen: Chosen) -> int:
    if next(kept.records(chosen), None) is None:
        raise ConfigurationError(*_nothing(arguments))
    try:
        with os.fdopen(
            os.open(arguments.output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8", newline=""
        ) as file:
            written = (_write_csv if arguments.format == "csv" else _write_jsonl)(file, kept, chosen)
    except OSError as error:
        raise ConfigurationError(f"{arguments.output} cannot be written: {error.strerror}.") from None
    print(f"{count(written, 'reject')} in {arguments.output}.")
    return 0


def _replay(arguments: argparse.Namespace, kept: Kept, chosen: Chosen) -> int:
    from activation.cli.metadata_db import trigger
    from activation.operators.orders import REPLAY

    _check_replay(arguments.pipeline)
    if not (runs := kept.runs(chosen)):
        raise ConfigurationError(*_nothing(arguments))
    order = {"mode": REPLAY, "replay_run": chosen.run or None, "replay_code": chosen.code or None}
    triggered = trigger(arguments.dag or arguments.pipeline, order)
    print(f"{count(sum(run.reasons.total() for run in runs), 'reject')} of {count(len(runs), 'run')} to replay. {triggered}")
    return 0


def _check_replay(pipeline: str) -> None:
    """Refuse what no run of a pipeline can do.

    :raises ConfigurationError: if its runs always send a whole list, as the record of the newest one says.
    """
    from activation.delivery.journal import Journal

    if any(record.get("data") == _LISTS for record in Journal(folder_of(pipeline)).latest(1)):
        raise ConfigurationError(
            f"{pipeline} has nothing to replay: every run reads and sends its whole list, and a list of rejects alone would "
            "replace it or stand beside it.",
            f"Correct the ids in the warehouse, and let the DAG run again (airflow dags trigger {pipeline}). "
            f"Look at them with activation rejects export {pipeline} -o FILE.",
        )


def _nothing(arguments: argparse.Namespace) -> tuple[str, str]:
    """What to say where no reject is meant."""
    return f"{arguments.pipeline} has no such rejects.", f"Look at activation rejects list {arguments.pipeline}."


def _veiled(record: dict[str, Any]) -> dict[str, Any]:
    """A reject of which only the shape of its values can be told, but for the columns that name the row."""
    row = {name: value if name.lower() in SHOWN else _masked(value) for name, value in record["row"].items()}
    return {name: record[name] for name in ("run", "code", "updated_at")} | {"row": row}


def _masked(value: Any) -> Any:
    """A value of a column; JSON keeps its keys."""
    from activation.records.shown import masked

    try:
        return masked(json.loads(value))
    except (TypeError, ValueError):
        return masked(value)


def _write_jsonl(file: TextIO, kept: Kept, chosen: Chosen) -> int:
    written = 0
    for record in kept.records(chosen):
        file.write(json.dumps(record, ensure_ascii=False) + "\n")
        written += 1
    return written


def _write_csv(file: TextIO, kept: Kept, chosen: Chosen) -> int:
    """Twice through the rejects: once for their columns, once for their values. NULL becomes an empty field."""
    columns = dict.fromkeys(name for record in kept.records(chosen) for name in record["row"])
    heads = [f"row.{name}" if name in ABOUT else name for name in columns]
    rows = csv.writer(file, lineterminator="\n")
    rows.writerow([*ABOUT, *heads])
    written = 0
    for line in _lines(kept, chosen, list(columns)):
        rows.writerow(line)
        written += 1
    return written


def _lines(kept: Kept, chosen: Chosen, columns: list[str]) -> Iterator[list[Any]]:
    for record in kept.records(chosen):
        yield [*(record.get(name) for name in ABOUT), *(record["row"].get(name) for name in columns)]
