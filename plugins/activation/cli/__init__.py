"""The ``activation`` command. Each sub-command is one module of this package, named in :data:`COMMANDS`."""

from __future__ import annotations

import argparse
import importlib
import io
import os
import sys
from collections.abc import Sequence
from typing import Protocol, cast

from activation import __version__
from activation.errors import ActivationError

COMMANDS = (
    *("validate", "new", "explain", "schema"),
    *("setup-sql", "check", "status", "state", "rejects", "deactivate", "kakao-login"),
)
"""The sub-commands: each is a module here of that name, with _ for -, which is a :class:`Command`."""

GOOD, PROBLEMS, USAGE = 0, 1, 2
"""The exit codes: all is well; something that was looked at is wrong; the command could not do what was asked."""


class Command(Protocol):
    """What a sub-command's module offers. Whatever is slow to import belongs into ``run``; an ActivationError
    that leaves ``run`` is printed, and the exit code is 2.

    Its docstring is the help text: the first line for the list, all of it for ``activation NAME --help``.
    """

    __doc__: str | None

    def configure(self, parser: argparse.ArgumentParser) -> None:
        """Declare the arguments."""

    def run(self, arguments: argparse.Namespace) -> int:
        """Do the work and return the exit code."""


CLOSED = 141
"""Exit code of a command whose output nobody reads to its end, as a shell has it: 128 and the number of SIGPIPE."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line.

    :param argv: the arguments without the program's name; ``None`` takes the process's.
    :returns: the exit code: 0 good, 1 problems found, 2 wrong usage or nothing to do.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A terminal that cannot show a letter gets a substitute, not a traceback.
            stream.reconfigure(errors="replace")
    try:
        arguments = _parser().parse_args(argv)
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else USAGE
    command = cast("Command", arguments.command)
    try:
        code = command.run(arguments)
        sys.stdout.flush()
    except ActivationError as error:
        print(f"activation: {error}", file=sys.stderr)
        return USAGE
    except BrokenPipeError:  # who reads has seen enough, as head does; nothing more can be written, at the end neither
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return CLOSED
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="activation",
        description="Carry customer data out of the warehouse: look after pipeline files and runs.",
        epilog="Exit code: 0 all is well, 1 problems were found, 2 wrong usage or nothing to do.",
    )
    parser.add_argument("--version", action="version", version=f"activation {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for name in COMMANDS:
        module = importlib.import_module(f"{__name__}.{name.replace('-', '_')}")
        text = (module.__doc__ or "").strip()
        sub = commands.add_parser(
            name, help=text.partition("\n")[0], description=text, formatter_class=argparse.RawDescriptionHelpFormatter
        )
        command = cast("Command", module)
        command.configure(sub)
        sub.set_defaults(command=command)
    return parser
