"""Measures reading from every warehouse beside the ways that the official hooks offer; content first, then time.

``python -m benchmarks.read_sources`` ends with 1 if a content check fails or an engine does not run. A target that is missed is
marked in the table and does not change the exit code, because machines differ.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from benchmarks import command
from benchmarks.reading import table
from benchmarks.reading.measure import Measurement
from benchmarks.reading.results import full, quick
from sandbox.warehouses import SANDBOXES

MODULE = "benchmarks.read_sources"


def main(given: Sequence[str]) -> int:
    """Run the benchmark and print its table.

    :returns: the exit code.
    """
    rows = "rows of the larger table (default: 1000000, with --quick 20000)"
    parser = command.parser(MODULE, "Measure reading from the warehouses.", rows, least=100)
    known = ", ".join(SANDBOXES)
    parser.add_argument("engines", nargs="*", metavar="ENGINE", help=f"what to read from (default: all of {known})")
    options = command.parse(parser, given)
    if unknown := set(options.engines) - set(SANDBOXES):
        parser.error(f"unknown: {', '.join(sorted(unknown))}; allowed: {known}")
    sizes = quick(options.rows or 20_000) if options.quick else full(options.rows or 1_000_000)
    return command.run(
        lambda folder, tell: Measurement(sizes, options.engines or list(SANDBOXES), folder, tell)(),
        table.render,
        options,
        ["python", "-m", MODULE, *given],
        table.MARKS,
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
