"""Measures an import into Braze beside the loops that people write and a general tool; content first, then time.

``python -m benchmarks.import_braze`` ends with 1 if a content check fails. A target that is missed is marked in the table and
does not change the exit code, because machines differ.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from benchmarks import command, table
from benchmarks.measure import Measurement
from benchmarks.results import full, quick

MODULE = "benchmarks.import_braze"


def main(given: Sequence[str]) -> int:
    """Run the benchmark and print its table.

    :returns: the exit code.
    """
    # The fewest rows are one request of 75.
    parser = command.parser(
        MODULE, "Measure an import into Braze.", "rows of the import (default: 150000, with --quick 1500)", 75
    )
    options = command.parse(parser, given)
    sizes = quick(options.rows or 1_500) if options.quick else full(options.rows or 150_000)
    return command.run(
        lambda folder, tell: Measurement(sizes, folder, tell)(),
        table.render,
        options,
        ["python", "-m", MODULE, *given],
        (table.BEGIN, table.END),
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
