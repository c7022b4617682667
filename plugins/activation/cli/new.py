"""Write a pipeline file to begin with.

SOURCE is the type of the warehouse, DESTINATION that of where its rows go. The file is commented, is valid as it is, and shows
the keys that are changed most with what holds without them; put your own connections, table and names into it. It becomes
dags/pipelines/ID.yaml unless --output names another file or a folder; - prints it. A file that is there is never overwritten.

Exit code: 0, or 2 if the file cannot be written.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
from pathlib import Path

from activation.cli.validate import DEFAULT
from activation.errors import ConfigurationError

SCHEMA = "pipeline.schema.json"


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("source", nargs="?", metavar="SOURCE", help="the type of the source, such as snowflake")
    parser.add_argument("destination", nargs="?", metavar="DESTINATION", help="the type of the destination, such as braze")
    parser.add_argument("--id", metavar="ID", help="the id of the pipeline (default: SOURCE_to_DESTINATION)")
    parser.add_argument("-o", "--output", metavar="FILE", help="the file, a folder for ID.yaml, or - to print it")
    parser.add_argument("--list", action="store_true", help="list the sources and destinations")


def run(arguments: argparse.Namespace) -> int:
    """Write the file.

    :raises ConfigurationError: if a type or the id is unknown, or the file is there or cannot be written.
    """
    from activation.spec.starter import starter

    if arguments.list:
        return _list()
    source, destination = arguments.source, arguments.destination
    _check(source, destination)
    path = _path(arguments.id, f"{source}_to_{destination}", arguments.output)
    schema = _schema(path.parent)
    text = starter(source, destination, name=path.as_posix(), schema=schema or SCHEMA)
    if arguments.output == "-":
        print(text, end="")
        return 0
    _write(path, text)
    print(f"{path} is written. Put your own connections, table and names into it, then run: activation validate {path}")
    if schema is None:
        print(f"For completion in an editor: activation schema -o {path.parent / SCHEMA}", file=sys.stderr)
    return 0


def _list() -> int:
    from activation.spec.destinations import DESTINATIONS
    from activation.spec.sources import SOURCES

    print(f"Sources: {', '.join(SOURCES)}")
    print(f"Destinations: {', '.join(DESTINATIONS)}")
    print("Each source goes to each destination.")
    return 0


def _check(source: str | None, destination: str | None) -> None:
    from activation.spec.destinations import DESTINATIONS
    from activation.spec.messages import suggest
    from activation.spec.sources import SOURCES

    for what, given, known in (("source", source, SOURCES), ("destination", destination, DESTINATIONS)):
        if given is None:
            raise ConfigurationError(f"No {what} is named.", f"Write activation new SOURCE DESTINATION. {suggest('', known)}")
        if given not in known:
            swapped = " Write the source first." if given in {**SOURCES, **DESTINATIONS} else ""
            raise ConfigurationError(f"There is no {what} {given!r}.", f"{suggest(given, known)}{swapped}")


def _path(pipeline_id: str | None, usual: str, output: str | None) -> Path:
    """The file to write.

    :raises ConfigurationError: if its name and the id differ, or are no id.
    """
    from activation.spec.loader import SUFFIXES
    from activation.spec.names import ID_FIX, ID_PATTERN

    given = None if output in (None, "-") else Path(str(output))
    named = None if given is None or given.is_dir() else given
    stem = pipeline_id or (named.stem if named else usual)
    if re.fullmatch(ID_PATTERN, stem) is None:
        raise ConfigurationError(f"{stem!r} is not a pipeline id.", ID_FIX)
    if named is None:
        return (given or DEFAULT) / f"{stem}.yaml"
    if named.suffix.lower() not in SUFFIXES:
        raise ConfigurationError(f"{named} is not called like a pipeline file.", f"Write {named.with_suffix('.yaml')}.")
    if named.stem != stem:
        raise ConfigurationError(f"The id is {stem}, but the file is called {named.name}.", "Leave out --id, or rename the file.")
    return named


def _schema(folder: Path) -> str | None:
    """Where the JSON Schema lies, as seen from a folder: in it, in one around it, or in the folder docs of one of these."""
    inside = folder.resolve()
    for around in (inside, *inside.parents):
        for place in (around / SCHEMA, around / "docs" / SCHEMA):
            if place.is_file():
                return Path(os.path.relpath(place, inside)).as_posix()
    return None


def _write(path: Path, text: str) -> None:
    try:
        with path.open("x", encoding="utf-8", newline="\n") as file:
            file.write(text)
    except FileExistsError:
        raise ConfigurationError(
            f"{path} is there already, and is not overwritten.", "Choose another --id or --output."
        ) from None
    except OSError as error:
        fix = f"Make the folder {path.parent}, or name another one by --output." if not path.parent.is_dir() else ""
        raise ConfigurationError(f"{path} cannot be written: {error.strerror}.", fix) from None
