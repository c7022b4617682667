"""Measures how a list of advertising ids becomes part files, beside a pandas script; content first, then time.

``python -m benchmarks.customer_files`` ends with 1 if a content check fails. A target that is missed is marked in the table and
does not change the exit code, because machines differ.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from benchmarks import command
from benchmarks.cleaning import table
from benchmarks.cleaning.measure import Measurement
from benchmarks.cleaning.results import full, quick

MODULE = "benchmarks.customer_files"


def main(given: Sequence[str]) -> int:
    """Run the benchmark and print its table.

    :returns: the exit code.
    """
    rows = "rows that both clean; ours also a tenth and twice as many (default: 10000000, with --quick 5000)"
    parser = command.parser(MODULE, "Measure how lists of advertising ids are cleaned and written.", rows, least=1_000)
    options = command.parse(parser, given)
    sizes = quick(options.rows or 5_000) if options.quick else full(options.rows or 10_000_000)
    return command.run(
        lambda folder, tell: Measurement(sizes, folder, tell)(),
        table.render,
        options,
        ["python", "-m", MODULE, *given],
        table.MARKS,
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
