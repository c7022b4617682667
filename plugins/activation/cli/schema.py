"""Print the JSON Schema of a pipeline file.

The schema (JSON Schema 2020-12) describes a complete file. Editors use it for completion and checks: with the YAML language
server, write at the top of a pipeline file

    # yaml-language-server: $schema=PATH/TO/pipeline.schema.json
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from activation.errors import ConfigurationError


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("-o", "--output", type=Path, metavar="FILE", help="write to FILE instead of the standard output")


def run(arguments: argparse.Namespace) -> int:
    """Print or write the schema.

    :raises ConfigurationError: if the file cannot be written.
    """
    from activation.spec.schema import pipeline_schema

    text = json.dumps(pipeline_schema(), indent=2, ensure_ascii=False) + "\n"
    if arguments.output is None:
        print(text, end="")
        return 0
    try:
        arguments.output.write_text(text, encoding="utf-8", newline="\n")
    except OSError as error:
        raise ConfigurationError(f"{arguments.output} cannot be written: {error.strerror}.") from None
    return 0
