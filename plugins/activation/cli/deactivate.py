"""Make an export inactive for good.

PIPELINE is the id of an export. From then on it is Inactive whatever its file says: its DAG is paused, and each of its runs is
refused before anything is read, also one that is triggered by hand. A run that is under way comes to its end.

There is no way back: for a new export of the same data give the pipeline another id. To stop it for a while, pause its DAG.
It asks first; where nobody can answer it needs --yes.

Exit code: 0 if it is inactive or was left alone, 2 if there is no such export, or it cannot be done.
"""

from __future__ import annotations

import argparse
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING

from activation.cli.pipelines import add_pipeline, confirmed, files_of
from activation.cli.validate import DEFAULT
from activation.errors import ConfigurationError

if TYPE_CHECKING:
    from activation.destinations.known import Known

MOST_REASON = 200
"""Characters of a reason: it stands in every refusal."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    add_pipeline(parser)
    parser.add_argument("--reason", default="", metavar="TEXT", help="why; it is kept, and shown wherever a run is refused")
    parser.add_argument("--folder", type=Path, help=f"the folder of the pipeline files (default: {DEFAULT.as_posix()})")
    parser.add_argument("--yes", action="store_true", help="do not ask")


def run(arguments: argparse.Namespace) -> int:
    """Do what is asked; see the module's text for the exit code.

    :raises ConfigurationError: if there is no such export, or if Airflow cannot be asked.
    :raises TransientError: if the mark cannot be written.
    """
    from activation.cli.metadata_db import keep_asset_state, pause, user
    from activation.delivery.inactive import Inactive, write_mark
    from activation.operators.memory import asset_of, state_folder
    from activation.operators.summary import INACTIVE

    name, reason = arguments.pipeline, " ".join(arguments.reason.split())
    if len(reason) > MOST_REASON:
        raise ConfigurationError(f"--reason has {len(reason)} characters.", f"Say it in {MOST_REASON}.")
    one = _export(name, arguments.folder)
    if one.inactive is None and not (arguments.yes or _agreed(name)):
        print("Nothing was changed.")
        return 0
    now = datetime.now(timezone.utc).isoformat(timespec="seconds")
    mark = write_mark(state_folder(name), Inactive(now, user() or "", reason))
    asset = asset_of(name)
    keep_asset_state(asset.name, asset.uri, INACTIVE, str(mark))
    print(f"{name} was {mark}." if one.inactive else f"{name} is Inactive from now on: its runs are refused.")
    for dag in one.seen.dags:
        if dag == name:
            pause(dag)
            print(f"Its DAG {dag} is paused.")
        else:
            print(f"It is part of the DAG {dag}, which goes on: take its task out there.")
    if not one.seen.dags:
        print("Airflow has no DAG of it to pause.")
    return 0


def _export(name: str, folder: Path | None) -> Known:
    """What is known of an export.

    :raises ConfigurationError: if there is none, or if the pipeline is none.
    """
    from activation.cli.airflow_runs import seen
    from activation.destinations.known import known, left_behind
    from activation.destinations.standing import export_type
    from activation.operators.memory import state_root

    files, root = files_of(folder), state_root()
    if name not in {*files, *left_behind(root)}:
        raise ConfigurationError(
            f"There is no pipeline file {name}, and no run of such a pipeline has left anything in {root}.",
            "Look at activation status; name the folder of its file by --folder.",
        )
    (one,) = known(root, [name], files, seen([name]), datetime.now(timezone.utc))
    if export_type(one) is None and one.inactive is None:
        raise ConfigurationError(
            f"Nothing says that {name} is an export, and only an export can be made inactive.",
            f"Pause its DAG (airflow dags pause {name}), or take its file away.",
        )
    return one


def _agreed(name: str) -> bool:
    print(f"{name} will be Inactive: none of its runs exports anything any more, and there is no way back.")
    return confirmed("Make it inactive for good?", "To make an export inactive is final")
