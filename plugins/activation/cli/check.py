"""Check a connection on the real service, read only.

CONNECTION is the id of an Airflow connection: of a warehouse, or of Braze. Of a warehouse it checks what a local stand-in
cannot show: the clock, every type that can be the cursor, exact texts, the order of keys, missing values, the edges of a window,
going on behind any row, a preview, and that a statement can be cancelled. It reads literals only. With --table it also counts
that table and shows the form of its first rows, without their values.

Exit code: 0 if nothing is wrong, 1 if something is, 2 if the connection is not known or cannot be checked.
"""

from __future__ import annotations

import argparse
import time

from activation.errors import ConfigurationError


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("connection", metavar="CONNECTION", help="the id of an Airflow connection")
    parser.add_argument("--type", default="", metavar="ENGINE", help="the source type, if the connection's type is another one")
    parser.add_argument("--table", metavar="SCHEMA.TABLE", help="also look at this table or view")
    parser.add_argument("--data", default="attributes", metavar="DATA", help="what its rows are (default: attributes)")
    parser.add_argument("--cursor", default="UPDATED_AT", metavar="COLUMN", help="its cursor column (default: UPDATED_AT)")
    parser.add_argument("--timeout", default="60s", metavar="TIME", help="most that one statement may take (default: 60s)")
    parser.add_argument("--slow", action="store_true", help="also wait until the warehouse stops a statement by itself")


def run(arguments: argparse.Namespace) -> int:
    """Check and print; see the module's text for the exit code.

    :raises ConfigurationError: if the connection is not known, or an option is wrong.
    """
    from activation.findings import Verdict
    from activation.hooks.checks import Wanted, check_connection
    from activation.spec import TableName

    table = TableName(arguments.table).parts if arguments.table else ()
    wanted = Wanted(arguments.type, table, arguments.data, arguments.cursor, _seconds(arguments.timeout), arguments.slow)
    began = time.monotonic()
    counts = dict.fromkeys(Verdict, 0)
    for finding in check_connection(arguments.connection, wanted):
        counts[finding.verdict] += 1
        print(f"{finding.verdict.value:<8} {finding.name}: {' '.join(finding.text.split())}", flush=True)
    summary = ", ".join(f"{count} {verdict.value}" for verdict, count in counts.items())
    print(f"{summary} in {time.monotonic() - began:.1f} s.")
    return 1 if counts[Verdict.WRONG] else 0


def _seconds(text: str) -> float:
    from pydantic_core import PydanticCustomError

    from activation.spec import Duration

    try:
        seconds = Duration.parse(text).seconds
    except PydanticCustomError as error:
        context = error.context or {}
        raise ConfigurationError(f"--timeout {context['problem']}.", context["fix"]) from None
    if not seconds:
        raise ConfigurationError("--timeout is nothing.", "Write it like 60s.")
    return seconds
