"""Check pipeline files and tell every problem of every file.

Each PATH is a pipeline file, a folder whose pipeline files (*.yaml, *.yml) are checked with those of its sub-folders, or - for
one file from the standard input. The _defaults.yaml of a folder is merged underneath its files; given as a PATH, it checks all
of its folder. Variables that the files ask for by ${env:NAME} must be set. Where files are written for environments, such as
users.prod.yaml, all is checked without one and in each of them; a problem that holds in some only says in which. Of a whole
folder it is also checked that pipelines wait only for pipelines that are there.

With --connections each connection that a file names is looked up as Airflow does it: in its environment, its secrets backend and
its database. Nothing else is contacted, and nothing that a connection holds is shown.

Exit code: 0 if all files are good, 1 if there are problems, 2 if there is nothing to check.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterable
from difflib import get_close_matches
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from activation.errors import ConfigurationError

if TYPE_CHECKING:
    from activation.cli.validation import Chosen

DEFAULT = Path("dags/pipelines")
DEFAULTS = "_defaults"
STDIN = "<stdin>"
SUFFIXES = (".yaml", ".yml")

_ID = re.compile(rb"^id:[ \t]*[\"']?([a-z][a-z0-9_]*?)(?:_\$\{[^\n]*)?[\"']?[ \t]*(?:#.*)?\r?$", re.MULTILINE)


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        "paths",
        nargs="*",
        default=[str(DEFAULT)],
        metavar="PATH",
        help=f"a file, a folder, or - (default: {DEFAULT.as_posix()})",
    )
    parser.add_argument("--format", choices=["text", "json", "github"], default="text", help="how to tell it (default: text)")
    parser.add_argument("--env", metavar="NAME", help="check only in this environment (default: without one and in each)")
    parser.add_argument("--connections", action="store_true", help="also look up the connections that the files name in Airflow")


def run(arguments: argparse.Namespace) -> int:
    """Check the files; see the module's text for the exit code.

    :raises ConfigurationError: if a path holds no pipeline file, or no file is written for the environment.
    """
    from activation.cli.told import shown
    from activation.cli.used_connections import wrong_connections
    from activation.cli.validation import check

    with TemporaryDirectory() as scratch:
        chosen = _choose(arguments.paths, Path(scratch))
        environments = _environments(chosen, arguments.env)
        checked = check(chosen, environments, wrong_connections if arguments.connections else None)
    for line in shown(checked, arguments.format):
        print(line)
    return 1 if checked.broken else 0


def _choose(paths: Iterable[str], scratch: Path) -> Chosen:
    """The files that paths stand for.

    :param scratch: a folder for what comes from the standard input.
    """
    from activation.cli.validation import Chosen

    chosen = Chosen(roots={DEFAULT: None})
    for name in dict.fromkeys(paths):
        path = scratch if name == "-" else Path(name)
        if name == "-":
            _read_stdin(chosen, scratch)
        elif not path.exists():
            raise ConfigurationError(f"{path} does not exist.")
        elif path.is_dir() or path.stem.partition(".")[0] == DEFAULTS:
            _add_folder(chosen, path if path.is_dir() else path.parent)
        else:
            chosen.files[_pipeline_file(path)] = None
    return chosen


def _add_folder(chosen: Chosen, folder: Path) -> None:
    from activation.spec.files import search

    tree = search(folder)
    if not tree.files and not tree.broken:
        raise ConfigurationError(f"{folder} holds no pipeline file (*.yaml, *.yml).")
    chosen.roots[folder] = None
    chosen.files.update(dict.fromkeys(tree.files))
    chosen.broken.update({path: error.problems for path, error in tree.broken.items()})
    chosen.environments.update(tree.environments)
    # Pipelines in a part of the default folder may wait for those in the rest.
    if DEFAULT.absolute() not in folder.absolute().parents:
        chosen.whole[folder] = None


def _pipeline_file(path: Path) -> Path:
    """The pipeline file that a path means: itself, or the one that an overlay belongs to."""
    from activation.spec.files import is_pipeline_file, split_name

    if is_pipeline_file(path):
        return path
    stem, env = split_name(path.name) or ("", "")
    below = next((base for suffix in SUFFIXES if (base := path.with_name(f"{stem}{suffix}")).is_file()), None) if env else None
    if below is None or not is_pipeline_file(below):
        raise ConfigurationError(f"{path} is not called like a pipeline file (*.yaml or *.yml, not _* or .*).")
    return below


def _read_stdin(chosen: Chosen, scratch: Path) -> None:
    """Put the standard input into a file that is called as its id wants it."""
    content = sys.stdin.buffer.read()
    given = _ID.search(content)
    file = scratch / f"{given[1].decode() if given else 'stdin'}.yaml"
    file.write_bytes(content)
    chosen.files[file], chosen.names[file] = None, STDIN


def _environments(chosen: Chosen, wanted: str | None) -> list[str]:
    """The environments to look at; the empty text is none.

    :raises ConfigurationError: if a wanted one is none that the files know, though they know some.
    """
    from activation.spec.defaults import Layers

    layers = Layers(roots=chosen.roots)
    known = set(chosen.environments).union(*(layers.environments(folder) for folder in {path.parent for path in chosen.files}))
    if wanted is None:
        return ["", *sorted(known)]
    if known and wanted not in known:
        near = get_close_matches(wanted, sorted(known), 1)
        hint = f"Did you mean {near[0]}? " if near else ""
        raise ConfigurationError(
            f"No file is written for the environment {wanted!r}.", f"{hint}Known: {', '.join(sorted(known))}."
        )
    return [wanted]
