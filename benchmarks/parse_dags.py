"""Measures how pipeline files become DAGs, beside dag-factory, blueprint and a plain loop; the DAGs first, then the time.

``python -m benchmarks.parse_dags`` ends with 1 if the DAGs of a way are not the same. A target that is missed is marked in the
table and does not change the exit code, because machines differ.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks import command
from benchmarks.parsing import table
from benchmarks.parsing.measure import Measurement
from benchmarks.parsing.results import Sizes

MODULE = "benchmarks.parse_dags"


def main(given: Sequence[str]) -> int:
    """Run the benchmark and print its tables.

    :returns: the exit code.
    """
    made = argparse.ArgumentParser(prog=f"python -m {MODULE}", description="Measure how pipeline files become Airflow DAGs.")
    made.add_argument("--sizes", type=counts, metavar="N,N", help="numbers of files (default: 100,1000,5000; with --quick 20)")
    made.add_argument("--rounds", type=rounds, help="times that each is measured; the median counts (default: 5, with --quick 1)")
    made.add_argument("--quick", action="store_true", help="few files, to see that everything runs; the times mean nothing")
    made.add_argument("--write", type=Path, metavar="FILE", help="put the results into this document, such as docs/benchmarks.md")
    options = command.parse(made, given)
    usual = ((20,), 1) if options.quick else ((100, 1_000, 5_000), 5)
    sizes = Sizes(options.sizes or usual[0], options.rounds or usual[1])
    return command.run(
        lambda folder, tell: Measurement(sizes, folder, tell)(),
        table.render,
        options,
        ["python", "-m", MODULE, *given],
        table.MARKS,
    )


def counts(text: str) -> tuple[int, ...]:
    """Read ``--sizes``."""
    found = tuple(sorted({int(part) for part in text.split(",")}))
    if found[0] < 10:
        raise argparse.ArgumentTypeError("at least 10 files, so that every kind of pipeline is among them")
    return found


def rounds(text: str) -> int:
    """Read ``--rounds``."""
    if (number := int(text)) < 1:
        raise argparse.ArgumentTypeError("at least 1 round")
    return number


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
