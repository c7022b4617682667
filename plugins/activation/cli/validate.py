"""Check pipeline files and tell every problem of every file.

Each PATH is a pipeline file, or a folder whose pipeline files (*.yaml, *.yml) are checked; its sub-folders are not. The
_defaults.yaml of a folder is merged underneath its files; given as a PATH, it checks all of its folder. Variables
that the files ask for by ${env:NAME} must be set. Nothing is contacted: neither Airflow, nor a warehouse, nor a destination.

Exit code: 0 if all files are good, 1 if there are problems, 2 if there is nothing to check.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from activation.errors import ConfigurationError

if TYPE_CHECKING:
    from activation.spec import Loaded

DEFAULT = Path("dags/pipelines")


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        "paths",
        nargs="*",
        type=Path,
        default=[DEFAULT],
        metavar="PATH",
        help=f"a file or a folder (default: {DEFAULT.as_posix()})",
    )


def run(arguments: argparse.Namespace) -> int:
    """Check the files; see the module's text for the exit code.

    :raises ConfigurationError: if a path holds no pipeline file.
    """
    from activation.spec import load_files

    files: dict[Path, None] = {}
    for path in arguments.paths:
        files.update(dict.fromkeys(_files(path)))
    return _report(list(files), load_files(files))


def _files(path: Path) -> list[Path]:
    """The pipeline files that a path stands for."""
    from activation.spec.defaults import NAMES
    from activation.spec.loader import is_pipeline_file, pipeline_files

    if not path.exists():
        raise ConfigurationError(f"{path} does not exist.")
    if path.name in NAMES:
        path = path.parent
    if path.is_dir():
        found = pipeline_files(path)
        if not found:
            raise ConfigurationError(f"{path} holds no pipeline file (*.yaml, *.yml).")
        return found
    if not is_pipeline_file(path):
        raise ConfigurationError(f"{path} is not called like a pipeline file (*.yaml or *.yml, not _* or .*).")
    return [path]


def _report(files: list[Path], loaded: Loaded) -> int:
    told = set()
    for path in files:
        if path not in loaded.broken:
            print(f"{path}: good")
            continue
        # Problems of the defaults belong to every file that uses them; once is enough.
        for problem in loaded.broken[path].problems:
            if problem not in told:
                print(problem)
            told.add(problem)
    print(f"{_count(len(files), 'file')}, {_count(len(loaded.broken), 'broken file')}, {_count(len(told), 'problem')}.")
    return 1 if loaded.broken else 0


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
