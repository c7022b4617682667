"""Print the SQL for a pipeline's tables and its rights.

PIPELINE is a pipeline file, or the id of a pipeline in the folder dags/pipelines. The script fits the pipeline's engine, data
and tables: it makes each table, the role or user with the least rights, and, where the engine has one, the warehouse. What you
must fill in stands in <…>. Nothing is contacted: read the script, then run it with the engine's own client.

Exit code: 0 if the script was printed, 2 if there is no such pipeline or an option does not fit its engine.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from activation.cli.pipelines import file_of, pipeline_in
from activation.cli.validate import DEFAULT
from activation.errors import ConfigurationError

if TYPE_CHECKING:
    from activation.setup.script import Table
    from activation.spec import Pipeline


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("pipeline", metavar="PIPELINE", help=f"a pipeline file, or an id of {DEFAULT.as_posix()}")
    parser.add_argument("--role", metavar="NAME", help="the role that may read (PostgreSQL, Snowflake)")
    parser.add_argument(
        "--user", metavar="NAME", help="who logs in; in BigQuery the service account, in Databricks the principal"
    )
    parser.add_argument("--warehouse", metavar="NAME", help="the warehouse that works (Snowflake), or its id (Databricks)")
    parser.add_argument("--without-table", action="store_true", help="leave the tables out, if they are there already")


def run(arguments: argparse.Namespace) -> int:
    """Print the script.

    :raises ConfigurationError: if there is no such pipeline, if its table still is a template, or if an option does not fit.
    """
    from activation.setup import kit_of
    from activation.setup.script import OPTIONS, Wanted, script

    given = arguments.pipeline
    file = _file(given)
    pipeline = pipeline_in(file, "" if file == Path(given) else given)
    read = pipeline.source.relation()
    names = {option: chosen for option in OPTIONS if (chosen := getattr(arguments, option)) is not None}
    table = () if isinstance(read, str) else read
    tables = _tables(pipeline, table, fill=not arguments.without_table)
    print(script(kit_of(pipeline.source.type), Wanted(pipeline.id, tables, names)), end="")
    return 0


def _tables(pipeline: Pipeline, table: tuple[str, ...], *, fill: bool) -> tuple[Table, ...]:
    """The tables that a pipeline reads.

    :param fill: whether they get columns, so that the script makes them.
    """
    from activation.setup.layouts import LAYOUTS
    from activation.setup.profiles import tables
    from activation.setup.script import Table
    from activation.spec import BrazeDestination
    from activation.spec.columns import Columns
    from activation.spec.kinesis import KinesisDestination

    to = pipeline.destination
    if isinstance(to, KinesisDestination):
        attributes = [name for one in pipeline.columns.fields.values() for name in one.columns]
        found = tables(table, pipeline.source.related_parts(), attributes)
        return found if fill else tuple(Table(one.name) for one in found)
    # A pipeline that maps columns, or exports them, reads a table of its own shape, which is there already.
    fixed = fill and isinstance(to, BrazeDestination) and pipeline.columns == Columns()
    return (Table(table, LAYOUTS[to.data] if isinstance(to, BrazeDestination) and fixed else ()),)


def _file(given: str) -> Path:
    """The file that a person means by a path or an id."""
    from activation.spec.loader import is_pipeline_file

    path = Path(given)
    if path.is_file():
        if is_pipeline_file(path):
            return path
        raise ConfigurationError(f"{path} is not called like a pipeline file (*.yaml or *.yml, not _* or .*).")
    found = file_of(given)
    if found is None:
        raise ConfigurationError(
            f"There is no pipeline {given}: neither a file of that name, nor {(DEFAULT / given).as_posix()}.yaml.",
            "Write the path of a pipeline file, or an id that activation validate lists.",
        )
    return found
