"""Show where a pipeline stands, or reset its watermark.

PIPELINE is the id of a pipeline.

    activation state show PIPELINE                               the watermark and the last runs
    activation state reset PIPELINE --to 2026-07-19T09:07:23Z    go on behind this instant
    activation state reset PIPELINE --beginning                  read the whole table again

A reset is an ordinary run of the pipeline's DAG, so it waits for a run that is under way. It asks before it is triggered;
where nobody can answer it needs --yes.

Exit code: 0 if it was done, 2 if there is nothing to show or Airflow cannot be asked.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from activation.cli.pipelines import add_dag, add_pipeline, confirmed, folder_of, table
from activation.errors import ConfigurationError

if TYPE_CHECKING:
    from activation.cursor.recovery import Move
    from activation.cursor.watermark import Watermark

ENDS = ("read", "sent", "rejected", "skipped")


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True)
    show = actions.add_parser("show", help="the watermark and the last runs")
    reset = actions.add_parser("reset", help="move the watermark")
    for action, function in ((show, _show), (reset, _reset)):
        add_pipeline(action)
        action.set_defaults(action=function)
    show.add_argument("--runs", type=int, default=10, metavar="N", help="how many runs to show (default: 10)")
    where = reset.add_mutually_exclusive_group(required=True)
    where.add_argument("--to", metavar="INSTANT", help="the new watermark, ISO 8601; without a zone it is UTC")
    where.add_argument("--beginning", action="store_true", help="no watermark: the next run reads everything")
    reset.add_argument("--yes", action="store_true", help="do not ask")
    add_dag(reset)


def run(arguments: argparse.Namespace) -> int:
    """Do what is asked; see the module's text for the exit code.

    :raises ConfigurationError: if there is nothing to show, or if it cannot be done.
    """
    result: int = arguments.action(arguments)
    return result


def _show(arguments: argparse.Namespace) -> int:
    from activation.delivery.journal import Journal

    journal = Journal(folder_of(arguments.pipeline))
    print("\n".join(_standing(arguments.pipeline, journal.last())))
    records = journal.latest(max(0, arguments.runs))
    if records:
        print()
        print(table(("started", "status", "mode", *ENDS, "seconds", "run"), [_line(record) for record in records]))
    for record in records:
        if record.get("error"):
            print(f"\nThe last failure, of {record.get('run')}: {' '.join(str(record['error']).split())}")
            break
    return 0


def _standing(pipeline: str, move: Move | None) -> list[str]:
    """The watermark in its two homes, and which of them the next run believes."""
    from activation.cursor.recovery import recover

    lines = []
    try:
        asset = _asset_watermark(pipeline)
        lines.append(f"watermark in Airflow      {_told(asset)}")
        found = recover(asset, move)
        note = found.note
    except ConfigurationError as error:
        lines.append(f"watermark in Airflow      cannot be read: {error}")
        note = ""
    before = "" if move is None else f", moved there from {move.before or 'none'}"
    lines.append(f"watermark in the journal  {_told(move.after if move else None)}{before}")
    return [*lines, f"The next run: {note}"] if note else lines


def _told(watermark: Watermark | None) -> str:
    if watermark is None:
        return "none"
    return (
        f"{watermark} ({watermark.rows:,} rows there), by {watermark.run}" if watermark.run else f"{watermark}, typed by a person"
    )


def _line(record: dict[str, Any]) -> list[object]:
    report = record.get("report") or {}
    rows = report.get("rows") or {}
    seconds = report.get("seconds")
    ends = [rows.get(name) for name in ENDS]
    known = [record.get(name) for name in ("started", "status", "mode")]
    return [*known, *ends, seconds, record.get("run")]


def _asset_watermark(pipeline: str) -> Watermark | None:
    """The watermark that Airflow keeps.

    :raises ConfigurationError: if Airflow cannot be asked, or keeps something else.
    """
    from activation.cli.metadata_db import asset_state
    from activation.cursor.watermark import Watermark
    from activation.operators.memory import WATERMARK, asset_of

    asset = asset_of(pipeline)
    stored = asset_state(asset.name, asset.uri, WATERMARK)
    try:
        return None if stored is None else Watermark.from_json(stored)
    except (ValueError, TypeError, AttributeError) as error:
        raise ConfigurationError(f"The asset state {WATERMARK!r} is no watermark: {error}.") from None


def _reset(arguments: argparse.Namespace) -> int:
    from activation.cli.metadata_db import trigger
    from activation.cursor.recovery import recover
    from activation.delivery.journal import Journal
    from activation.operators.memory import state_folder
    from activation.operators.orders import RESET

    to = _instant(arguments.to)
    move = Journal(state_folder(arguments.pipeline)).last()
    before = recover(_asset_watermark(arguments.pipeline), move).watermark
    print(f"{arguments.pipeline}: from {before} to {to or 'the beginning'}.")
    if not (arguments.yes or confirmed("Move the watermark?", "A reset moves the watermark")):
        print("Nothing was changed.")
        return 0
    print(trigger(arguments.dag or arguments.pipeline, {"mode": RESET, "reset_to": to}))
    return 0


def _instant(text: str | None) -> str | None:
    from activation.cursor.timestamps import from_text, to_text

    try:
        return None if text is None else to_text(from_text(text))
    except ValueError as error:
        raise ConfigurationError(f"--to: {error}.", "Write it like 2026-07-19T09:07:23Z.") from None
