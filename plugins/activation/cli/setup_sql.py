"""Print the SQL for a pipeline's table and its rights.

PIPELINE is a pipeline file, or the id of a pipeline in the folder dags/pipelines. The script fits the pipeline's engine, data
and table: it makes the table, the role or user with the least rights, and, where the engine has one, the warehouse. What you must
fill in stands in <…>. Nothing is contacted: read the script, then run it with the engine's own client.

Exit code: 0 if the script was printed, 2 if there is no such pipeline or an option does not fit its engine.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from activation.cli.validate import DEFAULT
from activation.errors import ConfigurationError


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("pipeline", metavar="PIPELINE", help=f"a pipeline file, or an id of {DEFAULT.as_posix()}")
    parser.add_argument("--role", metavar="NAME", help="the role that may read (PostgreSQL, Snowflake)")
    parser.add_argument(
        "--user", metavar="NAME", help="who logs in; in BigQuery the service account, in Databricks the principal"
    )
    parser.add_argument("--warehouse", metavar="NAME", help="the warehouse that works (Snowflake), or its id (Databricks)")
    parser.add_argument("--without-table", action="store_true", help="leave the table out, if there is one already")


def run(arguments: argparse.Namespace) -> int:
    """Print the script.

    :raises ConfigurationError: if there is no such pipeline, if its table still is a template, or if an option does not fit.
    """
    from activation.setup import kit_of
    from activation.setup.layouts import LAYOUTS
    from activation.setup.script import OPTIONS, Wanted, script
    from activation.spec import BrazeDestination, load_file
    from activation.spec.columns import Columns

    pipeline = load_file(_file(arguments.pipeline))
    read = pipeline.source.relation()
    to = pipeline.destination
    names = {option: chosen for option in OPTIONS if (chosen := getattr(arguments, option)) is not None}
    table = () if isinstance(read, str) else read
    # A pipeline that maps columns, or exports them, reads a table of its own shape, which is there already.
    fixed = pipeline.columns == Columns() and not arguments.without_table
    layout = LAYOUTS[to.data] if isinstance(to, BrazeDestination) and fixed else ()
    print(script(kit_of(pipeline.source.type), Wanted(pipeline.id, table, layout, names)), end="")
    return 0


def _file(given: str) -> Path:
    """The file that a person means by a path or an id."""
    from activation.spec import find_file
    from activation.spec.loader import is_pipeline_file

    path = Path(given)
    if path.is_file():
        if is_pipeline_file(path):
            return path
        raise ConfigurationError(f"{path} is not called like a pipeline file (*.yaml or *.yml, not _* or .*).")
    found = find_file(DEFAULT, given) if DEFAULT.is_dir() else None
    if found is None:
        raise ConfigurationError(
            f"There is no pipeline {given}: neither a file of that name, nor {(DEFAULT / given).as_posix()}.yaml.",
            "Write the path of a pipeline file, or an id that activation validate lists.",
        )
    return found
