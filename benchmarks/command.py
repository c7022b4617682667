"""What the command lines of the benchmarks share: options, progress, the printed tables and the exit code."""

from __future__ import annotations

import argparse
import shlex
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol, TypeVar

from benchmarks import table

Tell = Callable[[str], None]


class Outcome(Protocol):
    """What a benchmark found out."""

    @property
    def good(self) -> bool:
        """Whether all content was exact."""


R = TypeVar("R", bound=Outcome)


def parser(module: str, description: str, rows: str, least: int) -> argparse.ArgumentParser:
    """The options that every benchmark has.

    :param rows: explains ``--rows``.
    :param least: the fewest rows that make sense.
    """

    def count(text: str) -> int:
        number = int(text)
        if number < least:
            raise argparse.ArgumentTypeError(f"at least {least} rows")
        return number

    made = argparse.ArgumentParser(prog=f"python -m {module}", description=description)
    made.add_argument("--rows", type=count, help=rows)
    made.add_argument("--quick", action="store_true", help="few rows, to see that everything runs; the times mean nothing")
    made.add_argument("--write", type=Path, metavar="FILE", help="put the results into this document, such as docs/benchmarks.md")
    return made


def parse(made: argparse.ArgumentParser, given: Sequence[str]) -> argparse.Namespace:
    """Read the command line."""
    options = made.parse_args(given)
    if options.quick and options.write:
        made.error("--quick measures nothing that should be written down")
    return options


def run(
    measure: Callable[[Path, Tell], R],
    render: Callable[[R, str], str],
    options: argparse.Namespace,
    command: Sequence[str],
    marks: tuple[str, str],
) -> int:
    """Measure, print the tables, and put them into the document if that is wanted and the content is right.

    :param measure: is given a folder of its own, and what it tells its progress.
    :param render: is given the results and the command.
    :param marks: between them stand the results in the document.
    :returns: the exit code: 1 if some content is wrong.
    """
    began = time.monotonic()

    def tell(text: str) -> None:
        print(f"[{time.monotonic() - began:5.0f} s] {text}", flush=True)

    with tempfile.TemporaryDirectory(prefix="benchmark-") as folder:
        results = measure(Path(folder), tell)
    text = render(results, shlex.join(command))
    print(f"\n{text}")
    if options.quick:
        print("\nA smoke test: the content was checked, but these times mean nothing.")
    if options.write and results.good:
        table.write(options.write, text, marks)
        tell(f"written to {options.write}")
    return 0 if results.good else 1
