"""Measures exports to a bucket beside Airflow's own ``SqlToS3Operator``; content first, then time.

``python -m benchmarks.export_s3`` ends with 1 if a content check fails or an engine does not run. A target that is missed is
marked in the table and does not change the exit code, because machines differ.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from benchmarks import command
from benchmarks.exporting import table
from benchmarks.exporting.measure import ENGINES, Measurement
from benchmarks.exporting.results import full, quick

MODULE = "benchmarks.export_s3"


def main(given: Sequence[str]) -> int:
    """Run the benchmark and print its table.

    :returns: the exit code.
    """
    rows = "rows of the largest table; ours is compared with a tenth of it (default: 20000000, with --quick 5000)"
    parser = command.parser(MODULE, "Measure exports to a bucket.", rows, least=1_000)
    known = ", ".join(ENGINES)
    parser.add_argument("engines", nargs="*", metavar="ENGINE", help=f"what to read from (default: all of {known})")
    options = command.parse(parser, given)
    if unknown := set(options.engines) - set(ENGINES):
        parser.error(f"unknown: {', '.join(sorted(unknown))}; allowed: {known}")
    sizes = quick(options.rows or 5_000) if options.quick else full(options.rows or 20_000_000)
    return command.run(
        lambda folder, tell: Measurement(sizes, options.engines or list(ENGINES), folder, tell)(),
        table.render,
        options,
        ["python", "-m", MODULE, *given],
        table.MARKS,
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
